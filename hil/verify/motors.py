"""Speed and acceleration of each axis for itself, on a machine that is off (compensated.py): there
the pieces of path are not those that the planner had. Every statement is a necessary condition.

Where the path or the map has a corner, the planner may let an axis change its speed at once by what
its acceleration would round within the corner's tolerance, sqrt(8 A tolerance) (docs/planner.md).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hil.verify.asked import Asked
from hil.verify.bounds import Bounds
from hil.verify.limits import ACCEL_SLACK, SHARE, SPEED_SLACK, Found
from hil.verify.match import NEVER, Places, Walk

OVER_S = 0.05
STEPS = 8


class Motors:
    """Takes the places of pulses batch by batch."""

    def __init__(
        self, asked: Asked, limits: Bounds, bends: NDArray[np.bool_], machine: Any, tick_hz: int
    ) -> None:
        self._axes, self._hz = machine.axes, float(tick_hz)
        self._error = machine.motion.step_tolerance_us * 1e-6
        tolerance = np.where(
            asked.tolerance < 0, machine.motion.corner_tolerance_mm, asked.tolerance
        )
        rate = (asked.end - asked.start) / asked.length[:, None]
        jump = np.zeros_like(rate)
        jump[1:] = np.abs(rate[1:] - rate[:-1])
        most = np.array([axis.max_accel_mm_s2 for axis in machine.axes])
        rounded = np.sqrt(8 * most[None, :] * tolerance[:, None])
        speed = np.minimum(limits.speed, np.append(np.inf, limits.speed[:-1]))
        jump = np.where(jump > 1e-6, np.minimum(jump * speed[:, None], rounded), 0.0)
        jump[~bends] = 0.0
        self._jumps = np.concatenate([np.zeros((1, rate.shape[1])), np.cumsum(jump, axis=0)])
        self._kept: Places | None = None
        self.speed = self.accel = 0.0

    def take(self, batch: Places) -> list[Found]:
        """Violations of one batch, not sorted."""
        if self._kept is not None:
            batch = Places(*(np.concatenate(pair) for pair in zip(self._kept, batch, strict=True)))
        self._kept = Places(*(column[-8192:] for column in batch))
        if len(batch.tick) < 3:
            return []
        time = (batch.tick - int(batch.tick[0])) / self._hz
        found: list[Found] = []
        for a in range(len(self._axes)):
            found += self._axis(batch, time, a)
        return found

    def _axis(self, batch: Places, time: NDArray[Any], a: int) -> list[Found]:
        rows = np.flatnonzero(batch.axis == a)
        if len(rows) < 3:
            return []
        axis = self._axes[a]
        t, s = time[rows], batch.steps[rows] / axis.steps_per_mm
        h = float(np.sqrt(4 * self._error * axis.max_speed_mm_s / (SHARE * axis.max_accel_mm_s2)))
        grid = np.arange(t[0] + h, t[-1] - h, h / 4)
        middle = np.unique(np.searchsorted(t, grid))
        before = np.searchsorted(t, t[middle] - h, side="right") - 1
        after = np.searchsorted(t, t[middle] + h)
        fits = (before >= 0) & (after < len(t))
        before, middle, after = before[fits], middle[fits], after[fits]
        if not len(middle):
            return []
        dt1, dt2 = t[middle] - t[before], t[after] - t[middle]
        v1, v2 = (s[middle] - s[before]) / dt1, (s[after] - s[middle]) / dt2
        first, last = batch.piece[rows[before]], batch.piece[rows[after]]
        jumps = self._jumps[last + 1, a] - self._jumps[first, a]
        top = np.maximum(np.abs(v1), np.abs(v2))
        noise = 4 * self._error * top / np.minimum(dt1, dt2)
        accel = np.maximum(np.abs(v2 - v1) - noise - jumps, 0.0) * 2 / (dt1 + dt2)
        speed = top - 2 * self._error * top / np.minimum(dt1, dt2)
        found: list[Found] = []
        for kind, ratio, most in (
            ("speed", speed / axis.max_speed_mm_s, SPEED_SLACK),
            ("accel", accel / axis.max_accel_mm_s2, ACCEL_SLACK),
        ):
            worst = float(ratio.max())
            setattr(self, kind, max(getattr(self, kind), worst))
            if worst > most:
                k = rows[middle[int(np.argmax(ratio > most))]]
                text = f"{kind} of axis {axis.name} is {worst:.3f} of what is allowed"
                found.append((kind, int(batch.tick[k]), int(batch.piece[k]), text))
        return found

    def feed(self, walk: Walk, limits: Bounds, off_mm: float) -> list[Found]:
        """The tool is nowhere faster than asked: between two vertices passes what the way takes."""
        first, reached = walk.first, walk.reached
        least = np.concatenate([[0.0], np.cumsum(limits.shortest_s[first : first + reached])])
        later = np.searchsorted(least, least + OVER_S)
        here = np.flatnonzero(later <= reached)
        there = later[here]
        if not len(here):
            return []
        after = walk.after[there]
        known = after != NEVER
        here, there, after = here[known], there[known], after[known]
        took = (after - walk.before[here]) / self._hz
        step = 1.5 / min(axis.steps_per_mm for axis in self._axes if axis.letter in "XYZ")
        speed = np.minimum(limits.speed[first + here], limits.speed[first + there - 1])
        sure = least[there] - least[here] - 2 * (off_mm + step) / speed
        ratio = sure / np.maximum(took, 1e-9)
        self.speed = max(self.speed, float(ratio.max(initial=0.0)))
        if not (ratio > SPEED_SLACK).any():
            return []
        i = int(np.argmax(ratio > SPEED_SLACK))
        text = f"the tool is {ratio[i]:.3f} times as fast as asked"
        return [("speed", int(walk.before[here[i]]), first + int(here[i]), text)]
