"""Moves as text, one on a line: millimetres with four decimals, degrees with three."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

from microfactory.machine import Machine
from microfactory.motion.core import lib
from microfactory.motion.gcode import Program
from microfactory.motion.moves import Moves
from microfactory.torch import height_output

FLAGS = (
    (lib.MF_FLAG_RAPID, "rapid"),
    (lib.MF_FLAG_TRAVEL, "travel"),
    (lib.MF_FLAG_STOP, "stop"),
)


def fixed(value: float, decimals: int = 4) -> str:
    """Rounded, without a negative zero."""
    text = f"{value:.{decimals}f}"
    return text[1:] if text.startswith("-") and float(text) == 0.0 else text


def _point(machine: Machine, values: Any) -> str:
    return " ".join(f"{axis.name} {fixed(values[i])}" for i, axis in enumerate(machine.axes))


def _how(move: Any) -> str:
    """Speed and what else binds it."""
    parts = [f"length {fixed(move.length_mm)}"]
    if not move.flags & lib.MF_FLAG_RAPID:
        parts.append(f"speed {fixed(move.speed_mm_s, 3)}")
    if move.accel_mm_s2 > 0.0:
        parts.append(f"accel {fixed(move.accel_mm_s2, 1)}")
    if move.tolerance_mm >= 0.0:
        parts.append(f"within {fixed(move.tolerance_mm)}")
    parts += [name for flag, name in FLAGS if move.flags & flag]
    return " ".join(parts)


def _line(machine: Machine, move: Any) -> str:
    return f"to {_point(machine, move.end_mm)}  {_how(move)}"


def _arc(machine: Machine, move: Any) -> str:
    first, second = machine.axes[move.plane_first].name, machine.axes[move.plane_second].name
    return (
        f"to {_point(machine, move.end_mm)}  around {first} {fixed(move.centre_mm[0])} "
        f"{second} {fixed(move.centre_mm[1])} radius {fixed(move.radius_mm)} "
        f"sweep {fixed(math.degrees(move.sweep_rad), 3)}  {_how(move)}"
    )


def _output(machine: Machine, move: Any) -> str:
    number = move.output
    stop = " stop" if move.flags & lib.MF_FLAG_STOP else ""
    height = height_output(machine)
    if height >= 0 and number >= height:
        if number > height:
            return f"height waits below {move.value / 10:.1f} mm/s"
        volts = {0: "off", 1: "held"}.get(round(move.value), f"at {move.value / 100:.2f} V")
        return f"height {volts}"
    if number >= len(machine.outputs):
        return (
            f"{machine.heaters[number - len(machine.outputs)].name} {move.value / 10:.1f} C{stop}"
        )
    return f"{machine.outputs[number].name} {move.value:.0f}{stop}"


def _home(machine: Machine, move: Any) -> str:
    names = [axis.name for i, axis in enumerate(machine.axes) if move.output >> i & 1]
    return f"{' '.join(names)}  at {_point(machine, move.end_mm)}"


def _wait(machine: Machine, move: Any) -> str:
    return f"{machine.heaters[move.output].name} {move.value / 10:.1f} C"


FORMS: dict[int, tuple[str, Callable[[Machine, Any], str]]] = {
    lib.MF_MOVE_LINE: ("line", _line),
    lib.MF_MOVE_ARC: ("arc", _arc),
    lib.MF_MOVE_DWELL: ("dwell", lambda machine, move: f"{fixed(move.value)} s"),
    lib.MF_MOVE_OUTPUT: ("output", _output),
    lib.MF_MOVE_HOME: ("home", _home),
    lib.MF_MOVE_WAIT: ("wait", _wait),
    lib.MF_MOVE_PAUSE: ("pause", lambda machine, move: ""),
    lib.MF_MOVE_END: ("end", lambda machine, move: ""),
    lib.MF_MOVE_STRIKE: ("strike", lambda machine, move: "wait for the arc"),
}


def listing(program: Program, machine: Machine) -> Iterator[str]:
    """Lines of text, lazily. GcodeError, LimitError: the program must not be run."""
    for batch, count in Moves(program, machine):
        for i in range(count):
            move = batch[i]
            kind, form = FORMS[move.kind]
            yield f"{move.line:>6}  {kind:<6} {form(machine, move)}".rstrip()
