"""Limited jerk: judged on the emitted steps, windows and their stop tails alike."""

from __future__ import annotations

import itertools
import random
import struct
from pathlib import Path

import pytest
from hil.verify import verify
from hil.verify.windows import to_capture, verify_job
from test_moves import random_program
from test_plan import polyline

from microfactory.machine import Machine
from microfactory.motion.gcode import parse
from microfactory.motion.plan import plan
from microfactory.motion.profile import profile
from microfactory.motion.stretch import Window

SCENARIOS = Path(__file__).parents[3] / "hil/scenarios"
MACHINES = {
    "short_print": "d3d-printer",
    "short_pocket": "cnc-machine-centre",
    "short_cut": "cnc-torch-table",
    "short_board": "circuit-plotter",
}
TAIL_ONLY = {"end", "output", "heater", "dwell", "wait"}  # what a stop in the middle leaves undone


def limited(name: str, jerk: float) -> Machine:
    return Machine.load(name).with_settings({"motion.max_jerk_mm_s3": jerk})


def windows_of(text: str, machine: Machine) -> list[list[Window]]:
    return [list(s.windows) for s in plan(parse(text), machine).sections() if s.kind == "motion"]


def with_tail(window: Window, motors: int) -> list[bytes]:
    """A window, and its stop tail as the last window of a run."""
    head = list(struct.unpack_from("<5I4H", window.data))
    heads = [struct.unpack_from("<i2H", window.data, 28 + 8 * m) for m in range(motors)]
    at = 28 + 8 * motors + 8 * (head[6] + head[7]) + 8 * sum(h[1] for h in heads if h[1] != 65535)
    begin = window.begin_ticks + window.length_ticks
    head[:5] = [head[0] + 1, begin & 0x3FFFFFFF, begin >> 30, window.tail_ticks, 0]
    head[6:] = [0, 0, 1]
    body = struct.pack("<5I4H", *head)
    for end, (_, _, tail) in zip(window.end_steps, heads, strict=True):
        body += struct.pack("<i2H", end, tail, 0)
    return [window.data, body + window.data[at:]]


@pytest.mark.parametrize("jerk", [3e4, 1e6])
@pytest.mark.parametrize("name", MACHINES)
def test_the_scenarios_keep_every_limit(name, jerk):
    machine = limited(MACHINES[name], jerk)
    text = (SCENARIOS / f"{name}.gcode").read_text()
    windows = [w for part in windows_of(text, machine) for w in part]
    report = verify_job(text, machine, windows)
    assert report.passed, report.text()
    assert 0.2 < report.figures["max_jerk_ratio"] <= 1.05


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", sorted(set(MACHINES.values())))
def test_random_programs_keep_every_limit(name, seed):
    rng = random.Random(seed)
    machine = limited(name, 10 ** rng.uniform(4, 6))
    text = random_program(machine, rng, 40)[0] + "\n" + polyline(machine, rng, 500)
    windows = [w for part in windows_of(text, machine) for w in part]
    report = verify_job(text, machine, windows)
    assert report.passed, report.text()


@pytest.mark.parametrize("name", MACHINES)
def test_every_stop_tail_keeps_every_limit(name):
    machine = limited(MACHINES[name], 1e5)
    text = (SCENARIOS / f"{name}.gcode").read_text()
    rng = random.Random(7)
    part = max(windows_of(text, machine), key=len)
    for at in sorted(rng.sample(range(len(part) - 1), min(12, len(part) - 1))):
        bodies = [w.data for w in part[:at]] + with_tail(part[at], len(machine.motors))
        report = verify(text, machine, to_capture(bodies, machine), timed=False)
        kinds = {v.kind for v in report.violations}
        assert kinds <= TAIL_ONLY, report.text()


def test_jerk_that_is_not_limited_is_found():
    text = "G28\nG1 X20 F12000\nX60 Y40\nX90\n"
    windows = [w for part in windows_of(text, Machine.load("d3d-printer")) for w in part]
    report = verify_job(text, limited("d3d-printer", 3e4), windows)
    assert "jerk" in {v.kind for v in report.violations}


@pytest.mark.parametrize("name", MACHINES)
def test_a_jerk_that_never_binds_takes_hardly_any_time(name):
    """Not none: where limits differ along a curve the lowest binds on all of it."""
    text = (SCENARIOS / f"{name}.gcode").read_text()
    free, bound = Machine.load(MACHINES[name]), limited(MACHINES[name], 1e12)
    times = [sum(s.time_s for s in profile(parse(text), m)) for m in (free, bound)]
    assert times[1] == pytest.approx(times[0], rel=1e-2)


def test_a_lower_jerk_takes_longer():
    text = (SCENARIOS / "short_print.gcode").read_text()
    machines = [limited("d3d-printer", jerk) for jerk in (1e7, 1e6, 1e5, 1e4)]
    times = [sum(s.time_s for s in profile(parse(text), m)) for m in machines]
    assert all(a < b for a, b in itertools.pairwise(times))
