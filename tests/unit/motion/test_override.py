"""Overrides at random times: the same path, every limit kept, tails on the path, and an effect."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from hil.verify import verify
from hil.verify.windows import to_capture, verify_job
from test_jerk import MACHINES, TAIL_ONLY, limited, with_tail
from test_moves import random_program
from test_plan import polyline

from microfactory.errors import UsageError
from microfactory.machine import Machine
from microfactory.motion.gcode import parse
from microfactory.motion.plan import Plan, plan
from microfactory.motion.stretch import Window
from microfactory.pace import PLAIN, Pace, checked

SCENARIOS = Path(__file__).parents[3] / "hil/scenarios"
JERKS = [None, 3e4, 1e6]


def machine_of(name: str, jerk: float | None) -> Machine:
    return Machine.load(name) if jerk is None else limited(name, jerk)


def random_pace(rng: random.Random) -> Pace:
    feed = rng.choice([100.0, 10.0, 200.0, rng.uniform(10, 200)])
    return Pace(feed, rng.choice([100.0, 10.0, rng.uniform(10, 100)]))


def played(
    text: str, machine: Machine, asks: Callable[[int], Pace | None]
) -> tuple[list[Window], Plan]:
    """All windows; asks(how many there are) may override behind each."""
    whole = plan(parse(text), machine)
    windows: list[Window] = []
    for section in whole.sections():
        for window in section.windows:
            windows.append(window)
            pace = asks(len(windows))
            if pace is not None:
                whole.override(pace)
    return windows, whole


def told(whole: Plan) -> list[dict]:
    return [change.data() for change in whole.changes]


def time_s(windows: list[Window]) -> float:
    return sum(window.length_ticks for window in windows) / 125e6


@pytest.mark.parametrize("jerk", JERKS)
@pytest.mark.parametrize("name", sorted(set(MACHINES.values())))
def test_random_programs_overridden_at_random_keep_path_and_limits(name, jerk):
    rng = random.Random(f"{name} {jerk}")
    machine = machine_of(name, jerk)
    text = random_program(machine, rng, 12)[0] + "\n" + polyline(machine, rng, 150)
    chance = rng.choice([0.02, 0.1, 0.4])
    windows, whole = played(
        text, machine, lambda _: random_pace(rng) if rng.random() < chance else None
    )
    assert whole.changes
    begins = [w.begin_ticks for w in windows]
    assert all(a < b or b == 0 for a, b in itertools.pairwise(begins))
    report = verify_job(text, machine, windows, overrides=told(whole))
    assert report.passed, report.text()


@pytest.mark.parametrize("jerk", [None, 1e5])
@pytest.mark.parametrize("name", MACHINES)
def test_tails_of_overridden_windows_stop_on_the_path_within_the_limits(name, jerk):
    """Those just behind an override, where the old speed is braked down, and some others."""
    machine = machine_of(MACHINES[name], jerk)
    text = (SCENARIOS / f"{name}.gcode").read_text()
    rng = random.Random(name)
    windows, whole = played(
        text, machine, lambda _: random_pace(rng) if rng.random() < 0.3 else None
    )
    begin = max(i for i, w in enumerate(windows) if w.begin_ticks == 0)
    run = windows[begin:]
    rows = [c for c in whole.changes if c.window >= run[0].number]
    assert rows
    fresh = [c.window - run[0].number for c in rows]
    fresh = [at for at in fresh if at < len(run) - 1]
    for at in sorted(rng.sample(fresh, min(10, len(fresh)))):
        bodies = [w.data for w in windows[: begin + at]] + with_tail(run[at], len(machine.motors))
        here = [c.data() for c in whole.changes if c.window <= run[at].number]
        report = verify(text, machine, to_capture(bodies, machine), timed=False, overrides=here)
        assert {v.kind for v in report.violations} <= TAIL_ONLY, report.text()


LONG = "G21\nG90\nG0 X50 Y50\nG1 X250 F3000\nG1 Y150\nG0 X50 Y50\nG1 X150 F1200\nM2\n"


def test_nothing_changes_while_nothing_is_overridden_or_what_is_does_not_bind():
    machine = Machine.load("cnc-machine-centre")
    plain, _ = played(LONG, machine, lambda _: None)
    asked, whole = played(LONG, machine, lambda _: PLAIN)
    assert [w.data for w in asked] == [w.data for w in plain]
    assert whole.changes == []
    fast = LONG.replace("F3000", "F60000").replace("F1200", "F60000")  # the machine binds
    plain, _ = played(fast, machine, lambda _: None)
    asked, whole = played(fast, machine, lambda n: Pace(feed=200.0 if n % 2 else 150.0))
    assert [w.data for w in asked] == [w.data for w in plain]
    assert len(whole.changes) > 10


@pytest.mark.parametrize("jerk", [None, 3e4])
def test_half_the_feed_takes_twice_the_time_and_rapids_have_their_own(jerk):
    machine = machine_of("cnc-machine-centre", jerk)
    cut = "G21\nG90\nG1 X250 F1200\nM2\n"
    fly = "G21\nG90\nG0 X250\nM2\n"

    def took(text, pace):
        whole = plan(parse(text), machine)
        whole.override(pace)
        return time_s([w for s in whole.sections() for w in s.windows])

    assert took(cut, Pace(50, 10)) == pytest.approx(2 * took(cut, PLAIN), rel=0.02)
    assert took(cut, Pace(100, 10)) == took(cut, PLAIN)
    assert took(fly, Pace(10, 100)) == took(fly, PLAIN) == took(fly, Pace(200, 100))
    assert took(fly, Pace(100, 50)) > 1.8 * took(fly, PLAIN)


def test_the_window_behind_an_override_brakes_at_once():
    machine = Machine.load("cnc-machine-centre")
    windows, whole = played(LONG, machine, lambda n: Pace(feed=10) if n == 40 else None)
    (change,) = whole.changes
    assert change.window == windows[39].number + 1
    per_mm = machine.steps_per_mm(0)
    before, braking, after = (
        abs(windows[i].end_steps[0] - windows[i - 1].end_steps[0]) / per_mm for i in (39, 40, 42)
    )
    assert before == pytest.approx(50 * windows[39].length_ticks / 125e6, rel=0.01)
    assert after == pytest.approx(5 * windows[42].length_ticks / 125e6, abs=0.02)
    accel, length_s = machine.axes[0].max_accel_mm_s2, windows[40].length_ticks / 125e6
    down_s = (50 - 5) / min(accel, machine.motion.max_accel_mm_s2)
    least = 27.5 * down_s + 5 * (length_s - down_s) if down_s < length_s else 0
    assert braking == pytest.approx(least, rel=0.02) or down_s >= length_s


@pytest.mark.parametrize("jerk", [None, 3e4])
def test_an_override_that_had_no_effect_or_another_is_found(jerk):
    machine = machine_of("cnc-machine-centre", jerk)
    plain, _ = played(LONG, machine, lambda _: None)
    slowed, whole = played(LONG, machine, lambda n: Pace(feed=50) if n == 40 else None)
    rows = told(whole)
    assert verify_job(LONG, machine, slowed, overrides=rows).passed
    assert "speed" in {v.kind for v in verify_job(LONG, machine, plain, overrides=rows).violations}
    late = [{**rows[0], "feed_percent": 40.0}]
    assert not verify_job(LONG, machine, slowed, overrides=late).passed
    moved = [{**rows[0], "begin_ticks": rows[0]["begin_ticks"] + 125_000_000}]
    report = verify_job(LONG, machine, slowed, overrides=moved)
    assert "override" in {v.kind for v in report.violations}
    faster, whole = played(LONG, machine, lambda n: Pace(feed=150) if n == 40 else None)
    assert verify_job(LONG, machine, faster, overrides=told(whole)).passed
    assert "speed" in {v.kind for v in verify_job(LONG, machine, faster).violations}


def test_what_m49_forbids_and_a_burning_torch_are_not_overridden():
    mill = Machine.load("cnc-machine-centre")
    text = LONG.replace("G90\n", "G90\nM49\n")
    plain, _ = played(text, mill, lambda _: None)
    asked, _ = played(text, mill, lambda n: Pace(200 - n % 100, 50))
    assert [w.data for w in asked] == [w.data for w in plain]
    cut = "G21\nG90\nG1 X20 F3000\nG0 X50 Y50\nM3\nG1 X250\nM5\nG0 X100\nM2\n"
    for torch in (Machine.load("cnc-torch-table"), Machine.load("cnc-plasma-table")):
        slow = Pace(50, 50)
        plain, _ = played(cut, torch, lambda _: None)
        asked, whole = played(cut, torch, lambda n, slow=slow: slow if n == 1 else None)

        def of(windows, *lines):
            return time_s([w for w in windows if w.end.line in lines])

        assert of(asked, 6) == pytest.approx(of(plain, 6), abs=0.11)
        assert of(asked, 4) > 1.2 * of(plain, 4)
        if torch.height is None:
            report = verify_job(cut, torch, asked, overrides=told(whole))
            assert report.passed, report.text()


def test_the_first_windows_of_a_later_stretch_are_overridden_too():
    machine = Machine.load("cnc-machine-centre")
    text = LONG.replace("G1 Y150", "M0\nG1 Y150")
    windows, whole = played(text, machine, lambda n: Pace(feed=50) if n == 10 else None)
    assert len(whole.changes) == 1
    report = verify_job(text, machine, windows, overrides=told(whole))
    assert report.passed, report.text()
    slow = [w for w in windows if w.end.line == 6]
    assert time_s(slow) > 1.9 * 100 / 50


@pytest.mark.parametrize("bad", [(9.9, 100), (201, 100), (100, 101), (100, 0), (float("nan"), 50)])
def test_other_percentages_are_refused_in_a_sentence(bad):
    with pytest.raises(UsageError, match=r"% of the (feed|rapids) is outside 10 to"):
        checked(*bad)
