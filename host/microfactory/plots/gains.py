"""Distance from what is possible, and what raising each limit saves: planned again, not guessed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from microfactory.errors import Error
from microfactory.machine import Machine
from microfactory.motion.gcode import Program
from microfactory.motion.motions import PLAIN, Spent, spent
from microfactory.plots.limits import Limit, singles, together
from microfactory.plots.shares import Shares


class Bounds(NamedTuple):
    """Times of one path in s, each with one thing less that binds: as planned; without limits of
    jerk, which is the two-pass optimum; without any speed at corners; every move at its top speed.
    """

    planned_s: float
    no_jerk_s: float
    no_corners_s: float
    top_s: float

    @property
    def jerk_s(self) -> float:
        """What the limits of jerk take."""
        return self.planned_s - self.no_jerk_s

    @property
    def corners_s(self) -> float:
        """What slowing for corners takes."""
        return self.no_jerk_s - self.no_corners_s

    @property
    def accel_s(self) -> float:
        """What speeding up and slowing down takes where no corner is to blame."""
        return self.no_corners_s - self.top_s


class Gain(NamedTuple):
    """A limit, in how many s it binds alone and together with others, at how many corners, and what
    raising it saves. saves_s None: it cannot be raised, why says so.
    """

    limit: Limit
    alone_s: float
    shared_s: float
    corners: int
    saves_s: float | None
    why: str


def bounds(program: Program, machine: Machine, shares: Shares, watch: Any = None) -> Bounds:
    """Plan without jerk, then without corners too."""
    keys = ["motion.max_jerk_mm_s3", *(f"axes.{a.name}.max_jerk_mm_s3" for a in machine.axes)]
    free = machine.with_settings(dict.fromkeys(keys, float("inf")))
    no_jerk = spent(program, free, watch=watch) if limits_jerk(machine) else None
    ideal: Spent = spent(program, free, corners=False, watch=watch)
    return Bounds(
        shares.time_s, no_jerk.time_s if no_jerk else shares.time_s, ideal.time_s, ideal.top_s
    )


def limits_jerk(machine: Machine) -> bool:
    """Whether any jerk is limited."""
    jerks = [machine.motion.max_jerk_mm_s3, *(axis.max_jerk_mm_s3 for axis in machine.axes)]
    return min(jerks) < float("inf")


def gains(
    program: Program,
    machine: Machine,
    shares: Shares,
    factor: float,
    watch: Callable[[str, float], None],
) -> list[Gain]:
    """Every limit that binds somewhere, the one that saves most first. watch: gets what is being
    tried, and which share of all tries is done.
    """
    binding = [limit for limit in singles(machine) if shares.binds(limit.bits)]
    tries = binding + together(binding)
    found = []
    for i, limit in enumerate(tries):
        watch(limit.name, i / len(tries))
        found.append(_gain(program, machine, shares, factor, limit))
    return sorted(found, key=lambda gain: (-(gain.saves_s or 0.0), gain.limit.name))


def _gain(program: Program, machine: Machine, shares: Shares, factor: float, limit: Limit) -> Gain:
    alone, shared = shares.bound_s(limit.bits)
    corners = shares.bound_corners(limit.bits)
    try:
        other, asked = limit.raised(machine, factor)
        saved: float | None = shares.time_s - spent(program, other, asked or PLAIN).time_s
        why = ""
    except Error as error:
        saved, why = None, str(error)
    return Gain(limit, alone, shared, corners, saved, why)
