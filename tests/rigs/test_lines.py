"""Levels of lines into a capture: what a probe sees must give what the board itself would tell."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from hil.emulated.chip import missing
from hil.report.vcd import write_vcd
from hil.rigs.lines import duties, lines_of_channels, names_of_pins, to_capture
from hil.rigs.rig import EmulatedRig, VirtualRig
from hil.rigs.scan import scan
from hil.rigs.told import Told
from hil.rigs.watch import Watch, at_the_pins
from hil.verify import Report, Violation

from microfactory import Board, Machine, parse
from microfactory.machine import names

SQUARE = "G21 G90\nG28\nG1 X3 Y3 F1200\nG1 X5\nG2 X4 Y4 I-1\nM2\n"
SHORT = "G21 G90\nG1 X3 Y3 F1200\nM3\nG1 X5\nG2 X4 Y4 I-1\nM5\nM2\n"


def levels(trace, low, high):
    """Ticks and levels of a pin that is `high` from rise to fall."""
    ticks = np.stack([trace.rise, trace.rise + trace.width], axis=1).ravel()
    return ticks, np.tile([high, low], len(trace.rise))


def lines_of(machine, capture):
    """What a probe would have seen of a capture that the board's own simulation tells."""
    out = {}
    for motor in machine.motors:
        m = capture.motors[motor.name]
        up = 0 if motor.invert else 1
        out[f"{motor.connector}.STEP"] = levels(m, 0, 1)
        turned = np.where(m.turn_direction > 0, up, 1 - up)
        # the simulation's pin stands for + from the start
        out[f"{motor.connector}.DIR"] = (np.append(0, m.turn_tick), np.append(up, turned))
    gate = np.array([run.tick for run in capture.runs])
    out["GATE"] = (np.stack([gate, gate + 1], axis=1).ravel(), np.tile([1, 0], len(gate)))
    return out


@pytest.mark.parametrize("name", names())
def test_pins_and_wire_give_the_captures_pulses_and_runs(name, tmp_path, monkeypatch):
    monkeypatch.setenv("MICROFACTORY_STATE", str(tmp_path))
    machine = Machine.load(name)
    rig = VirtualRig()
    link = rig.open(machine)
    told = Told(link)
    link.to_board.append(told)
    with Board(link, machine) as board:
        board.run(parse(SQUARE))
        seen = rig.seen(link)
    found = to_capture(machine, lines_of(machine, seen), seen.tick_hz, seen.end_tick, told)
    for motor, trace in seen.motors.items():
        for field in ("rise", "width", "direction"):
            assert np.array_equal(getattr(found.motors[motor], field), getattr(trace, field))
    assert len(seen.runs) > 6
    for ours, own in zip(found.runs, seen.runs, strict=True):
        assert (ours.tick, ours.kind, ours.window) == (own.tick, own.kind, own.window)
        assert ours.start_steps == own.start_steps


def test_a_probes_pins_are_the_boards_lines_whatever_is_inverted():
    rig = scan(Machine.load("circuit-plotter")).rig
    turned = replace(rig.channels[0], invert=True)
    rig = replace(rig, channels=(turned, *rig.channels[1:]))
    step, other = (np.array([0, 5, 9]), np.array([1, 0, 1])), (np.array([3]), np.array([1]))
    lines = lines_of_channels(rig, {turned.gpio: step, rig.channels[1].gpio: other})
    assert lines["M1.STEP"][1].tolist() == [0, 1, 0]
    assert lines["M1.DIR"][1].tolist() == [1]
    assert not lines["M2.STEP"][1].size  # nothing was seen there
    never = lines_of_channels(rig, {})["M1.STEP"]
    assert [part.tolist() for part in never] == [[0], [1]]
    pressed = rig.channel("x_min")
    assert pressed.line not in lines_of_channels(rig, {pressed.gpio: step})  # driven, not heard


def test_a_start_without_a_word_on_the_wire_is_a_retreat():
    machine = Machine.load("circuit-plotter")
    link = VirtualRig().open(machine)
    told = Told(link)
    lines = {"GATE": (np.array([100, 200]), np.array([1, 0]))}
    capture = to_capture(machine, lines, 125_000_000, 300, told)
    assert [(run.kind, run.window) for run in capture.runs] == [("retreat", -1)]


def test_what_is_sent_again_counts_once():
    machine = Machine.load("circuit-plotter")
    link = VirtualRig().open(machine)
    told = Told(link)
    link.to_board.append(told)
    sent = []
    link.to_board.append(lambda data: sent.append(data) or data)
    with Board(link, machine) as board:
        board.jog("x", 1.0)
        once = len(told.starts)
        for data in sent[-40:]:
            told(data)
        assert len(told.starts) == once == 1
        board.jog("x", 1.0)
    assert len(told.starts) == 2


