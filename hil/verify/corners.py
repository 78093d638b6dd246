"""Speed through corners: what a circle that stays within the corner tolerance would allow.

Through the corner of two pieces a circle that touches both and comes within `d` of the corner has
radius d s / (1 - s), s the sine of half the inner angle; at acceleration A it may be driven at
sqrt(A r). A path that keeps exactly to the corner may not be faster there, or the machine would be
asked for more than A within the tolerance.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hil.verify.asked import Asked
from hil.verify.bounds import Bounds
from hil.verify.match import Places

STRAIGHT = 1e-7
SLACK = 1.05


def tangents(asked: Asked) -> tuple[NDArray[Any], NDArray[Any]]:
    """Unit vectors at each piece's start and end, Cartesian part scaled by the length of it."""
    first = (asked.end - asked.start) / np.maximum(asked.length, 1e-12)[:, None]
    last = first.copy()
    for i, arc in asked.arcs.items():
        rate = arc.sweep * arc.radius / asked.length[i]
        for out, angle in ((first, arc.angle), (last, arc.angle + arc.sweep)):
            out[i, arc.first] = -np.sin(angle) * rate
            out[i, arc.second] = np.cos(angle) * rate
    return first, last


def corner_speeds(
    asked: Asked, limits: Bounds, tolerance_mm: float, cartesian: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """mm/s allowed where piece i - 1 meets piece i (inf: no corner of the Cartesian axes)."""
    out = np.full(asked.pieces, np.inf)
    if asked.pieces < 2:
        return out
    first, last = (t[:, cartesian] for t in tangents(asked))
    before, after = last[:-1], first[1:]
    moving = before.any(axis=1) & after.any(axis=1)
    cosine = np.clip((before * after).sum(axis=1), -1.0, 1.0)  # of unit vectors, where both move
    half = np.sqrt((1 + cosine) / 2)
    tolerance = np.where(asked.tolerance < 0, tolerance_mm, asked.tolerance)[1:]
    accel = np.minimum(limits.accel[:-1], limits.accel[1:])
    bent = moving & (1 - half > STRAIGHT)
    radius = tolerance[bent] * half[bent] / (1 - half[bent])
    out[1:][bent] = np.sqrt(accel[bent] * radius)
    return out


class Corners:
    """Checks one batch of places after another."""

    def __init__(
        self, asked: Asked, limits: Bounds, machine: Any, tick_hz: int, base_mm: NDArray[Any]
    ) -> None:
        cartesian = np.array([axis.letter in "XYZ" for axis in machine.axes])
        tolerance = machine.motion.corner_tolerance_mm
        self.allowed = corner_speeds(asked, limits, tolerance, cartesian)
        self._accel, self._base_mm, self._hz = limits.accel, base_mm, tick_hz
        self._error = machine.motion.step_tolerance_us * 1e-6
        self.ratio = 0.0

    def check(self, batch: Places, time: NDArray[Any]) -> list[tuple[str, int, int, str]]:
        """The first corner of a batch that is taken too fast: its mean speed over a short while
        about it is more than what is allowed and half the acceleration's gain in that while.
        """
        change = np.flatnonzero(np.diff(batch.piece) == 1) + 1
        vertex = batch.piece[change]
        change, vertex = (x[np.isfinite(self.allowed[vertex])] for x in (change, vertex))
        if not len(change):
            return []
        place = np.maximum.accumulate(batch.place)
        when = np.interp(self._base_mm[vertex], place, time)
        allowed, accel = (
            self.allowed[vertex],
            np.maximum(self._accel[vertex], self._accel[vertex - 1]),
        )
        h = np.sqrt(8 * self._error * np.maximum(allowed, 1.0) / accel)
        a = np.searchsorted(time, when - h / 2, side="right") - 1
        b = np.searchsorted(time, when + h / 2)
        fits = (a >= 0) & (b < len(time))
        a, b, allowed, accel, vertex, change = (
            x[fits] for x in (a, b, allowed, accel, vertex, change)
        )
        dt = time[b] - time[a]
        speed = (place[b] - place[a] - 1e-5) / (dt + 2 * self._error)
        most = allowed * SLACK + accel * dt / 2
        if not len(most):
            return []
        self.ratio = max(self.ratio, float((speed / most).max()))
        over = speed > most
        if not over.any():
            return []
        i = int(np.argmax(over))
        text = f"the corner is taken at {speed[i]:.2f} mm/s, {allowed[i]:.2f} is allowed"
        return [("corner", int(batch.tick[change[i]]), int(vertex[i]), text)]
