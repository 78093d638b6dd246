"""Plays windows on the whole board in memory and prints what its pins did; no host, no libraries.

For CPython and MicroPython alike: `play.py FIRMWARE FILE`. A line of FILE is a frame in hex, or
`level:INPUT:LEVEL`, behind the microseconds that pass after it. Prints a line for each edge and
change, then the state.
"""

import sys

sys.path.insert(0, sys.argv[1])

from boards import pico_carrier
from mfboard.board import Board
from mfboard.port_sim import Port
from mfwire.session import STATES, WHY


class Sink:
    """Prints."""

    def steps(self, motor, rises, pulse, signs):
        for i in range(len(rises)):
            print("step", motor, rises[i], signs[i])

    def turns(self, motor, ticks, directions):
        for i in range(len(ticks)):
            print("turn", motor, ticks[i], directions[i])

    def output(self, name, tick, value):
        print("output", name, tick, value)

    def run(self, tick, kind, positions, number):
        print("run", tick, kind, positions, number)

    def target(self, name, tick, celsius):
        print("target", name, tick, int(celsius * 10 + 0.5))

    def temperature(self, name, tick, celsius):
        return

    def input(self, name, tick, active):
        print("input", name, tick, active)


def main():
    port = Port(pico_carrier, None, Sink())
    board = Board(port)
    with open(sys.argv[2]) as file:
        for line in file:
            us, data = line.split()
            if data.startswith("level:"):
                _, number, level = data.split(":")
                port.at(port.tick + 1, "level", int(number), int(level))
            else:
                data = bytearray(bytes.fromhex(data))
                board.receive(data, len(data))
            port.run_until(port.tick + int(us) * port.ticks_per_us)
            port.sent.clear()
    engine = port.engine
    print(STATES[board.state], WHY[board.why], [engine.position(m) for m in range(engine.motors)])


main()
