"""Moves of a text as plain values, for the tests."""

from __future__ import annotations

from typing import Any, NamedTuple

from microfactory.machine import Machine
from microfactory.motion.core import lib
from microfactory.motion.gcode import parse
from microfactory.motion.moves import Moves

KINDS = {
    lib.MF_MOVE_LINE: "line",
    lib.MF_MOVE_ARC: "arc",
    lib.MF_MOVE_DWELL: "dwell",
    lib.MF_MOVE_OUTPUT: "output",
    lib.MF_MOVE_HOME: "home",
    lib.MF_MOVE_WAIT: "wait",
    lib.MF_MOVE_PAUSE: "pause",
    lib.MF_MOVE_END: "end",
}


class Plain(NamedTuple):
    """One `mf_move`."""

    kind: str
    line: int
    flags: int
    output: int
    value: float
    start: tuple[float, ...]
    end: tuple[float, ...]
    length: float
    speed: float
    accel: float
    tolerance: float
    plane: tuple[int, int]
    centre: tuple[float, float]
    radius: float
    angle: float
    sweep: float
    advance: float = 0.0


def plain(move: Any, axes: int) -> Plain:
    return Plain(
        KINDS[move.kind],
        move.line,
        move.flags,
        move.output,
        move.value,
        tuple(move.start_mm[0:axes]),
        tuple(move.end_mm[0:axes]),
        move.length_mm,
        move.speed_mm_s,
        move.accel_mm_s2,
        move.tolerance_mm,
        (move.plane_first, move.plane_second),
        (move.centre_mm[0], move.centre_mm[1]),
        move.radius_mm,
        move.angle_rad,
        move.sweep_rad,
        move.advance_s,
    )


def moves_of(text: str | bytes, machine: Machine) -> list[Plain]:
    """All moves of a text; GcodeError as Moves raises it."""
    data = text.encode() if isinstance(text, str) else text
    axes = len(machine.axes)
    return [
        plain(batch[i], axes)
        for batch, count in Moves(parse(data or b"\n;"), machine)
        for i in range(count)
    ]
