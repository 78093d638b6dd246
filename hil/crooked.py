"""A machine that is off: a frame out of square, axes with slack, a plate that is warped.

Written apart from the host's compensation: from where the motors are to where the tool is.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from microfactory import Machine

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Crooked:
    """skew_xy: mm that the tool's X goes with a mm of the carriage's Y, and so on; slack_mm: of an
    axis by its letter. plate: Z of the plate at X and Y of the tool.
    """

    skew_xy: float = 0.0
    skew_xz: float = 0.0
    skew_yz: float = 0.0
    slack_mm: dict[str, float] = field(default_factory=dict)
    plate: Callable[[float, float], float] | None = None

    def slack(self, letter: str) -> float:
        """Of one axis."""
        return self.slack_mm.get(letter, 0.0)

    def touch_mm(self, x: float, y: float, z: float) -> float:
        """Z of the carriage where the tool meets the plate, going down from carriages there."""
        assert self.plate is not None
        for _ in range(4):  # the way across while it goes down is small
            z = self.plate(x + self.skew_xy * y + self.skew_xz * z, y + self.skew_yz * z)
        return z

    def tool(self, letters: str, motors_mm: Floats) -> Floats:
        """Rows of motors' places, in order of time, to rows of the tool's. The axes were moved up
        before the first row.
        """
        at = {letter: play(motors_mm[:, i], self.slack(letter)) for i, letter in enumerate(letters)}
        x, y, z = at["X"], at["Y"], at["Z"]
        true: dict[str, Any] = {**at, "X": x + self.skew_xy * y + self.skew_xz * z}
        true["Y"] = y + self.skew_yz * z
        return np.stack([true[letter] for letter in letters], axis=1)


def play(motor_mm: Floats, slack_mm: float) -> Floats:
    """A carriage that a motor pushes up at once and pulls down one slack later."""
    out = np.array(motor_mm, float)
    if slack_mm <= 0:
        return out
    turns = np.flatnonzero(np.diff(np.sign(np.diff(motor_mm)), prepend=0)) if len(out) > 1 else []
    at = float(motor_mm[0])
    for begin, end in zip([0, *turns], [*turns, len(out) - 1], strict=True):
        part = motor_mm[begin : end + 1]
        if len(part):
            out[begin : end + 1] = np.clip(at, part, part + slack_mm)
            at = float(out[end])
    return out


def example(machine: Machine) -> Crooked:
    """A plate half a millimetre out of level and warped by a tenth, 2 mm above the machine's floor
    or, on a printer, about its Z of 0; slack and skew as the machine file has them.
    """
    part = machine.compensation
    floor = 0.0 if machine.kind == "printer" else machine.axis("Z").min_mm + 2.0

    def plate(x: float, y: float) -> float:
        return floor + 0.0007 * x - 0.0005 * y + 0.1 * math.sin(x / 70) * math.cos(y / 90)

    if part is None:
        return Crooked(plate=plate)
    slack = {letter: part.slack_mm(letter) for letter in "XYZ"}
    return Crooked(part.skew_xy, part.skew_xz, part.skew_yz, slack, plate)
