"""What the probe has counted for one motor, whatever became of the edges themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mfprobe import state

BINS = 33
NEVER = 0xFFFFFFFF


@dataclass(frozen=True)
class Counters:
    """One motor since the start. Times in microseconds, to 16 ns; None: never, or 68.7 s and more.

    up, down: pulses while its direction pin said so, 64 bits. histogram: intervals between rises,
    int64 (33); bin n has those of [2^(n-1), 2^n) counts of 16 ns, the last one all from 34 s on.
    """

    up: int
    down: int
    interval_least_us: float | None
    interval_most_us: float | None
    setup_least_us: float | None
    width_least_us: float | None
    width_most_us: float | None
    histogram: Any

    @property
    def steps(self) -> int:
        """Signed by its direction pin."""
        return self.up - self.down


def read(data: bytes, hz: int) -> Counters:
    """From the words of a reply. hz: counts a second."""
    words = np.frombuffer(data, "<u4").astype(np.uint64)
    wide = words[0::2] + (words[1::2] << np.uint64(32))

    def us(word: int, never: int) -> float | None:
        value = int(words[word])
        return None if value in (never, NEVER) else value * 1e6 / hz

    return Counters(
        int(wide[state.UP // 2]),
        int(wide[state.DOWN // 2]),
        us(state.LEAST, NEVER),
        us(state.MOST, 0),
        us(state.SETUP, NEVER),
        us(state.NARROW, NEVER),
        us(state.WIDE, 0),
        wide[state.BINS // 2 : state.BINS // 2 + BINS].astype(np.int64),
    )
