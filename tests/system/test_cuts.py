"""Cut the plug at random instants: `pytest --cuts N --seed S`; `make cuts` runs 10,000 of them."""

import json
import random
import subprocess
import sys

import pytest
from hil.cuts import KINDS


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "hil.cuts", *arguments], capture_output=True, text=True, check=False
    )


def test_jobs_that_are_cut_anywhere_go_on_and_leave_the_whole_path(cuts, seed):
    """In a process of its own: it forks."""
    done = run("--cuts", str(cuts), "--seed", str(seed), "--json")
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    outcomes = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(outcomes) == cuts
    assert not [outcome for outcome in outcomes if outcome["wrong"]]
    if cuts >= 100:
        assert len({outcome["kind"] for outcome in outcomes}) == len(KINDS)
        assert sum(len(outcome["instants"]) > 1 for outcome in outcomes) > cuts // 20


@pytest.mark.parametrize("broken", ["rest", "retreat"])
def test_a_resume_that_is_one_step_or_one_move_off_is_found(broken):
    """The campaign can fail: a resume from a place that is a little wrong is no whole path."""
    from hil.cuts import Kind

    rng = random.Random(5)
    kind = Kind("short_board", "circuit-plotter")
    instants = [rng.uniform(24.0, 26.0) for _ in range(2)]
    code = (
        "import sys, json, dataclasses, microfactory.journal as j, hil.cuts as c\n"
        "old = j.Past._mark\n"
        "def new(self, number, which):\n"
        "    place, steps = old(self, number, which)\n"
        f"    if {broken!r} == 'rest':\n"
        "        return place, (steps[0] + 1, *steps[1:])\n"
        "    return dataclasses.replace(place, move=place.move + 1, distance_mm=0.0), None\n"
        "j.Past._mark = new\n"
        f"for o in c.Trials(c.Kind{tuple(kind)!r}, {instants!r}, 1, 2).run():\n"
        "    print(json.dumps(o.wrong))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    wrong = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(wrong) == 2
    assert all(wrong)
