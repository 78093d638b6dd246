"""Plays a job from a card on the whole board in memory and prints what its pins did.

For CPython and MicroPython alike: `play_card.py FIRMWARE FOLDER IDENTITY BOND CONFIG START
[HOLDS]`. The card is FOLDER; BOND and CONFIG are files with what a host would have told the board,
START a list of counts. HOLDS: numbers of windows at which a hand holds the job and lets it go on.
"""

import json
import sys

sys.path.insert(0, sys.argv[1])

from boards import pico_carrier
from mfboard.board import Board
from mfboard.port_sim import Port
from mfboard.sim_card import SimCard
from mfwire import card as c
from mfwire.session import STATES


class Page:
    """The carrier, with a slot."""


for name in dir(pico_carrier):
    if name[0] != "_":
        setattr(Page, name, getattr(pico_carrier, name))
Page.CARD = (1, 30, 31, 32, 33)


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
    port = Port(Page, None, Sink(), card=SimCard(sys.argv[2]))
    with open(sys.argv[4], "rb") as bond, open(sys.argv[5], "rb") as config:
        port.flash = bond.read() + b"\n" + config.read()
    board = Board(port)
    board.answers.firmware = ("microfactory 0 " + sys.argv[3]).encode()
    start = json.loads(sys.argv[6])
    holds = [int(word) for word in sys.argv[7:]]
    card = board.card
    port.run_until(1000)
    card.feed.config(card.bound_config)
    for motor in range(board.player.motors):
        port.engine.set_position(motor, start[motor])
    board.trusted = True  # without a world there are no switches to home with
    assert card.begin("job.mfjob", c.TRUST) == 0
    while card.state != c.ENDED and port.tick < 125_000_000 * 300:
        port.run_until(port.tick + 625_000)
        port.sent.clear()
        if holds and card.state == c.PLAYING and card.feed.began and card.window >= holds[0]:
            holds.pop(0)
            card.wants_hold = True
        if card.state == c.HELD:
            card.wants_go = True
    engine = port.engine
    print(card.words, STATES[board.state], [engine.position(m) for m in range(engine.motors)])


main()
