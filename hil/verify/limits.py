"""Speed, acceleration and jerk along the path against what machine and program allow.

From pulses to a motion only differences over a time h mean anything: a pulse may be off by the
step tolerance e, so at speed v its place is off by e v. h = sqrt(4 e v / (0.05 A)) makes that
worth five parts in a hundred of the acceleration A. Every statement here is a necessary condition
that no motion within the limits can break.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hil.verify.asked import Asked
from hil.verify.corners import Corners
from hil.verify.jerk import JERK_SLACK, sharpest
from hil.verify.match import Places
from hil.verify.paces import Paces

SPEED_SLACK = 1.005
ACCEL_SLACK = 1.05
SHARE = 0.05
Found = tuple[str, int, int, str]  # kind, tick, piece, text


class Ratios(NamedTuple):
    """Largest measured share of what was allowed."""

    speed: float
    accel: float
    timing: float
    corner: float
    jerk: float


class Limits:
    """Takes the places of pulses batch by batch; keeps the pulses that the next batch needs."""

    def __init__(self, asked: Asked, paces: Paces, tick_hz: int, machine: Any) -> None:
        limits = paces.bounds
        self._paces, self._bounds, self._hz = paces, limits, float(tick_hz)
        self._error = machine.motion.step_tolerance_us * 1e-6
        self.axis_accel = np.array([axis.max_accel_mm_s2 for axis in machine.axes])
        self._steps_per_mm = [axis.steps_per_mm for axis in machine.axes]
        self._base_mm = np.concatenate([[0.0], np.cumsum(asked.length)])
        self._most = Highest(limits.accel)
        self._sharp = Highest(limits.jerk)
        self._corners = Corners(asked, limits, machine, tick_hz, self._base_mm)
        self._kept: Places | None = None
        self.ratios = Ratios(0.0, 0.0, 0.0, 0.0, 0.0)
        self.measured: list[tuple[NDArray[Any], NDArray[Any], NDArray[Any]]] = []

    def take(self, batch: Places) -> list[Found]:
        """Violations of one batch, not sorted."""
        told = ~np.isnan(batch.place)
        batch = self._with_kept(Places(*(column[told] for column in batch)))
        if len(batch.tick) < 3:
            return []
        time = (batch.tick - int(batch.tick[0])) / self._hz
        found = self._smooth(batch, time) + self._single(batch, time) + self._order(batch)
        found += self._corners.check(batch, time) + self._jerk(batch, time)
        self._raise(corner=self._corners.ratio)
        return found

    def take_rounded(self, batch: Places, jumps: NDArray[Any] | None = None) -> list[Found]:
        """Where the path may leave the program's, places along it say little: each axis for itself
        must keep its own acceleration. jumps: of its speed, mm/s, that each axis may make besides.
        """
        batch = self._with_kept(batch)
        time = (batch.tick - int(batch.tick[0])) / self._hz if len(batch.tick) else batch.place
        found: list[Found] = []
        for axis in range(len(self.axis_accel)):
            jump = 0.0 if jumps is None else float(jumps[axis])
            found += self._one_axis(batch, time, axis, jump)
        return found

    def take_axis(self, batch: Places, axis: int, jump: float) -> list[Found]:
        """One axis for itself, whatever its pulses say of the path."""
        time = (batch.tick - int(batch.tick[0])) / self._hz if len(batch.tick) else batch.place
        return self._one_axis(batch, time, axis, jump)

    def _one_axis(self, batch: Places, time: NDArray[Any], axis: int, jump: float) -> list[Found]:
        rows = np.flatnonzero(batch.axis == axis)
        accel = np.full(max(0, len(rows) - 2), self.axis_accel[axis])
        place = batch.steps[rows] / self._steps_per_mm[axis]
        return self._against_chord(batch, rows, time[rows], place, accel, jump)

    def _with_kept(self, batch: Places) -> Places:
        if self._kept is not None:
            batch = Places(*(np.concatenate(pair) for pair in zip(self._kept, batch, strict=True)))
        self._kept = Places(*(column[-4096:] for column in batch))
        return batch

    def _smooth(self, batch: Places, time: NDArray[Any]) -> list[Found]:
        """Speed and acceleration from differences over h."""
        place, error = batch.place, self._error
        fastest = max(self._fastest(place, time), 1.0)
        accel = max(
            float(np.median(self._bounds.accel[batch.piece[:: len(time) // 1000 + 1]])), 1.0
        )
        h = float(np.sqrt(4 * error * fastest / (SHARE * accel)))
        grid = np.arange(time[0] + h, time[-1] - h, h / 4)
        middle = np.unique(np.searchsorted(time, grid))
        if not len(middle):
            return []
        before = np.searchsorted(time, time[middle] - h, side="right") - 1
        after = np.searchsorted(time, time[middle] + h)
        fits = (before >= 0) & (after < len(time))
        before, middle, after = before[fits], middle[fits], after[fits]
        dt1, dt2 = time[middle] - time[before], time[after] - time[middle]
        ds1, ds2 = place[middle] - place[before], place[after] - place[middle]
        self._paces.brake(batch, int(self._hz))
        speed = self._paces.speed(batch, before, after, dt1 + dt2 + 2 * error) / SPEED_SLACK
        allowed = self._most.between(batch.piece[before], batch.piece[after])
        slope = (ds2 / dt2 - ds1 / dt1) * 2 / (dt1 + dt2)
        self.measured.append(
            (batch.tick[middle], ((ds1 + ds2) / (dt1 + dt2)).astype("f4"), slope.astype("f4"))
        )
        change = np.abs(slope)
        top = np.maximum(ds1 / dt1, ds2 / dt2)
        noise = 4 * error * top / np.minimum(dt1, dt2) / (dt1 + dt2) * 2
        share = np.maximum(change - noise, 0.0) / allowed
        self._raise(speed=float(speed.max(initial=0)), accel=float(share.max(initial=0)))
        found: list[Found] = []
        for kind, ratio, most in (("speed", speed, 1.0), ("accel", share, ACCEL_SLACK)):
            if (ratio > most).any():
                i = int(np.argmax(ratio > most))
                k = middle[i]
                text = f"{kind} along the path is {ratio[i]:.3f} of what is allowed"
                found.append((kind, int(batch.tick[k]), int(batch.piece[k]), text))
        return found

    def _jerk(self, batch: Places, time: NDArray[Any]) -> list[Found]:
        """Jerk from third differences, where it is limited."""
        fastest = max(self._fastest(batch.place, time), 1.0)
        worst = sharpest(batch, time, self._sharp, fastest, self._error)
        self._raise(jerk=worst.share)
        if worst.share <= JERK_SLACK:
            return []
        text = f"jerk along the path is {worst.share:.3f} of what is allowed"
        return [("jerk", int(batch.tick[worst.row]), int(batch.piece[worst.row]), text)]

    def _single(self, batch: Places, time: NDArray[Any]) -> list[Found]:
        """Each pulse against its neighbours of the same axis: no motion within the limits puts it
        further from their chord than A t1 t2 / 2, and the step tolerance.
        """
        found: list[Found] = []
        for axis in range(len(self.axis_accel)):
            rows = np.flatnonzero(batch.axis == axis)
            piece = batch.piece[rows]
            accel = self._most.between(piece[:-2], piece[2:])
            found += self._against_chord(batch, rows, time[rows], batch.place[rows], accel)
        return found

    def _against_chord(
        self,
        batch: Places,
        rows: NDArray[Any],
        t: NDArray[Any],
        s: NDArray[Any],
        accel: NDArray[Any],
        jump: float = 0.0,
    ) -> list[Found]:
        if len(rows) < 3:
            return []
        t1, t2 = t[1:-1] - t[:-2], t[2:] - t[1:-1]
        chord = (s[2:] - s[:-2]) / (t1 + t2)
        off = np.abs(s[1:-1] - s[:-2] - chord * t1)
        bent = accel * ACCEL_SLACK * t1 * t2 / 2 + jump * t1 * t2 / (t1 + t2)
        noise = 2 * self._error * (np.abs(chord) + accel * (t1 + t2)) + 1e-6
        ratio = off / (bent + noise)
        self._raise(timing=float(ratio.max(initial=0)))
        over = ratio > 1
        if not over.any():
            return []
        i = int(np.argmax(over))
        k = rows[i + 1]
        late_us = off[i] / max(abs(chord[i]), 1e-9) * 1e6
        text = (
            f"a pulse is {late_us:.1f} us off the motion of its neighbours, more than "
            f"acceleration and a step tolerance of {self._error * 1e6:g} us explain"
        )
        return [("timing", int(batch.tick[k]), int(batch.piece[k]), text)]

    def _order(self, batch: Places) -> list[Found]:
        """No axis is behind the others: places never run back by more than the tolerance."""
        speed = self._bounds.speed[batch.piece]
        back = np.maximum.accumulate(batch.place) - batch.place
        behind = back > 2.1 * self._error * speed + 1e-5
        if not behind.any():
            return []
        i = int(np.argmax(behind))
        text = f"an axis is {back[i]:.4f} mm of path behind the others"
        return [("path", int(batch.tick[i]), int(batch.piece[i]), text)]

    def _fastest(self, place: NDArray[Any], time: NDArray[Any]) -> float:
        """Highest mean speed over 5 ms."""
        later = np.searchsorted(time, time + 0.005)
        fits = later < len(time)
        here = np.flatnonzero(fits)[:: max(1, len(time) // 20_000)]
        there = later[here]
        if not len(here):
            return 0.0
        return float(((place[there] - place[here]) / (time[there] - time[here])).max())

    def _raise(self, **values: float) -> None:
        now = self.ratios._asdict()
        self.ratios = Ratios(**{key: max(now[key], values.get(key, 0.0)) for key in now})


class Highest:
    """Highest value of any range of pieces, by doubling tables."""

    def __init__(self, values: NDArray[Any]) -> None:
        self._tables = [np.asarray(values, float)]
        width = 1
        while 2 * width <= len(values):
            last = self._tables[-1]
            self._tables.append(np.maximum(last[:-width], last[width:]))
            width *= 2

    def between(self, first: NDArray[Any], last: NDArray[Any]) -> NDArray[np.float64]:
        """Highest of [first, last], for many ranges at once."""
        count = last - first + 1
        level = np.floor(np.log2(np.maximum(count, 1))).astype(int)
        out = np.empty(len(first))
        for n in np.unique(level):
            rows = level == n
            table = self._tables[n]
            a, b = first[rows], last[rows] - (1 << n) + 1
            out[rows] = np.maximum(table[a], table[b])
        return out
