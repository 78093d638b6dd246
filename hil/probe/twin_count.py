"""What the probe's counters of a motor say after a capture, as the words of a reply."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hil.probe.counters import BINS, NEVER
from mfprobe import state


def count(
    ticks: NDArray[np.int64], states: NDArray[np.int64], motor: tuple[int, int, int]
) -> bytes:
    """ticks, states: of all changes; motor: GPIOs of its step and direction pins, inverted."""
    step, direction, inverted = motor
    high, way = states >> step & 1, states >> direction & 1
    rise = np.flatnonzero(np.diff(high, prepend=0) > 0)
    fall = np.flatnonzero(np.diff(high, prepend=0) < 0)
    turn = np.flatnonzero(np.diff(way, prepend=0))
    up = (way[rise] == 1) != bool(inverted)
    counts = ticks // 2  # the clock's
    between = np.diff(counts[rise])
    n = min(len(rise), len(fall))
    wide = counts[fall[:n]] - counts[rise[:n]]
    last = np.searchsorted(turn, rise) - 1
    setup = counts[rise[last >= 0]] - counts[turn[last[last >= 0]]]
    out = np.zeros(state.MOTOR_WORDS, "<u4")
    out[state.UP], out[state.DOWN] = int(up.sum()), int((~up).sum())
    rows = ((state.LEAST, between, np.min, NEVER), (state.MOST, between, np.max, 0),
            (state.SETUP, setup, np.min, NEVER), (state.NARROW, wide, np.min, NEVER),
            (state.WIDE, wide, np.max, 0))  # fmt: skip
    for word, values, pick, never in rows:
        out[word] = int(pick(values)) if len(values) else never
    bins = [min(BINS - 1, int(value).bit_length()) for value in between]
    out[state.BINS : state.BINS + 2 * BINS : 2] = np.bincount(bins, minlength=BINS)
    return out.tobytes()
