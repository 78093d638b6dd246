"""Draw faults into our own sources and see what the tests say: python -m hil.mutation --count 200.

Every fault is a line of JSON in out/mutation/results.jsonl as it ends; a campaign that is stopped
goes on where it was. `--record` first lets the tests run once and remembers which lines each runs.
"""

from __future__ import annotations

import argparse
import json
import math
import queue
import subprocess
import sys
import threading
from collections import Counter
from dataclasses import asdict
from typing import Any

from rich.progress import Progress

from hil.mutation.fault import Fault
from hil.mutation.recorder import TOUCHED
from hil.mutation.sources import TOP, draw
from hil.mutation.suite import Suite
from hil.mutation.tree import Tree

RESULTS = TOP / "out/mutation/results.jsonl"
NONE = ("compiler", "same machine", "same code")  # it cannot be run, or changes nothing
SPARE = 60  # drawn besides, in place of those
MEASURED = "host/microfactory,firmware/mfwire,firmware/mfboard,hil"


def record() -> int:
    """Let all tests run once, line by line."""
    data = ["--data-file", "out/mutation/coverage", f"--source={MEASURED}"]
    TOUCHED.parent.mkdir(parents=True, exist_ok=True)
    run = [sys.executable, "-m", "coverage", "run", *data, "-m", "pytest", "-q"]
    return subprocess.run([*run, "-p", "hil.mutation.recorder"], cwd=TOP).returncode


def judge(tree: Tree, suite: Suite, fault: Fault, budget_s: float) -> dict[str, Any]:
    """What notices a fault: a test, "hang", or nobody (""); or why it is none (NONE)."""
    try:
        none = tree.spoil(fault)
        if none:
            return {**asdict(fault), "caught": none}
        for tests, seconds in suite.pieces(fault, budget_s):
            caught = tree.pytest(tests, seconds)
            if caught:
                return {**asdict(fault), "caught": caught}
        caught = tree.c_tests() if fault.file.endswith(".c") else ""
        return {**asdict(fault), "caught": caught}
    finally:
        tree.mend(fault)


def _known() -> dict[str, dict[str, Any]]:
    if not RESULTS.exists():
        return {}
    rows = [json.loads(line) for line in RESULTS.read_text().splitlines()]
    return {row["name"]: row for row in rows}


def campaign(
    count: int, seed: int, jobs: int, again: bool, budget_s: float
) -> list[dict[str, Any]]:
    """Judge `count` faults that are some; again: those once more that nobody noticed."""
    suite, lock = Suite(), threading.Lock()
    known = _known()
    if again:
        known = {name: row for name, row in known.items() if row["caught"]}
    drawn = draw(count + SPARE, seed)
    found = [known[fault.name] for fault in drawn if fault.name in known]
    waiting: queue.SimpleQueue[Fault] = queue.SimpleQueue()
    for fault in drawn:
        if fault.name not in known:
            waiting.put(fault)
    with Progress(disable=not sys.stderr.isatty()) as bar, RESULTS.open("a") as out:
        task = bar.add_task("faults", total=count, completed=_judged(found))

        def work(number: int) -> None:
            tree = Tree(number)
            while True:
                with lock:
                    if _judged(found) >= count or waiting.empty():
                        return
                    fault = waiting.get()
                row = {"name": fault.name, **judge(tree, suite, fault, budget_s)}
                with lock:
                    found.append(row)
                    print(json.dumps(row), file=out, flush=True)
                    bar.update(task, completed=_judged(found))

        workers = [threading.Thread(target=work, args=(k,)) for k in range(jobs)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    return [row for row in found if row["caught"] not in NONE][:count]


def _judged(found: list[dict[str, Any]]) -> int:
    return sum(row["caught"] not in NONE for row in found)


def main() -> int:
    """0: at least 95 in 100 were noticed; 1: fewer."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--record", action="store_true", help="see first which test runs what")
    parser.add_argument("--again", action="store_true", help="once more those nobody noticed")
    parser.add_argument(
        "--budget",
        type=float,
        default=math.inf,
        help="seconds of tests for each fault, quick first",
    )
    parser.add_argument("--json", action="store_true", help="the survivors as lines of JSON")
    options = parser.parse_args()
    if (options.record or not TOUCHED.exists()) and record():
        print("the tests fail without any fault; mend that first", file=sys.stderr)
        return 1
    found = campaign(options.count, options.seed, options.jobs, options.again, options.budget)
    rooms = Counter(row["room"] for row in found)
    left = [row for row in found if not row["caught"]]
    for row in left:
        told = f"{row['file']}:{row['line']}: {row['before']!r} -> {row['after']!r}"
        print(json.dumps(row) if options.json else f"nobody noticed {told}")
    caught = Counter(row["room"] for row in found if row["caught"])
    told = ", ".join(f"{room} {caught[room]} of {rooms[room]}" for room in rooms)
    print(f"{len(found)} faults, {len(found) - len(left)} noticed ({told})")
    return 0 if len(left) * 20 <= len(found) else 1


if __name__ == "__main__":
    sys.exit(main())
