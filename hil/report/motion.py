"""Captured pulses as motion for pictures: places, speeds and accelerations over time.

For eyes, not for verdicts: hil.verify judges.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hil.capture import Capture
from hil.verify import Report


class Trace(NamedTuple):
    """Samples over time: s, mm/s and mm/s2 along the path."""

    time_s: NDArray[np.float64]
    speed_mm_s: NDArray[np.float64]
    accel_mm_s2: NDArray[np.float64]


def trace(report: Report, capture: Capture, first_s: float, seconds: float, most: int) -> Trace:
    """What the verifier measured between two times, in at most so many samples; where there are
    more, the fastest of each handful stands for it.
    """
    assert report.played is not None
    motion = report.played.motion
    time = motion.tick / capture.tick_hz
    a, b = np.searchsorted(time, (first_s, first_s + seconds))
    handful = max(1, (b - a + most - 1) // most)
    rows = a + np.arange((b - a) // handful) * handful
    if not len(rows):
        return Trace(np.zeros(0), np.zeros(0), np.zeros(0))
    speed = np.maximum.reduceat(motion.speed_mm_s[:b], rows)
    return Trace(time[rows], speed, motion.accel_mm_s2[rows])


class Segments(NamedTuple):
    """Pieces of path as they were played: from, to (mm, Cartesian axes), mean speed, layer height,
    and whether material was laid down or cut.
    """

    start: NDArray[np.float64]
    end: NDArray[np.float64]
    speed_mm_s: NDArray[np.float64]
    works: NDArray[np.bool_]


def segments(report: Report, capture: Capture, machine: Any) -> Segments:
    """The program's pieces with the speed that the pulses show; arcs in chords."""
    played = report.played
    assert played is not None
    asked = played.asked
    seconds = np.diff(played.tick) / capture.tick_hz
    seen = (played.tick[1:] >= 0) & (seconds > 0)
    speed = np.where(seen, asked.length / np.where(seen, seconds, 1.0), 0.0)
    works = _works(asked, machine)
    flat = [i for i, axis in enumerate(machine.axes) if axis.letter in "XYZ"][:3]
    start, end = asked.start[:, flat], asked.end[:, flat]
    parts = [(start, end, speed, works)]
    lines = np.ones(asked.pieces, bool)
    for i, arc in asked.arcs.items():
        lines[i] = False
        parts.append(_chords(arc, start[i], end[i], flat, speed[i], works[i]))
    parts[0] = tuple(column[lines] for column in parts[0])  # type: ignore[assignment]
    return Segments(*(np.concatenate([np.atleast_1d(p[k]) for p in parts]) for k in range(4)))


def _works(asked: Any, machine: Any) -> NDArray[np.bool_]:
    """A printer works when E advances while it moves; others when they are not in a rapid."""
    letters = [axis.letter for axis in machine.axes]
    if "E" not in letters:
        return np.asarray(np.isfinite(asked.speed))
    e = letters.index("E")
    way = np.abs(asked.end - asked.start)
    way[:, e] = 0
    return np.asarray((asked.end[:, e] > asked.start[:, e]) & (way.max(axis=1, initial=0) > 0))


def _chords(arc: Any, start: Any, end: Any, flat: list[int], speed: float, works: bool) -> Any:
    n = max(4, int(abs(arc.sweep) * 12))
    u = np.linspace(0.0, 1.0, n + 1)[:, None]
    points = start + (end - start) * u
    angle = arc.angle + arc.sweep * u[:, 0]
    points[:, flat.index(arc.first)] = arc.centre[0] + arc.radius * np.cos(angle)
    points[:, flat.index(arc.second)] = arc.centre[1] + arc.radius * np.sin(angle)
    return points[:-1], points[1:], np.full(n, speed), np.full(n, works)
