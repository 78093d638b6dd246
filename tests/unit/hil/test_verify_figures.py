"""The verifier's figures are what was done: as much as was, and nothing where nothing was."""

from __future__ import annotations

import math
import struct

import numpy as np
import pytest
from hil.verify import verify
from hil.verify.corners import tangents
from hil.verify.reader import read
from hil.verify.windows import decode, verify_job
from slow_motion import HZ, SlowMotion

from microfactory import Machine
from microfactory.motion.gcode import parse
from microfactory.motion.plan import plan

MILL = Machine.load("cnc-machine-centre")
RATIOS = ("max_speed_ratio", "max_accel_ratio", "max_timing_ratio", "max_corner_ratio")


def test_nothing_that_moves_has_no_share_of_any_limit():
    m = SlowMotion(MILL)
    m.rest(1.2)
    report = verify("G21 G90\nG4 P1\nM2\n", MILL, m.capture())
    assert [report.figures[name] for name in RATIOS] == [0, 0, 0, 0]


@pytest.mark.parametrize("late_us", [4.0, 12.0])
def test_a_pulse_that_is_late_is_told_as_so_much_of_what_may_be(late_us):
    speed = 20.0
    m = SlowMotion(MILL)
    m.line(speed, 500, x=30)
    seen = m.capture()
    trace = seen.motors["x"]
    i = len(trace.rise) // 2
    trace.rise.setflags(write=True)
    trace.rise[i] += round(late_us * 1e-6 * HZ)
    report = verify(f"G21 G90\nG1 X30 F{speed * 60:g}\nM2\n", MILL, seen)
    accel, error_s = MILL.axes[0].max_accel_mm_s2, MILL.motion.step_tolerance_us * 1e-6
    t = 1 / (speed * MILL.axes[0].steps_per_mm)
    bent = accel * 1.05 * t * t / 2
    share = speed * late_us * 1e-6 / (bent + 2 * error_s * (speed + 2 * accel * t) + 1e-6)
    assert report.figures["max_timing_ratio"] == pytest.approx(share, rel=0.03)
    assert report.passed == (share <= 1)


@pytest.mark.parametrize(
    "arcs",
    [
        "G3 X60 Y50 I10.004 J0\n",
        "G3 X40.0125 Y50.4998 I10.004 J0\n",  # nearly a whole turn
        "G2 X49.997 Y60 I10.004\nG18 G3 X45 Z-4.998 I-5\n",
    ],
)
def test_an_arc_that_ends_on_another_radius_passes_as_it_was_planned(arcs):
    text = "G21 G90 G17\nG0 X60 Y50\nG3 X39.996 Y50 I-10 J0 F1200\n" + arcs + "M2\n"
    windows = [w for s in plan(parse(text), MILL).sections() for w in s.windows]
    report = verify_job(text, MILL, windows)
    assert report.passed, report.text()
    assert report.figures["pulses"] > 15_000
    assert np.isfinite([report.figures[name] for name in RATIOS]).all()


def test_a_speed_beside_m5_does_not_start_the_spindle_again():
    events = read("M3 S5000\nG1 X1 F100\nM5 S8000\nM2\n", MILL, None).events
    values = [e.value for e in events if e.kind == "output" and e.name == "spindle"]
    assert values[0] > 0
    assert set(values[1:]) == {0}


def test_a_pulse_that_comes_too_soon_after_another_is_told_at_its_tick():
    m = SlowMotion(MILL)
    m.line(20.0, 500, x=30)
    seen = m.capture()
    trace = seen.motors["x"]
    i = len(trace.rise) // 2
    least = round(MILL.driver(0).pulse_us * 1e-6 * HZ)
    trace.width.setflags(write=True)
    trace.width[i] = trace.rise[i + 1] - trace.rise[i] - least + 1
    found = [v for v in verify("G1 X30 F1200\nM2\n", MILL, seen).violations if v.kind == "pulse"]
    assert [v.tick for v in found] == [trace.rise[i + 1]]
    assert "is low for" in found[0].text


