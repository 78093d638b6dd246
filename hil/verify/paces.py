"""Overrides: what a piece may do at most depends on when it was played.

A job's record tells of each change of pace with which window it took effect, when that begins and
what the motors count there (docs/overrides.md). The path, its corners, accelerations and jerks are
judged as ever; speeds by the pace in force, and after a change down by the old one for as long as
braking takes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hil.verify.asked import Asked
from hil.verify.bounds import Bounds, bounds
from hil.verify.filters import delay_s
from hil.verify.match import Places
from hil.verify.runs import Stretch, lead_motors
from hil.verify.states import Edges

NEAR_S = 0.001  # a window's begin is known so well
DRIFT = 1e-4  # of the clocks of board and capture
ALONG_ARC = 0.6  # share of the acceleration that is left along an arc (docs/planner.md)
JERK_ALONG_ARC = 0.4
MORE = 1.05
NEVER = float("inf")


@dataclass
class Regime:
    """A pace: what it allows, from which tick on, and until when after its end it still counts."""

    bounds: Bounds
    base_s: NDArray[np.float64]  # least time to each vertex
    row: Mapping[str, Any] | None = None
    begin: float = -NEVER
    end: float = NEVER
    until: float = NEVER  # its end, and the time it takes to brake


def paced(asked: Asked, machine: Any, feed: float, rapid: float) -> Bounds:
    """Bounds at shares of the feed and of rapids; pieces under M49 or a torch are not changed."""
    fixed = np.zeros(asked.pieces, bool)
    fixed[list(asked.fixed)] = True
    rapids = np.isinf(asked.speed) & ~fixed
    speed = np.where(rapids | fixed, asked.speed, asked.speed * feed)
    out = bounds(replace(asked, speed=speed), machine)
    speed = np.where(rapids, out.speed * rapid, out.speed)
    return out._replace(speed=speed, shortest_s=asked.length / speed)


class Paces:
    """All paces of one judgement. Without a change: the program's own alone."""

    def __init__(self, asked: Asked, machine: Any, rows: Sequence[Mapping[str, Any]]) -> None:
        self._asked, self._leads = asked, lead_motors(machine)
        self._delay_s = delay_s(machine)
        self._base_mm = np.concatenate([[0.0], np.cumsum(asked.length)])
        self.regimes = [self._regime(bounds(asked, machine), None)]
        for row in rows:
            shares = row["feed_percent"] / 100, row["rapid_percent"] / 100
            self.regimes.append(self._regime(paced(asked, machine, *shares), row))
        fastest = np.max([r.bounds.speed for r in self.regimes], axis=0)
        self.bounds = self.regimes[0].bounds._replace(
            speed=fastest, shortest_s=asked.length / fastest
        )
        self.placed = 0  # rows whose time is known

    @staticmethod
    def _regime(limits: Bounds, row: Mapping[str, Any] | None) -> Regime:
        return Regime(limits, np.concatenate([[0.0], np.cumsum(limits.shortest_s)]), row)

    def locate(self, part: Stretch, edges: Sequence[Edges], tick_hz: int) -> None:
        """Find when the changes of this stretch took effect: where the motors count as told."""
        while self.placed + 1 < len(self.regimes):
            regime = self.regimes[self.placed + 1]
            tick = self._tick(regime.row, part, edges, tick_hz)
            if tick is None:
                return
            self.placed += 1
            regime.begin = tick + self._delay_s * tick_hz
            self.regimes[self.placed - 1].end = regime.begin

    def _tick(self, row: Any, part: Stretch, edges: Sequence[Edges], tick_hz: int) -> float | None:
        wanted = [row["steps"][m] for m in self._leads]
        for begin, end in part.spans:
            tick = begin + row["begin_ticks"]
            near = NEAR_S * tick_hz + DRIFT * row["begin_ticks"]
            if tick <= end and all(
                self._counts(edge, start, want, tick - near, tick + near)
                for edge, start, want in zip(edges, part.start_steps, wanted, strict=True)
            ):
                return float(tick)
        return None

    @staticmethod
    def _counts(edges: Edges, start: int, want: int, low: float, high: float) -> bool:
        """Whether an axis counts so at some time between."""
        first, last = (int(np.searchsorted(edges.tick, t, side="right")) for t in (low, high))
        count = start + int(edges.direction[:first].sum())
        counts = count + np.concatenate([[0], np.cumsum(edges.direction[first:last])])
        return bool((counts == want).any())

    def missing(self) -> Mapping[str, Any] | None:
        """The first change that the pulses do not show."""
        rest = self.regimes[self.placed + 1 :]
        return rest[0].row if rest else None

    def speed(
        self, batch: Places, before: NDArray[Any], after: NDArray[Any], time_s: NDArray[Any]
    ) -> NDArray[np.float64]:
        """Share of the allowed speed between pulses: of the most that a pace in force there allows.
        time_s: what the way between took.
        """
        out = np.full(len(before), np.inf)
        first, last = batch.tick[before], batch.tick[after]
        for regime in self.regimes:
            counts = (last >= regime.begin) & (first <= regime.until)
            if counts.any():
                least = np.interp(batch.place, self._base_mm, regime.base_s)
                share = (least[after] - least[before]) / time_s
                out = np.where(counts, np.minimum(out, share), out)
        return out

    def brake(self, batch: Places, tick_hz: int) -> None:
        """How long a pace counts after its end, from how fast the path was then."""
        for old, new in zip(self.regimes, self.regimes[1:], strict=False):
            if old.until < NEVER or not batch.tick[0] <= old.end <= batch.tick[-1]:
                continue
            places = np.interp([old.end - 0.005 * tick_hz, old.end], batch.tick, batch.place)
            speed = MORE * float(places[1] - places[0]) / 0.005
            old.until = old.end + tick_hz * self._braking_s(float(places[1]), speed, new.bounds)

    def _braking_s(self, place_mm: float, speed: float, new: Bounds) -> float:
        """Time that braking to the new speeds takes at most; with limited jerk twice a stop."""
        first = max(0, int(np.searchsorted(self._base_mm, place_mm, side="right")) - 1)
        way_mm = speed**2 / (ALONG_ARC * new.accel[first])
        last = max(first + 1, int(np.searchsorted(self._base_mm, place_mm + way_mm)) + 1)
        round_ = any(i in self._asked.arcs for i in range(first, min(last, self._asked.pieces)))
        accel = float(new.accel[first:last].min()) * (ALONG_ARC if round_ else 1.0)
        jerk = float(new.jerk[first:last].min()) * (JERK_ALONG_ARC if round_ else 1.0)
        if np.isfinite(jerk):
            return 2 * (speed / accel + 2 * accel / jerk)
        slowest = float(new.speed[first:last].min())
        return MORE * max(0.0, speed - slowest) / accel + NEAR_S
