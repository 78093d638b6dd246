"""Which START a stretch of pulses answers: by the board's gate, or by silences between pulses."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hil.rigs.told import Start

Clock = Callable[[float], tuple[int, int]]  # the link's seconds to (tick, its uncertainty)
Place = Callable[[float], int]  # the link's seconds to a tick


class Begun(NamedTuple):
    """A start of motion; at_s: when it was asked for on the wire, inf: by nobody."""

    tick: int
    kind: str
    window: int
    at_s: float


def of_gate(starts: Sequence[Start], opened: Sequence[int], place: Place) -> Iterator[Begun]:
    """Each opening of the gate with the START that it answers; without one it is a retreat."""
    left = list(starts)
    for tick in opened:
        before = [start for start in left if place(start.at_s) <= tick]
        left = left[len(before) :]
        if before:
            yield Begun(tick, _kind(before[-1]), before[-1].window, before[-1].at_s)
        else:
            yield Begun(tick, "retreat", -1, math.inf)


def of_silences(starts: Sequence[Start], place: Place) -> Iterator[Begun]:
    """Each START where it was told."""
    for start in starts:
        yield Begun(place(start.at_s), _kind(start), start.window, start.at_s)


def silence(rises: NDArray[np.int64], clock: Clock) -> Place:
    """Puts what a host tells a resting board into the widest silence that its time may lie in.

    rises: of all motors, ascending.
    """

    def place(seconds: float) -> int:
        tick, unsure = clock(seconds)
        first, last = np.searchsorted(rises, (tick - unsure, tick + unsure))
        bounds = np.concatenate([[tick - unsure], rises[first:last], [tick + unsure]])
        i = int(np.argmax(np.diff(bounds)))
        return max(0, int(bounds[i] + bounds[i + 1]) // 2)

    return place


def _kind(start: Start) -> str:
    return "guarded" if start.guarded else "motion"
