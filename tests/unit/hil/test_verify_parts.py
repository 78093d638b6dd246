"""Small parts of the verifier that its verdicts hang on."""

from __future__ import annotations

import dataclasses

from hil.verify import verify
from hil.verify.reader import read
from hil.verify.runs import _last_pulse, joined
from slow_motion import SlowMotion

from microfactory import Machine

MILL = Machine.load("cnc-machine-centre")
PRINTER = Machine.load("d3d-printer")


def test_work_offsets_are_those_of_their_number():
    asked = read("G21 G90\nG10 L2 P2 X10\nG10 L2 P3 X20\nG1 X5 F600\nG55 X5\nG56 X5\n", MILL)
    assert list(asked.end[:, 0]) == [5.0, 15.0, 25.0]


def test_an_extruder_may_be_the_first_axis():
    e_first = dataclasses.replace(PRINTER, axes=(PRINTER.axes[3], *PRINTER.axes[:3]))
    asked = read("M83\nM204 P500 T800 R900\nG1 X5 E1 F600\nG1 X9\nG1 E1\n", e_first)
    assert list(asked.accel) == [500.0, 800.0, 900.0]


def test_of_several_captures_everything_is_one_behind_the_other():
    def part(speed_pwm: int, x: float):
        m = SlowMotion(PRINTER, start_mm=[x, 100, 0, 0])
        m.output("part_fan", speed_pwm)
        m.line(50, 2000, x=x + 5)
        m.heat("hotend", 200)
        return m.capture()

    first, second = part(1000, 10), part(2000, 15)
    whole = joined([first, second])
    shift = first.end_tick + first.tick_hz
    assert whole.end_tick == shift + second.end_tick
    for group in ("outputs", "targets"):
        for name, signal in getattr(first, group).items():
            after = getattr(second, group)[name]
            both = getattr(whole, group)[name]
            assert list(both.tick) == [*signal.tick, *(after.tick + shift)]
            assert list(both.value) == [*signal.value, *after.value]
    rise = whole.motors["x"].rise
    assert list(rise) == [*first.motors["x"].rise, *(second.motors["x"].rise + shift)]
    assert [run.kind for run in whole.runs].count("boot") == 1


def test_the_last_pulse_before_an_instant_is_the_last():
    m = SlowMotion(PRINTER, start_mm=[10, 100, 0, 0])
    m.line(50, 2000, x=15)
    capture = m.capture()
    rise = capture.motors["x"].rise
    assert _last_pulse(capture, ["x", "y1"], int(rise[7])) == rise[6]
    assert _last_pulse(capture, ["x"], int(rise[7]) + 1) == rise[7]
    assert _last_pulse(capture, ["x"], int(rise[0])) == 0


def test_steps_that_are_missing_are_told_for_the_axes_that_miss_some():
    m = SlowMotion(PRINTER, start_mm=[10, 100, 0, 0])
    m.line(50, 2000, x=15)
    report = verify("G1 X15 Y101 F3000\n", PRINTER, m.capture(), start_mm=[10, 100, 0, 0])
    assert not report.passed
    m = SlowMotion(PRINTER, start_mm=[10, 100, 0, 0])
    m.line(50, 2000, x=14)
    report = verify("G1 X15 F3000\n", PRINTER, m.capture(), start_mm=[10, 100, 0, 0])
    steps = round(PRINTER.axes[0].steps_per_mm)
    assert report.first.text.endswith(f"missing steps: x +{steps}")
