"""Two captures of the same motion beside each other: what one made, what the other saw."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hil.capture import Capture


class Difference(NamedTuple):
    """pulses: made. lost, extra: of them not seen, seen without being made. error_ticks: the most
    that an edge is off when the captures are laid over each other; turned, width_ticks: pulses the
    other way round, and the most that a width is off.
    """

    pulses: int
    lost: int
    extra: int
    error_ticks: int
    turned: int
    width_ticks: int

    @property
    def same(self) -> bool:
        """Nothing differs."""
        return self[1:] == (0, 0, 0, 0, 0)


def difference(made: Capture, seen: Capture) -> Difference:
    """How what was seen differs from what was made; the captures begin at different ticks."""
    firsts = [
        (int(made.motors[name].rise[0]), int(seen.motors[name].rise[0]))
        for name in made.motors
        if len(made.motors[name].rise) and len(seen.motors[name].rise)
    ]
    offset = min(firsts)[1] - min(firsts)[0] if firsts else 0
    pulses = lost = extra = error = turned = width = 0
    for name, asked in made.motors.items():
        found = seen.motors[name]
        pulses += len(asked.rise)
        lost += max(0, len(asked.rise) - len(found.rise))
        extra += max(0, len(found.rise) - len(asked.rise))
        n = min(len(asked.rise), len(found.rise))
        if n:
            error = max(error, int(np.abs(found.rise[:n] - asked.rise[:n] - offset).max()))
            turned += int((found.direction[:n] != asked.direction[:n]).sum())
            width = max(width, int(np.abs(found.width[:n] - asked.width[:n]).max()))
    return Difference(pulses, lost, extra, error, turned, width)
