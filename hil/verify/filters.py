"""Input shapers and pressure advance: how far they may take an axis off the program's path, and
whether the extruder is ahead by what its speed asks for.

A shaped axis is where the mean of its own motion at a few earlier times is, so it leaves the path
where that bends. An extruder with advance K is ahead by K times its speed, taken as a mean over a
time T. Its motion follows from the other axes': their pulses tell the place on the path at every
instant, and the program the extruder's way there.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hil.verify.asked import Asked
from hil.verify.match import Places

# weights at multiples of the damped period, before damping (K a half period): ZV (Singer, Seering
# 1990), MZV, EI and two-hump EI with 5 % left (Singhose, Crain, Seering 1997)
LEFT = 0.05
HUMP = (LEFT**2 * (math.sqrt(1 - LEFT**2) + 1)) ** (1 / 3)
SIDE = (3 * HUMP**2 + 2 * HUMP + 3 * LEFT**2) / (16 * HUMP)
SHAPES = {
    "zv": ((1.0, 0.0), (1.0, 0.5)),
    "mzv": ((1 - 1 / math.sqrt(2), 0.0), (math.sqrt(2) - 1, 0.375), (1 - 1 / math.sqrt(2), 0.75)),
    "ei": (((1 + LEFT) / 4, 0.0), ((1 - LEFT) / 2, 0.5), ((1 + LEFT) / 4, 1.0)),
    "2hei": ((SIDE, 0.0), (0.5 - SIDE, 0.5), (0.5 - SIDE, 1.0), (SIDE, 1.5)),
}
GAP_S = 0.010  # between pulses of the others that tell where the path is
OFF_STEPS = 0.4  # of the extruder from where it should be, at a pulse
Found = tuple[str, int, int, str]  # kind, tick, piece, text


def spread(axis: Any) -> tuple[float, float, float]:
    """(variance s2, mean lag s, mean delay s) of an axis's shaper: by half its acceleration times
    the first, and by a jump of speed times the second, it leaves its path.
    """
    taps = impulses(axis)
    mean = sum(w * t for w, t in taps)
    variance = sum(w * (t - mean) ** 2 for w, t in taps)
    lag = sum(w * max(0.0, t - mean) for w, t in taps)
    return variance, lag, mean


def about_s(machine: Any) -> float:
    """An axis shows where its path was at instants within this of the common delay: half of what a
    shaper looks back and a little more; 0 where none is shaped.
    """
    return max(abs(t - spread(axis)[2]) for axis in machine.axes for _, t in impulses(axis))


def impulses(axis: Any) -> list[tuple[float, float]]:
    """(weight, delay s) of an axis's shaper; without one a single impulse at once."""
    if axis.shaper == "none":
        return [(1.0, 0.0)]
    root = math.sqrt(1 - axis.shaper_damping**2)
    half = math.exp(-math.pi * axis.shaper_damping / root)
    period_s = 1 / (axis.shaper_hz * root)
    raw = [(w * half ** (2 * at), at * period_s) for w, at in SHAPES[axis.shaper]]
    total = sum(w for w, _ in raw)
    return [(w / total, t) for w, t in raw]


def delay_s(machine: Any) -> float:
    """By how much all axes are late: as the slowest filter is."""
    advances = [axis.advance_smooth_s / 2 for axis in machine.axes if axis.pressure_advance_s > 0]
    return max([spread(axis)[2] for axis in machine.axes] + advances)


