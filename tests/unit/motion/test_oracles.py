"""Others' planners where their problem is ours: the same time, from code that shares nothing.

`ruckig` (jerk-limited from state to state) and `toppra` (a path within limits of each axis) come
with the extra `reference`. Where they do not apply, nothing is compared: neither knows corners
within a tolerance, nor a limit of the path's own acceleration on a curve.
"""

from __future__ import annotations

import random

import numpy as np
import pytest

from microfactory.machine import Machine
from microfactory.motion.gcode import parse
from microfactory.motion.motions import spent

PLOTTER = Machine.load("circuit-plotter")
HOW = "it is not installed: pip install '.[reference]'"


def line_s(machine: Machine, length_mm: float, feed: float) -> float:
    """Time of one line in X from rest to rest, as planned."""
    text = f"G28\nG0 X10\nG4 P.1\nG1 X{10 + length_mm:.6f} F{60 * feed:.6f}\n"
    both = spent(parse(text), machine).time_s
    return both - spent(parse("G28\nG0 X10\nG4 P.1\n"), machine).time_s


def limited(speed: float, accel: float, jerk: float) -> Machine:
    axis = {"axes.x.max_speed_mm_s": 60.0, "axes.x.max_accel_mm_s2": accel}
    path = {"motion.max_speed_mm_s": 60.0, "motion.max_accel_mm_s2": 1e4}
    return PLOTTER.with_settings({**axis, **path, "motion.max_jerk_mm_s3": jerk})


@pytest.mark.parametrize("seed", range(40))
def test_a_line_from_rest_to_rest_takes_as_long_as_ruckig_says(seed):
    ruckig = pytest.importorskip("ruckig", reason=HOW)
    rng = random.Random(seed)
    speed, accel = rng.uniform(2, 50), 10 ** rng.uniform(1.7, 3.7)
    jerk = 10 ** rng.uniform(3, 6) if seed % 4 else float("inf")
    length = round(10 ** rng.uniform(-1.5, 1.7), 6)
    asked = ruckig.InputParameter(1)
    asked.current_position, asked.target_position = [0.0], [length]
    asked.max_velocity, asked.max_acceleration = [speed], [accel]
    asked.max_jerk = [jerk]
    found = ruckig.Trajectory(1)
    ruckig.Ruckig(1).calculate(asked, found)
    ours = line_s(limited(speed, accel, jerk), length, speed)
    assert ours == pytest.approx(found.duration, rel=1e-6)


@pytest.mark.parametrize("seed", range(8))
def test_a_slanted_line_takes_as_long_as_toppra_says(seed):
    toppra = pytest.importorskip("toppra", reason=HOW)
    from toppra import algorithm, constraint

    toppra.setup_logging("ERROR")
    rng = random.Random(seed)
    speeds = [rng.uniform(5, 50) for _ in range(2)]
    accels = [10 ** rng.uniform(1.7, 3.4) for _ in range(2)]
    way = [rng.uniform(1, 30) for _ in range(2)]
    machine = PLOTTER.with_settings(
        {
            "motion.max_speed_mm_s": 1000.0,
            "motion.max_accel_mm_s2": 1e5,
            **{f"axes.{n}.max_speed_mm_s": v for n, v in zip("xy", speeds, strict=True)},
            **{f"axes.{n}.max_accel_mm_s2": a for n, a in zip("xy", accels, strict=True)},
        }
    )
    path = toppra.SplineInterpolator([0, 0.5, 1], [[0, 0], [w / 2 for w in way], way])
    limits = [
        constraint.JointVelocityConstraint([[-v, v] for v in speeds]),
        constraint.JointAccelerationConstraint([[-a, a] for a in accels]),
    ]
    grid = np.linspace(0, 1, 2001)
    found = algorithm.TOPPRA(limits, path, gridpoints=grid).compute_trajectory(0, 0)
    head = "G28\nG0 X10 Y10\nG4 P.1\n"
    text = f"{head}G1 X{10 + way[0]:.6f} Y{10 + way[1]:.6f} F60000\n"
    ours = spent(parse(text), machine).time_s - spent(parse(head), machine).time_s
    assert ours == pytest.approx(found.duration, rel=2e-3)
