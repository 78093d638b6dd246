"""Cut the cable on the emulated rig: python -m hil.emulated.campaign --cuts 200 --seed 1."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from rich.progress import Progress

from hil.emulated.chip import missing
from hil.emulated.trials import KINDS, Bench

PIECE = 10  # trials of one emulator


def piece(name: str, cuts: int, seed: int) -> list[dict[str, Any]]:
    """Some trials on one machine."""
    bench = Bench(name, seed)
    try:
        return [bench.trial() for _ in range(cuts)]
    finally:
        bench.close()


def campaign(cuts: int, seed: int, jobs: int) -> Iterator[dict[str, Any]]:
    """All trials, on all kinds of machines in turn, as they end."""
    names = list(KINDS)
    pieces = []
    left = cuts
    while left > 0:
        pieces.append((names[len(pieces) % 4], min(PIECE, left), seed * 1000 + len(pieces)))
        left -= PIECE
    with Progress(disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("cuts", total=cuts)
        with ProcessPoolExecutor(jobs) as pool:
            for trials in pool.map(piece, *zip(*pieces, strict=True)):
                yield from trials
                progress.advance(task, len(trials))


def main() -> int:
    """0: nothing wrong; 1: something; 77: there is no emulated rig here, and why."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cuts", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--json", action="store_true", help="one JSON line a trial")
    options = parser.parse_args()
    if missing():
        print(f"skipped: {missing()}", file=sys.stderr)
        return 77
    begin = time.monotonic()
    found = []
    for trial in campaign(options.cuts, options.seed, options.jobs):
        found.append(trial)
        if options.json or trial["wrong"]:
            print(json.dumps(trial), flush=True)
    wrong = [trial for trial in found if trial["wrong"]]
    pulses = sum(trial["pulses"] for trial in found)
    ended = sorted({trial["ended"] for trial in found})
    print(
        f"{len(found)} cuts on the emulated chip, {pulses} pulses compared with the board in "
        f"memory, {len(wrong)} wrong; ended {', '.join(ended)}; {time.monotonic() - begin:.0f} s"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
