"""The captured pulses of one stretch, merged in time into states: where all axes stand after
each pulse. Loaded piece by piece, so that a capture of any length needs bounded memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

BATCH = 200_000  # pulses of the busiest axis loaded at a time


class Edges(NamedTuple):
    """Pulses of one axis: ticks (ascending) and directions (+1, -1)."""

    tick: NDArray[np.int64]
    direction: NDArray[np.int8]


class States:
    """State 0 is the start; state k is entered with pulse k (from 1), at tick[k - base].

    `where` has one row an axis: steps in that state. `axis` and `way` say which axis the pulse
    moved and which way (state 0: axis -1). Row k of all is state k + base.
    """

    def __init__(self, edges: Sequence[Edges], start_steps: Sequence[int], tick: int) -> None:
        self._edges = edges
        self._taken = [0] * len(edges)
        self.count = 1 + sum(len(e.tick) for e in edges)
        self.base = 0
        self.tick: NDArray[np.int64] = np.array([tick], np.int64)
        self.axis: NDArray[np.int8] = np.array([-1], np.int8)
        self.way: NDArray[np.int8] = np.array([0], np.int8)
        self.where: NDArray[np.int32] = np.array(start_steps, np.int32).reshape(-1, 1)

    @property
    def end(self) -> int:
        """States below this one are loaded."""
        return self.base + len(self.tick)

    def need(self, state: int) -> None:
        """Load until this state is there, or all are."""
        while self.end <= state and self.end < self.count:
            self._load()

    def forget(self, state: int) -> None:
        """States below this one are not asked for again."""
        if state - self.base > 2 * BATCH:
            cut = state - self.base
            self.tick, self.axis = self.tick[cut:].copy(), self.axis[cut:].copy()
            self.way, self.where = self.way[cut:].copy(), self.where[:, cut:].copy()
            self.base = state

    def tick_of(self, state: int) -> int:
        """When a state was entered; the last one for states past the end."""
        self.need(state)
        return int(self.tick[min(state, self.end - 1) - self.base])

    def _load(self) -> None:
        left = [len(e.tick) - n for e, n in zip(self._edges, self._taken, strict=True)]
        busiest = int(np.argmax(left))
        ticks = self._edges[busiest].tick
        last = ticks[min(self._taken[busiest] + BATCH, len(ticks)) - 1]
        tick, axis, way = [], [], []
        for i, edges in enumerate(self._edges):
            a = self._taken[i]
            b = int(np.searchsorted(edges.tick, last, side="right"))
            b = max(a, b)
            self._taken[i] = b
            tick.append(edges.tick[a:b])
            way.append(edges.direction[a:b])
            axis.append(np.full(b - a, i, np.int8))
        ticks_all = np.concatenate(tick)
        order = np.argsort(ticks_all, kind="stable")
        self._append(ticks_all[order], np.concatenate(axis)[order], np.concatenate(way)[order])

    def _append(self, tick: Any, axis: Any, way: Any) -> None:
        where = np.empty((len(self._edges), len(tick)), np.int32)
        for i in range(len(self._edges)):
            np.cumsum(np.where(axis == i, way, 0), out=where[i], dtype=np.int32)
            where[i] += self.where[i, -1]
        self.tick = np.concatenate([self.tick, tick])
        self.axis = np.concatenate([self.axis, axis])
        self.way = np.concatenate([self.way, way])
        self.where = np.concatenate([self.where, where], axis=1)
