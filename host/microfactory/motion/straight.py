"""Single straight moves made without a program: homing, jogging, the retreat."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from microfactory.errors import LimitError, UsageError
from microfactory.kinematics import point_of
from microfactory.machine import Machine
from microfactory.motion.core import ffi, lib
from microfactory.motion.stretch import AS_BEFORE, Stretch, Window

OWN_NUMBERS = 1 << 29  # moves without a program count apart: no window of a job has such a number


def line(machine: Machine, start_mm: Sequence[float], end_mm: Sequence[float], speed: float) -> Any:
    """An `mf_move` from start to end at speed mm/s, or None when they are the same."""
    move = ffi.new("mf_move *")
    move.kind = lib.MF_MOVE_LINE
    square = 0.0
    other = 0.0
    for a, axis in enumerate(machine.axes):
        move.start_mm[a] = start_mm[a]
        move.end_mm[a] = end_mm[a]
        d = end_mm[a] - start_mm[a]
        if axis.unlimited:
            other = max(other, abs(d))
        else:
            square += d * d
    move.length_mm = square**0.5 if square > 1e-18 else other
    move.speed_mm_s = speed
    move.tolerance_mm = -1.0
    return move if move.length_mm > 1e-9 else None


def straight(
    machine: Machine,
    start_steps: Sequence[int],
    target_mm: Mapping[str, float],
    speed_mm_s: float,
    *,
    first_number: int = OWN_NUMBERS,
    check: bool = True,
) -> Iterator[Window]:
    """Windows of one straight move from where the motors stand to a target, given by axis name.

    check: LimitError when the target is outside the travel (homing looks for the travel's end).
    """
    if not 0 < speed_mm_s < 1e6:
        raise UsageError(f"{speed_mm_s} mm/s is no speed; nothing moved; use one above 0")
    start = point_of(machine, start_steps)
    end = list(start)
    for name, value in target_mm.items():
        axis = machine.axis(name)
        if check and not axis.unlimited and not axis.min_mm - 1e-6 <= value <= axis.max_mm + 1e-6:
            raise LimitError(
                f"{axis.letter}{value:g} is outside the travel of {axis.name}, {axis.min_mm:g} to "
                f"{axis.max_mm:g} mm; nothing moved; choose a place within it"
            )
        if not -1e6 < value < 1e6:
            raise LimitError(f"{axis.letter}{value:g} is no place; nothing moved")
        end[machine.axes.index(axis)] = value
    move = line(machine, start, end, speed_mm_s)
    if move is None:
        return
    stretch = Stretch(machine, start, start_steps, first_number)
    stretch.push(move, 1)
    stretch.finish()
    yield from stretch.windows()


def retreat_body(machine: Machine) -> bytes:
    """The retreat of a machine as one window that begins at 0; empty: it has none."""
    if not machine.retreat:
        return b""
    zero = [0.0] * len(machine.axes)
    stretch = Stretch(machine, zero, [0] * len(machine.motors), window_s=0.1)
    here = list(zero)
    for step in machine.retreat:
        there = list(here)
        there[machine.axes.index(machine.axis(step.axis))] += step.by_mm
        move = line(machine, here, there, step.speed_mm_s)
        if move is not None:
            move.flags = lib.MF_FLAG_STOP
            stretch.push(move, 1)
            here = there
    stretch.finish()
    return join(list(stretch.windows()), len(machine.motors))


def join(windows: Sequence[Window], motors: int) -> bytes:
    """Several windows of one stretch as a single last one (their lists are whole chunks anyway)."""
    import struct

    lists: list[bytes] = [b""] * motors
    part = b""
    for window in windows:
        at = 28 + 8 * motors
        for m in range(motors):
            (count,) = struct.unpack_from("<H", window.data, 28 + 8 * m + 4)
            if count != AS_BEFORE:
                part = window.data[at : at + 8 * count]
                at += 8 * count
            lists[m] += part
    length = sum(window.length_ticks for window in windows)
    head = struct.pack("<5I4H", 0, 0, 0, length, 0, motors, 0, 0, 1)
    heads = b"".join(struct.pack("<iHH", 0, len(part) // 8, 0) for part in lists)
    return head + heads + b"".join(lists)
