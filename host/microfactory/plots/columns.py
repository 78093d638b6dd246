"""Speed, acceleration and jerk along the path over time, in columns that keep every extreme.

A column holds the lowest and the highest value that there is in its time, so what is drawn of a
million moves is as high as the highest of them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from microfactory.plots.shares import DOING, Phases

COLUMNS = 4000
VALUES = ("v", "a", "j")


class Columns:
    """Columns over [from_s, to_s].

    low, high: [v, a, j][column] in mm/s, mm/s2, mm/s3; nan where there is no motion. top, accel,
    jerk: the highest limit of a move in it. line: the first one in it. way_mm: how far it goes.
    """

    def __init__(self, from_s: float, to_s: float, count: int = COLUMNS) -> None:
        self.from_s, self.to_s, self.count = from_s, max(to_s, from_s + 1e-9), count
        self.width_s = (self.to_s - from_s) / count
        self.low = np.full((3, count), np.inf)
        self.high = np.full((3, count), -np.inf)
        self.top = np.zeros((3, count))
        self.line = np.full(count, 1 << 31, np.int64)
        self.way_mm = np.zeros(count)
        self.doing_s = np.zeros((count, len(DOING)))

    def add(self, batch: NDArray[Any], phases: Phases) -> None:
        """Draw the phases of a batch."""
        begin = phases.begin_s - self.from_s
        end = begin + phases.time_s
        inside = (end > 0) & (begin < self.to_s - self.from_s)
        first = np.floor(np.maximum(begin, 0) / self.width_s).astype(np.int64)
        last = np.ceil(end / self.width_s).astype(np.int64) - 1
        first = np.minimum(first, self.count - 1)
        last = np.clip(last, first, self.count - 1)
        rows = np.flatnonzero(inside)
        counts = last[rows] - first[rows] + 1
        rows = np.repeat(rows, counts)
        within = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
        column = first[rows] + within
        left = np.maximum(begin[rows], column * self.width_s)
        right = np.minimum(end[rows], (column + 1) * self.width_s)
        right = np.maximum(right, left)
        v0, a0, j = phases.v_mm_s[rows], phases.a_mm_s2[rows], phases.j_mm_s3[rows]
        for at, sign in ((left, -1.0), (right, 1.0)):
            t = at - begin[rows]
            v = np.maximum(v0 + (a0 + j * t / 2) * t, 0.0)
            np.add.at(self.way_mm, column, sign * (v0 + (a0 / 2 + j * t / 6) * t) * t)
            for k, value in enumerate((v, a0 + j * t, j)):
                np.minimum.at(self.low[k], column, value)
                np.maximum.at(self.high[k], column, value)
        motion = phases.row[rows]
        for k, name in enumerate(("peak_mm_s", "accel_mm_s2", "jerk_mm_s3")):
            np.maximum.at(self.top[k], column, batch[name][motion])
        np.minimum.at(self.line, column, batch["move"]["line"][motion])
        np.add.at(self.doing_s, (column, phases.doing[rows]), right - left)

    @property
    def doing(self) -> NDArray[np.int64]:
        """What each column does for most of its time; -1: there is no motion."""
        some = self.doing_s.sum(axis=1) > 0
        return np.where(some, self.doing_s.argmax(axis=1), -1)

    @property
    def mean_mm_s(self) -> NDArray[np.float64]:
        """Mean speed of each column while there is motion in it; nan where there is none."""
        time_s = self.doing_s.sum(axis=1)
        return np.where(time_s > 0, self.way_mm / np.maximum(time_s, 1e-12), np.nan)

    @property
    def mid_s(self) -> NDArray[np.float64]:
        """The middle of each column."""
        return np.asarray(self.from_s + (np.arange(self.count) + 0.5) * self.width_s)
