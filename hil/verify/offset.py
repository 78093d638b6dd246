"""What torch height control adds: where a torch may be off the program's path, and how far.

While the torch burns the board may move its axis by at most max_offset_mm, beside the path. After
the cut the offset is taken back; then the axis is where the program says, to the step. The pulses
alone are looked at: the board's own word for it counts nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hil.verify.asked import Asked
from hil.verify.match import NEVER, Places, Walk
from hil.verify.states import Edges

LIFT_S = 0.5  # after the cut the torch goes down only behind a plan that goes up
BACK_S = 0.4  # beyond what the offset needs at its highest speed
OVER_S = 0.01  # speeds are those over so long
SLACK = 1.05
Found = tuple[str, int, int, str]  # kind, tick, piece, text


class Offset:
    """The bounds of one machine's height control in one stretch. Nothing without one."""

    def __init__(self, asked: Asked, machine: Any, first: int, last: int) -> None:
        self.height = machine.height
        held = np.zeros(asked.pieces, bool)
        held[[i for i in asked.held if first <= i < last]] = True
        self.held = held
        self.most_mm = 0.0
        if self.height is None:
            return
        axis = machine.axis(self.height.axis)
        self.axis = list(machine.axes).index(axis)
        self.spm = axis.steps_per_mm
        self.steps = self.height.max_offset_mm * self.spm
        self.fastest_mm_s = axis.max_speed_mm_s + self.height.max_speed_mm_s
        self.back_s = LIFT_S + BACK_S + self.height.max_offset_mm / self.height.max_speed_mm_s

    def anywhere(self) -> NDArray[np.bool_]:
        """Pieces that may be off, as long as their times are not known: all from the first cut."""
        return np.logical_or.accumulate(self.held)

    def loose(self, walk: Walk, tick_hz: int) -> NDArray[np.bool_]:
        """Pieces that may be off: those of a cut, and what begins before the offset is back."""
        out = self.held.copy()
        off_tick = -NEVER
        for piece in range(walk.first, walk.last):
            begin = int(walk.before[piece - walk.first])
            if self.held[piece]:
                off_tick = NEVER
            elif off_tick == NEVER:
                off_tick = begin
            if off_tick == NEVER or begin < off_tick + self.back_s * tick_hz:
                out[piece] = off_tick > -NEVER
        return out

    def widen(self, reach: NDArray[np.float64], loose: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Steps by which the torch's axis may be off in those pieces."""
        if self.height is not None and loose.any():
            reach = reach.copy()
            reach[loose, self.axis] += self.steps
        return reach

    def without(self, batch: Places, loose: NDArray[np.bool_]) -> Places:
        """Pulses of the torch's axis tell no place along the path there."""
        if self.height is None or not loose.any():
            return batch
        place = batch.place.copy()
        place[(batch.axis == self.axis) & loose[batch.piece]] = np.nan
        return batch._replace(place=place)

    def check(self, walk: Walk, edges: Edges, start: int, plan: Any, hz: int) -> list[Found]:
        """How fast the torch's axis was, and how far off a plan that stands still. plan: the axis
        in steps at the beginning and the end of each piece.
        """
        if self.height is None or not self.held.any() or len(edges.tick) < 2:
            return []
        count = start + np.cumsum(edges.direction, dtype=np.int64)
        for piece in np.flatnonzero(self.held & (plan[0] == plan[1])):
            a, b = np.searchsorted(
                edges.tick, [walk.before[piece - walk.first], walk.before[piece + 1 - walk.first]]
            )
            off = np.abs(count[a:b] - plan[0][piece]) / self.spm
            self.most_mm = max(self.most_mm, float(off.max(initial=0.0)))
        later = np.searchsorted(edges.tick, edges.tick + int(OVER_S * hz), side="right") - 1
        way = np.abs(count[later] - count)
        speed = way / self.spm / OVER_S
        fast = (way > 2) & (speed - 2 / self.spm / OVER_S > self.fastest_mm_s * SLACK)
        if not fast.any():
            return []
        i = int(np.argmax(fast))
        piece = walk.first + int(np.searchsorted(walk.before, edges.tick[i], side="right")) - 1
        text = f"the torch moves by {speed[i]:.1f} mm/s, at most {self.fastest_mm_s:g} are allowed"
        return [("offset", int(edges.tick[i]), min(piece, walk.last - 1), text)]
