"""The verifier passes what is right; whatever is spoilt it finds, at its line."""

import math

import numpy as np
import pytest
from hil.verify import verify
from slow_motion import SlowMotion

from microfactory.machine import Machine

PRINT = """G28
G90
M83
M104 S200
M106 S128
G1 X20 Y165 F3000
G1 X40 Y165 E0.8 F1800
G1 X40 Y150 E0.5
M106 S255
G1 X20 Y150 E0.8
G1 E-2 F1500
G1 Z0.4 F600
G4 P50
M107
G1 X20 Y165 F6000
M104 S0
"""


@pytest.fixture(scope="module")
def printer():
    return Machine.load("d3d-printer")


def a_print(machine):
    m = SlowMotion(machine)
    m.heat("hotend", 200)
    m.output("part_fan", round(128 / 255 * 65535))
    m.line(50, 2000, x=20, y=165)
    m.line(30, 2000, x=40, e=0.8)
    m.line(30, 2000, y=150, e=1.3)
    m.output("part_fan", 65535)
    m.line(30, 2000, x=20, e=2.1)
    m.line(25, 2000, e=0.1)
    m.line(10, 100, z=0.4)
    m.rest(0.05)
    m.output("part_fan", 0)
    m.line(100, 2000, y=165)
    m.heat("hotend", 0)
    return m


def test_a_right_print_passes(printer):
    report = verify(PRINT, printer, a_print(printer).capture())
    assert report.passed, report.text()
    assert report.figures["changes"] == 5
    assert 0.9 < report.figures["max_speed_ratio"] <= 1.0
    assert report.figures["max_accel_ratio"] < 1.05
    assert report.figures["max_timing_ratio"] < 1.0


def test_arcs_and_helices_pass():
    mill = Machine.load("cnc-machine-centre")
    program = """G21 G90 G17
G0 X50 Y50 Z0
G1 Z-1 F300
G3 X50 Y70 I0 J10 F1200
G2 X50 Y50 Z-3 I0 J-10
G2 I5 J0 P2
G18 G3 X56 Z-3 I3 K0
G20
G1 X2 Y2
"""
    m = SlowMotion(mill)
    m.line(80, 500, x=50, y=50)
    m.line(5, 500, z=-1)
    m.arc(20, 500, (50, 60), math.pi)
    m.arc(20, 500, (50, 60), -math.pi, z=-3)
    m.arc(20, 500, (55, 50), -4 * math.pi)
    m.arc(20, 500, (-3, 53), math.pi, axes="zx")
    m.line(20, 500, x=50.8, y=50.8)
    report = verify(program, mill, m.capture())
    assert report.passed, report.text()
    assert report.figures["arcs"] == 4


def test_a_feature_that_is_left_out_is_found(printer):
    m = SlowMotion(printer)
    m.line(50, 2000, x=20, y=165)
    m.line(50, 2000, x=40)
    program = "G28\nG1 X20 Y165 F3000\nG1 X20.5\nG1 Y165.5\nG1 Y165\nG1 X40"
    report = verify(program, printer, m.capture())
    assert report.first.kind == "path"
    assert report.first.line == 4


def test_a_feed_above_what_was_asked_is_found(printer):
    m = SlowMotion(printer)
    m.line(52, 2000, x=40)
    report = verify("G28\nG1 X40 F3000", printer, m.capture())
    assert report.first.kind == "speed"
    assert report.first.line == 2


def test_an_acceleration_above_the_machines_is_found(printer):
    m = SlowMotion(printer)
    m.line(100, 3500, x=40)
    report = verify("G28\nG1 X40 F6000", printer, m.capture())
    assert report.first.kind in ("accel", "timing")
    m = SlowMotion(printer)
    m.line(100, 1000, x=40)
    report = verify("G28\nM204 T800\nG1 X40 F6000", printer, m.capture())
    assert report.first.kind in ("accel", "timing")


def test_a_motion_that_never_begins_is_found(printer):
    m = SlowMotion(printer, start_mm=[0, 100, 0, 0])
    m.line(50, 2000, x=40)
    report = verify("G28\nG1 X40 F3000", printer, m.capture())
    assert report.first.kind == "run"


