"""How smoothly pulses come: each against the cubic through its four neighbours, as a histogram.

Steady and accelerated motion give nearly 0; one pulse that came late alone gives what it was late,
and its neighbours some of it on the other side. The first pulses from rest are off by themselves.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hil.capture import MotorTrace

BINS = 61
LEAST_US = 0.1  # half the width of the picture, where nothing jitters
REST_S = 0.05  # pulses further apart are two moves


def jitter_us(trace: MotorTrace, tick_hz: int) -> NDArray[np.float64]:
    """Of each pulse among five of its own direction and move, us: later is positive."""
    t, way = trace.rise, trace.direction
    if len(t) < 5:
        return np.zeros(0)
    near = (np.diff(t) < REST_S * tick_hz) & (np.diff(way) == 0)
    whole = near[:-3] & near[1:-2] & near[2:-1] & near[3:]
    smooth = (4 * (t[1:-3] + t[3:-1]) - (t[:-4] + t[4:])) / 6
    return np.asarray((t[2:-2] - smooth)[whole] * (1e6 / tick_hz))


class Histogram(NamedTuple):
    """counts[i] values lie from edges_us[i] to edges_us[i + 1]; all of them lie within."""

    edges_us: NDArray[np.float64]
    counts: NDArray[np.int64]


def histogram(values_us: Any) -> Histogram:
    """Of jitter, symmetric about 0."""
    values = np.asarray(values_us, np.float64)
    most = max(LEAST_US, float(np.abs(values).max(initial=0.0)) * (1 + 1e-9))
    counts, edges = np.histogram(values, bins=BINS, range=(-most, most))
    return Histogram(edges, counts)


def spread_us(values_us: Any) -> tuple[float, float, float]:
    """Median, 99.9 % and the most, of the sizes; 0 where there is none."""
    sizes = np.abs(np.asarray(values_us, np.float64))
    if not len(sizes):
        return 0.0, 0.0, 0.0
    return float(np.median(sizes)), float(np.quantile(sizes, 0.999)), float(sizes.max())
