"""Jerk along the path, from the places of pulses, where the machine file limits it.

A pulse may be off by the step tolerance e, so at speed v its place is off by e v, and the third
difference over a time h by up to 8 e v / h^3. h = (8 e v / (0.05 J))^(1/3) makes that worth five
parts in a hundred of the jerk J. The third difference is the mean of the jerk over 3 h, weighted:
no motion within the limit can make it larger. It says nothing of a jump that is over within far
less than 3 h, which acceleration's own check bounds.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hil.verify.match import Places

JERK_SLACK = 1.05
SHARE = 0.05


class Sharpest(NamedTuple):
    """The largest share of the allowed jerk, and the row in the batch where it is."""

    share: float
    row: int


def sharpest(
    batch: Places, time: NDArray[Any], highest: Any, fastest: float, error_s: float
) -> Sharpest:
    """One batch's largest third difference as a share of the highest jerk of its pieces.

    highest.between(first, last) gives the highest limit of a range of pieces.
    """
    few = slice(None, None, len(time) // 1000 + 1)
    limits = highest.between(batch.piece[few], batch.piece[few])
    limits = limits[np.isfinite(limits)]
    if not len(limits):
        return Sharpest(0.0, 0)
    h = float(np.cbrt(8 * error_s * fastest / (SHARE * np.median(limits))))
    first = np.unique(np.searchsorted(time, np.arange(time[0], time[-1] - 3.5 * h, h / 4)))
    rows = [first, *(np.searchsorted(time, time[first] + n * h) for n in (1, 2, 3))]
    rows = [row[rows[3] < len(time)] for row in rows]
    apart = np.min([time[rows[n + 1]] - time[rows[n]] for n in range(3)], axis=0) > h / 2
    rows = [row[apart] for row in rows]
    allowed = highest.between(batch.piece[rows[0]], batch.piece[rows[3]])
    t, s = [time[row] for row in rows], [batch.place[row] for row in rows]
    slope = [(s[i + 1] - s[i]) / (t[i + 1] - t[i]) for i in range(3)]
    bend = [(slope[i + 1] - slope[i]) / (t[i + 2] - t[i]) for i in range(2)]
    third = 6 * (bend[1] - bend[0]) / (t[3] - t[0])
    least = np.min([t[i + 1] - t[i] for i in range(3)], axis=0)
    noise = 8 * error_s * np.max(slope, axis=0) / least**3
    share = np.maximum(np.abs(third) - noise, 0.0) / allowed
    if not len(share):
        return Sharpest(0.0, 0)
    worst = int(np.argmax(share))
    return Sharpest(float(share[worst]), int(rows[1][worst]))
