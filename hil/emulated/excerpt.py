"""The first half minute of a real job on the emulated chip: python -m hil.emulated.excerpt.

Heaters on, as in a job; every edge is compared with the board in memory, and what it cost is told.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from hil.emulated.chip import CLOCK_HZ, missing
from hil.emulated.figures import cost
from hil.emulated.pins import runs
from hil.emulated.trials import Bench, compare, stretch, twin

EXAMPLE = Path(__file__).resolve().parents[2] / "examples/print/controller-case.gcode"


def excerpt(program: Path, machine: str, seconds: float) -> dict[str, Any]:
    """Play and compare; `wrong` is empty when every edge was on its clock."""
    bench = Bench(machine, 1)
    try:
        bench.windows = stretch(bench.machine, program.read_text())
        length, count = 0, 0
        while count < len(bench.windows) and length < seconds * CLOCK_HZ:
            length += bench.windows[count].length_ticks
            count += 1
        bench.windows = bench.windows[:count]
        found = {"program": program.name, **cost(bench)}
        played = runs(bench.machine, bench.link.page, bench.link.edges)
        expected = twin(bench.machine, bench.windows).played[0]
        wrong = "" if played else "it did not move"
        return {**found, "wrong": wrong or compare(bench.machine, played[0], expected)}
    finally:
        bench.close()


def main() -> int:
    """0: every edge was right; 1: one was not; 77: there is no emulated rig here, and why."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", type=Path, default=EXAMPLE)
    parser.add_argument("--machine", default="d3d-printer")
    parser.add_argument("--seconds", type=float, default=30.0)
    options = parser.parse_args()
    if missing():
        print(f"skipped: {missing()}", file=sys.stderr)
        return 77
    found = excerpt(options.program, options.machine, options.seconds)
    print(json.dumps(found))
    return 1 if found["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
