"""Pieces of path against states: which stretch of a piece a state can stand for.

All in steps along the axes and mm along the path. A state with steps q stands for the points
whose every coordinate is within `reach` steps of q: half a step for the rounding, plus what the
tolerances allow. On a piece those points are one stretch [low, high] of its length.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hil.verify.asked import Arc, Asked

STILL = 1e-12  # steps a mm: an axis slower than this does not move in a piece
FLAT = 0.06  # crossings of an arc's axis flatter than this (share of its speed) tell no place

Floats = NDArray[np.float64]


class Stretch(NamedTuple):
    """For each state the part of the piece that it can stand for; empty where low > high."""

    low: Floats
    high: Floats


class Line:
    """A straight piece."""

    def __init__(self, start: Floats, rate: Floats, length: float) -> None:
        self.start, self.rate, self.length = start, rate, length
        self._still = np.abs(rate) < STILL
        with np.errstate(divide="ignore"):
            self._per_step = np.where(self._still, 0.0, 1.0 / rate)

    def stretch(self, where: NDArray[Any], reach: Floats) -> Stretch:
        off = where - self.start[:, None]
        moving = ~self._still
        middle = off[moving] * self._per_step[moving, None]
        half = (reach[moving] * np.abs(self._per_step[moving]))[:, None]
        low = (middle - half).max(axis=0, initial=-np.inf)
        high = (middle + half).min(axis=0, initial=np.inf)
        if self._still.any():
            still = self._still
            away = (np.abs(off[still]) > reach[still, None]).any(axis=0)
            if away.any():
                low[away], high[away] = np.inf, -np.inf
        return Stretch(low, high)

    def crossings(
        self, where: NDArray[Any], axis: NDArray[Any], way: NDArray[Any]
    ) -> tuple[Floats, NDArray[np.bool_]]:
        """Place of the crossing that each state's pulse marks; whether it goes the right way."""
        columns = np.arange(len(axis))
        at = where[axis, columns] - 0.5 * way - self.start[axis]
        return at * self._per_step[axis], way * self.rate[axis] > 0


class Circle:
    """An arc or helix: `arc` in mm, all other axes run evenly along it."""

    def __init__(
        self, arc: Arc, start: Floats, rate: Floats, length: float, steps_per_mm: Floats
    ) -> None:
        self.arc, self.start, self.rate, self.length = arc, start, rate, length
        self._spm = steps_per_mm
        self._plane = [arc.first, arc.second]
        self._turn = arc.sweep / length  # rad a mm of path
        others = np.ones(len(start), bool)
        others[self._plane] = False
        self._others = others
        flat = rate.copy()
        flat[self._plane] = 0.0
        self._line = Line(start, flat, length)

    def _polar(self, where: NDArray[Any]) -> tuple[Floats, Floats, Floats, Floats]:
        """Path place s of the foot of each state, its unit vector (x, y) and radial distance."""
        arc = self.arc
        x = where[arc.first] / self._spm[arc.first] - arc.centre[0]
        y = where[arc.second] / self._spm[arc.second] - arc.centre[1]
        way = 1.0 if arc.sweep > 0 else -1.0
        turn = way * (np.arctan2(y, x) - arc.angle)
        turn[0] = (turn[0] + np.pi) % (2 * np.pi) - np.pi
        s = np.unwrap(turn) / abs(self._turn)
        distance = np.hypot(x, y)
        safe = np.maximum(distance, 1e-9)
        return s, x / safe, y / safe, distance - arc.radius

    def stretch(self, where: NDArray[Any], reach: Floats) -> Stretch:
        s, nx, ny, off = self._polar(where)
        others = self._line.stretch(where[:, :], self._wide(reach))
        low, high = others.low, others.high
        speed = self._turn * self.arc.radius
        bend = 1.0 / (2.0 * self.arc.radius)
        for i, normal, tangent in (
            (self.arc.first, nx, -ny * speed),
            (self.arc.second, ny, nx * speed),
        ):
            spm = self._spm[i]
            rate = tangent * spm
            rate = np.where(np.abs(rate) < 1e-9, 1e-9, rate)
            middle = off * normal * spm / rate
            half = np.abs((reach[i] + bend / spm) / rate)
            low = np.maximum(low, s + middle - half)
            high = np.minimum(high, s + middle + half)
        return Stretch(low, high)

    def _wide(self, reach: Floats) -> Floats:
        wide = reach.copy()
        wide[self._plane] = np.inf
        return wide

    def crossings(
        self, where: NDArray[Any], axis: NDArray[Any], way: NDArray[Any]
    ) -> tuple[Floats, NDArray[np.bool_]]:
        """As for a line; NaN where the arc runs too flat for its crossing to tell the place."""
        arc = self.arc
        s, _, _, _ = self._polar(where)
        place, right = self._line.crossings(where, axis, way)
        columns = np.arange(len(axis))
        aim = where[axis, columns] - 0.5 * way
        first, second = axis == arc.first, axis == arc.second
        in_plane = first | second
        foot = arc.angle + self._turn * s
        centre = np.where(first, arc.centre[0], arc.centre[1])
        share = np.clip((aim / self._spm[axis] - centre) / arc.radius, -1.0, 1.0)
        by_first = np.where(np.sin(foot) < 0, -1.0, 1.0) * np.arccos(share)
        by_second = np.where(np.cos(foot) < 0, np.pi - np.arcsin(share), np.arcsin(share))
        angle = np.where(first, by_first, by_second)
        angle += 2 * np.pi * np.round((foot - angle) / (2 * np.pi))
        slope = np.where(first, -np.sin(angle), np.cos(angle))
        flat = np.abs(slope) < FLAT
        told = np.where(flat, np.nan, (angle - arc.angle) / self._turn)
        place = np.where(in_plane, told, place)
        right = np.where(in_plane, flat | (way * slope * self._turn > 0), right)
        return place, right


class Path:
    """All pieces of a program in steps; makes one when asked for it."""

    def __init__(self, asked: Asked, steps_per_mm: Floats) -> None:
        self.asked, self.steps_per_mm = asked, steps_per_mm
        self.start = asked.start * steps_per_mm
        self.end = asked.end * steps_per_mm
        self.rate = (self.end - self.start) / asked.length[:, None]
        self.steps = np.abs(self.end - self.start).sum(axis=1)
        for i, arc in asked.arcs.items():
            both = steps_per_mm[arc.first] + steps_per_mm[arc.second]
            self.steps[i] += abs(arc.sweep) * arc.radius * both

    def piece(self, i: int) -> Line | Circle:
        arc = self.asked.arcs.get(i)
        length = float(self.asked.length[i])
        if arc is None:
            return Line(self.start[i], self.rate[i], length)
        return Circle(arc, self.start[i], self.rate[i], length, self.steps_per_mm)
