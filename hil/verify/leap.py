"""Many straight pieces at once, where the pulses are exactly those that rounding asks for.

On a straight piece each axis makes one pulse for each half step that it crosses; their number and
direction follow from the piece's ends. Where the captured pulses are just these, piece by piece,
and in the order of their places, nothing is left to search for. Where they are not (two axes
changed places within the tolerance at a corner, or something is wrong), match.py looks closer.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hil.verify.geometry import Path
from hil.verify.states import States

PIECES = 256
PULSES = 60_000
LEAST = 3
NOISE_MM = 1e-6


class Leapt(NamedTuple):
    """So many pieces were passed; ends: the last state of each; the rest per pulse."""

    pieces: int
    ends: NDArray[np.int64]
    tick: NDArray[np.int64]
    place: NDArray[np.float64]
    piece: NDArray[np.int64]
    axis: NDArray[np.int8]
    crossed: NDArray[np.float64]


class Leaper:
    """Leaps along one path. slack_mm: how far places may run back, for each piece."""

    def __init__(self, path: Path, slack_mm: NDArray[np.float64]) -> None:
        self._path, self._slack = path, slack_mm
        self._end = np.floor(path.end + 0.5).astype(np.int64)
        self._start = np.floor(path.start + 0.5).astype(np.int64)
        self._counts = np.abs(self._end - self._start).sum(axis=1)
        self._arcs = np.array(sorted(path.asked.arcs), np.int64)
        self.base_mm = np.concatenate([[0.0], np.cumsum(path.asked.length)])

    def leap(self, states: States, split: int, piece: int, last: int) -> Leapt | None:
        """From the vertex before `piece`, entered with pulse `split`; None: look closer."""
        stop = self._stop(piece, last)
        if stop - piece < LEAST:
            return None
        ends = split + np.cumsum(self._counts[piece:stop])
        ends = ends[: max(1, int(np.searchsorted(ends, split + PULSES)))]
        states.need(int(ends[-1]))
        ends = ends[ends < states.end]
        base = states.base
        stands = (self._end[piece : piece + len(ends)] == states.where[:, ends - base].T).all(
            axis=1
        )
        good = len(ends) if stands.all() else int(np.argmin(stands))
        if not good or (states.where[:, split - base] != self._start[piece]).any():
            return None
        return self._check(states, split, piece, ends[:good])

    def _stop(self, piece: int, last: int) -> int:
        """The next arc, or the end."""
        stop = min(piece + PIECES, last)
        arc = int(np.searchsorted(self._arcs, piece))
        return min(stop, int(self._arcs[arc])) if arc < len(self._arcs) else stop

    def _check(self, states: States, split: int, piece: int, ends: NDArray[Any]) -> Leapt | None:
        rows = slice(split + 1 - states.base, int(ends[-1]) + 1 - states.base)
        axis, way = states.axis[rows], states.way[rows]
        which = piece + np.repeat(np.arange(len(ends)), np.diff(ends, prepend=split))
        crossed = states.where[axis, np.arange(rows.start, rows.stop)] - 0.5 * way
        rate = self._path.rate[which, axis]
        wrong = way * rate <= 0
        place = (crossed - self._path.start[which, axis]) / np.where(wrong, 1.0, rate)
        length = self._path.asked.length[which]
        wrong |= (place < -NOISE_MM) | (place > length + NOISE_MM)
        place = np.clip(place, 0.0, length) + self.base_mm[which]
        wrong |= np.maximum.accumulate(place) - place > self._slack[which]
        good = len(ends)
        if wrong.any():
            good = int(which[np.argmax(wrong)]) - piece
        if good < LEAST:
            return None
        n = int(ends[good - 1]) - split
        ticks = states.tick[rows][:n]
        return Leapt(good, ends[:good], ticks, place[:n], which[:n], axis[:n], crossed[:n])
