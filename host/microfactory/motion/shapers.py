"""Input shapers: the impulses that a ringing frame does not answer.

Sources: Singer and Seering 1990 (ZV), Singer's EI and Singhose, Crain and Seering 1997 (two-hump
EI) with 5 % of vibration left; MZV is three impulses within three quarters of a period.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from microfactory.machine import Machine

LEFT = 0.05  # of the vibration, where EI and 2HEI let some be


class Impulse(NamedTuple):
    """A share of the motion, so much later."""

    weight: float
    delay_s: float


def _zv(k: float) -> list[tuple[float, float]]:
    return [(1.0, 0.0), (k, 0.5)]


def _mzv(k: float) -> list[tuple[float, float]]:
    root = math.sqrt(k)  # half of half a period and half of that: three eighths
    each = root * math.sqrt(root)
    side = 1.0 - 1.0 / math.sqrt(2.0)
    return [(side, 0.0), ((math.sqrt(2.0) - 1.0) * each, 0.375), (side * each * each, 0.75)]


def _ei(k: float) -> list[tuple[float, float]]:
    return [(0.25 * (1 + LEFT), 0.0), (0.5 * (1 - LEFT) * k, 0.5), (0.25 * (1 + LEFT) * k * k, 1.0)]


def _two_hump(k: float) -> list[tuple[float, float]]:
    v2 = LEFT * LEFT
    x = (v2 * (math.sqrt(1.0 - v2) + 1.0)) ** (1.0 / 3.0)
    side = (3.0 * x * x + 2.0 * x + 3.0 * v2) / (16.0 * x)
    inner = 0.5 - side
    return [(side, 0.0), (inner * k, 0.5), (inner * k * k, 1.0), (side * k**3, 1.5)]


SHAPERS: dict[str, Callable[[float], list[tuple[float, float]]]] = {
    "zv": _zv, "mzv": _mzv, "ei": _ei, "2hei": _two_hump,
}  # fmt: skip


def impulses(name: str, hz: float, damping: float) -> list[Impulse]:
    """Impulses of a shaper (`none`: none) for a frame that rings at hz with that damping ratio.

    Weights are above 0 and together 1; delays in seconds from the first, at 0.
    """
    if name == "none":
        return []
    left = math.sqrt(1.0 - damping * damping)
    k = math.exp(-damping * math.pi / left)  # what is left of a swing after half a period
    period_s = 1.0 / (hz * left)
    found = SHAPERS[name](k)
    total = sum(weight for weight, _ in found)
    return [Impulse(weight / total, share * period_s) for weight, share in found]


def put_filters(config: Any, machine: Machine) -> None:
    """Input shapers and pressure advance of a machine, into its `mf_plan_config`."""
    shaper_mm = machine.motion.shaper_tolerance_mm
    config.shaper_tolerance_mm = shaper_mm
    for i, axis in enumerate(machine.axes):
        found = impulses(axis.shaper, axis.shaper_hz, axis.shaper_damping)
        config.taps[i] = len(found)
        for k, impulse in enumerate(found):
            config.tap_weight[i][k], config.tap_s[i][k] = impulse
        if axis.pressure_advance_s > 0:
            config.advance_axis = i
            config.advance_smooth_s = axis.advance_smooth_s
