"""Levels over time: stretches in which a line is high, and what a probe keeps of them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from hil.wiring.bursts import Wave

Signature = tuple[tuple[int, int], ...]  # of each slot: rises in it, level at its end


def inverse(wave: Wave, end: int) -> Wave:
    """High where it was low."""
    out = []
    at = 0
    for begin, stop in wave:
        if begin > at:
            out.append((at, begin))
        at = stop
    if at < end:
        out.append((at, end))
    return tuple(out)


def both(one: Wave, other: Wave) -> Wave:
    """High where both are: two drivers on one line, and the low one wins."""
    out = []
    i = k = 0
    while i < len(one) and k < len(other):
        begin, stop = max(one[i][0], other[k][0]), min(one[i][1], other[k][1])
        if begin < stop:
            out.append((begin, stop))
        if one[i][1] < other[k][1]:
            i += 1
        else:
            k += 1
    return tuple(out)


def signature(wave: Wave, edges: Sequence[int]) -> Signature:
    """Rises in each slot, and the level just before it ends."""
    out = []
    for begin, end in itertools.pairwise(edges):
        rises = sum(begin < rise < end for rise, _ in wave)
        level = any(rise <= end - 2 < fall for rise, fall in wave)
        out.append((rises, int(level)))
    return tuple(out)
