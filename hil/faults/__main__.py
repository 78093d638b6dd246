"""Faults of all kinds on the virtual machine: python -m hil.faults --cases 300 --seed 1.

Each case is a job under one to three faults. What goes wrong is shrunk and written to --out as a
file; `python -m hil.faults --replay FILE` plays one.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from pathlib import Path

from rich.progress import Progress

import microfactory as mf
from hil.cuts import KINDS as JOBS
from hil.faults.fault import HEATER, KINDS, SENSOR, Case, draw, load
from hil.faults.shrink import shrink
from hil.faults.trial import Outcome, clean, play
from hil.mutants import SCENARIOS


def cases(count: int, seed: int) -> Iterator[Case]:
    """Kinds of faults and of machines in turn; one in three cases has two faults, or three."""
    dice = random.Random(seed)
    jobs = JOBS[:4]
    number = 0
    while count:
        kinds = [KINDS[number % len(KINDS)]]
        hot = kinds[0] in (*SENSOR, *HEATER)  # only a printer has heaters
        job = jobs[0 if hot else (number // len(KINDS) + number) % len(jobs)]
        program = (SCENARIOS / f"{job.name}.gcode").read_text()
        machine = mf.Machine.load(job.machine)
        length_s = clean(job.machine, program).length_s
        if dice.random() < 1 / 3:
            kinds += dice.choices(KINDS, k=dice.randint(1, 2))
        number += 1
        drawn = [draw(kind, machine, length_s, dice) for kind in kinds]
        faults = tuple(fault for fault in drawn if fault)
        if faults:
            count -= 1
            yield Case(job.machine, program, seed * 100_000 + number, faults)


def main() -> int:
    """0: nothing wrong; 1: something, and its file is named; 2: a file that is no case."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cases", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("out/faults"))
    parser.add_argument("--replay", type=Path, metavar="FILE", help="play this case alone")
    parser.add_argument("--json", action="store_true", help="one line of JSON a case")
    options = parser.parse_args()
    if options.replay:
        return _replay(options.replay, options.json)
    tried: Counter[str] = Counter()
    alone: Counter[tuple[str, bool]] = Counter()
    ends: Counter[str] = Counter()
    wrong = 0
    drawn = list(cases(options.cases, options.seed))
    bar = Progress(disable=not sys.stderr.isatty())
    with ProcessPoolExecutor(options.jobs) as pool, bar:
        task = bar.add_task("cases", total=len(drawn))
        for case, outcome in zip(drawn, pool.map(play, drawn), strict=True):
            bar.advance(task)
            tried.update(fault.kind for fault in case.faults)
            ends[outcome.ended] += 1
            if len(case.faults) == 1:
                alone[case.faults[0].kind, outcome.ended == "finished"] += 1
            if options.json:
                print(json.dumps({**asdict(case), "program": "", **asdict(outcome)}), flush=True)
            if outcome.wrong:
                wrong += 1
                small = shrink(case, lambda each: bool(play(each).wrong))
                path = options.out / f"case-{case.seed}.json"
                small.save(path, wrong=play(small).wrong)
                print(f"WRONG {outcome.wrong.splitlines()[-1]}; smallest case: {path}", flush=True)
    print(f"{len(drawn)} cases, {sum(tried.values())} faults: {wrong} wrong")
    print("  ended: " + ", ".join(f"{name} {n}" for name, n in ends.most_common()))
    print("  tried: " + ", ".join(f"{kind} {tried[kind]}" for kind in KINDS))
    print("  alone, finished of tried: " + ", ".join(
        f"{kind} {alone[kind, True]}/{alone[kind, True] + alone[kind, False]}" for kind in KINDS
    ))  # fmt: skip
    return 1 if wrong else 0


def _replay(path: Path, as_json: bool) -> int:
    try:
        outcome: Outcome = play(load(path))
    except mf.UsageError as error:
        print(error, file=sys.stderr)
        return 2
    if as_json:
        print(json.dumps(asdict(outcome)))
    else:
        print(f"{outcome.ended}: {outcome.told}\n{outcome.wrong or 'nothing was wrong'}")
    return 1 if outcome.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
