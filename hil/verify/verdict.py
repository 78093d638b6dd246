"""What the verifier says: PASS, or the first violation with its line, time and position."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hil.verify.asked import Asked


class Measured(NamedTuple):
    """Speed and acceleration along the path as the verifier took them from the pulses."""

    tick: NDArray[np.int64]
    speed_mm_s: NDArray[np.float32]
    accel_mm_s2: NDArray[np.float32]


class Played(NamedTuple):
    """What was read and when it was played: vertex i of the program was passed after the pulse at
    `tick[i]` (-1: never seen).
    """

    asked: Asked
    tick: NDArray[np.int64]
    motion: Measured

    def line_at(self, tick: int) -> int:
        """The program's line under way at a tick; 0: none."""
        known = np.flatnonzero(self.tick >= 0)
        i = int(np.searchsorted(self.tick[known], tick, side="right")) - 1
        if i < 0 or not self.asked.pieces:
            return 0
        return int(self.asked.line[min(int(known[i]), self.asked.pieces - 1)])


class Violation(NamedTuple):
    """One thing that is not as asked. kind: path, end, speed, accel, timing, corner, travel,
    pulse, setup, dual, output, heater, wait, dwell, home, run.
    """

    kind: str
    tick: int
    time_s: float
    line: int
    position_mm: Mapping[str, float]
    text: str

    def __str__(self) -> str:
        where = " ".join(f"{name}{value:.3f}" for name, value in self.position_mm.items())
        return f"line {self.line}, {self.time_s:.6f} s, at {where}: {self.text}"


@dataclass(frozen=True)
class Report:
    """The verdict with its figures. `violations` are in order of time, the first one counts."""

    violations: tuple[Violation, ...]
    figures: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    played: Played | None = None

    @property
    def passed(self) -> bool:
        return not self.violations

    @property
    def verdict(self) -> str:
        return "PASS" if self.passed else "FAIL"

    @property
    def first(self) -> Violation | None:
        return self.violations[0] if self.violations else None

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "verdict": self.verdict,
            "violations": [
                {**v._asdict(), "position_mm": dict(v.position_mm)} for v in self.violations
            ],
            "figures": dict(self.figures),
            "notes": list(self.notes),
        }

    def text(self) -> str:
        """For a person: the verdict, why, the figures."""
        lines = [self.verdict if self.passed else f"FAIL: {self.first}"]
        lines += [f"  then {v}" for v in self.violations[1:5]]
        lines += [f"  {name}: {_plain(value)}" for name, value in self.figures.items()]
        return "\n".join(lines + [f"  note: {note}" for note in self.notes])


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_plain(v)}" for key, v in value.items())
    return f"{value:.6g}" if isinstance(value, float) else str(value)