def test_a_line_that_switches_fast_is_a_duty():
    period, rises = 1000, np.arange(10) * 1000
    ticks = np.stack([rises, rises + 250], axis=1).ravel()
    at, value = duties((ticks, np.tile([1, 0], 10)), 9300)
    assert (at.tolist(), value.tolist()) == ([0], [round(65535 / 4)])
    at, value = duties((ticks, np.tile([1, 0], 10)), 20_000)  # then it stays low
    assert value.tolist() == [round(65535 / 4), 0]
    assert at[-1] == 9 * period + 250
    at, value = duties((np.array([50]), np.array([1])), 10_000)  # on, and no more
    assert (at.tolist(), value.tolist()) == ([50], [65535])
    at, value = duties((np.append(ticks, 10_000), np.append(np.tile([1, 0], 10), 1)), 20_000)
    assert value.tolist() == [round(65535 / 4), 65535]
    stopped = np.concatenate([ticks[:10], [20_000, 20_250, 21_000, 21_250]])
    at, value = duties((stopped, np.tile([1, 0], 7)), 21_300)
    assert value.tolist() == [round(65535 / 4), 0, round(65535 / 4)]


def test_every_pin_of_the_board_has_one_line():
    board = Machine.load("d3d-printer").board
    found = names_of_pins(Machine.load("d3d-printer"))
    assert len(found) == sum(len(pins) for _, pins in board.pins)
    assert found[2] == "M1.STEP"
    assert found[25] == "GATE"


def test_at_the_pins_only_what_no_pin_shows_is_left_out():
    wrong = [Violation(kind, 1, 0.0, 1, {}, "") for kind in ("heater", "path", "wait", "output")]
    report = at_the_pins(Report(tuple(wrong)))
    assert [v.kind for v in report.violations] == ["path", "output"]
    assert any("not judged" in note for note in report.notes)


@pytest.mark.skipif(bool(missing()), reason=missing() or "-")
def test_the_real_firmwares_pins_are_judged_against_a_program(tmp_path, monkeypatch):
    monkeypatch.setenv("MICROFACTORY_STATE", str(tmp_path))
    machine = Machine.load("circuit-plotter")
    rig = EmulatedRig()
    link = rig.open(machine)
    watch = Watch(rig, link, machine)
    with Board(link, machine) as board:
        board.set_position(**{a.name: a.home.position_mm for a in machine.axes if a.home})
        board.run(parse(SHORT), home=False)
        report = watch.judge(SHORT)
        spindle = watch.seen().outputs["spindle"]
    assert report.figures["pulses"] == 1120
    assert report.figures["changes"] == 2
    assert spindle.value.tolist() == [65535.0, 0.0]


def test_a_look_that_begins_later_knows_what_was_in_force(tmp_path):
    rig, machine = VirtualRig(), Machine.load("circuit-plotter")
    link = rig.open(machine)
    watch = Watch(rig, link, machine)
    with Board(link, machine) as board:
        board.output("spindle", 1.0)
        board.jog("x", 1.0)
        board.jog("x", -1.0)
        watch.begin()
        board.jog("x", -0.5)
        seen = watch.seen()
        assert watch.steps("x1") == -40
        assert watch.setup_us("x1").min() > 1000  # since the turn of the move before
    assert seen.motors["x1"].turn_direction.tolist() == [-1]
    assert seen.outputs["spindle"].value.tolist() == [65535.0]
    first_s = seen.seconds(int(seen.motors["x1"].rise[0])) - 0.001
    write_vcd(seen, tmp_path / "a.vcd", first_s, 1.0)
    text = (tmp_path / "a.vcd").read_text()
    marks = dict(re.findall(r"\$var wire 1 (\S+) (\S+) \$end", text))
    names_of = {name: mark for mark, name in marks.items()}
    start = text.split("$enddefinitions $end\n")[1].split("\n#", 2)
    assert f"1{names_of['spindle']}" in start[0]
    assert f"0{names_of['x1_dir']}" in start[0]


def test_a_direction_that_never_turned_is_told_by_its_pulses(tmp_path):
    rig, machine = VirtualRig(), Machine.load("circuit-plotter")
    link = rig.open(machine)
    with Board(link, machine) as board:
        board.jog("x", 1.0)
        seen = rig.seen(link)
    assert not len(seen.motors["x1"].turn_tick)
    write_vcd(seen, tmp_path / "a.vcd", 0.0, 1.0)
    text = (tmp_path / "a.vcd").read_text()
    (mark,) = re.findall(r"\$var wire 1 (\S+) x1_dir \$end", text)
    assert (
        text.split("$enddefinitions $end\n")[1].split("\n#")[0].splitlines().count(f"1{mark}") == 1
    )