def test_a_corner_of_an_exact_path_is_not_rounded_at_any_speed():
    printer = Machine.load("d3d-printer")
    capture = SlowMotion(printer).straight_through(5, [(20, 175), (20, 155)])
    by_default = verify("G28\nG1 X20 F3000\nG1 Y155", printer, capture)
    assert "corner" not in {v.kind for v in by_default.violations}
    exact = verify("G28\nG61\nG1 X20 F3000\nG1 Y155", printer, capture)
    assert "corner" in {v.kind for v in exact.violations}


def test_pieces_begin_and_end_along_unit_vectors():
    text = "G21 G90 G17\nG1 X10 F600\nG3 X4 Y6 I0 J6\nG2 X10 Y0 Z3 I0 J-6\nM2\n"
    first, last = tangents(read(text, MILL, [0, 0, 0]))
    assert np.allclose(np.linalg.norm(first, axis=1), 1.0)
    assert np.allclose(np.linalg.norm(last, axis=1), 1.0)
    assert np.allclose(first[0], [1, 0, 0])
    assert np.allclose(first[1], [1, 0, 0])  # the arc leaves as the line came
    assert math.isclose(first[2][2], 3 / math.hypot(3, 6 * math.pi / 2))


def test_an_output_before_the_first_move_must_not_come_in_the_middle_of_it():
    m = SlowMotion(MILL)
    m.builder.output("spindle", round(1.6 * HZ), 65535)
    m.rest(1.0)
    m.line(20.0, 500, x=30)
    m.line(20.0, 500, y=30)
    found = verify("M3 S12000\nG1 X30 F1200\nG1 Y30\nM2\n", MILL, m.capture()).violations
    assert (found[0].kind, found[0].line) == ("output", 1)


def test_segments_are_found_behind_the_changes_of_a_tail():
    change, segment = struct.pack("<I2H", 5, 0, 0), struct.pack("<2I", 1 << 11 | 16 << 2, 0)
    head = struct.pack("<5I4H", 7, 0, 0, 16, 16, 1, 1, 2, 0)
    body = head + struct.pack("<i2H", 0, 1, 1) + 3 * change + 2 * segment
    window = decode(body)
    assert window.segments[0].tolist() == [list(struct.unpack("<2I", segment))]
    assert window.changes == ((5, 0, 0),)


def test_homing_one_axis_leaves_the_others_where_they_are():
    asked = read("G1 X10 Y20 Z-1 F600\nG28 Y\nG1 X15\nM2\n", MILL, None)
    assert asked.start[-1].tolist() == [10, MILL.axes[1].home.position_mm, -1]


def test_g17_leads_back_to_the_plane_of_x_and_y():
    text = "G18\nG17\nG2 X10 Y10 I5 J5 F600\nG19\nG2 Y20 Z-10 J5 K-5\nM2\n"
    arcs = read(text, MILL, None).arcs
    assert [(arc.first, arc.second) for arc in arcs.values()] == [(0, 1), (1, 2)]


@pytest.mark.parametrize("number", range(1, 7))
def test_each_coordinate_system_has_its_own_zero(number):
    text = f"G10 L2 P{number} X{number} Y-{number}\nG{53 + number}\nG1 X10 Y10 F600\nM2\n"
    assert read(text, MILL, [0, 0, 0]).end[-1].tolist() == [10 + number, 10 - number, 0]


def test_homing_forgets_what_g92_said_of_that_axis_on_a_printer():
    printer = Machine.load("d3d-printer")
    y = printer.axes[1].home.position_mm
    asked = read("G28\nG92 X3 Y7\nG28 Y\nG1 Y100 F600\n", printer, None)
    assert asked.end[-1][1] == 100
    assert asked.start[-1][1] == y
    assert read("G28\nG92 X3 Y7\nG28 X\nG1 Y100 F600\n", printer, None).end[-1][1] == 93 + y


def test_a_fan_that_is_only_switched_is_all_on_at_any_speed():
    text = Machine.load("d3d-printer").dump()
    at = text.index("[outputs.part_fan]")
    switched = Machine.parse(text[:at] + text[at:].replace('"pwm"', '"switch"', 1))
    events = read("M106 S128\nG1 X5 F600\nM106 S0\nG1 X9\nM106\nG1 X12\n", switched, None).events
    assert [e.value for e in events if e.kind == "output"] == [65535, 0, 65535]
