"""A laser whose power follows the speed (M4): what it burns on each stretch of path.

Power is S times speed over feed, so its integral over any time is S times the way made, over the
feed: judged over the whole path and in every twentieth of a second, against pulses. Rapids and
rests burn nothing. Of a program that uses M3 too only the parts under M4 are judged so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hil.capture import Capture, Signal
from hil.verify.asked import Asked
from hil.verify.match import NEVER
from hil.verify.runs import lead_motors

FULL = 65535.0
LOOK_S = 0.05  # a stretch of time that is judged
LOOK_SLACK_S = 0.002  # at full power: looks at the power are 1.25 ms apart
SHARE = 0.01  # of what is asked

Found = tuple[str, int, int, str]


def beams(
    asked: Asked, capture: Capture, machine: Any, passings: Any, gaps: Sequence[tuple[int, int]]
) -> list[Found]:
    """The first violation, if there is one. gaps: spans in which the board switches by itself."""
    if not asked.beams:
        return []
    name = next(o.name for o in machine.outputs if o.role == "laser")
    signal = capture.outputs.get(name)
    for first, last in _stretches(asked, passings):
        found = _judge(_samples(asked, capture, machine, passings, first, last),
                       signal, asked, capture, name, gaps, first)  # fmt: skip
        if found:
            return found
    return []


def _stretches(asked: Asked, passings: Any) -> list[tuple[int, int]]:
    """Ranges of pieces that follow on each other under M4, their vertices passed."""
    out: list[tuple[int, int]] = []
    begin = None
    for piece in range(asked.pieces + 1):
        good = piece < asked.pieces and piece in asked.beams
        good = good and piece in passings and piece + 1 in passings
        if good and begin is None:
            begin = piece
        elif not good and begin is not None:
            out.append((begin, piece))
            begin = None
    return out


def _samples(
    asked: Asked, capture: Capture, machine: Any, passings: Any, first: int, last: int
) -> tuple[NDArray[np.int64], NDArray[np.float64], float]:
    """Ticks, power times seconds asked for until then, and what a step is worth at most."""
    leads = lead_motors(machine)
    ticks: list[int] = []
    burnt: list[float] = []
    done = step = 0.0
    for piece in range(first, last):
        rate = asked.beams[piece]
        at, after = passings[piece], passings[piece + 1]
        for tick in (at.first, at.last):
            if tick != NEVER:
                ticks.append(int(tick))
                burnt.append(done)
        way = np.abs(asked.end[piece] - asked.start[piece])
        a = int(np.argmax(way))
        step = max(step, rate / machine.axes[a].steps_per_mm)
        rise = capture.motors[machine.motors[leads[a]].name].rise
        inside = rise[(rise > at.last) & (rise < after.first)]
        if piece not in asked.arcs and len(inside):
            share = (np.arange(len(inside)) + 1.5) / (len(inside) + 2)
            ticks += inside.tolist()
            burnt += (done + rate * asked.length[piece] * share).tolist()
        done += rate * asked.length[piece]
    ticks.append(int(passings[last].first))
    burnt.append(done)
    order = np.argsort(np.array(ticks), kind="stable")
    return np.array(ticks, np.int64)[order], np.maximum.accumulate(np.array(burnt)[order]), step


def _measured(signal: Signal | None, ticks: NDArray[np.int64], hz: float) -> NDArray[np.float64]:
    """Power times seconds from the first tick on."""
    if signal is None or not len(signal.tick):
        return np.zeros(len(ticks))
    edges, value = signal.tick, signal.value
    whole = np.concatenate([[0.0], np.cumsum(value[:-1] * np.diff(edges))])
    i = np.searchsorted(edges, ticks, side="right") - 1
    there = np.where(i < 0, 0.0, whole[i] + value[i] * (ticks - edges[i]))
    return np.asarray(there - there[0]) / hz


def _full(signal: Signal | None) -> Signal | None:
    """1 where there is full power: an override may ask for more."""
    if signal is None:
        return None
    return Signal(signal.tick, (signal.value >= FULL).astype(float))


def _judge(
    samples: tuple[NDArray[np.int64], NDArray[np.float64], float],
    signal: Signal | None,
    asked: Asked,
    capture: Capture,
    name: str,
    gaps: Sequence[tuple[int, int]],
    first: int,
) -> list[Found]:
    ticks, want, step = samples
    hz = float(capture.tick_hz)
    is_ = _measured(signal, ticks, hz)
    ends = np.searchsorted(ticks, ticks + int(LOOK_S * hz))
    here = np.flatnonzero(ends < len(ticks))
    there = ends[here]
    for a, b in gaps:
        apart = (ticks[there] < a) | (ticks[here] > b)
        here, there = here[apart], there[apart]
    if not any(a <= ticks[-1] and b >= ticks[0] for a, b in gaps):
        here, there = np.append(here, 0), np.append(there, len(ticks) - 1)
    burnt, should = is_[there] - is_[here], want[there] - want[here]
    slack = FULL * LOOK_SLACK_S + 3 * step + SHARE * should
    full_s = _measured(_full(signal), ticks, hz)
    less = slack + FULL * (full_s[there] - full_s[here])  # there is no more than full power
    wrong = (burnt - should > slack) | (should - burnt > less)
    if not wrong.any():
        return []
    i = int(np.argmax(wrong))
    tick = int(ticks[here[i]])
    seconds = (ticks[there[i]] - ticks[here[i]]) / hz
    line = _line(asked, first, float(want[here[i]]))
    text = (
        f"{name} burns {burnt[i] / FULL / seconds:.3f} of full power over {seconds:.3f} s, its "
        f"speed asks for {should[i] / FULL / seconds:.3f}"
    )
    return [("beam", tick, line, text)]


def _line(asked: Asked, first: int, burnt: float) -> int:
    """The line in which so much has been asked for since the piece `first` began."""
    piece = first
    while piece + 1 < asked.pieces and piece in asked.beams:
        burnt -= asked.beams[piece] * float(asked.length[piece])
        if burnt < 0:
            break
        piece += 1
    return int(asked.line[piece])
