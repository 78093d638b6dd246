"""Which pulses of a capture are the program's, and where in it.

Homing, a retreat after a cut and the way back from it are the machine's own; they are set aside.
A program falls into stretches at its homes (G28); a stretch may have been played in several runs,
and after a cut it goes on where the board came to rest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hil.capture import Capture, MotorTrace, Run, Signal
from hil.verify.asked import Asked
from hil.verify.match import NEVER
from hil.verify.states import Edges

HALF = 0.5 + 1e-6
MOST_CANDIDATES = 12


@dataclass
class Stretch:
    """Pieces [first, last) of the program and the spans of ticks in which they were played.

    `gaps` are spans between a rest on the path and the way on (a cut, a hold, a wait): outputs may
    change there. A stretch without spans was never begun.
    """

    first: int
    last: int
    start_steps: tuple[int, ...]
    spans: list[tuple[int, int]] = field(default_factory=list)
    gaps: list[tuple[int, int]] = field(default_factory=list)

    def edges(self, capture: Capture, motor: str) -> Edges:
        """The motor's pulses in all spans."""
        trace = capture.motors[motor]
        rows = [np.searchsorted(trace.rise, span) for span in self.spans]
        return Edges(
            np.concatenate([trace.rise[a:b] for a, b in rows] or [trace.rise[:0]]),
            np.concatenate([trace.direction[a:b] for a, b in rows] or [trace.direction[:0]]),
        )


def lead_motors(machine: Any) -> list[int]:
    """The first motor of each axis, by number."""
    return [machine.motors_of_axis(i)[0] for i in range(len(machine.axes))]


def stretches(
    asked: Asked, machine: Any, capture: Capture, fit: Callable[[Stretch], tuple[bool, int]]
) -> list[Stretch]:
    """The program's stretches with the spans that played them, in order.

    A stretch may begin at any run that starts at its place; homing has such runs, too. The one
    whose pulses fit the program best is taken: fit tells (to its end, how many pulses).
    """
    leads = lead_motors(machine)
    spm = np.array([axis.steps_per_mm for axis in machine.axes])
    out = []
    runs = list(capture.runs)
    since = 0
    for number, (first, last) in enumerate(_parts(asked)):
        if first == last:
            continue
        at = asked.start[first] * spm
        found: list[tuple[tuple[bool, int], int, Stretch]] = []
        for begin in _candidates(runs, since, at, leads, homed=number > 0):
            start = tuple(runs[begin].start_steps[m] for m in leads)
            stretch = Stretch(first, last, start)
            end = _follow(stretch, capture, machine, runs, begin)
            found.append(((False, 0), end, stretch))
        if len(found) > 1:
            found = [(fit(stretch), end, stretch) for _, end, stretch in found]
        if found:
            _, since, stretch = max(found, key=lambda row: row[0])
            out.append(stretch)
        else:
            out.append(Stretch(first, last, tuple(round(x) for x in at)))
    return out


def _parts(asked: Asked) -> list[tuple[int, int]]:
    """Ranges of pieces between the homes."""
    cuts = [0, *(e.vertex for e in asked.events if e.kind == "home"), asked.pieces]
    return list(pairwise(cuts))


def _candidates(
    runs: Sequence[Run], since: int, at: NDArray[Any], leads: list[int], *, homed: bool
) -> list[int]:
    """Runs that start where a stretch begins, after a homing if one comes before it; of runs that
    follow on each other only the first.
    """
    guarded = [i for i in range(since, len(runs)) if runs[i].kind == "guarded"]
    if homed and guarded:
        since = guarded[0]
    out: list[int] = []
    for i in range(since, len(runs)):
        if runs[i].kind != "motion":
            continue
        steps = np.array([runs[i].start_steps[m] for m in leads])
        if np.all(np.abs(steps - at) <= HALF):
            out.append(i)
    return out[-MOST_CANDIDATES:]


def _follow(
    stretch: Stretch, capture: Capture, machine: Any, runs: Sequence[Run], begin: int
) -> int:
    """Collect the spans of a stretch from its first run on; the number of the run after it."""
    leads = lead_motors(machine)
    names = [machine.motors[m].name for m in leads]
    steps = np.array(stretch.start_steps)
    i = begin
    away = False
    while i < len(runs):
        run = runs[i]
        if run.kind == "guarded" and not away:
            break
        end = runs[i + 1].tick if i + 1 < len(runs) else NEVER
        goes_on = run.kind == "motion" and [run.start_steps[m] for m in leads] == list(steps)
        if goes_on:
            if stretch.spans:
                stretch.gaps.append((_last_pulse(capture, names, stretch.spans[-1][1]), run.tick))
            stretch.spans.append((run.tick, end))
            moved = [capture.motors[n].steps_between(run.tick, end) for n in names]
            steps = steps + np.array(moved)
            away = False
        elif run.kind == "motion" and not away:
            break
        else:
            away = True
        i += 1
    return i


def _last_pulse(capture: Capture, names: Sequence[str], tick: int) -> int:
    """Tick of the last pulse of any of the motors before a tick."""
    last = 0
    for name in names:
        rise = capture.motors[name].rise
        i = int(np.searchsorted(rise, tick)) - 1
        last = max(last, int(rise[i]) if i >= 0 else 0)
    return last


def joined(captures: Sequence[Capture]) -> Capture:
    """Several captures of one job (the board was started anew between them) as one; a run of kind
    `boot` marks each start.
    """
    if len(captures) == 1:
        return captures[0]
    offsets = np.cumsum([0, *(c.end_tick + c.tick_hz for c in captures[:-1])])
    runs: list[Run] = []
    for capture, offset in zip(captures, offsets, strict=True):
        if runs:
            runs.append(Run(int(offset), "boot", ()))
        runs += [run._replace(tick=run.tick + int(offset)) for run in capture.runs]
    groups = {
        group: _signals(
            [(getattr(c, group), int(o)) for c, o in zip(captures, offsets, strict=True)]
        )
        for group in ("outputs", "targets", "temperatures", "inputs")
    }
    return Capture(
        tick_hz=captures[0].tick_hz,
        motors={
            name: _trace([(c.motors[name], int(o)) for c, o in zip(captures, offsets, strict=True)])
            for name in captures[0].motors
        },
        runs=tuple(runs),
        end_tick=int(offsets[-1]) + captures[-1].end_tick,
        error_ticks=max(c.error_ticks for c in captures),
        **groups,
    )


def _trace(parts: Sequence[tuple[MotorTrace, int]]) -> MotorTrace:
    return MotorTrace(
        np.concatenate([m.rise + offset for m, offset in parts]),
        np.concatenate([m.width for m, _ in parts]),
        np.concatenate([m.direction for m, _ in parts]),
        np.concatenate([m.turn_tick + offset for m, offset in parts]),
        np.concatenate([m.turn_direction for m, _ in parts]),
    )


def _signals(parts: Sequence[tuple[Mapping[str, Signal], int]]) -> dict[str, Signal]:
    names = {name for group, _ in parts for name in group}
    return {
        name: Signal(
            np.concatenate([g[name].tick + offset for g, offset in parts if name in g]),
            np.concatenate([g[name].value for g, _ in parts if name in g]),
        )
        for name in names
    }
