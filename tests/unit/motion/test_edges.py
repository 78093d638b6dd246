"""Every edge of every window and tail, against a plain path: exact within the step tolerance."""

from __future__ import annotations

import random

import pytest
from plain_edges import Edge, Path, lists, point
from reading import Plain, moves_of
from test_moves import MACHINES, random_program
from test_plan import polyline

from microfactory.machine import TICK_HZ, Machine
from microfactory.motion.gcode import parse
from microfactory.motion.plan import Plan, plan
from microfactory.motion.stretch import Window

SLACK_STEPS = 1e-4  # of positions: the planners round differently


def assert_on_path(
    edges: list[Edge], count: int, path: Path, begin_s: float, axis: int, machine: Machine
) -> int:
    """Each edge is within the tolerance of where its axis crosses n + 1/2; the count after it."""
    per_mm = machine.axes[axis].steps_per_mm
    reach_s = machine.motion.step_tolerance_us / 1e6 + 1.5 / TICK_HZ
    for tick, way in edges:
        border = count + way / 2
        t = begin_s + tick / TICK_HZ
        before = (path.at(t - reach_s)[axis] * per_mm - border) * way
        after = (path.at(t + reach_s)[axis] * per_mm - border) * way
        assert before <= SLACK_STEPS, f"late: {before:.4f} steps at {t:.6f} s"
        assert after >= -SLACK_STEPS, f"early: {after:.4f} steps at {t:.6f} s"
        count += way
    return count


def assert_edges(windows: list[Window], start: tuple[int, ...], path: Path, m: Machine) -> int:
    """All edges of a stretch and its tails; how many."""
    counts, seen = list(start), 0
    for window in windows:
        main, tails = lists(window.data, m.pulse_ticks())
        begin_s = window.begin_ticks / TICK_HZ
        end_s = begin_s + window.length_ticks / TICK_HZ
        stop, stop_s = path.stop(end_s)
        assert stop_s <= window.tail_ticks / TICK_HZ or window.last
        for motor, edges in enumerate(main):
            axis = m.axis_of_motor(motor)
            counts[motor] = assert_on_path(edges, counts[motor], path, begin_s, axis, m)
            seen += len(edges)
            if window.last:
                continue
            rest = assert_on_path(tails[motor], counts[motor], stop, 0.0, axis, m)
            assert rest == window.rest_steps[motor]
            there = stop.at(stop_s)[axis] * m.steps_per_mm(motor)
            assert abs(rest - there) <= 1.0
    return seen


def stretches(moves: list[Plain]) -> list[list[Plain]]:
    """Moves, dwells and outputs between homes, waits, pauses and the end."""
    parts: list[list[Plain]] = [[]]
    for move in moves:
        if move.kind in ("home", "wait", "pause", "end"):
            parts.append([])
        else:
            parts[-1].append(move)
    return [part for part in parts if part]


def sections_of(whole: Plan) -> list[tuple[tuple[int, ...], list[Window]]]:
    return [(s.start_steps, list(s.windows)) for s in whole.sections() if s.kind == "motion"]


@pytest.mark.parametrize("name", MACHINES)
@pytest.mark.parametrize("seed", range(3))
def test_every_edge_is_where_a_plain_path_crosses_its_step(name, seed):
    machine = Machine.load(name)
    rng = random.Random(seed)
    text = random_program(machine, rng, 12)[0] + "\n" + polyline(machine, rng, 150)
    parts = stretches(moves_of(text, machine))
    planned = sections_of(plan(parse(text), machine))
    assert len(parts) == len(planned)
    seen = 0
    for moves, (start, windows) in zip(parts, planned, strict=True):
        if any(move.kind in ("line", "arc") for move in moves):
            path = Path(moves, machine)
            seen += assert_edges(windows[:40], start, path, machine)
    assert seen > 2000


def rest_of(move: Plain, distance: float) -> Plain:
    """What is left of a move."""
    share = distance / move.length
    return move._replace(
        start=tuple(point(move, distance)),
        length=move.length - distance,
        angle=move.angle + share * move.sweep,
        sweep=move.sweep * (1 - share),
    )


@pytest.mark.parametrize("name", MACHINES)
def test_a_plan_goes_on_from_the_rest_of_any_tail_and_ends_on_the_same_step(name):
    machine = Machine.load(name)
    rng = random.Random(11)
    text = random_program(machine, rng, 12)[0] + "\n" + polyline(machine, rng, 60)
    program, moves = parse(text), moves_of(text, machine)
    uncut = sections_of(plan(program, machine))
    ends = uncut[-1][1][-1].end_steps
    stops = [w for _, windows in uncut for w in windows if not w.last]
    for window in rng.sample(stops, min(20, len(stops))):
        place = window.rest
        parts = sections_of(plan(program, machine, place=place, rest_steps=window.rest_steps))
        if not parts:
            assert window.rest_steps == ends
            continue
        start, windows = parts[0]
        assert start == window.rest_steps
        assert parts[-1][1][-1].end_steps == ends
        left = moves[place.move :]
        if left[0].kind in ("line", "arc") and place.distance_mm < left[0].length - 1e-9:
            path = Path(stretches([rest_of(left[0], place.distance_mm), *left[1:]])[0], machine)
            assert_edges(windows[:5], start, path, machine)
