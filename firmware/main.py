"""A Raspberry Pi Pico as a machine controller. `flash` names the machine's board page below."""

import gc

import machine
import micropython

gc.threshold(4096)  # each import's leftovers are collected before the next: no holes between them

from boards import pico_carrier as page  # noqa: E402

# for windows: taken early, while the heap is in one piece. Seven are 300 ms ahead;
# the program of a card needs more room for itself
MEMORY = bytearray((4 if hasattr(page, "CARD") else 7) * 8192)

from mfboard import faults  # noqa: E402
from mfboard.board import Board  # noqa: E402
from mfboard.fast_intake import Intake  # noqa: E402
from mfboard.fast_wire import FastCrc, FastDecoder, encode  # noqa: E402
from mfboard.port_rp2 import WATCHDOG_MS, Port, run  # noqa: E402

micropython.alloc_emergency_exception_buf(100)


def main(memory):
    """Never returns."""
    port = Port(page)
    board = Board(port, FastDecoder(), FastCrc(), FastCrc(), encode, memory)
    board.intake = Intake(board)
    if machine.reset_cause() == machine.WDT_RESET:
        board.trip(faults.WATCHDOG, 0)
    micropython.kbd_intr(-1)  # what comes through the REPL's port stops nothing
    gc.threshold(-1)  # from here on the port says when there is time to collect
    gc.collect()
    run(port, machine.WDT(timeout=WATCHDOG_MS))


main(MEMORY)
