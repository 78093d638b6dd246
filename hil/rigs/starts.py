"""Which START a stretch of pulses answers: by the board's gate, or by silences between pulses."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from hil.rigs.told import Start

Clock = Callable[[float], tuple[int, int]]  # the link's seconds to (tick, its uncertainty)
Begun = tuple[int, str, int]  # tick, kind, window


def of_gate(starts: Sequence[Start], opened: Sequence[int], at: Clock) -> Iterator[Begun]:
    """Each opening of the gate with the START that it answers; without one it is a retreat."""
    left = list(starts)
    for tick in opened:
        before = [start for start in left if at(start.at_s)[0] <= tick]
        left = left[len(before) :]
        yield (tick, _kind(before[-1]), before[-1].window) if before else (tick, "retreat", -1)


def of_silences(starts: Sequence[Start], rises: NDArray[np.int64], at: Clock) -> Iterator[Begun]:
    """Each START in the widest silence that its time may lie in. rises: of all motors, ascending.

    A host starts nothing while a motor moves, so there is one.
    """
    for start in starts:
        tick, unsure = at(start.at_s)
        first, last = np.searchsorted(rises, (tick - unsure, tick + unsure))
        bounds = np.concatenate([[tick - unsure], rises[first:last], [tick + unsure]])
        i = int(np.argmax(np.diff(bounds)))
        yield max(0, int(bounds[i] + bounds[i + 1]) // 2), _kind(start), start.window


def _kind(start: Start) -> str:
    return "guarded" if start.guarded else "motion"
