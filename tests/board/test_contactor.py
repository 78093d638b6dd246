"""The contactor's mirror contact: open before the pump runs, closed before anything begins."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cardkit import own, pulses
from hil.contactor import CLOSES_S, OPENS_S
from hil.plant import near_home
from hil.rig_virtual import VirtualLink

from mfboard import faults
from mfboard.contactor import DROP_US, LOOK_US
from mfwire import card as c
from mfwire.session import NO_POWER
from microfactory import Machine
from microfactory.board import Board
from microfactory.errors import BoardFault, MachineError
from microfactory.motion.gcode import parse

MILL = Machine.load("gantry-mill")
HZ = 125_000_000
PROGRAM = parse("G21 G90\nG0 X10 Y10\nG1 X150 F1200\nM2\n")


@pytest.fixture(autouse=True)
def _state(tmp_path, monkeypatch):
    monkeypatch.setenv("MICROFACTORY_STATE", str(tmp_path / "state"))


def opened(**options) -> Board:
    return Board(VirtualLink(MILL, start_mm=near_home(MILL), capture=True, **options), MILL).open()


def press(board: Board, supplied: bool) -> None:
    """The emergency stop takes the coil its current, or gives it back."""
    board.link.plant.contactor.supplied = supplied
    board.link.plant.coil(board.link.port.tick)


def test_the_pump_begins_only_after_the_contact_was_seen_open_and_drivers_only_with_power():
    link = VirtualLink(MILL, start_mm=near_home(MILL))
    board = Board(link, MILL)
    assert not link.port.powered
    board.client.connect()
    board.client.configure()
    begin = link.port.tick
    assert not link.port.powered
    while not link.port.powered:
        link.port.run_until(link.port.tick + HZ // 1000)
    assert LOOK_US / 1e6 - 0.02 <= (link.port.tick - begin) / HZ <= LOOK_US / 1e6 + 0.01
    board.client.send("ENABLE", motors=1)
    with pytest.raises(BoardFault, match="no power") as refused:
        board.client.settle()
    assert refused.value.code == NO_POWER
    board.wait(CLOSES_S + 0.02)
    board.client.send("ENABLE", motors=15)
    board.client.settle()
    assert link.port.enabled == 15


def test_a_welded_contactor_is_a_fault_before_the_pump_ever_runs():
    board = opened(contactor="welded")
    board.link.port.run_until(board.link.port.tick + int(0.6 * HZ))
    status = board.status()
    assert (status.fault, status.state) == (faults.CONTACTOR_WELDED, "FAULT")
    assert not board.link.port.powered
    assert not board.link.port.enabled
    assert board.link.port.tick / HZ < DROP_US / 1e6 + 2.0
    with pytest.raises(BoardFault, match=r"contactor welded \(contactor\): .*replace"):
        board.home()
    with pytest.raises(BoardFault, match="refused CLEAR"):
        board.clear()
    board.link.plant.contactor.welded = False
    board.link.port.at(board.link.port.tick + 1, "level", MILL.input_id("contactor"), 0)
    board.link.port.run_until(board.link.port.tick + HZ // 10)
    board.clear()
    board.home()
    assert board.status().position_trusted


@pytest.mark.parametrize("why", ["dead", "stopped"])
def test_without_power_nothing_begins_and_the_words_say_what_to_do(why):
    board = opened(contactor=why)
    assert board.status().state == "READY"
    assert not board.link.port.enabled
    assert "no power: drivers stay off" in board.events()
    for attempt in (board.home, lambda: board.run(PROGRAM), lambda: board.jog("x", 1.0)):
        with pytest.raises(BoardFault, match="release the emergency stop") as refused:
            attempt()
        assert refused.value.code == NO_POWER
    with pytest.raises(BoardFault, match="no power"):
        board.output("spindle", 0.5)
    board.output("spindle", 0.0)
    assert not board.link.sink.build().motors["x"].rise.size


def test_a_released_emergency_stop_lets_it_begin():
    board = opened(contactor="stopped")
    press(board, True)
    board.wait(0.1)
    board.home()
    assert board.status().position_trusted


def test_power_that_goes_while_it_moves_is_a_fault_and_the_position_is_not_trusted():
    board = opened()
    board.home()
    board.output("spindle", 0.3)
    begin = board.link.port.tick
    cut = []

    def watch(progress):
        if progress.motion_s > 1.0 and not cut:
            cut.append(board.link.port.tick)
            press(board, False)

    with pytest.raises(BoardFault, match="power lost"):
        board.run(PROGRAM, watch=watch)
    assert begin < cut[0]
    status = board.status()
    assert (status.fault, status.state) == (faults.POWER_LOST, "FAULT")
    assert not status.position_trusted
    assert not any(status.outputs.values())
    assert not board.link.port.enabled
    last = max(int(m.rise[-1]) for m in board.link.capture().motors.values() if m.rise.size)
    assert last - cut[0] <= (OPENS_S + 0.002 + 0.001) * HZ  # debounced, and a millisecond
    press(board, True)
    board.link.port.run_until(board.link.port.tick + HZ // 5)
    assert not board.link.port.enabled
    board.clear()
    assert not any(board.status().outputs.values())
    board.home()
    assert board.status().position_trusted


def test_power_that_goes_at_rest_is_a_fault_too():
    board = opened()
    board.home()
    press(board, False)
    board.link.port.run_until(board.link.port.tick + HZ // 5)
    assert board.status().fault == faults.POWER_LOST
    assert not board.status().position_trusted
    board.clear()
    with pytest.raises(BoardFault, match="is open, so motors"):
        board.home()


def test_another_machine_on_the_same_board_lets_it_fall_first():
    board = opened()
    other = MILL.with_settings({"motion.window_ms": 60.0, "inputs.x_min.debounce_ms": 3.0})
    again = Board(board.link, other).open()
    assert again.status().state == "READY"
    assert again.link.port.enabled
    assert again.status().fault == 0


def test_a_restart_drops_the_pump():
    board = opened()
    assert board.link.port.powered
    board.link.restart()
    assert not board.link.port.powered


def test_two_contactors_are_refused():
    with pytest.raises(MachineError, match="contactor already"):
        MILL.with_settings({"inputs.x_min.role": "contactor"})


@pytest.mark.parametrize("state", ["", "stopped", "welded"])
def test_a_job_from_a_card_waits_for_power_or_ends_in_words(tmp_path, state):
    plotter = Machine.load("circuit-plotter")
    inputs = [
        replace(item, name="power", role="contactor", debounce_ms=2.0)
        if item.role == "probe"
        else item
        for item in plotter.inputs
    ]
    bench = own(tmp_path, replace(plotter, inputs=tuple(inputs)))
    bench.link.restart()
    bench.link.plant.contactor.supplied = state != "stopped"
    bench.link.plant.contactor.welded = state == "welded"
    bench.link.alone(0.3)
    bench.play()
    said = bench.end()
    if not state:
        assert bench.link.board.trusted
        assert bench.it.why == c.END, said
        return
    assert not bench.link.board.trusted
    assert pulses(bench) == 0
    assert ("no power" if state == "stopped" else "latched a fault") in said, said
    welded = faults.CONTACTOR_WELDED if state == "welded" else faults.NONE
    assert bench.link.board.fault == welded
