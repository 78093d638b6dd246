"""The program of the slot that is to run; without one, the REPL."""

import machine

from mfboot import start

start.run(machine)
