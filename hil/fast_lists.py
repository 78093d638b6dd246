"""The virtual rig's expander: the plain one of mfboard.sim_engine in numpy, all motors at once."""

from __future__ import annotations

from typing import Any

import numpy as np

from mfboard import window


class FastLists:
    """Same methods and same numbers as mfboard.sim_engine.PlainLists."""

    def expand(self, slot: bytearray, tail: bool, motors: int) -> list[Any] | None:
        """For each motor (word ends, step of each word, direction of each word)."""
        own = [m for m in range(motors) if window.list_of(slot, m, tail) == m]
        counts = [window.list_segments(slot, m, tail) for m in own]
        at = window.list_at(slot, 0, tail)
        total = sum(counts)
        words = np.frombuffer(slot, dtype="<u4", count=2 * total, offset=at)
        w0 = words[0::2].astype(np.int64)
        w1 = words[1::2].astype(np.int64)
        count = w0 >> 2 & 127
        if not total or not count.all():
            return None
        second = (w1 & 4095 ^ 2048) - 2048
        scale = w0 >> 9 & 3
        second <<= 5 * scale
        first = ((w1 >> 12 ^ 0x80000) - 0x80000) << 2 + 3 * scale
        begin = (w0 >> 11) * 1024 + 512
        ends_of = np.cumsum(count)
        n = int(ends_of[-1])
        i = np.arange(n) - np.repeat(ends_of - count, count)
        q = np.repeat(begin, count) + i * np.repeat(first, count)
        if second.any():
            q += i * (i - 1) // 2 * np.repeat(second, count)
        ticks = q >> 10
        if int(ticks.min()) <= 0:
            return None
        way = (w0 & 1) * 2 - 1
        ways = np.repeat(way, count)
        steps = np.repeat(way * (w0 >> 1 & 1), count)
        out = []
        k = 0
        done = 0
        for m in range(motors):
            if m not in own:
                out.append(out[-1])
                continue
            k += counts[own.index(m)]
            stop = int(ends_of[k - 1])
            if (stop - done) % 16:
                return None
            part = slice(done, stop)
            out.append((np.cumsum(ticks[part]), steps[part], ways[part]))
            done = stop
        return out

    def edges(self, lists: Any, base: int, pulse: int, direction: int) -> Any:
        """(rises, signs, turn ticks, turn directions, end, last direction) of one motor's list."""
        ends, steps, ways = lists
        at = np.flatnonzero(steps)
        rises = ends[at] + (base - pulse)
        signs = steps[at]
        end = int(ends[-1])
        if direction == ways[0] and (ways == direction).all():
            none = rises[:0]
            return rises, signs, none, none, end, direction
        before = np.empty_like(ways)
        before[0] = direction
        before[1:] = ways[:-1]
        change = np.flatnonzero(ways != before)
        begins = np.concatenate(([0], ends[:-1]))
        return rises, signs, begins[change] + base, ways[change], end, int(ways[-1])

    def total(self, signs: Any) -> int:
        """Sum of steps."""
        return int(np.sum(signs)) if len(signs) else 0

    def upto(self, rises: Any, tick: int) -> int:
        """How many edges rise at or before a tick."""
        return int(np.searchsorted(rises, tick, side="right"))

    def crossing(self, signs: Any, start: int, threshold: int, upward: bool) -> int:
        """Number of the first edge after which the position is past a threshold, or -1."""
        if not len(signs) or abs(threshold - start) > len(signs):
            return -1
        after = np.cumsum(signs) + start
        before = after - signs
        if upward:
            hits = np.flatnonzero((before < threshold) & (after >= threshold))
        else:
            hits = np.flatnonzero((before >= threshold) & (after < threshold))
        return int(hits[0]) if len(hits) else -1
