"""What a program asks for, as the verifier reads it: pieces of path and things that happen at
places of it. Millimetres and seconds, machine coordinates; axes in the machine file's order.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

FREE = math.inf  # speed of a rapid: only the machine's limits bind


class Arc(NamedTuple):
    """Circle in the plane of two axes: from `angle` by `sweep` (positive: first to second axis)
    about `centre`.
    """

    first: int
    second: int
    centre: tuple[float, float]
    radius: float
    angle: float
    sweep: float


class Event(NamedTuple):
    """Something at a place: `vertex` is the number of pieces of path before it.

    kind: output (name, value 0..65535), heater (name, C), dwell (value s), wait (name, C),
    pause, home (value: bit mask of axes), end. `rest`: the machine stands still there.
    """

    kind: str
    line: int
    vertex: int
    name: str = ""
    value: float = 0.0
    rest: bool = False


@dataclass(frozen=True)
class Asked:
    """The whole program. Arrays have one row a piece; `arcs` only the pieces that are arcs.

    `tolerance`: corner tolerance in force, negative for the machine's own. `accel`: the
    program's own limit (M204), inf for none. `advance`: pressure advance in s. `start` of piece
    i is `end` of piece i - 1, except after a home.
    """

    start: NDArray[np.float64]
    end: NDArray[np.float64]
    line: NDArray[np.int64]
    speed: NDArray[np.float64]
    accel: NDArray[np.float64]
    tolerance: NDArray[np.float64]
    advance: NDArray[np.float64]
    length: NDArray[np.float64]
    arcs: dict[int, Arc]
    events: tuple[Event, ...]
    lines: int
    held: frozenset[int] = frozenset()  # pieces in which torch height control may be active
    fixed: frozenset[int] = frozenset()  # pieces whose speed no override changes
    beams: Mapping[int, float] = field(default_factory=dict)  # under M4: power for each mm/s

    @property
    def pieces(self) -> int:
        return len(self.line)

    def place(self, vertex: int, start: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
        """Position of a vertex: where piece vertex - 1 ends."""
        if vertex > 0:
            return self.end[vertex - 1]
        if self.pieces:
            return self.start[0]
        return np.zeros(0) if start is None else start


class Pieces:
    """Collects pieces and events while a program is read."""

    def __init__(self, cartesian: NDArray[np.bool_]) -> None:
        self._cartesian = cartesian
        self._rows: list[tuple[Any, ...]] = []
        self.arcs: dict[int, Arc] = {}
        self.held: set[int] = set()
        self.fixed: set[int] = set()
        self.beams: dict[int, float] = {}
        self.events: list[Event] = []

    def __len__(self) -> int:
        return len(self._rows)

    def add(
        self,
        start: list[float],
        end: list[float],
        line: int,
        speed: float,
        accel: float,
        tolerance: float,
        advance: float,
        arc: Arc | None = None,
    ) -> None:
        """One piece; a line that goes nowhere is no piece."""
        if arc is not None:
            self.arcs[len(self._rows)] = arc
        elif start == end:
            return
        self._rows.append((tuple(start), tuple(end), line, speed, accel, tolerance, advance))

    def event(
        self, kind: str, line: int, name: str = "", value: float = 0.0, *, rest: bool
    ) -> None:
        self.events.append(Event(kind, line, len(self._rows), name, value, rest))

    def build(self, lines: int) -> Asked:
        axes = len(self._cartesian)
        start, end = (
            np.array([row[i] for row in self._rows], float).reshape(-1, axes) for i in (0, 1)
        )
        columns = [np.array([row[i] for row in self._rows], float) for i in (3, 4, 5, 6)]
        return Asked(
            start,
            end,
            np.array([row[2] for row in self._rows], np.int64),
            *columns,
            self._lengths(start, end),
            self.arcs,
            tuple(self.events),
            lines,
            frozenset(self.held & set(range(len(self._rows)))),
            frozenset(self.fixed & set(range(len(self._rows)))),
            {i: rate for i, rate in self.beams.items() if i < len(self._rows)},
        )

    def _lengths(self, start: NDArray[Any], end: NDArray[Any]) -> NDArray[np.float64]:
        """Length as a feed counts it: over the Cartesian axes, else the largest of the others."""
        way = end - start
        length = np.sqrt((way[:, self._cartesian] ** 2).sum(axis=1))
        others = np.abs(way).max(axis=1, initial=0.0)
        length = np.where(length > 0, length, others)
        for i, arc in self.arcs.items():
            round_mm = abs(arc.sweep) * arc.radius
            rest = [a for a in np.flatnonzero(self._cartesian) if a not in (arc.first, arc.second)]
            length[i] = math.hypot(round_mm, *way[i, rest])
        return length
