"""Blended corners and curves made of short lines, judged on the emitted steps."""

from __future__ import annotations

import itertools
import math
import random

import pytest
from hil.verify import verify
from hil.verify.windows import to_capture, verify_job
from test_jerk import MACHINES, SCENARIOS, TAIL_ONLY, windows_of, with_tail
from test_moves import random_program
from test_plan import polyline

from microfactory.machine import Machine
from microfactory.motion.bent import Bent
from microfactory.motion.core import lib
from microfactory.motion.gcode import parse
from microfactory.motion.moves import Moves
from microfactory.motion.plan import plan

NAMES = sorted(set(MACHINES.values()))


def blended(name: str, **settings: float) -> Machine:
    changed = {f"motion.{key}": value for key, value in settings.items()}
    return Machine.load(name).with_settings({"motion.corner": "blend", **changed})


def curves(machine: Machine, rng: random.Random, count: int) -> str:
    """Circles of many sizes in lines of many lengths, rounded as slicers do, corners between."""
    lines = ["G21\nG90\nG92.1\nG54\nG28"]
    if machine.kind == "printer":
        lines = ["G21\nG90\nM83\nM109 S200\nG28"]
    lines.append("G0 X50 Y50\nG1 F6000")
    e = machine.kind == "printer"
    while len(lines) < count:
        radius = 10 ** rng.uniform(-0.5, 1.3)
        turn, at = rng.uniform(0.5, 6.0), rng.uniform(0, 6.0)
        step = min(10 ** rng.uniform(-1.3, 0.3) / radius, 0.7)
        for i in range(int(turn / step)):
            x = 50 + radius * math.cos(at + i * step) * rng.choice([1, 1, 1, 1.00005])
            y = 50 + radius * math.sin(at + i * step)
            lines.append(f"G1 X{x:.3f} Y{y:.3f}" + (f" E{radius * step * 0.033:.5f}" if e else ""))
        lines.append(rng.choice([f"G1 F{rng.choice([1500, 4800, 9000])}", "G1 X40", "G1 Y35 X60"]))
    return "\n".join(lines)


def bent_moves(text: str, machine: Machine) -> list[tuple]:
    out = []
    for batch, count in Bent(Moves(parse(text), machine)):
        for i in range(count):
            m = batch[i]
            out.append((m.kind, m.line, m.last_line, tuple(m.start_mm), tuple(m.end_mm), m.flags))
    return out


@pytest.mark.parametrize("name", MACHINES)
def test_the_scenarios_stay_within_tolerance_and_limits(name):
    machine = blended(MACHINES[name])
    text = (SCENARIOS / f"{name}.gcode").read_text()
    windows = [w for part in windows_of(text, machine) for w in part]
    report = verify_job(text, machine, windows)
    assert report.passed, report.text()
    assert report.figures["max_accel_ratio"] <= 1.05


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", NAMES)
def test_random_programs_stay_within_tolerance_and_limits(name, seed):
    rng = random.Random(seed)
    loose, close = (
        blended(name, corner_tolerance_mm=10 ** rng.uniform(low, high))
        for low, high in ((-2.3, -0.7), (-2.3, -1.3))
    )
    for machine, text in (
        (loose, random_program(loose, rng, 40)[0] + "\n" + polyline(loose, rng, 300)),
        (close, curves(close, rng, 400)),
    ):
        windows = [w for part in windows_of(text, machine) for w in part]
        report = verify_job(text, machine, windows)
        assert report.passed, report.text()


@pytest.mark.parametrize("name", MACHINES)
def test_every_stop_tail_stays_within_tolerance_and_limits(name):
    machine = blended(MACHINES[name])
    text = (SCENARIOS / f"{name}.gcode").read_text()
    rng = random.Random(7)
    part = max(windows_of(text, machine), key=len)
    for at in sorted(rng.sample(range(len(part) - 1), min(12, len(part) - 1))):
        bodies = [w.data for w in part[:at]] + with_tail(part[at], len(machine.motors))
        report = verify(text, machine, to_capture(bodies, machine), timed=False)
        assert {v.kind for v in report.violations} <= TAIL_ONLY, report.text()


def test_a_path_that_is_bent_more_is_found():
    text = "G28\nG1 X20 F6000\nY155\nX60\nY120\n"
    loose, strict = (blended("d3d-printer", corner_tolerance_mm=d) for d in (0.06, 0.025))
    windows = [w for part in windows_of(text, loose) for w in part]
    assert verify_job(text, loose, windows).passed
    assert "path" in {v.kind for v in verify_job(text, strict, windows).violations}


def test_a_bend_that_is_too_fast_is_found():
    text = "G28\nG1 X20 F6000\nY155\nX60\nY120\n"
    wild = blended("d3d-printer", corner_tolerance_mm=0.4)
    calm = wild.with_settings({"motion.max_accel_mm_s2": wild.motion.max_accel_mm_s2 / 2})
    windows = [w for part in windows_of(text, wild) for w in part]
    kinds = {v.kind for v in verify_job(text, calm, windows).violations}
    assert kinds & {"accel", "timing"}


