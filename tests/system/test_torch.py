"""A plasma cut over a warped sheet: height held, arcs awaited and lost, Z exact afterwards."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hil.plant import near_home
from hil.rig_virtual import VirtualLink
from hil.verify import verify

import microfactory as mf

TABLE = mf.Machine.load("cnc-plasma-table")
CUT = """G21 G90 G64 P0.05
G0 X20 Y20 Z6
M3
G4 P0.25
G1 Z1.5 F1200
{}G1 X170 F2400
G1 X170 Y60
M5
G0 Z20
G0 X20 Y20
M2
"""
PROGRAM = mf.parse(CUT.format(""), "cut.gcode")
FORBIDDEN = mf.parse(CUT.format("M62 P2\n"), "cut.gcode")
HELD_MM = 0.25  # docs/torch-height.md


def warped(x_mm: float, y_mm: float) -> float:
    """3 mm high in the middle of the cut, 0.4 mm down at its end."""
    return 3.0 * math.sin((x_mm - 20) / 150 * math.pi) - (y_mm - 20) / 100


class Cut:
    """One cut on the virtual table, and what became of it."""

    def __init__(self, tmp_path, machine=TABLE, **fire):
        self.link = VirtualLink(machine, capture=True, start_mm=near_home(machine))
        self.machine = machine
        self.journal = tmp_path / "journal"
        self.fire = self.link.plant.fire
        self.fire.sheet = warped
        for key, value in fire.items():
            setattr(self.fire, key, value)

    def run(self, program=PROGRAM, **options):
        with mf.Board(self.link, self.machine) as board:
            board.run(program, journal=self.journal, **options)

    def resume(self, program=PROGRAM):
        with mf.Board(self.link, self.machine) as board:
            board.resume(program, journal=self.journal)

    def report(self, program=PROGRAM, machine=TABLE):
        return verify(program, machine, self.link.capture())

    def heights(self, after_mm=55.0):
        """The torch above the sheet while it cuts, once the first millimetres are done: mm."""
        rows = [row for row in self.fire.heights if row[1] > after_mm]
        return np.array([z - warped(x, y) for _, x, y, z in rows])

    def z_steps(self):
        """Where the pulses have brought Z since it was at home."""
        capture = self.link.capture()
        home = (0, 0, 0, 80 * 320)
        run = next(r for r in capture.runs if r.kind == "motion" and r.start_steps == home)
        trace = capture.motors["z"]
        return home[3] + int(trace.direction[trace.rise >= run.tick].sum())


def test_the_height_is_held_over_a_warped_sheet_and_z_is_exact_afterwards(tmp_path):
    cut = Cut(tmp_path)
    cut.run()
    report = cut.report()
    assert report.passed, report.text()
    heights = cut.heights()
    assert len(heights) > 3000
    assert heights.max() - heights.min() < 2 * HELD_MM
    assert 2.0 < report.figures["most_offset_mm"] < 3.0
    assert cut.z_steps() == 20 * 320
    # the path began in the millisecond of the arc, debounce included: the host has no part in it
    capture = cut.link.capture()
    arc = [int(t) for t, v in zip(*capture.inputs["arc_ok"], strict=True) if v][-1]
    run = next(run.tick for run in capture.runs if run.tick > arc)
    assert 0.005 <= (run - arc) / 125e6 < 0.0061


def test_without_control_the_torch_goes_its_plan_to_the_step(tmp_path):
    cut = Cut(tmp_path)
    cut.run(FORBIDDEN)
    report = cut.report(FORBIDDEN)
    assert report.passed, report.text()
    assert report.figures["most_offset_mm"] == 0.0
    assert cut.heights().max() - cut.heights().min() > 2.5
    assert cut.report(PROGRAM).passed  # it may be off its path, and need not


def test_an_offset_where_none_is_allowed_is_found(tmp_path):
    """The same pulses against a program that forbids it, a smaller bound, and no control at all."""
    cut = Cut(tmp_path)
    cut.run()
    assert cut.report(FORBIDDEN).first.kind == "path"
    narrow = TABLE.with_settings({"height.max_offset_mm": 2.0})
    assert cut.report(PROGRAM, narrow).first.kind == "path"
    assert cut.report(PROGRAM, mf.Machine.load("cnc-torch-table")).first.kind == "path"


def test_slots_and_bursts_do_not_move_the_torch(tmp_path):
    cut = Cut(tmp_path, slots=((90.0, 92.0), (110.0, 112.0)), burst_share=0.02)
    cut.run()
    assert cut.report().passed
    heights = cut.heights()
    assert heights.max() - heights.min() < 2 * HELD_MM + 0.2


def test_an_arc_that_is_lost_stops_on_the_path_and_the_cut_goes_on(tmp_path):
    cut = Cut(tmp_path, out_at_s=2.0)
    with pytest.raises(mf.Stopped, match="the arc was lost, the torch is off") as stopped:
        cut.run()
    assert "line 6" in str(stopped.value)
    torch = cut.link.capture().outputs["torch"]
    assert torch.value[-1] == 0
    late_s = (torch.tick[-1] - cut.fire.heights[-1][0]) / 125e6
    assert 0.1 <= late_s < 0.115
    offset = cut.link.board.port.engine.offset()
    assert offset > 100  # kept: the sheet is higher here
    cut.resume()
    report = cut.report()
    assert report.passed, report.text()
    assert cut.z_steps() == 20 * 320


def test_without_an_arc_nothing_moves(tmp_path):
    cut = Cut(tmp_path, never=True)
    with pytest.raises(mf.Stopped, match="there was no arc before the cut of line") as stopped:
        cut.run()
    assert "nothing has moved" in str(stopped.value)
    torch = cut.link.capture().outputs["torch"]
    on, off = torch.tick[-2:]
    assert (torch.value[-2:] == [65535, 0]).all()
    assert 3.0 <= (off - on) / 125e6 < 3.002
    assert not any(len(m.rise) and m.rise[-1] > on for m in cut.link.capture().motors.values())
    cut.fire.never = False
    cut.resume()
    assert cut.report().passed


@pytest.mark.parametrize("after_s", [0.5, 2.6])
def test_a_hold_anywhere_leaves_every_count_exact(tmp_path, after_s):
    cut = Cut(tmp_path)

    def wants_hold():
        begun = cut.fire.begin_tick
        return begun is not None and cut.link.now_s() > begun / 125e6 + after_s

    with pytest.raises(mf.Stopped, match="on the path"):
        cut.run(wants_hold=wants_hold)
    offset = cut.link.board.port.engine.offset()
    with mf.Board(cut.link, TABLE) as board:
        status = board.status()
    assert status.steps["z"] + offset == cut.z_steps()
    assert status.height.offset_steps == offset
    cut.resume()
    report = cut.report()
    assert report.passed, report.text()
    assert cut.z_steps() == 20 * 320


def test_a_cut_cable_lifts_from_where_the_torch_is(tmp_path):
    cut = Cut(tmp_path)

    def cable(_progress):
        begun = cut.fire.begin_tick
        if begun is not None and cut.link.now_s() > begun / 125e6 + 2.0:
            cut.link.cut_tick = cut.link.port.tick

    with pytest.raises(mf.LinkError):
        cut.run(watch=cable)
    cut.link.alone(3.0)
    cut.link.mend()
    offset = cut.link.board.port.engine.offset()
    assert offset > 100
    assert cut.link.board.port.engine.position(3) == 480 + offset + 3200
    cut.resume()
    report = cut.report()
    assert report.passed, report.text()
    assert cut.z_steps() == 20 * 320
