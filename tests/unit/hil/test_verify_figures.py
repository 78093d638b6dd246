"""The verifier's figures are what was done: as much as was, and nothing where nothing was."""

from __future__ import annotations

import numpy as np
import pytest
from hil.verify import verify
from hil.verify.reader import read
from hil.verify.windows import verify_job
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
