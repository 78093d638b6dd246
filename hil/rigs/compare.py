"""Two captures of the same motion beside each other: what one made, what the other saw."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hil.capture import Capture


class Difference(NamedTuple):
    """pulses: made. lost, extra: of them not seen, seen without being made. error_ticks: the most
    that an edge is off when the captures are laid over each other; turned, width_ticks: pulses the
    other way round, and the most that a width is off. slack_ticks:
    of both, what the rig cannot tell; fast_ppm: how much faster than the maker's its clock runs.
    """

    pulses: int
    lost: int
    extra: int
    error_ticks: int
    turned: int
    width_ticks: int
    slack_ticks: int = 0
    fast_ppm: float = 0.0

    @property
    def same(self) -> bool:
        """Nothing differs by more than the rig may be off."""
        off = self.lost or self.extra or self.turned
        return not off and max(self.error_ticks, self.width_ticks) <= self.slack_ticks


def difference(made: Capture, seen: Capture) -> Difference:
    """How what was seen differs from what was made; the captures begin at different ticks, and a
    rig with a clock of its own may run otherwise.
    """
    scale, offset = _clock(made, seen)
    pulses = lost = extra = error = turned = width = 0
    for name, asked in made.motors.items():
        found = seen.motors[name]
        pulses += len(asked.rise)
        lost += max(0, len(asked.rise) - len(found.rise))
        extra += max(0, len(found.rise) - len(asked.rise))
        n = min(len(asked.rise), len(found.rise))
        if n:
            off = found.rise[:n] - np.rint(asked.rise[:n] * scale + offset).astype(np.int64)
            error = max(error, int(np.abs(off).max()))
            turned += int((found.direction[:n] != asked.direction[:n]).sum())
            width = max(width, int(np.abs(found.width[:n] - asked.width[:n]).max()))
    ppm = (scale - 1) * 1e6
    return Difference(pulses, lost, extra, error, turned, width, seen.error_ticks, ppm)


def _clock(made: Capture, seen: Capture) -> tuple[float, float]:
    """What makes of a made tick the seen one: its factor, 1 on a rig that shares the clock, and
    what is added.
    """
    pairs = []
    for name, asked in made.motors.items():
        n = min(len(asked.rise), len(seen.motors[name].rise))
        pairs += list(
            zip(asked.rise[:n].tolist(), seen.motors[name].rise[:n].tolist(), strict=True)
        )
    if not pairs:
        return 1.0, 0.0
    first = min(pairs)
    if not seen.error_ticks or len(pairs) < 3:
        return 1.0, float(first[1] - first[0])
    x, y = np.array(pairs, np.float64).T - np.array([first]).T
    slope, rest = np.polyfit(x, y - x, 1)
    return 1 + float(slope), first[1] + float(rest) - first[0] * (1 + float(slope))
