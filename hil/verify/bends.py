"""A path that is bent within a tolerance: how far every step is off the program's path, and its
whole acceleration and speed, from positions alone.

A pulse says where one axis is at one instant: half a step before its new count. Between two of
them the axis is taken to move evenly, which is off by at most A t^2 / 8, or to stand at its count,
which is off by half a step; the better of the two counts, and what it is off by is allowed for. So
no motion within the limits can be blamed. Corners that stayed as programmed may be passed at the
speed that corners.py allows: the jump of velocity there is allowed for, and near one positions are
known to a step only.

Which piece of the program a step belongs to is known from the walk (match.py), which has seen to
it that nothing is left out, repeated or reordered; how far off it is, is measured here, straight.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hil.verify.asked import Asked
from hil.verify.bounds import Bounds
from hil.verify.corners import tangents
from hil.verify.states import Edges

SPANS_S = (0.002, 0.004, 0.008, 0.016)
SLACK = 1.05
SPEED_SLACK = 1.005
NOISE_MM = 1e-5
NEAR, FAR = 3, 256  # pieces looked at on both sides
CHUNK = 100_000
KINK = 0.002  # rad: less of a turn is none
STAYS_MM = 1e-3  # a corner passed so near has stayed as it is
AROUND = 12, 400  # pulses looked at on both sides of a corner: beyond those of the tolerance; most
Floats = NDArray[np.float64]
Found = tuple[str, int, int, str]  # kind, tick, piece, text


class Track(NamedTuple):
    """One axis: when it crosses which place, mm, and its count between, mm."""

    time_s: Floats
    place_mm: Floats
    count_mm: Floats
    step_mm: float
    accel: float

    def at(self, t: Floats) -> tuple[Floats, Floats]:
        """Positions at times, and how far off they may be."""
        k = np.searchsorted(self.time_s, t, side="right")
        stand = self.count_mm[k]
        off = np.full(len(t), self.step_mm / 2)
        inside = (k > 0) & (k < len(self.time_s))
        if not inside.any():
            return stand, off
        i = k[inside]
        dt = self.time_s[i] - self.time_s[i - 1]
        even = np.interp(t[inside], self.time_s, self.place_mm)
        bent = self.accel * dt**2 / 8
        better = bent < off[inside]
        rows = np.flatnonzero(inside)[better]
        stand[rows], off[rows] = even[better], bent[better]
        return stand, off


def track(edges: Edges, start: int, steps_per_mm: float, accel: float, hz: int, tick: int) -> Track:
    """An axis from its pulses; times count from a tick."""
    count = np.concatenate([[start], start + np.cumsum(edges.direction, dtype=np.int64)])
    place = count[:-1] + 0.5 * edges.direction
    time = (edges.tick - tick) / hz
    return Track(time, place / steps_per_mm, count / steps_per_mm, 1 / steps_per_mm, accel)


class Kinks(NamedTuple):
    """Corners that stayed: when each is passed at the earliest and at the latest (both in order),
    and the sums of their jumps of velocity, mm/s: a row for each axis, and one of the whole.
    """

    begin: Floats
    end: Floats
    begun: Floats
    ended: Floats

    @classmethod
    def of(cls, begin: Floats, end: Floats, jumps: Floats) -> Kinks:
        sums = []
        for times in (begin, end):
            ordered = jumps[:, np.argsort(times, kind="stable")]
            sums.append(np.hstack([np.zeros((len(jumps), 1)), np.cumsum(ordered, axis=1)]))
        return cls(np.sort(begin), np.sort(end), *sums)

    def within(self, low: Floats, high: Floats, row: int) -> Floats:
        """Sum of the jumps that may lie in each span of time."""
        begun = self.begun[row][np.searchsorted(self.begin, high, side="right")]
        return np.asarray(begun - self.ended[row][np.searchsorted(self.end, low)])


class Bends:
    """Collects which piece each step belongs to; `check()` then judges a whole stretch."""

    def __init__(
        self,
        asked: Asked,
        limits: Bounds,
        tolerance: Floats,
        axes: Sequence[int],
        tracks: Sequence[Track],
        error_s: float,
        corners: Floats,
    ) -> None:
        self._corners = corners  # mm/s where each piece begins, if its corner stays
        self.timing = 0.0
        self._asked, self._limits, self._tolerance = asked, limits, tolerance
        self._axes, self._tracks, self._error = list(axes), tracks, error_s
        self._ticks: list[NDArray[Any]] = []
        self._pieces: list[NDArray[Any]] = []
        self.most_off_mm = 0.0  # beyond what is not known
        self.accel = 0.0
        self.speed = 0.0

    def take(self, ticks: NDArray[np.int64], pieces: NDArray[np.int64]) -> None:
        self._ticks.append(ticks)
        self._pieces.append(pieces)

    def check(self, tick: int, hz: int, highest: Any) -> list[Found]:
        """tick: where the tracks' times count from. highest: class that tells highest of ranges."""
        ticks = np.concatenate(self._ticks or [np.zeros(0, np.int64)])
        pieces = np.concatenate(self._pieces or [np.zeros(0, np.int64)])
        if len(ticks) < 3:
            return []
        order = np.argsort(ticks, kind="stable")
        ticks, pieces = ticks[order], np.maximum.accumulate(pieces[order])
        time = (ticks - tick) / hz
        kinks = self._find_kinks(time, pieces)
        found = self._off(ticks, time, pieces, kinks)
        return found + self._fast(ticks, time, pieces, highest, kinks)

    def _at(self, t: Floats) -> tuple[Floats, Floats]:
        places, offs = zip(*(track.at(t) for track in self._tracks), strict=True)
        return np.array(places), np.array(offs)

    def _kinked(self, t: Floats, kinks: Kinks) -> NDArray[np.bool_]:
        """Whether a corner lies between the pulses about a time: A t^2 / 8 says nothing there."""
        out = np.zeros(len(t), bool)
        for track in self._tracks:
            times = np.concatenate([[-np.inf], track.time_s, [np.inf]])
            k = np.searchsorted(track.time_s, t, side="right")
            low, high = times[np.maximum(k - 1, 0)], times[np.minimum(k + 2, len(times) - 1)]
            out |= kinks.within(low, high, -1) > 0
        return out

    def _step(self) -> float:
        return float(np.sqrt(sum(track.step_mm**2 for track in self._tracks)))

    # how far off

    def _off(
        self, ticks: NDArray[Any], time: Floats, pieces: NDArray[Any], kinks: Kinks
    ) -> list[Found]:
        for at in range(0, len(ticks), CHUNK):
            rows = slice(at, at + CHUNK)
            where, off = self._at(time[rows])
            late = self._error * self._limits.speed[pieces[rows]]
            known = np.where(self._kinked(time[rows], kinks), self._step(), length(off))
            slack = known + 2 * late + NOISE_MM
            over = self._excess(where, pieces[rows], NEAR) - slack
            rest = np.flatnonzero(over > 0)
            if len(rest):
                over[rest] = self._excess(where[:, rest], pieces[rows][rest], FAR) - slack[rest]
            worst = int(np.argmax(over))
            self.most_off_mm = max(self.most_off_mm, float(over[worst] + self._allowed(pieces, at)))
            if over[worst] > 0:
                i = int(np.argmax(over > 0))
                piece = int(pieces[at + i])
                text = f"a step is {over[i] * 1e3:.2f} um further off the path than the tolerance"
                text += f" of {self._tolerance[piece] * 1e3:g} um"
                return [("path", int(ticks[at + i]), piece, text)]
        return []

    def _allowed(self, pieces: NDArray[Any], at: int) -> float:
        return float(self._tolerance[pieces[at : at + CHUNK]].max())

    def _excess(self, where: Floats, pieces: NDArray[Any], near: int) -> Floats:
        """Distance to the nearest piece about each one's own, less the tolerance there."""
        least = np.full(len(pieces), np.inf)
        for shift in range(-near, near + 1):
            which = np.clip(pieces + shift, 0, self._asked.pieces - 1)
            off = self._to_lines(where, which)
            for arc in set(which.tolist()) & self._asked.arcs.keys() if self._asked.arcs else ():
                rows = which == arc
                off[rows] = self._to_arc(where[:, rows], arc)
            least = np.minimum(least, off - self._tolerance[which])
        return least

    def _to_lines(self, where: Floats, which: NDArray[Any]) -> Floats:
        start = self._asked.start[which][:, self._axes].T
        way = self._asked.end[which][:, self._axes].T - start
        size = (way**2).sum(axis=0)
        share = ((where - start) * way).sum(axis=0) / np.maximum(size, 1e-18)
        away = where - start - np.clip(share, 0.0, 1.0) * way
        return np.asarray(np.sqrt((away**2).sum(axis=0)))

    def _to_arc(self, where: Floats, i: int) -> Floats:
        arc = self._asked.arcs[i]
        a, b = self._axes.index(arc.first), self._axes.index(arc.second)
        x, y = where[a] - arc.centre[0], where[b] - arc.centre[1]
        way = 1.0 if arc.sweep > 0 else -1.0
        turn = way * (np.arctan2(y, x) - arc.angle) % (2 * np.pi)
        rest = [n for n in range(len(self._axes)) if n not in (a, b)]
        start, end = self._asked.start[i][self._axes], self._asked.end[i][self._axes]
        sweep = abs(arc.sweep)
        level = arc.radius * sweep / float(self._asked.length[i])
        best = np.full(len(x), np.inf)
        for whole in range(int(sweep // (2 * np.pi)) + 1):
            angle = turn + 2 * np.pi * whole
            on = np.clip(angle, 0.0, sweep)
            ends = np.where(2 * np.pi * (whole + 1) - angle < angle - sweep, 0.0, on)
            on = np.where(angle > sweep, ends, on)
            foot = arc.angle + way * on
            square = (x - arc.radius * np.cos(foot)) ** 2 + (y - arc.radius * np.sin(foot)) ** 2
            for n in rest:  # of a helix the nearest point lies on by what its slope makes of this
                aside = (where[n] - start[n] - (end[n] - start[n]) * on / sweep) * level
                square = square + aside**2
            best = np.minimum(best, np.sqrt(square))
        return best

    # corners that stayed

    def _find_kinks(self, time: Floats, pieces: NDArray[Any]) -> Kinks:
        """Where the path goes through a corner as programmed, and the jump of velocity there: no
        more than the corner's own speed allows (corners.py).
        """
        first, last = (t[:, self._axes] for t in tangents(self._asked))
        turn = np.abs(first[1:] - last[:-1]).T
        sharp = np.flatnonzero(length(turn) > KINK) + 1
        k = np.searchsorted(pieces, sharp)
        wide = 1.5 * float(self._tolerance.max(initial=0.0))
        around = AROUND[0] + int(sum(wide / track.step_mm for track in self._tracks))
        around = min(around, AROUND[1])
        corner = self._asked.start[sharp][:, self._axes].T
        begin, end = np.full(len(sharp), np.inf), np.full(len(sharp), -np.inf)
        near = self._step() + STAYS_MM  # at a kink A t^2 / 8 says nothing
        for n in range(-around, around):
            one, other = (np.clip(k + n + i, 0, len(time) - 1) for i in (0, 1))
            a, b = self._at(time[one])[0], self._at(time[other])[0]
            way = b - a
            share = ((corner - a) * way).sum(axis=0) / np.maximum((way**2).sum(axis=0), 1e-18)
            here = length(corner - a - np.clip(share, 0.0, 1.0) * way) <= near
            begin = np.where(here, np.minimum(begin, time[one]), begin)
            end = np.where(here, np.maximum(end, time[other]), end)
        stays = np.isfinite(begin)
        sharp, begin, end = sharp[stays], begin[stays], end[stays]
        fastest = np.minimum(self._limits.speed[sharp], self._limits.speed[sharp - 1])
        jumps = turn[:, sharp - 1] * np.minimum(self._corners[sharp], fastest) * SLACK
        return Kinks.of(begin, end, np.vstack([jumps, length(jumps)]))

    # how fast

    def _fast(
        self,
        ticks: NDArray[Any],
        time: Floats,
        pieces: NDArray[Any],
        highest: Any,
        kinks: Kinks,
    ) -> list[Found]:
        """Differences over some times, of all axes together, against the highest of what the pieces
        there allow.
        """
        most_accel, most_speed = highest(self._limits.accel), highest(self._limits.speed)
        for h in SPANS_S:
            count = int((time[-1] - time[0] + 4 * h) / (h / 2))
            for first in range(0, count, CHUNK):
                t = time[0] - h + h / 2 * np.arange(first, min(first + CHUNK, count))
                low = np.clip(np.searchsorted(time, t - h) - 1, 0, len(time) - 1)
                high = np.clip(np.searchsorted(time, t + h), 0, len(time) - 1)
                (a, ea), (b, eb), (c, ec) = (self._at(t + n * h) for n in (-1, 0, 1))
                late = 4 * self._error * length(c - a) / (2 * h)
                passed = kinks.within(time[low], time[high], -1)
                accel = most_accel.between(pieces[low], pieces[high]) + passed / h
                bend = (length(c - 2 * b + a) - length(ea + 2 * eb + ec) - late) / h**2 / accel
                speed = most_speed.between(pieces[low], pieces[high])
                pace = (length(c - a) - length(ea + ec) - late - NOISE_MM) / (2 * h) / speed
                self.accel = max(self.accel, float(bend.max(initial=0)))
                self.speed = max(self.speed, float(pace.max(initial=0)))
                for kind, ratio, most in (("accel", bend, SLACK), ("speed", pace, SPEED_SLACK)):
                    if (ratio > most).any():
                        i = int(np.argmax(ratio > most))
                        k = int(np.clip(np.searchsorted(time, t[i]), 0, len(time) - 1))
                        text = f"the whole {kind} over {h * 1e3:g} ms is {ratio[i]:.3f}"
                        text += " of what is allowed"
                        return [(kind, int(ticks[k]), int(pieces[k]), text)]
        return self._single(ticks, time, pieces, most_accel, kinks)

    def _single(
        self,
        ticks: NDArray[Any],
        time: Floats,
        pieces: NDArray[Any],
        most_accel: Any,
        kinks: Kinks,
    ) -> list[Found]:
        """Each pulse against its neighbours of the same axis: at most A t1 t2 / 2 off."""
        for n, track in enumerate(self._tracks):
            t, s = track.time_s, track.place_mm
            if len(t) < 3:
                continue
            t1, t2 = np.maximum(t[1:-1] - t[:-2], 1e-9), np.maximum(t[2:] - t[1:-1], 1e-9)
            k = np.clip(np.searchsorted(time, t), 0, len(time) - 1)
            accel = most_accel.between(pieces[k[:-2]], pieces[k[2:]])
            accel = np.minimum(accel, track.accel) * SLACK
            passed = kinks.within(t[:-2], t[2:], n)
            chord = (s[2:] - s[:-2]) / (t1 + t2)
            off = np.abs(s[1:-1] - s[:-2] - chord * t1)
            most = (accel * (t1 + t2) / 2 + passed) * t1 * t2 / (t1 + t2)
            most = most + 2 * self._error * (np.abs(chord) + accel * (t1 + t2)) + 1e-6
            self.timing = max(self.timing, float((off / most).max()))
            if (off > most).any():
                i = int(np.argmax(off > most))
                late_us = off[i] / max(abs(float(chord[i])), 1e-9) * 1e6
                text = f"a pulse is {late_us:.1f} us off the motion of its neighbours, more than "
                text += f"acceleration and a step tolerance of {self._error * 1e6:g} us explain"
                return [("timing", int(ticks[k[i + 1]]), int(pieces[k[i + 1]]), text)]
        return []


def length(vectors: Floats) -> Floats:
    """Of each column."""
    return np.asarray(np.sqrt((vectors**2).sum(axis=0)))
