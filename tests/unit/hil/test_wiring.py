"""Miswired boards: none passes, the mistake is named, and right boards are left in peace."""

from __future__ import annotations

import pytest
from hil.wiring.bench import observe
from hil.wiring.campaign import MACHINES, boards, wires
from hil.wiring.diagnose import diagnose
from hil.wiring.lines import lines_of
from hil.wiring.miswire import right
from hil.wiring.net import Net

from microfactory import Machine


def told(machine: Machine, net: Net) -> list[str]:
    return [finding.sentence for finding in diagnose(machine, observe(machine, net))]


@pytest.fixture
def printer() -> Machine:
    return Machine.load("d3d-printer")


@pytest.fixture
def net(printer: Machine) -> Net:
    return right(wires(lines_of(printer)))


def ends(name: str) -> tuple[tuple[str, str], tuple[str, str]]:
    return ("board", name), ("rig", name)


@pytest.mark.parametrize("name", MACHINES)
def test_a_board_that_is_wired_right_passes_in_less_than_a_second(name):
    machine = Machine.load(name)
    observed = observe(machine, right(wires(lines_of(machine))))
    assert diagnose(machine, observed) == []
    assert observed.rig_s < 1.0


def test_swapped_lines_of_a_driver_are_named(printer, net):
    step, direction = ends("X STEP"), ends("X DIR")
    del net.wires[step], net.wires[direction]
    net.wires[step[0], direction[1]] = False
    net.wires[direction[0], step[1]] = False
    assert told(printer, net) == ["X DIR and X STEP are swapped"]


def test_a_switch_at_another_connector_and_an_open_thermistor_are_named(printer, net):
    one, other = ends("y-max switch"), ends("z-min switch")
    del net.wires[one], net.wires[other], net.wires[ends("bed thermistor")]
    net.wires[one[0], other[1]] = False
    assert told(printer, net) == [
        "z-min switch answers where y-max switch belongs",
        "bed thermistor is open: its wire, its plug or its pin",
        "y-max switch is open: its wire, its plug or its pin",
    ]


def test_a_gate_without_its_pull_down_is_named(printer, net):
    net.pull_downs.discard(("board", "hotend heater"))
    assert told(printer, net) == [
        "hotend heater has no pull-down at its gate: it may switch on while the board starts"
    ]


def test_two_motors_shorted_together_are_named_though_neither_steps(printer, net):
    net.wires[ends("X STEP")[1], ends("Z STEP")[1]] = False
    assert told(printer, net) == ["X STEP and Z STEP are shorted together"]


def test_of_miswired_boards_none_passes_and_nearly_all_mistakes_are_named():
    found = list(boards(48, 7, spoilt=True))
    assert not [board for board in found if board["passed"]]
    assert sum(board["named"] for board in found) >= 46
    assert max(board["rig_s"] for board in found) < 1.0
