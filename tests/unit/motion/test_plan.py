"""The plan: as fast as a slow planner that sees everything, and sound for whatever comes in."""

from __future__ import annotations

import itertools
import math
import random
import struct

import pytest
from hypothesis import given, settings
from plain_planner import planned
from reading import Plain, moves_of
from test_door import MACHINES as LOADED
from test_door import assert_sentence, mutants
from test_moves import MACHINES, random_program

from microfactory.errors import UsageError
from microfactory.machine import Machine
from microfactory.motion.gcode import parse
from microfactory.motion.moves import Moves
from microfactory.motion.plan import plan
from microfactory.motion.profile import profile
from microfactory.motion.stretch import Window

WINDOWS_MAX = 120


def stretches(moves: list[Plain]) -> list[list[Plain]]:
    """Moves between homes, waits, pauses and the end."""
    parts: list[list[Plain]] = [[]]
    for move in moves:
        if move.kind in ("home", "wait", "pause", "end"):
            parts.append([])
        else:
            parts[-1].append(move)
    return [part for part in parts if any(move.kind in ("line", "arc") for move in part)]


def polyline(machine: Machine, rng: random.Random, count: int) -> str:
    """Many short lines, as slicers and CAM programs write curves."""
    head = "G21\nG90\nG92.1\nG54\n"
    head += "" if machine.kind == "printer" else "G10 L2 P1 X0 Y0 Z0\n"
    lines, angle = [head + "G28\nG0 X50 Y50\nG1 F9000"], 0.0
    for i in range(count):
        angle += rng.choice([0.001, 0.02, 0.3])
        radius = 40 + 5 * math.sin(i / 50)
        lines.append(f"X{50 + radius * math.cos(angle):.3f} Y{50 + radius * math.sin(angle):.3f}")
    return "\n".join(lines)


@pytest.mark.parametrize("name", MACHINES)
@pytest.mark.parametrize("seed", range(4))
def test_the_profile_is_that_of_a_planner_that_sees_the_whole_stretch(name, seed):
    machine = Machine.load(name)
    rng = random.Random(seed)
    text = random_program(machine, rng, 60)[0] + "\n" + polyline(machine, rng, 700)
    joints = [j for part in stretches(moves_of(text, machine)) for j in planned(part, machine)]
    spans = [span for span in profile(parse(text), machine) if span.kind != "dwell"]
    assert len(joints) == len(spans) > 700
    for joint, span in zip(joints, spans, strict=True):
        assert span.line == joint.move.line
        assert span.enter_mm_s == pytest.approx(math.sqrt(joint.enter_u), abs=1e-6)
        assert span.leave_mm_s == pytest.approx(math.sqrt(joint.leave_u), abs=1e-6)
        assert span.time_s == pytest.approx(joint.time_s, rel=1e-6, abs=1e-9)


def steps_in(window: Window, motors: int) -> tuple[list[int], list[int]]:
    """(net steps of the main lists, of the tails), read from the bytes alone."""
    changes, tail_changes = struct.unpack_from("<2H", window.data, 22)
    heads = [struct.unpack_from("<i2H", window.data, 28 + 8 * m) for m in range(motors)]
    at = 28 + 8 * motors + 8 * (changes + tail_changes)
    sums: tuple[list[int], list[int]] = ([], [])
    for which in (1, 2):
        for head in heads:
            net = 0
            if head[which] == 65535:  # as the motor before
                sums[which - 1].append(sums[which - 1][-1])
                continue
            for (w0,) in struct.iter_unpack("<I4x", window.data[at : at + 8 * head[which]]):
                net += (w0 >> 2 & 127) * (1 if w0 & 1 else -1) if w0 & 2 else 0
            at += 8 * head[which]
            sums[which - 1].append(net)
    assert at == len(window.data)
    return sums


def assert_plan_is_sound(text: bytes, machine: Machine) -> None:
    """Windows are chained in ticks, numbers and steps; they and their tails stay in the travel."""
    motors = len(machine.motors)
    number = 0
    for section in plan(parse(text), machine).sections():
        ticks, steps = 0, section.start_steps
        for window in itertools.islice(section.windows, WINDOWS_MAX):
            assert window.number == number
            assert window.begin_ticks == ticks
            number, ticks = number + 1, ticks + window.length_ticks
            main, tail = steps_in(window, motors)
            ends = tuple(a + b for a, b in zip(steps, main, strict=True))
            assert ends == window.end_steps
            assert tuple(a + b for a, b in zip(ends, tail, strict=True)) == window.rest_steps
            assert_steps_within(window.end_steps, machine)
            assert_steps_within(window.rest_steps, machine)
            steps = ends
        if section.kind == "motion" and number and not window.last:
            return  # a long program: enough of it was looked at


def assert_steps_within(steps: tuple[int, ...], machine: Machine) -> None:
    for motor, count in enumerate(steps):
        axis = machine.axes[machine.axis_of_motor(motor)]
        if not axis.unlimited:
            low, high = axis.min_mm * axis.steps_per_mm, axis.max_mm * axis.steps_per_mm
            assert low - 1 <= count <= high + 1


@settings(max_examples=600)
@given(mutants())
def test_a_mutated_program_gives_sound_windows_or_one_sentence(mutant):
    name, data = mutant
    try:
        assert_plan_is_sound(data, LOADED[name])
    except UsageError as error:
        assert_sentence(error)


@pytest.mark.parametrize("name", MACHINES)
def test_random_programs_end_on_the_step_where_their_moves_end(name):
    machine = Machine.load(name)
    text, _ = random_program(machine, random.Random(5), 60)
    end = moves_of(text, machine)[-1].end
    steps: tuple[int, ...] = ()
    for section in plan(parse(text), machine).sections():
        for window in section.windows:
            steps = window.end_steps
    for motor, count in enumerate(steps):
        axis = machine.axis_of_motor(motor)
        assert abs(count - end[axis] * machine.steps_per_mm(motor)) <= 0.5001


def test_a_program_of_tiny_moves_does_not_stall():
    machine = Machine.load("d3d-printer")
    text = "G28\nG1 F18000\n" + "".join(f"G1 X{i / 1000:.3f}\n" for i in range(6000))
    last = None
    for section in plan(parse(text), machine).sections():
        for window in section.windows:
            last = window
    assert last is not None
    assert last.end_steps[0] == round(5.999 * 80)


def test_places_count_moves_from_the_first_of_the_program():
    machine = Machine.load("d3d-printer")
    text = "G28\nG1 X10 F3000\nG4 P50\nG1 Y160\n"
    kinds = [batch[i].kind for batch, count in Moves(parse(text), machine) for i in range(count)]
    assert len(kinds) == 5
    windows = [w for s in plan(parse(text), machine).sections() for w in s.windows]
    assert windows[0].rest.move == 1
    assert windows[-1].end.move == 3
    assert windows[-1].end.line == 4
    assert windows[-1].end.distance_mm == pytest.approx(15.0)