@pytest.mark.parametrize("name", NAMES)
def test_an_exact_path_and_no_tolerance_give_the_bytes_of_a_machine_that_does_not_blend(name):
    rng = random.Random(3)
    plain = Machine.load(name)
    text = curves(plain, rng, 200) + "\n" + random_program(plain, rng, 60)[0]
    exact = "G61\n" + text.replace("G64", "G61")
    no_tolerance = {"motion.corner_tolerance_mm": 0.0}
    cases = [
        (exact, plain, blended(name)),
        (exact.replace("G61\n", "G61.1\n"), plain, blended(name)),
        (
            text.replace("G64P", "G64 ;"),
            plain.with_settings(no_tolerance),
            blended(name, corner_tolerance_mm=0.0),
        ),
    ]
    for program, a, b in cases:
        one, other = (
            [w.data for part in windows_of(program, machine) for w in part] for machine in (a, b)
        )
        assert one == other


@pytest.mark.parametrize("name", NAMES)
def test_the_moves_meet_and_end_where_the_program_does(name):
    rng = random.Random(11)
    machine = blended(name)
    text = curves(machine, rng, 600) + "\n" + random_program(machine, rng, 80)[0]
    moves = bent_moves(text, machine)
    path = [m for m in moves if m[0] <= lib.MF_MOVE_ARC]
    wanted = None
    for batch, count in Moves(parse(text), machine):
        for i in range(count):
            if batch[i].kind <= lib.MF_MOVE_ARC:
                wanted = tuple(batch[i].end_mm)
    assert path[-1][4] == wanted
    home = {m[3] for m in moves if m[0] == lib.MF_MOVE_HOME}
    for one, other in itertools.pairwise(path):
        assert one[4] == other[3] or home
    lines = [m[1] for m in path]
    assert lines == sorted(lines)
    assert all(m[2] == 0 or m[2] > m[1] for m in path)


def test_a_job_goes_on_within_a_curve_and_within_a_bend():
    machine = blended("d3d-printer")
    text = curves(machine, random.Random(2), 300)
    windows = [w for part in windows_of(text, machine) for w in part]
    end = windows[-1].end_steps
    assert all(a.end.line <= b.end.line for a, b in itertools.pairwise(windows))
    for window in random.Random(4).sample(windows[:-1], 12):
        rest = plan(parse(text), machine, place=window.rest, rest_steps=window.rest_steps)
        again = [w for s in rest.sections() if s.kind == "motion" for w in s.windows]
        assert again[-1].end_steps == end


def test_a_dense_circle_is_driven_as_a_circle():
    """As fast as one G3, and in a few moves."""
    rows = [
        f"G1 X{60 + 20 * math.cos(a / 100):.3f} Y{60 + 20 * math.sin(a / 100):.3f}"
        for a in range(629)
    ]
    machine = blended("d3d-printer")
    dense = "G28\nG1 F18000\nG1 X80 Y60\n" + "\n".join(rows)
    native = f"G28\nG1 F18000\nG1 X80 Y60\nG3 X{rows[-1][4:10]} Y{rows[-1][12:]} I-20 J0"
    moves = [m for m in bent_moves(dense, machine) if m[0] == lib.MF_MOVE_ARC]
    assert len(moves) <= 14
    times = [
        sum(w.length_ticks for part in windows_of(text, machine) for w in part)
        for text in (dense, native)
    ]
    assert times[0] == pytest.approx(times[1], rel=0.01)


@pytest.mark.parametrize("jerk", [1e5, 1e7])
@pytest.mark.parametrize("name", MACHINES)
def test_with_a_limit_of_jerk_the_scenarios_stay_within_tolerance_and_limits(name, jerk):
    machine = blended(MACHINES[name], max_jerk_mm_s3=jerk)
    text = (SCENARIOS / f"{name}.gcode").read_text()
    windows = [w for part in windows_of(text, machine) for w in part]
    report = verify_job(text, machine, windows)
    assert report.passed, report.text()


def test_an_extruder_goes_as_far_as_the_program_says_and_evenly():
    machine = blended("d3d-printer")
    text = curves(machine, random.Random(5), 300)
    at, asked = 0.0, []
    for line in text.splitlines():
        at += float(line.split("E")[1]) if "E" in line else 0.0
        asked.append(at)
    end = [m for m in bent_moves(text, machine) if m[0] <= lib.MF_MOVE_ARC]
    assert end[-1][4][3] == pytest.approx(at, abs=1e-9)
    for kind, line, last_line, _, stop, _ in end:
        if kind == lib.MF_MOVE_ARC and last_line:
            low, high = asked[line - 2], asked[min(last_line, len(asked) - 1)]
            assert low - 1e-9 <= stop[3] <= high + 1e-9


def test_a_machine_that_does_not_blend_writes_no_word_of_it():
    plain = Machine.load("d3d-printer")
    assert "corner =" not in plain.dump()
    assert plain.with_settings({"motion.corner": "cap"}).sha256 == plain.sha256
    assert 'corner = "blend"' in blended("d3d-printer").dump()
