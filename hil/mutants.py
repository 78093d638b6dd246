"""Does the verifier find what is wrong? `make verify-mutants`: spoils captures of small programs
of every machine kind, one fault each, and asks for the verdict.

A fault counts as found when the verdict is FAIL and its first violation is at the fault: within
ten milliseconds or five of its motor's intervals, in the line under way or one beside it. Clean
captures must pass.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from hil.capture import Capture
from hil.spoil import SPOILERS, Fault, interval_at
from hil.verify import Report, verify
from hil.verify.windows import to_capture
from microfactory.machine import Machine
from microfactory.motion.gcode import parse
from microfactory.motion.plan import plan

SCENARIOS = Path(__file__).parent / "scenarios"
KINDS = {
    "print": "d3d-printer",
    "cut": "cnc-torch-table",
    "pocket": "cnc-machine-centre",
    "board": "circuit-plotter",
}
NEAR_S = 0.010
INTERVALS = 5


class Clean(NamedTuple):
    """A program that was played rightly."""

    name: str
    text: str
    machine: Machine
    capture: Capture
    report: Report

    def lines_near(self, first_tick: int, last_tick: int) -> range:
        """Lines under way from one tick to another, and what stands between them and the next."""
        played = self.report.played
        assert played is not None
        first, last = played.line_at(first_tick), played.line_at(last_tick)
        later = played.asked.line[played.asked.line > last]
        return range(first, int(later[0]) + 1 if len(later) else played.asked.lines + 1)


class Outcome(NamedTuple):
    """One mutant: what was done, and why it does not count as found ("" if it does)."""

    name: str
    what: str
    missed: str
    report: Report


def clean_captures() -> list[Clean]:
    """The programs of hil/scenarios as their windows would be played."""
    out = []
    for name, machine_name in KINDS.items():
        machine = Machine.load(machine_name)
        text = (SCENARIOS / f"{name}.gcode").read_text()
        sections = plan(parse(text), machine).sections()
        bodies = (w.data for s in sections if s.kind == "motion" for w in s.windows)
        capture = to_capture(bodies, machine)
        report = verify(text, machine, capture, timed=False)
        out.append(Clean(name, text, machine, capture, report))
    return out


def judge(clean: Clean, fault: Fault) -> Outcome:
    """Spoil and ask."""
    report = verify(clean.text, clean.machine, fault.capture, timed=False)
    return Outcome(clean.name, fault.what, _missed(clean, fault, report), report)


def _missed(clean: Clean, fault: Fault, report: Report) -> str:
    if report.first is None:
        return "not found"
    hz = clean.capture.tick_hz
    near = max(NEAR_S * hz, INTERVALS * int(interval_at(clean.capture, fault.tick)))
    off = report.first.tick - fault.tick
    if abs(off) > near:
        return f"found {off / hz * 1e3:+.1f} ms away"
    lines = clean.lines_near(fault.tick - int(near), fault.tick + int(near))
    if report.first.line not in lines:
        return f"found in line {report.first.line}, not in {lines}"
    return ""


def campaign(cleans: list[Clean], count: int, seed: int) -> Iterator[Outcome]:
    """`count` mutants, spread evenly over programs and faults."""
    rng = random.Random(seed)
    made = 0
    while made < count:
        spoiler = SPOILERS[made % len(SPOILERS)]
        clean = cleans[(made // len(SPOILERS)) % len(cleans)]
        fault = None
        for _ in range(50):
            fault = spoiler(clean.capture, clean.machine, rng)
            if fault is not None:
                break
        if fault is None:
            raise RuntimeError(f"{spoiler.__name__} finds nothing to spoil in {clean.name}")
        made += 1
        yield judge(clean, fault)


def main(arguments: list[str] | None = None) -> int:
    """Run the campaign and say what was missed; 0: nothing."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    began = time.perf_counter()
    cleans = clean_captures()
    alarms = 0
    for clean in cleans:
        report = clean.report
        alarms += not report.passed
        print(f"clean {clean.name}: {report.verdict}, {report.figures['pulses']} pulses")
        if not report.passed:
            print(f"  {report.first}")
    found: Counter[str] = Counter()
    missed: list[Outcome] = []
    for outcome in campaign(cleans, options.count, options.seed):
        if outcome.missed:
            missed.append(outcome)
            print(
                f"MISSED {outcome.name}: {outcome.what}: {outcome.missed}; {outcome.report.first}"
            )
        elif outcome.report.first is not None:
            found[outcome.report.first.kind] += 1
    kinds = ", ".join(f"{n} {kind}" for kind, n in found.most_common())
    wall = time.perf_counter() - began
    print(
        f"{options.count - len(missed)} of {options.count} spoilt captures found in place "
        f"({kinds}), {alarms} false alarms, {wall:.0f} s"
    )
    return 1 if missed or alarms else 0


if __name__ == "__main__":
    np.seterr(all="raise", under="ignore")
    sys.exit(main())
