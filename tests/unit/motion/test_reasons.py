"""Planned motion with its reasons: the profile's motion, and the limits that really bind."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from plain_planner import ALONG, STOP_STEPS, planned
from reading import Plain, moves_of
from test_moves import MACHINES as NAMES
from test_moves import random_program
from test_plan import stretches

from microfactory.errors import LimitError, UsageError
from microfactory.kinematics import steps_at
from microfactory.machine import Machine
from microfactory.motion.core import check, lib
from microfactory.motion.gcode import parse
from microfactory.motion.motions import Asked, motions, spent
from microfactory.motion.profile import profile
from microfactory.motion.stretch import Stretch

MACHINES = {name: Machine.load(name) for name in NAMES}
JERKS = ("inf", "20000")


def all_motions(text, machine):
    """Copies of all rows of a program."""
    rows = [batch.copy() for batch in motions(parse(text), machine)]
    return np.concatenate(rows)


def program_of(machine, seed, lines):
    return random_program(machine, random.Random(seed), lines)[0]


def with_jerk(machine: Machine, jerk: str) -> Machine:
    return machine.with_settings({"motion.max_jerk_mm_s3": float(jerk)})


@pytest.mark.parametrize("jerk", JERKS)
@pytest.mark.parametrize("name", MACHINES)
def test_motions_are_the_spans_of_the_profile(name, jerk):
    machine = with_jerk(MACHINES[name], jerk)
    for seed in range(12):
        text = program_of(machine, seed, 60)
        rows = all_motions(text, machine)
        spans = list(profile(parse(text), machine))
        assert rows["move"]["line"].tolist() == [span.line for span in spans]
        assert rows["time_s"] == pytest.approx([span.time_s for span in spans], abs=1e-12)
        counted = spent(parse(text), machine)
        assert counted.time_s == pytest.approx(rows["time_s"].sum(), rel=1e-12)
        phases = rows["phase"]["time_s"].sum(axis=1)
        assert phases == pytest.approx(rows["time_s"], abs=1e-12)
        way = rows["phase"]
        t = way["time_s"]
        s = (way["v_mm_s"] + (way["a_mm_s2"] / 2 + way["j_mm_s3"] * t / 6) * t) * t
        moving = rows["move"]["kind"] != lib.MF_MOVE_DWELL
        assert s.sum(axis=1)[moving] == pytest.approx(
            rows["move"]["length_mm"][moving], rel=1e-6, abs=1e-9
        )


def candidates(move: Plain, machine: Machine) -> tuple[dict[int, float], dict[int, float], float]:
    """What each limit lets this move have: speeds, accelerations, and the most that a tail fits."""
    speeds = {lib.MF_BY_FEED: move.speed, lib.MF_BY_SPEED: machine.motion.max_speed_mm_s}
    accels = {lib.MF_BY_ACCEL: machine.motion.max_accel_mm_s2}
    if move.accel:
        accels[lib.MF_BY_PROGRAM_ACCEL] = move.accel
    steps = 0.0
    for a, axis in enumerate(machine.axes):
        share = abs(move.end[a] - move.start[a]) / move.length
        if move.kind == "arc" and a in move.plane:
            share = move.radius * abs(move.sweep) / move.length
        if share > 0:
            speeds[1 << (lib.MF_BY_AXIS_SPEED + a)] = axis.max_speed_mm_s / share
            accels[1 << (lib.MF_BY_AXIS_ACCEL + a)] = axis.max_accel_mm_s2 / share
            steps = max(steps, axis.steps_per_mm * share)
    return speeds, accels, math.sqrt(2 * min(accels.values()) * STOP_STEPS / steps)


def are_lowest(mask: int, values: dict[int, float]) -> bool:
    """Whether a mask names those that are as low as the lowest, to a millionth."""
    least = min(values.values())
    sure = sum(bit for bit, value in values.items() if value <= least * (1 + 1e-8))
    near = sum(bit for bit, value in values.items() if value <= least * (1 + 2e-6))
    return mask & sure == sure and not mask & ~near


@pytest.mark.parametrize("name", MACHINES)
def test_what_binds_is_what_a_plain_list_of_limits_says(name):
    machine, seen = MACHINES[name], set()
    for seed in range(25):
        text = program_of(machine, seed, 60)
        moves = [m for m in moves_of(text, machine) if m.kind in ("line", "arc")]
        rows = all_motions(text, machine)
        rows = rows[rows["move"]["kind"] != lib.MF_MOVE_DWELL]
        assert len(rows) == len(moves)
        for row, move in zip(rows, moves, strict=True):
            speeds, accels, tail = candidates(move, machine)
            assert are_lowest(int(row["accel_by"]), accels)
            arc = ALONG if move.kind == "arc" else 1.0
            assert row["accel_mm_s2"] == pytest.approx(arc * min(accels.values()))
            if row["peak_mm_s"] > min(speeds.values()) * (1 - 1e-9) < tail:
                assert are_lowest(int(row["speed_by"]), speeds)
                seen |= {bit for bit in speeds if row["speed_by"] & bit}
            else:
                assert are_lowest(int(row["speed_by"]), accels)
    assert lib.MF_BY_FEED in seen
    assert len(seen) >= 2


def test_two_equal_limits_bind_together_and_one_raised_frees_nothing():
    machine = MACHINES["d3d-printer"]
    text = "G21\nG90\nG28\nG0 X10 Y10\nG1 X90 F1800\n"
    row = all_motions(text, machine)[-1]
    x = 1 << lib.MF_BY_AXIS_ACCEL
    assert row["accel_by"] == lib.MF_BY_ACCEL | x
    before = spent(parse(text), machine).time_s
    for key in ("motion.max_accel_mm_s2", "axes.x.max_accel_mm_s2"):
        alone = machine.with_settings({key: 6000.0})
        # the diagonal rapid is bound by the path alone, so only the straight move is told
        assert all_motions(text, alone)[-1]["accel_by"] in (lib.MF_BY_ACCEL, x)
        assert all_motions(text, alone)[-1]["time_s"] == pytest.approx(row["time_s"])
    both = machine.with_settings(
        {"motion.max_accel_mm_s2": 6000.0, "axes.x.max_accel_mm_s2": 6000.0}
    )
    assert spent(parse(text), both).time_s < before - 1e-3


@pytest.mark.parametrize("name", MACHINES)
def test_corners_are_the_plain_planners(name):
    machine = MACHINES[name]
    for seed in range(10):
        text = program_of(machine, seed, 60)
        joints = [j for part in stretches(moves_of(text, machine)) for j in planned(part, machine)]
        rows = all_motions(text, machine)
        rows = rows[rows["move"]["kind"] != lib.MF_MOVE_DWELL]
        peak = 0.0
        for row, joint in zip(rows, joints, strict=True):
            cap = min(row["corner_mm_s"], row["peak_mm_s"], peak)
            if row["corner_mm_s"] > 0:
                assert cap == pytest.approx(math.sqrt(joint.cap_u), rel=1e-6, abs=1e-6)
                tight = row["corner_mm_s"] < 9e5
                assert bool(row["corner_by"] & lib.MF_BY_TOLERANCE) == tight
            else:
                assert joint.cap_u == pytest.approx(0.0, abs=1e-9)
            peak = row["peak_mm_s"]


def test_free_corners_are_a_bound_and_make_no_windows():
    machine = MACHINES["d3d-printer"]
    for seed in range(8):
        text = program_of(machine, seed, 80)
        free = spent(parse(text), machine, corners=False)
        assert free.top_s <= free.time_s <= spent(parse(text), machine).time_s + 1e-9
        wide = machine.with_settings({"motion.corner_tolerance_mm": 10.0})
        asked = Asked(tolerance=1e6)
        assert free.time_s <= spent(parse(text), wide, asked).time_s + 1e-9
    point = [0.0] * len(machine.axes)
    stretch = Stretch(machine, point, steps_at(machine, point))
    check(lib.mf_plan_free_corners(stretch.plan), "freeing corners")
    with pytest.raises(UsageError):
        list(stretch.windows())


def test_asking_for_more_is_the_program_with_other_words():
    machine = MACHINES["d3d-printer"]
    text = (
        "G21\nG90\nG28\nM204 S{a}\nG0 X10 Y10\nG1 X90 F{f}\nG1 X91 Y50\nG2 X91 Y70 I0 J10\nG0 X5\n"
    )
    plain, more = (parse(text.format(a=a, f=f)) for a, f in ((800, 3000), (1200, 4500)))
    asked = Asked(speed=1.5, accel=1.5)
    assert spent(plain, machine, asked).time_s == pytest.approx(spent(more, machine).time_s)
    assert spent(plain, machine).time_s > spent(more, machine).time_s + 0.1


def test_a_program_that_must_not_be_run_has_no_motion():
    with pytest.raises(LimitError):
        list(motions(parse("G0 X5\nG0 X999\n"), MACHINES["d3d-printer"]))
