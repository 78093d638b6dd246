"""Where the time of a job goes: what the motion does, which limit binds, which lines lose most."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from microfactory.motion.core import lib

# What motion is doing, one at a time: the colours of "what binds".
FEED, TOP, CURVE, ACCEL, JERK, AHEAD, REST = range(7)
DOING = (
    "at the programmed feed",
    "at a top speed of the machine",
    "at what an arc or a stop's length allows",
    "speeding up or slowing down",
    "changing acceleration (jerk)",
    "held lower by what comes before or after",
    "resting (the program's own stops)",
)
SPEEDS = lib.MF_BY_SPEED | (0xFF << lib.MF_BY_AXIS_SPEED)
CLOSE = 1e-6  # relative: at a limit
WORST = 10


class Phases(NamedTuple):
    """Phases of a batch in one row each; row: which motion they belong to."""

    row: NDArray[np.intp]
    begin_s: NDArray[np.float64]
    time_s: NDArray[np.float64]
    v_mm_s: NDArray[np.float64]
    a_mm_s2: NDArray[np.float64]
    j_mm_s3: NDArray[np.float64]
    doing: NDArray[np.int64]
    by: NDArray[np.uint32]  # mask of the limits that bind it


def begins(batch: NDArray[Any], from_s: float) -> NDArray[np.float64]:
    """When each motion of a batch begins, and, one more, when the last one ends."""
    return np.asarray(np.concatenate([[from_s], from_s + np.cumsum(batch["time_s"])]))


def phases_of(batch: NDArray[Any], begin_s: NDArray[np.float64]) -> Phases:
    """The phases of a batch, with what they are doing and what binds them."""
    table = batch["phase"]
    there = np.arange(table.shape[1]) < batch["phases"][:, None]
    time = np.where(there, table["time_s"], 0.0)
    offset = np.cumsum(time, axis=1) - time
    row, column = np.nonzero(there & (time > 0))
    picked = table[row, column]
    v, a, j = picked["v_mm_s"], picked["a_mm_s2"], picked["j_mm_s3"]
    speed_by = batch["speed_by"][row]
    at_top = v >= batch["peak_mm_s"][row] * (1 - CLOSE)
    doing = np.where(at_top, CURVE, AHEAD)
    doing[at_top & (speed_by & SPEEDS != 0)] = TOP
    doing[at_top & (speed_by & lib.MF_BY_FEED != 0)] = FEED
    by = np.where(at_top, speed_by, 0)
    changing, jerking = a != 0, j != 0
    doing[changing], by[changing] = ACCEL, batch["accel_by"][row][changing]
    doing[jerking], by[jerking] = JERK, batch["jerk_by"][row][jerking]
    rests = batch["move"]["kind"][row] == lib.MF_MOVE_DWELL
    doing[rests], by[rests] = REST, 0
    begin = begin_s[row] + offset[row, column]
    return Phases(row, begin, picked["time_s"], v, a, j, doing, by.astype(np.uint32))


class Loss(NamedTuple):
    """Moves of one line: how long they take, and how much longer than at their own top speed."""

    lost_s: float
    line: int
    time_s: float


@dataclass
class Shares:
    """Adds up batches. Times in s."""

    time_s: float = 0.0
    moves: int = 0
    corners: int = 0  # joints where motion goes on without a rest
    doing_s: NDArray[np.float64] = field(default_factory=lambda: np.zeros(len(DOING)))
    masks_s: dict[int, float] = field(default_factory=dict)
    corner_masks: dict[int, int] = field(default_factory=dict)
    top_mm_s: float = 0.0
    worst: list[Loss] = field(default_factory=list)

    def add(self, batch: NDArray[Any], phases: Phases) -> None:
        """Count a batch."""
        self.time_s += float(batch["time_s"].sum())
        moving = batch["move"]["kind"] != lib.MF_MOVE_DWELL
        self.moves += int(moving.sum())
        self.doing_s += np.bincount(phases.doing, phases.time_s, len(DOING))
        for mask, seconds in _summed(phases.by, phases.time_s):
            self.masks_s[mask] = self.masks_s.get(mask, 0.0) + seconds
        joint = moving & (batch["corner_mm_s"] > 0)
        self.corners += int(joint.sum())
        bound = joint & (batch["enter_mm_s"] >= batch["corner_mm_s"] * (1 - CLOSE))
        for mask, count in _summed(batch["corner_by"][bound], np.ones(int(bound.sum()))):
            self.corner_masks[mask] = self.corner_masks.get(mask, 0) + int(count)
        self.top_mm_s = max(self.top_mm_s, float(phases.v_mm_s.max(initial=0.0)))
        self._lose(batch, moving)

    def _lose(self, batch: NDArray[Any], moving: NDArray[np.bool_]) -> None:
        rows = batch[moving]
        if not len(rows):
            return
        lost = rows["time_s"] - rows["move"]["length_mm"] / rows["peak_mm_s"]
        for i in np.argsort(lost)[-WORST:].tolist():
            one = Loss(float(lost[i]), int(rows["move"]["line"][i]), float(rows["time_s"][i]))
            if len(self.worst) < WORST:
                heapq.heappush(self.worst, one)
            else:
                heapq.heappushpop(self.worst, one)

    def bound_s(self, bits: int) -> tuple[float, float]:
        """Seconds in which a limit binds: alone, and together with others."""
        alone = sum(s for mask, s in self.masks_s.items() if mask and not mask & ~bits)
        shared = sum(s for mask, s in self.masks_s.items() if mask & bits and mask & ~bits)
        return alone, shared

    def bound_corners(self, bits: int) -> int:
        """Corners whose speed a limit binds."""
        return sum(n for mask, n in self.corner_masks.items() if mask & bits)

    def binds(self, bits: int) -> bool:
        """Whether a limit binds anywhere."""
        return any(mask & bits for mask in (*self.masks_s, *self.corner_masks))


def _summed(masks: NDArray[Any], weights: NDArray[Any]) -> list[tuple[int, float]]:
    """Sum of the weights of each mask."""
    values, inverse = np.unique(masks, return_inverse=True)
    sums = np.bincount(inverse, weights, len(values))
    return [(int(m), float(s)) for m, s in zip(values, sums, strict=True)]
