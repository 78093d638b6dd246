"""What a probe has seen: levels of its pins from each tick on. It judges nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from microfactory import UsageError

TICK_HZ = 125_000_000
COUNT_TICKS = 2  # of the probe's clock (mfprobe.pio)
SEEN_TICKS = 3  # from a look at the pins to its time
LOOK_TICKS = 4  # between two looks at pins that rest: a change is this old at most, less one
CHANGE_TICKS = 6  # straight behind another change
WRAP = 1 << 32
LOSSES = (
    (1, "edges came faster than its memory takes them"),
    (2, "its ring went round before it was read"),
    (4, "its levels and times do not belong together"),
    (8, "there were more long silences than it can count"),
)
FROZEN = 16


@dataclass(frozen=True)
class Edges:
    """Levels of all pins, one row a change.

    ticks: uint64 (n), 8 ns each of the probe's clock, from its start; the look at the pins that saw
    the change, which is less than LOOK_TICKS old, or CHANGE_TICKS straight behind another one.
    states: uint32 (n), bit g is GPIO g; before: ahead of the first. lost: why something is missing;
    empty: nothing is.
    clock_error_ppm: of the probe's clock against the host's, None: not measured.
    """

    ticks: NDArray[np.uint64]
    states: NDArray[np.uint32]
    before: int = 0
    lost: tuple[str, ...] = ()
    end_tick: int = 0
    fired_tick: int | None = None
    clock_error_ppm: float | None = None
    tick_hz: int = TICK_HZ

    def lines(self, *, lossy: bool = False) -> dict[int, tuple[Any, Any]]:
        """GPIO to (ticks int64, levels int64), where that pin changed (hil.rigs.lines, Levels).

        UsageError: something is missing, unless lossy.
        """
        if self.lost and not lossy:
            raise UsageError(
                f"the probe has missed edges: {'; '.join(self.lost)}; this capture judges nothing; "
                "capture fewer lines, slower, or read more often"
            )
        out = {}
        ticks = self.ticks.astype(np.int64)
        for gpio in range(29):
            levels = (self.states >> np.uint32(gpio) & np.uint32(1)).astype(np.int64)
            changed = np.diff(levels, prepend=self.before >> gpio & 1) != 0
            if changed.any():
                out[gpio] = (ticks[changed], levels[changed])
        return out

    def changes(self) -> tuple[Any, Any, Any]:
        """(ticks, pins, levels) of all changes in order; of the same tick the lower pin first."""
        before = np.concatenate([[np.uint32(self.before)], self.states[:-1]]) ^ self.states
        row, pin = np.nonzero(before[:, None] >> np.arange(32, dtype=np.uint32) & np.uint32(1))
        levels = self.states[row] >> pin.astype(np.uint32) & np.uint32(1)
        return self.ticks[row], pin, levels.astype(np.int64)


def ticks_of(
    counts: NDArray[np.uint32], first: int, gaps: Sequence[tuple[int, int]], last: int | None
) -> NDArray[np.uint64]:
    """Ticks of the clock's words, which count down and wrap.

    first: index of the first word since the start; gaps: of (index, further wraps); last: the whole
    count of the last word, where the words before `first` are gone; None: the first is word 0.
    """
    up = (~counts).astype(np.uint64)
    if not len(up):
        return up
    steps = (np.diff(up) & np.uint64(WRAP - 1)).astype(np.uint64)
    for index, wraps in gaps:
        if 0 < index - first < len(up):
            steps[index - first - 1] += np.uint64(wraps * WRAP)
    since = np.concatenate([[np.uint64(0)], np.cumsum(steps, dtype=np.uint64)])
    begin = int(up[0]) if last is None else last - int(since[-1])
    ticks = (since + np.uint64(begin)) * np.uint64(COUNT_TICKS)
    return np.maximum(ticks, np.uint64(SEEN_TICKS)) - np.uint64(SEEN_TICKS)


def losses(flags: int) -> tuple[str, ...]:
    """A capture's flags in words."""
    return tuple(text for bit, text in LOSSES if flags & bit)
