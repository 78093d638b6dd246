"""What the board still vouches for: its position after drivers were off, its retreat after a new
configuration.
"""

from __future__ import annotations

from kit import MACHINE, Kit

from mfboard import faults
from mfwire.session import BAD_BOUNDS
from microfactory.machine import Machine
from microfactory.motion.straight import retreat_body

START = (0, 14000, 14000, 0, 0)


def test_a_position_is_not_trusted_once_drivers_were_off_and_not_doubted_when_they_go_on():
    kit = Kit()
    kit.stand(START)
    assert kit.board.trusted
    kit.say("ENABLE", motors=1)
    assert kit.board.trusted
    kit.say("ENABLE", motors=0)
    assert not kit.board.trusted
    kit.say("ENABLE", motors=31)
    assert not kit.board.trusted


def test_a_new_configuration_forgets_the_retreat_of_the_old_one():
    kit = Kit()
    kit.stand(START)
    body = retreat_body(MACHINE)
    for at in range(0, len(body), 480):
        kit.say("RETREAT", offset=at, total=len(body), data=body[at : at + 480])
    assert kit.board.retreat_length == len(body)
    kit.machine = Machine.load("circuit-plotter")
    kit.configure()
    assert kit.board.retreat_length == 0


def test_a_fault_is_told_at_once():
    kit = Kit(Machine.load("circuit-plotter"))
    number = kit.machine.input_id("estop")
    kit.run(121_000)
    pressed = int(kit.machine.inputs[number].active == "high")
    kit.port.at(kit.port.tick + 1, "level", number, pressed)
    kit.run(3_000, ping=False)
    told = [m["fault"] for m in kit.heard if m["name"] == b"STATUS"]
    assert told[-1] == faults.ESTOP


def test_a_retreat_that_is_longer_than_it_says_is_refused():
    kit = Kit()
    kit.stand(START)
    assert kit.say("RETREAT", offset=0, total=100, data=bytes(120)) == BAD_BOUNDS
    assert kit.board.retreat_length == 0