def test_a_fan_that_is_late_or_wrong_is_found(printer):
    for value, late in ((65535, 0.2), (60000, 0.0), (None, 0.0)):
        m = SlowMotion(printer)
        m.line(50, 2000, x=40)
        if value is not None:
            m.builder.output("part_fan", round((m.time_s + late) * 125e6), value)
        m.line(50, 2000, x=80)
        report = verify("G28\nG1 X40 F3000\nM106\nG1 X80", printer, m.capture())
        assert report.first.kind == "output", value
        assert report.first.line == 3


def test_a_dwell_that_is_too_short_is_found(printer):
    m = SlowMotion(printer)
    m.line(50, 2000, x=40)
    m.rest(0.2)
    m.line(50, 2000, x=80)
    capture = m.capture()
    assert verify("G28\nG1 X40 F3000\nG4 S0.2\nG1 X80", printer, capture).passed
    report = verify("G28\nG1 X40 F3000\nG4 S0.3\nG1 X80", printer, capture)
    assert report.first.kind == "dwell"


def test_a_corner_that_is_taken_too_fast_is_found(printer):
    """At 50 mm/s without braking through a right angle, within the speed asked for."""
    m = SlowMotion(printer)
    capture = m.straight_through(50, [(20, 175), (20, 155)])
    report = verify("G28\nG1 X20 F3000\nG1 Y155", printer, capture)
    assert [v.kind for v in report.violations if v.kind not in ("accel", "timing")] == ["corner"]
    assert (
        verify("G28\nG64 P5\nG1 X20 F3000\nG1 Y155", printer, capture).figures["max_corner_ratio"]
        < 1
    )


def test_a_path_out_of_the_travel_is_found(printer):
    m = SlowMotion(printer)
    m.line(50, 2000, x=176)
    report = verify("G28\nG1 X176 F3000", printer, m.capture())
    assert report.first.kind == "travel"


def test_a_rounded_corner_passes_only_within_a_tolerance(printer):
    m = SlowMotion(printer)
    m.line(50, 2000, x=19.96)
    m.line(50, 2000, x=20, y=174.96)
    m.line(50, 2000, y=160)
    program = "G28\nG1 X20 F3000\nG1 Y160"
    assert verify(program, printer, m.capture()).first.kind == "path"


def test_a_cut_with_its_retreat_and_return_is_one_path(printer):
    m = SlowMotion(printer)
    m.line(50, 2000, x=30)
    m.run("retreat")
    m.line(8, 100, z=5)
    m.rest(3)
    m.run()
    m.line(8, 100, z=0)
    m.run()
    m.line(50, 2000, x=60)
    capture = m.capture()
    program = "G28\nG1 X60 F3000"
    assert verify(program, printer, capture).passed
    assert not verify("G28\nG1 X60 F3000\nG1 X61", printer, capture).passed


def test_a_return_to_another_place_is_found(printer):
    m = SlowMotion(printer)
    m.line(50, 2000, x=30)
    m.run("retreat")
    m.line(8, 100, z=5)
    m.run()
    m.line(8, 100, z=0.0125)
    m.run()
    m.line(50, 2000, x=60)
    report = verify("G28\nG1 X60 F3000", printer, m.capture())
    assert report.first.kind == "end"


def test_what_was_measured_is_there_for_the_plots(printer):
    played = verify(PRINT, printer, a_print(printer).capture()).played
    assert played is not None
    motion = played.motion
    assert len(motion.tick) > 100
    assert 95 < float(motion.speed_mm_s.max()) < 105
    assert 1500 < float(np.abs(motion.accel_mm_s2).max()) < 2600


def test_off_after_the_end_is_right_and_on_is_not(printer):
    for value, kind in ((0, None), (30000, "output")):
        m = SlowMotion(printer)
        m.output("part_fan", 65535)
        m.line(50, 2000, x=40)
        m.builder.output("part_fan", round((m.time_s + 0.5) * 125e6), value)
        m.builder.end(round((m.time_s + 1.0) * 125e6))
        report = verify("G28\nM106\nG1 X40 F3000\nM106 S255", printer, m.capture())
        assert (report.first.kind if report.first else None) == kind, report.text()


def test_of_two_runs_that_begin_at_its_place_the_one_that_fits_is_the_programs(printer):
    m = SlowMotion(printer)
    m.line(50, 2000, x=5)
    m.run("guarded")
    m.line(50, 2000, x=0)
    m.run()
    m.line(50, 2000, x=60)
    report = verify("G1 X60 F3000", printer, m.capture(), timed=False)
    assert report.passed, report.text()
