"""CoreXY as the verifier knows it: written from the mechanics, apart from the planner's kinematics.

Motor a lets x + y of belt through, motor b x - y. So in the plane of the two belts a line is a line
and a circle is a circle, sqrt(2) larger and the other way round: pulses are judged there, exactly.
Speeds and accelerations are judged along the path, the carriage's travel from both motors' pulses.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hil.verify.asked import Arc, Asked
from hil.verify.reader import ReadError

GROWS = math.sqrt(2.0)
Floats = NDArray[np.float64]


class Core:
    """Of one machine. `x`, `y`: numbers of its two axes, and of their motors among the axes'."""

    def __init__(self, machine: Any) -> None:
        letters = [axis.letter for axis in machine.axes]
        self.x, self.y = letters.index("X"), letters.index("Y")
        self.pair = [self.x, self.y]
        names = [machine.axes[i].motors[0] for i in self.pair]
        self.own = [next(m for m in machine.motors if m.name == name) for name in names]

    def mixed(self, places: Floats) -> Floats:
        """The last index counts axes: x and y become what motors a and b let through."""
        out = np.array(places, float)
        out[..., self.x] = places[..., self.x] + places[..., self.y]
        out[..., self.y] = places[..., self.x] - places[..., self.y]
        return out

    def axes(self, places: Floats) -> Floats:
        """Back again."""
        return np.asarray(self.mixed(places) * self._half(places.shape[-1]))

    def _half(self, count: int) -> Floats:
        half = np.ones(count)
        half[self.pair] = 0.5
        return half

    def asked(self, asked: Asked) -> Asked:
        """The same program for the motors; lengths stay those of the carriage's path.

        ReadError: an arc in another plane than X and Y.
        """
        for i, arc in asked.arcs.items():
            if {arc.first, arc.second} != {self.x, self.y}:
                raise ReadError(
                    f"line {asked.line[i]}: on a CoreXY an arc is judged in the plane of X and Y "
                    "alone; nothing was judged; write this one as lines"
                )
        arcs = {i: self._arc(arc) for i, arc in asked.arcs.items()}
        return replace(asked, start=self.mixed(asked.start), end=self.mixed(asked.end), arcs=arcs)

    def _arc(self, arc: Arc) -> Arc:
        turned = arc.first == self.y  # its plane is (Y, X)
        cx, cy = arc.centre[::-1] if turned else arc.centre
        angle = math.pi / 2 - arc.angle if turned else arc.angle
        sweep = -arc.sweep if turned else arc.sweep
        # (cos t + sin t, cos t - sin t) = sqrt(2) (cos u, sin u) with u = pi / 4 - t
        return Arc(
            self.x, self.y, (cx + cy, cx - cy), arc.radius * GROWS, math.pi / 4 - angle, -sweep
        )

    def shares(self, asked: Asked) -> Floats:
        """Of each piece and motor: mm of belt in a mm of path."""
        way = self.mixed(asked.end - asked.start) / np.maximum(asked.length, 1e-12)[:, None]
        out = np.abs(way[:, self.pair])
        for i, arc in asked.arcs.items():
            out[i] = GROWS * abs(arc.sweep) * arc.radius / asked.length[i]
        return out

    def summed(self, values: Floats) -> Floats:
        """Of what each axis may do for itself: what a motor that both move may."""
        out = np.array(values, float)
        out[self.pair] = values[self.x] + values[self.y]
        return out

    def together(self, edges: Any, start: tuple[int, ...]) -> tuple[NDArray[Any], Floats]:
        """Ticks of both motors' pulses, and the steps (x, y) behind each."""
        a, b = (edges[i] for i in self.pair)
        tick = np.concatenate([a.tick, b.tick])
        order = np.argsort(tick, kind="stable")
        first = np.arange(len(tick)) < len(a.tick)
        way = np.concatenate([a.direction, b.direction]).astype(np.int64)
        counts = [
            start[i] + np.cumsum(np.where(mine, way, 0)[order])
            for i, mine in zip(self.pair, (first, ~first), strict=True)
        ]
        return tick[order], np.array([counts[0] + counts[1], counts[0] - counts[1]]) / 2


def core_of(machine: Any) -> Core | None:
    """None: every motor has an axis of its own."""
    return Core(machine) if machine.kinematics == "corexy" else None
