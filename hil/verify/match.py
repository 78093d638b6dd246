"""The path check: a walk along the program through the captured states, never back.

For every vertex of the program it finds the states in which the machine may stand there; a piece
leads on when every state between has a place on it and those places never run back by more than
the tolerance (the decision form of the Frechet distance, on steps). So nothing of the program can
be skipped, repeated or reordered, and the first pulse that fits nowhere is named.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hil.verify.geometry import Path
from hil.verify.leap import Leaper, Leapt
from hil.verify.states import States

NEVER = np.iinfo(np.int64).max
MARGIN = 24  # states looked at beyond those a piece should have
NOISE_MM = 1e-7
BATCH_PULSES = 500_000


class Lost(NamedTuple):
    """No way on: the pulse that fits nowhere (states.count if pulses are missing) and the piece."""

    state: int
    piece: int


class Places(NamedTuple):
    """A batch of pulses with their places: ticks, mm along the whole path (NaN: not told by this
    pulse), piece, axis, and the axis's steps at the crossing that the pulse marks.
    """

    tick: NDArray[np.int64]
    place: NDArray[np.float64]
    piece: NDArray[np.int64]
    axis: NDArray[np.int8]
    steps: NDArray[np.float64]


def _runs(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First and last of every run of true values."""
    if not mask.any():
        return []
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return [(int(a), int(b) - 1) for a, b in zip(edges[::2], edges[1::2], strict=True)]


