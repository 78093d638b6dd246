"""The smallest case that still goes wrong: fewer faults first, then shorter ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from hil.faults.fault import Case, Fault

SHORTEST_S = 0.02


def shrink(case: Case, fails: Callable[[Case], bool]) -> Case:
    """A case of as few and as short faults as could be found; `fails` must be true of it."""
    faults = _fewer(case, list(case.faults), fails)
    for i in range(len(faults)):
        while faults[i].for_s > SHORTEST_S:
            half = replace(faults[i], for_s=faults[i].for_s / 2)
            shorter = [*faults[:i], half, *faults[i + 1 :]]
            if not fails(replace(case, faults=tuple(shorter))):
                break
            faults = shorter
    return replace(case, faults=tuple(faults))


def _fewer(case: Case, faults: list[Fault], fails: Callable[[Case], bool]) -> list[Fault]:
    """Leave out halves, quarters, and so on, as long as it still fails (delta debugging)."""
    size = max(1, len(faults) // 2)
    while faults:
        at = 0
        while at < len(faults):
            fewer = faults[:at] + faults[at + size :]
            if fails(replace(case, faults=tuple(fewer))):
                faults = fewer
            else:
                at += size
        if size == 1:
            return faults
        size //= 2
    return faults
