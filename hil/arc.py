"""A plasma arc over a sheet, as a source and a divider show it: voltage from height, noise, faults.

The sheet is a surface; the arc is as long as the torch is above it. Faults are parameters: a lost
arc, one that never burns, slots that the torch crosses (the arc stretches over them), bursts.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field

FULL = 16380  # four readings of twelve bits


def flat(x_mm: float, y_mm: float) -> float:
    """A sheet at height 0 everywhere."""
    return 0.0


@dataclass
class Arc:
    """volts = base_v + slope_v_mm * height above the sheet, plus noise."""

    sheet: Callable[[float, float], float] = flat
    base_v: float = 105.0
    slope_v_mm: float = 5.0
    noise_v: float = 0.6
    begins_s: float = 0.15  # from torch on to arc
    never: bool = False  # it does not strike at all
    out_at_s: float | None = None  # seconds of burning after which it goes out, once
    slots: tuple[tuple[float, float], ...] = ()  # x from, to: nothing is under the torch there
    slot_v: float = 25.0
    burst_share: float = 0.0  # of readings that are nonsense
    dice: random.Random = field(default_factory=lambda: random.Random(11))
    torch: bool = False
    begin_tick: int | None = None
    out_tick: int | None = None
    heights: list[tuple[int, float, float, float]] = field(default_factory=list)

    def switch(self, on: bool, tick: int, tick_hz: int) -> None:
        """The torch's output has changed: when its arc begins, and when it goes out by itself."""
        self.torch = on
        self.begin_tick = self.out_tick = None
        if on and not self.never:
            self.begin_tick = tick + int(self.begins_s * tick_hz)
            if self.out_at_s is not None:
                self.out_tick = self.begin_tick + int(self.out_at_s * tick_hz)
                self.out_at_s = None

    def burns(self, tick: int) -> bool:
        """Whether there is an arc now."""
        if self.begin_tick is None or tick < self.begin_tick:
            return False
        return self.out_tick is None or tick < self.out_tick

    def volts(self, x_mm: float, y_mm: float, z_mm: float) -> float:
        """Of a burning arc at a place, with noise."""
        height = max(0.0, z_mm - self.sheet(x_mm, y_mm))
        volts = self.base_v + self.slope_v_mm * height + self.dice.gauss(0.0, self.noise_v)
        if any(a <= x_mm <= b for a, b in self.slots):
            volts += self.slot_v
        if self.burst_share and self.dice.random() < self.burst_share:
            volts = self.dice.uniform(0.0, 300.0)
        return volts

    def reading(self, volts: float, volts_per_volt: float) -> int:
        """What the converter reads: four times twelve bits."""
        share = volts / volts_per_volt / 3.3
        return min(FULL, max(0, math.floor(share * FULL + 0.5)))