class Walk:
    """One walk over pieces [first, last) of a path; `batches()` then tells the places.

    Vertex i (counted from first) was passed after the pulse at tick `before[i]` and before the one
    at `after[i]` (NEVER: there is none, or the walk did not come so far).
    """

    def __init__(
        self,
        path: Path,
        states: States,
        reach: NDArray[np.float64],
        pieces: tuple[int, int],
        leaper: Leaper,
        wide: bool = False,
    ) -> None:
        self.wide = wide  # a vertex may be passed at several times: all are gone after
        self.path, self.states, self.reach = path, states, reach
        self.first, self.last = pieces
        self._leaper, self.base_mm = leaper, leaper.base_mm
        self.before = np.full(self.last - self.first + 1, states.tick[0], np.int64)
        self.after = np.full(self.last - self.first + 1, NEVER, np.int64)
        self.reached = 0  # last vertex passed
        self.lost: Lost | None = None
        self._open = (0, 0)  # states of the present vertex, first and last
        self._blocks = [(0, 0)]  # the runs of states between them in which it can be passed
        self._split = 0  # pulses up to this one belong to earlier pieces
        self._places: list[tuple[Any, ...]] = []
        self._held = 0

    def batches(self) -> Any:
        """Yield Places in order; stop at the end or where the walk is lost."""
        self._open = (0, self._stay(self.first))
        self._blocks = [self._open]
        self.after[0] = self._next_tick()
        piece = self.first
        while piece < self.last:
            leapt = self._leaper.leap(self.states, self._split, piece, self.last)
            if leapt is not None:
                self._land(piece, leapt)
                piece += leapt.pieces
            elif self._step(piece):
                piece += 1
            else:
                break
            self.states.forget(max(0, min(self._open[0], self._split) - 1))
            if self._held >= BATCH_PULSES:
                yield self._take()
        yield self._take()
        if self.lost is None and self._open[1] != self.states.count - 1:
            self.lost = Lost(self._open[1] + 1, max(self.last - 1, 0))

    def _land(self, piece: int, leapt: Leapt) -> None:
        """Many pieces were exactly as rounding asks for."""
        states, ends = self.states, leapt.ends
        vertices = slice(piece + 1 - self.first, piece + 1 - self.first + leapt.pieces)
        self.before[vertices] = states.tick[ends - states.base]
        self._split = int(ends[-1])
        self._open = (self._split, self._split)
        self._blocks = [self._open]
        self.reached = vertices.stop - 1
        self.after[vertices] = np.append(
            states.tick[ends[:-1] + 1 - states.base], self._next_tick()
        )
        self._places.append((leapt.tick, leapt.place, leapt.piece, leapt.axis, leapt.crossed))
        self._held += len(leapt.tick)

    def _stay(self, piece: int) -> int:
        """Last state, from 0 without a gap, that can stand for the start of a piece."""
        if self.first == self.last:
            return 0
        self.states.need(MARGIN)
        here = self.path.start[piece]
        near = np.abs(self.states.where[:, :MARGIN] - here[:, None]) <= self.reach[piece][:, None]
        inside = near.all(axis=0)
        return len(inside) - 1 if inside.all() else max(0, int(np.argmin(inside)) - 1)

    def _step(self, piece: int) -> bool:
        """Walk one piece; False when it is lost."""
        states, (enter, leave) = self.states, self._open
        form, reach = self.path.piece(piece), self.reach[piece]
        window = int(self.path.steps[piece]) + (leave - enter) + MARGIN
        while True:
            states.need(enter + window)
            stop = min(enter + window, states.end)
            where = states.where[:, enter - states.base : stop - states.base]
            low, high = form.stretch(where, reach)
            off, alive = self._alive(low, high, form.length)
            ends = alive & (high >= form.length - NOISE_MM) & (low <= form.length + NOISE_MM)
            runs = _runs(ends)
            known = off >= 0 or stop == states.count
            if runs and (known or (not self.wide and runs[0][1] < len(low) - 1)):
                break
            if known:
                self.lost = Lost(enter + (off if off >= 0 else len(low)), piece)
                self._give(piece, form, self.lost.state - 1, self.lost.state - 1)
                return False
            window *= 2
        runs = runs if self.wide else runs[:1]
        self._note(piece, form, [(enter + a, enter + b) for a, b in runs])
        return True

    def _alive(
        self, low: NDArray[Any], high: NDArray[Any], length: float
    ) -> tuple[int, NDArray[np.bool_]]:
        """Which states, from the first of the present vertex on, have a place on a piece that can
        be come to without running back; and the first behind the vertex's last that has none (-1).
        """
        enter = self._open[0]
        alive = np.zeros(len(low), bool)
        base, top = np.maximum(low, 0.0), np.minimum(high, length) + NOISE_MM
        first = off = -1
        for i, (_, end) in enumerate(self._blocks):
            begin = end - enter
            if begin >= len(low):
                break
            alive[self._blocks[i][0] - enter : begin + 1] = True
            last = i + 1 == len(self._blocks)
            until = len(low) if last else min(self._blocks[i + 1][0] - enter, len(low))
            bad = np.maximum.accumulate(base[begin:until]) > top[begin:until]
            bad[0] = False
            first = int(np.argmax(bad)) if bad.any() else -1
            alive[begin : until if first < 0 else begin + first] = True
            off = begin + first if last and first >= 0 else -1
        return off, alive

    def _note(self, piece: int, form: Any, blocks: list[tuple[int, int]]) -> None:
        """The vertex after a piece can be reached in these runs of states, first and last."""
        arrive, stay = blocks[0][0], blocks[-1][1]
        self._give(piece, form, arrive, stay)
        vertex = self.reached = piece + 1 - self.first
        self.before[vertex] = self.states.tick[self._split - self.states.base]
        self.after[vertex] = self._next_tick()
        self._open, self._blocks = (arrive, stay), blocks

    def _give(self, piece: int, form: Any, arrive: int, stay: int) -> None:
        """Give pulses their places: all up to `arrive`, and from there to `stay` those that are
        not the next piece's already.
        """
        states, first = self.states, self._split + 1
        if stay >= first:
            rows = slice(first - states.base, stay + 1 - states.base)
            axis = states.axis[rows]
            place, right = form.crossings(states.where[:, rows], axis, states.way[rows])
            late = ~right | (place > form.length + NOISE_MM)
            late[: max(0, arrive + 1 - first)] = False
            count = int(np.argmax(late)) if late.any() else len(late)
            if count:
                ticks = states.tick[rows][:count]
                inside = np.clip(place[:count], 0.0, form.length) + self.base_mm[piece]
                crossed = (
                    states.where[axis, np.arange(rows.start, rows.stop)] - 0.5 * states.way[rows]
                )
                self._places.append(
                    (ticks, inside, np.full(count, piece), axis[:count], crossed[:count])
                )
                self._held += count
                self._split += count

    def _next_tick(self) -> int:
        """Tick of the first pulse that no piece has taken yet."""
        self.states.need(self._split + 1)
        if self._split + 1 >= self.states.count:
            return int(NEVER)
        return int(self.states.tick[self._split + 1 - self.states.base])

    def _take(self) -> Places:
        parts, self._places, self._held = self._places, [], 0
        if not parts:
            none: Any = np.zeros(0)
            whole = none.astype(np.int64)
            return Places(whole, none, whole, none.astype(np.int8), none)
        return Places(*(np.concatenate([part[i] for part in parts]) for i in range(5)))
