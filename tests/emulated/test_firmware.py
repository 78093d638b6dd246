"""The real firmware on an emulated RP2040, driven by the host library over its USB port."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hil.emulated.link import EmulatedLink
from hil.emulated.pins import runs
from hil.emulated.trials import SCENARIOS, Bench, compare, start_steps, stretch, twin

from microfactory import Machine
from microfactory.board import Board
from microfactory.drive import drive

CLOCK_US = 125


def stand(board: Board, windows: list) -> None:
    board.ready()
    for m, steps in enumerate(start_steps(windows[0], len(board.machine.motors))):
        board.client.send("POSITION", motor=m, steps=steps)
    board.client.settle()


@pytest.fixture(scope="module")
def printer() -> Iterator[Board]:
    link = EmulatedLink(Machine.load("d3d-printer"), start_mm={"x": 4, "y": 171, "z": 3})
    board = Board(link, link.machine).open()
    yield board
    link.close()


def test_the_host_library_homes_on_switches_in_hardware(printer):
    printer.home()
    status = printer.status()
    assert status.position_trusted
    axes = printer.machine.axes
    homed = {axis.name: axis.home.position_mm for axis in axes if axis.home}
    for name, value in homed.items():
        assert status.position_mm[name] == pytest.approx(value, abs=0.05)
    printer.link.look()
    guarded = runs(printer.machine, printer.link.page, printer.link.edges)
    assert len(guarded) >= 6  # fast, off and slow for each axis
    # where the program thinks that a motor is, and where the pins have brought it
    for motor in printer.machine.motors:
        step, _direction = printer.link.page.STEP[motor.connector]
        away = printer.link.chip.where(step) - status.steps[motor.name]
        assert abs(away) <= 2, motor.name


def test_a_halted_motor_stops_within_a_step_and_the_others_go_on(printer):
    machine, link, client = printer.machine, printer.link, printer.client
    windows = stretch(machine, "G28\nG1 X20 Y150 F3000\nG1 X40 Y130\nM2\n")
    stand(printer, windows)
    start = start_steps(windows[0], 5)
    link.place([start[0] + 600 - 2000, *start[1:]])  # x_min, at 0, is 1,400 steps behind the start
    link.look()
    seen = len(runs(machine, link.page, link.edges))
    link.chip.motor(2, 3, -1 if machine.motors[0].invert else 1, start[0], [
        {"gpio": link.page.INPUTS["IN1"], "active": int(machine.inputs[0].active == "high"),
         "at": start[0] + 600, "below": False}
    ])  # fmt: skip
    client.send("RESET", number=windows[0].number)
    number = machine.input_id("x_min")
    drive(client, iter(windows), guards=((number, 1),))
    status = client.ask()
    link.look()
    run = runs(machine, link.page, link.edges)[seen]
    count = status.window - windows[0].number + 1
    played = twin(machine, windows[:count]).played[0]
    assert 600 <= len(run.rises[0]) <= 601
    assert status.latched == {"x": start[0] + len(run.rises[0])}
    assert status.steps["x"] == start[0] + len(run.rises[0])
    for m in (1, 2):
        assert len(run.rises[m]) > 600
        assert np.array_equal(run.rises[m], played[m][0] - 1)
    link.chip.set_pin(link.page.INPUTS["IN1"], 1 - int(machine.inputs[0].active == "high"))


def test_abort_stops_at_once_and_the_count_is_exact(printer):
    machine, link, client = printer.machine, printer.link, printer.client
    windows = stretch(machine, "G28\nG1 X60 Y110 F9000\nG1 X100 Y80\nM2\n")
    rng = np.random.default_rng(5)
    for _ in range(5):
        stand(printer, windows)
        start = start_steps(windows[0], 5)
        link.place(start)
        client.send("RESET", number=windows[0].number)
        for window in windows[:5]:
            client.send_window(window.number, window.data)
        client.send("COMMIT", number=windows[4].number)
        client.send("START", number=windows[0].number)
        client.settle()
        link.alone(float(rng.uniform(0.0, 0.18)))
        link.look()
        printer.stop()
        began = link.chip.now
        status = printer.status()
        assert status.state == "ABORTED"
        assert not status.position_trusted
        for motor in machine.motors:
            step, _direction = link.page.STEP[motor.connector]
            assert link.chip.where(step) == status.steps[motor.name], motor.name
        before = [link.chip.where(s) for s, _ in link.page.STEP.values()]
        link.alone(0.2)
        assert [link.chip.where(s) for s, _ in link.page.STEP.values()] == before
        assert link.chip.now > began


def test_a_hold_takes_the_tail_and_every_edge_is_the_twins(printer):
    machine, link, client = printer.machine, printer.link, printer.client
    windows = stretch(machine, (SCENARIOS / "short_print.gcode").read_text())
    stand(printer, windows)
    client.hash = client.ask().hash
    link.place(start_steps(windows[0], 5))
    link.look()
    seen = len(runs(machine, link.page, link.edges))
    until = link.now_s() + 1.1
    driven = drive(client, iter(windows), wants_hold=lambda: link.now_s() > until)
    assert (driven.state, driven.why) == ("RESTED", "hold")
    link.look()
    run = runs(machine, link.page, link.edges)[seen]
    count = driven.window.number - windows[0].number + 1
    assert compare(machine, run, twin(machine, windows[:count]).played[0]) == ""


def test_an_output_changes_within_50_us_of_its_place_in_the_path():
    machine = Machine.load("cnc-torch-table")
    bench = Bench("cnc-torch-table", 1)
    try:
        link, client = bench.link, bench.board.client
        stand(bench.board, bench.windows)
        link.place(start_steps(bench.windows[0], len(machine.motors)))
        drive(client, iter(bench.windows))
        link.look()
        run = runs(machine, link.page, link.edges)[0]
        asked = []
        begin = 0
        for window in bench.windows:
            count = int.from_bytes(window.data[22:24], "little")
            for k in range(count):
                at = 28 + 8 * len(machine.motors) + 8 * k
                tick = int.from_bytes(window.data[at : at + 4], "little")
                value = int.from_bytes(window.data[at + 6 : at + 8], "little")
                asked.append((begin + tick, int(value > 0)))
            begin += window.length_ticks
        clocks, levels = run.outputs["torch"]
        seen = list(zip(clocks.tolist(), levels.tolist(), strict=True))
        wanted = [each for i, each in enumerate(asked) if each[1] != (asked[i - 1][1] if i else 0)]
        assert len(wanted) >= 2
        assert [level for _, level in seen] == [level for _, level in wanted]
        for (clock, _), (tick, _) in zip(seen, wanted, strict=True):
            assert 0 <= clock - tick < 50 * CLOCK_US
    finally:
        bench.close()


@pytest.mark.parametrize("name", ["d3d-printer", "cnc-machine-centre"])
def test_cuts_at_random_instants_play_the_twins_edges(name):
    bench = Bench(name, 77)
    try:
        for _ in range(3):
            trial = bench.trial()
            assert not trial["wrong"], trial
    finally:
        bench.close()
