"""CoreXY: both motors' pulses against the axes' own on a Cartesian twin, and by the verifier."""

import random

import numpy as np
import pytest
from hil.verify import verify
from hil.verify.reader import ReadError
from hil.verify.windows import to_capture

import microfactory as mf
from microfactory.kinematics import moved_with, point_of, steps_at, travel_mm
from microfactory.motion.plan import plan

CORE = mf.Machine.load("d3d-corexy")
FREE = {f"motors.{m}.max_{key}": 0.0 for m in "ab" for key in ("speed_mm_s", "accel_mm_s2")}
SHAPED = {
    "axes.x.shaper": "zv",
    "axes.x.shaper_hz": 40.0,
    "axes.y.shaper": "mzv",
    "axes.y.shaper_hz": 33.0,
}
FINE = {
    **FREE,
    "machine.kinematics": "cartesian",
    "axes.x.steps_per_mm": 640.0,
    "axes.y.steps_per_mm": 640.0,
    "drivers.a4988.max_step_hz": 1e6,
}


def played(text, machine):
    program = mf.parse(text, "core.gcode")
    bodies = []
    for section in plan(program, machine).sections():
        bodies += [window.data for window in section.windows]
    return program, to_capture(bodies, machine)


def drawn(rng, pieces):
    """Lines, arcs of XY, helices and full circles anywhere on the bed."""
    lines = ["G21 G90", "G1 X80 Y80 Z20 F6000"]
    x, y, z = 80.0, 80.0, 20.0
    for _ in range(pieces):
        kind = rng.choice(["line", "line", "short", "arc", "circle"])
        feed = rng.choice([600, 3000, 9000, 18000])
        if kind == "circle":
            i, j = rng.uniform(-9, 9), rng.uniform(-9, 9)
            z = min(24.0, max(16.0, z + rng.choice([0.0, 0.3])))
            lines.append(f"G{rng.choice([2, 3])} X{x} Y{y} Z{z} I{i:.3f} J{j:.3f} F{feed}")
            continue
        reach = 0.4 if kind == "short" else 30.0
        x = round(min(150.0, max(25.0, x + rng.uniform(-reach, reach))), 3)
        y = round(min(150.0, max(25.0, y + rng.uniform(-reach, reach))), 3)
        if kind == "arc":
            lines.append(f"G{rng.choice([2, 3])} X{x} Y{y} R{rng.uniform(45, 60):.3f} F{feed}")
        else:
            lines.append(f"G1 X{x} Y{y} F{feed}")
    return "\n".join([*lines, "M2", ""])


@pytest.mark.parametrize("seed", range(12))
def test_random_programs_pass_the_verifier(seed):
    rng = random.Random(seed)
    machine = CORE.with_settings(SHAPED if seed % 3 == 2 else FREE if seed % 3 else {})
    if seed % 4 == 3:
        machine = machine.with_settings({"motion.max_jerk_mm_s3": 200000.0})
    program, capture = played(drawn(rng, 30), machine)
    report = verify(program.data, machine, capture, timed=False)
    assert report.passed, report.text()


def edges_of(capture, name, start):
    """Seconds of each pulse, and the place in steps that it marks."""
    trace = capture.motors[name]
    after = start + np.cumsum(trace.direction, dtype=np.int64)
    return trace.rise / capture.tick_hz, after - 0.5 * trace.direction


@pytest.mark.parametrize(
    "way",
    [
        "G1 X60 Y31",
        "G3 X60 Y80 I10 J20",
        "G2 X40 Y40 Z24 I10 J0",
        "G18 G2 X60 Z20 I10 K0",
        "G18 G3 X60 Y49 Z20 I10 K0",
        "G19 G2 Y60 Z20 J10 K0",
        "G19 G3 X49 Y60 Z20 J10 K0",
    ],
)
def test_a_motor_steps_where_the_sum_of_its_axes_crosses_half_a_step(way):
    text = f"G21 G90\nG1 X40 Y40 Z20 F3000\n{way} F300\nM2\n"
    free = CORE.with_settings(FREE)
    twin = CORE.with_settings(FINE)
    _, core = played(text, free)
    _, cartesian = played(text, twin)
    home = 175.0
    x = edges_of(cartesian, "a", 0)
    y = edges_of(cartesian, "b", round(home * 640))
    count = 0
    for name, sign in (("a", 1.0), ("b", -1.0)):
        time, place = edges_of(core, name, round(sign * home * 80))
        at = [np.interp(time, t, steps / 640) for t, steps in (x, y)]
        off = np.abs(at[0] + sign * at[1] - place / 80)
        assert off.max() < 1.1 / 640  # half a step of each of the twin's axes, as they turn
        count += len(time)
    assert count > 3000
    assert core.runs[0].start_steps[:2] == (14000, -14000)


def test_limits_of_a_motor_bind_and_are_judged():
    text = "G21 G90\nG1 X150 Y25 F60000\nG1 X20 Y20\nG1 X90 Y90 F60000\nG2 X90 Y90 I20 J0\nM2\n"
    slow = CORE.with_settings({"motors.a.max_speed_mm_s": 90.0, "motors.b.max_accel_mm_s2": 700.0})
    program, capture = played(text, slow)
    assert verify(program.data, slow, capture, timed=False).passed
    program, capture = played(text, CORE)
    report = verify(program.data, slow, capture, timed=False)
    assert {"speed", "accel"} <= {v.kind for v in report.violations}


def test_pulses_that_are_not_the_program_s_are_found():
    text = "G21 G90\nG1 X150 Y25 F6000\nG3 X120 Y60 R60\nG1 X20 Y20\nM2\n"
    program, capture = played(text, CORE)
    assert verify(program.data, CORE, capture, timed=False).passed
    swapped = dict(capture.motors)
    swapped["a"], swapped["b"] = swapped["b"], swapped["a"]
    other = text.replace("R60", "R61")
    assert not verify(other, CORE, capture, timed=False).passed
    object.__setattr__(capture, "motors", swapped)
    assert not verify(program.data, CORE, capture, timed=False).passed


def test_an_arc_out_of_the_belts_plane_is_not_judged_and_says_so():
    program, capture = played("G21 G90\nG1 X40 Y40 Z20 F3000\nG18 G2 X60 Z20 I10 K0\nM2\n", CORE)
    with pytest.raises(ReadError, match="line 3: on a CoreXY an arc is judged in the plane of X"):
        verify(program.data, CORE, capture, timed=False)


def test_places_and_counts_are_each_other_s():
    point = [12.5, 33.75, 4.0, 1.0]
    steps = steps_at(CORE, point)
    assert steps[:2] == (3700, -1700)
    assert point_of(CORE, steps) == point
    assert moved_with(CORE, 0) == moved_with(CORE, 1) == (0, 1)
    assert moved_with(CORE, 2) == (2,)
    assert travel_mm(CORE, 0) == (0.0, 350.0)
    assert travel_mm(CORE, 1) == (-175.0, 175.0)


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"axes.y.steps_per_mm": 40.0}, "both are on one belt"),
        ({"motion.corner": "blend"}, "not driven with CoreXY"),
        ({"motors.a.max_speed_mm_s": 0.0, "drivers.a4988.max_step_hz": 40000.0}, "driver a4988"),
        ({"machine.kinematics": "cartesian"}, "goes as its axis does"),
        ({"machine.kinematics": "delta"}, "use one of cartesian, corexy"),
        ({"axes.x.unlimited": True}, "has a travel"),
    ],
)
def test_what_cannot_be_driven_is_refused(settings, text):
    with pytest.raises(mf.MachineError, match=text):
        CORE.with_settings(settings)
