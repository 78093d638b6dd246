"""Switches: what is believed when, and what the board does at once, without asking the host."""

from __future__ import annotations

import pytest
from kit import MACHINE, Kit, bodies

from mfboard import faults
from mfboard.inputs import Inputs
from mfwire.session import STATES

WINDOWS = bodies("M109 S200\nG28\nM83\nM106 S255\nG1 X80 F6000\nG1 X10\nG1 X80\nG1 X10\n")
START = (0, 14000, 14000, 0, 0)
US = 125  # ticks


def item(debounce_us: int, active: int = 1) -> dict[str, int]:
    return {"active": active, "debounce_us": debounce_us}


def test_a_level_is_believed_after_its_debounce_time_and_not_before():
    inputs = Inputs([item(2000)])
    inputs.change(0, 1, 100)
    assert inputs.due_us(100) == 2000
    inputs.service(2099)
    assert (inputs.levels(), inputs.tripped) == (0, 0)
    inputs.service(2100)
    assert (inputs.levels(), inputs.tripped) == (1, 1)
    assert inputs.due_us(3000) == -1


def test_a_short_spike_is_a_glitch_and_no_more():
    inputs = Inputs([item(2000), item(2000, active=0)])
    for i in range(3):
        inputs.change(0, 1, 10_000 * i)
        inputs.change(0, 0, 10_000 * i + 1500)
        inputs.service(10_000 * i + 5000)
    assert inputs.glitches[0] == 3
    assert inputs.tripped == 0
    inputs.change(1, 0, 50_000)  # active low
    inputs.service(52_000)
    assert inputs.levels() == 2


def test_the_clock_may_wrap_while_an_input_settles():
    inputs = Inputs([item(2000)])
    inputs.change(0, 1, 2**30 - 500)
    inputs.service(1000)
    assert inputs.levels() == 0
    inputs.service(1500)
    assert inputs.levels() == 1


def running(windows: int = 5) -> Kit:
    kit = Kit()
    kit.stand(START)
    kit.say("RESET", number=WINDOWS[0].number)
    kit.feed(WINDOWS, most=windows)
    return kit


def press(kit: Kit, name: str, after_us: int, *, hold_us: int = 1_000_000) -> int:
    """An input becomes active; the tick."""
    i = MACHINE.input_id(name)
    level = 1 if MACHINE.inputs[i].active == "high" else 0
    tick = kit.port.tick + after_us * US
    kit.port.at(tick, "level", i, level)
    kit.port.at(tick + hold_us * US, "level", i, 1 - level)
    return tick


def last_edge(kit: Kit) -> int:
    return max(tick for edges in kit.sink.edges.values() for tick, _ in edges)


def test_an_emergency_stop_stops_motors_heat_and_outputs_at_once():
    kit = running()
    kit.port.adc = lambda i: 0.25
    kit.say("OUTPUT", output=1, value=1500)
    tick = press(kit, "estop", 50_000)
    kit.run(300_000)
    assert kit.state == "FAULT"
    assert kit.board.fault == faults.ESTOP
    assert last_edge(kit) <= tick + 1000 * US
    assert kit.board.heaters[0].target_dc == 0
    assert all(value == 0 for value in kit.board.outputs.value)
    assert not kit.board.trusted


def test_a_fault_is_told_at_once_and_not_with_the_next_report():
    for _ in range(5):
        kit = running()
        while not any(m["name"] == b"STATUS" for m in kit.heard):
            kit.run(1000)
        kit.heard.clear()  # the next report is due after 50 ms
        press(kit, "estop", 5000, hold_us=100)
        kit.run(12_000)
        told = [STATES[m["state"]] for m in kit.heard if m["name"] == b"STATUS"]
        assert told[-1:] == ["FAULT"]


def test_a_fault_stays_until_it_is_cleared_and_not_while_the_stop_is_pressed():
    kit = running()
    press(kit, "estop", 10_000)
    kit.run(200_000)
    assert kit.say("CLEAR") == 1
    assert kit.say("START", number=WINDOWS[0].number) == 1
    assert kit.state == "FAULT"
    i = MACHINE.input_id("estop")
    kit.port.at(kit.port.tick + 1000, "level", i, 1 - (MACHINE.inputs[i].active == "high"))
    kit.run(20_000)
    assert kit.say("CLEAR") == 0
    assert kit.state == "ABORTED"
    assert not kit.board.trusted


@pytest.mark.parametrize("hold_us", [500, 1900])
def test_a_spike_on_a_limit_switch_does_not_stop_a_print(hold_us):
    kit = running(windows=8)
    press(kit, "x_min", 60_000, hold_us=hold_us)
    kit.run(150_000)
    assert kit.board.fault == 0
    assert kit.board.inputs.glitches[MACHINE.input_id("x_min")] == 1


def test_a_limit_switch_in_normal_motion_is_a_fault():
    kit = running()
    tick = press(kit, "x_min", 60_000)
    kit.run(300_000)
    assert kit.state == "FAULT"
    assert kit.board.fault == faults.LIMIT
    assert kit.board.detail == MACHINE.input_id("x_min")
    assert last_edge(kit) <= tick + 3000 * US  # 2 ms of debounce


def test_a_limit_switch_at_rest_is_no_fault():
    kit = Kit()
    kit.stand(START)
    press(kit, "x_min", 1000)
    kit.run(50_000)
    assert kit.state == "READY"
    status = next(m for m in reversed(kit.heard) if m["name"] == b"STATUS")
    assert status["levels"] == 1 << MACHINE.input_id("x_min")


def test_a_guard_of_a_switch_that_is_closed_already_halts_its_motors_before_they_step():
    kit = Kit()
    kit.stand(START)
    kit.say("RESET", number=WINDOWS[0].number)
    i = MACHINE.input_id("x_min")
    kit.port.level = lambda number: MACHINE.inputs[number].active == "high"
    assert kit.say("GUARD", input=i, motors=1, edge=1) == 0
    kit.feed(WINDOWS, most=1)
    kit.run(900_000)
    assert not kit.sink.edges.get(0)
    assert kit.positions()[0] == START[0]


def test_guards_are_bounded_and_reset_clears_them():
    kit = Kit()
    reasons = [kit.say("GUARD", input=0, motors=1, edge=1) for _ in range(9)]
    assert reasons == [0] * 8 + [2]
    assert kit.say("GUARD", input=12, motors=1, edge=1) == 8
    assert kit.say("GUARD", input=0, motors=32, edge=1) == 8
    kit.say("RESET", number=0)
    assert kit.port.engine.guards == []