class Filters:
    """Those of one machine, over one program. `steps`: how far each axis may be off its path."""

    def __init__(self, asked: Asked, machine: Any, speed: NDArray[np.float64]) -> None:
        self.asked = asked
        self.steps = np.zeros(len(machine.axes))
        self.axis = -1
        self.shaped = any(axis.shaper != "none" for axis in machine.axes)
        self.jumps = np.zeros(len(machine.axes))  # mm/s at corners, each axis
        self.worst_steps, self.judged, self.seen = 0.0, 0, 0
        near_mm = max(machine.motion.corner_tolerance_mm, float(asked.tolerance.max(initial=0.0)))
        for i, axis in enumerate(machine.axes):
            variance, lag, _ = spread(axis)
            self.jumps[i] = math.sqrt(8 * axis.max_accel_mm_s2 * near_mm)
            off_mm = axis.max_accel_mm_s2 * variance / 2 + lag * self.jumps[i]
            self.steps[i] = min(off_mm, machine.motion.shaper_tolerance_mm) * axis.steps_per_mm
            if axis.pressure_advance_s > 0:
                self.axis, self.smooth_s = i, axis.advance_smooth_s
                self.spm = axis.steps_per_mm
        if self.axis >= 0:
            way = asked.end[:, self.axis] - asked.start[:, self.axis]
            share = np.where(asked.advance > 0, way / np.maximum(asked.length, 1e-12), 0.0)
            ahead = float((asked.advance * share * speed).max(initial=0.0))
            self.steps[self.axis] += ahead * self.spm + 1.0
            self._advance = np.concatenate([[0.0], np.cumsum(asked.advance * way)])
            still = np.abs(asked.end - asked.start)
            still[:, self.axis] = 0.0
            self._alone = np.cumsum(still.sum(axis=1) == 0.0)

    def without(self, batch: Places) -> Places:
        """Pulses of an extruder that is ahead tell no place along the path."""
        if self.axis < 0:
            return batch
        place = batch.place.copy()
        place[batch.axis == self.axis] = np.nan
        return batch._replace(place=place)

    def check(
        self, told: Places, base_mm: NDArray[np.float64], first: int, last: int, hz: float
    ) -> list[Found]:
        """Every pulse of the extruder against the place that the other axes tell. told: the pulses
        of a whole stretch, pieces [first, last), with their places.
        """
        if self.axis < 0 or self.shaped or not len(told.tick):
            return []
        other = ~np.isnan(told.place)
        own = np.flatnonzero(told.axis == self.axis)
        self.seen += len(own)
        if other.sum() < 2 or not len(own):
            return []
        time, place = told.tick[other] / hz, np.maximum.accumulate(told.place[other])
        alone = self._alone[told.piece[other]]  # moves of the extruder alone before it
        wide = np.flatnonzero((np.diff(time) > GAP_S) | (np.diff(alone) > 0))
        gaps = (
            np.concatenate([[-np.inf, time[-1]], time[wide]]),
            np.concatenate([[time[0], np.inf], time[wide + 1]]),
        )
        order = np.argsort(gaps[0])
        begins, ends = gaps[0][order], gaps[1][order]
        now, half = told.tick[own] / hz, self.smooth_s / 2
        # known: no gap touches [now - half, now + half]
        before = np.searchsorted(ends, now - half, side="right")
        known = (before >= len(begins)) | (
            begins[np.minimum(before, len(begins) - 1)] >= now + half
        )
        rows, now = own[known], now[known]
        self.judged += len(rows)
        if not len(rows):
            return []
        mm = base_mm[first : last + 1]
        way = np.concatenate(
            [self.asked.start[first : first + 1, self.axis], self.asked.end[first:last, self.axis]]
        )
        ahead = self._advance[first : last + 1]
        late, soon = (
            np.interp(np.interp(now + by, time, place), mm, ahead) for by in (-half, half)
        )
        aim = np.interp(np.interp(now, time, place), mm, way) + (soon - late) / self.smooth_s
        off = np.abs(aim * self.spm - told.steps[rows])
        self.worst_steps = max(self.worst_steps, float(off.max()))
        if self.worst_steps <= OFF_STEPS or not (off > OFF_STEPS).any():
            return []
        i = int(np.argmax(off > OFF_STEPS))
        text = f"the extruder is {off[i]:.2f} steps from where its advance puts it"
        return [("advance", int(told.tick[rows[i]]), int(told.piece[rows[i]]), text)]
