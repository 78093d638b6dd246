"""A stretch of a capture as VCD (IEEE 1364, 18): PulseView and sigrok-cli open it.

The unit is 100 ns: fine enough for every pulse to be seen, coarse enough for a viewer that makes
samples of it. The capture file itself keeps each tick.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from hil.capture import Capture

UNIT_S = 1e-7


def write_vcd(capture: Capture, path: str | Path, first_s: float, seconds: float) -> int:
    """Step and direction pins, outputs (on or off) and inputs from first_s on; the edges written.

    In sigrok: `sigrok-cli -I vcd -i FILE -P stepper_motor:step=x_step:dir=x_dir`.
    """
    first = int(first_s * capture.tick_hz)
    last = first + int(seconds * capture.tick_hz)
    names: list[str] = []
    changes: list[tuple[Any, Any]] = []  # ticks and levels of each name
    for name, motor in capture.motors.items():
        a, b = np.searchsorted(motor.rise, (first, last))
        rise, fall = motor.rise[a:b], motor.rise[a:b] + motor.width[a:b]
        ticks = np.stack([rise, fall], axis=1).ravel()
        names.append(f"{name}_step")
        changes.append((ticks, np.tile(np.array([1, 0]), b - a)))
        names.append(f"{name}_dir")
        turns = _from(motor.turn_tick, motor.turn_direction > 0, first, last)
        if b > a and (not len(turns[0]) or turns[0][0] > rise[0]):  # as it stood before any turn
            at, way = np.array([first]), np.array([motor.direction[a] > 0], np.int8)
            turns = np.concatenate([at, turns[0]]), np.concatenate([way, turns[1]])
        changes.append(turns)
    for group in (capture.outputs, capture.inputs):
        for name, signal in group.items():
            names.append(name)
            changes.append(_from(signal.tick, signal.value > 0, first, last))
    marks = [_mark(i) for i in range(len(names))]
    with open(path, "w", encoding="ascii") as file:
        file.write("$comment microfactory capture, 1 unit = 100 ns $end\n$timescale 100 ns $end\n")
        file.write("$scope module board $end\n")
        for name, mark in zip(names, marks, strict=True):
            file.write(f"$var wire 1 {mark} {name} $end\n")
        file.write("$upscope $end\n$enddefinitions $end\n")
        return _events(file, marks, changes, first, capture.tick_hz)


def _events(file: Any, marks: list[str], changes: list[Any], first: int, hz: int) -> int:
    ticks = np.concatenate([t for t, _ in changes])
    levels = np.concatenate([np.asarray(v, np.int8) for _, v in changes])
    which = np.concatenate([np.full(len(t), i) for i, (t, _) in enumerate(changes)])
    order = np.argsort(ticks, kind="stable")
    units = np.round((ticks[order] - first) / (hz * UNIT_S)).astype(np.int64)
    file.write("#0\n" + "".join(f"0{mark}\n" for mark in marks))
    now = 0
    for unit, i, level in zip(
        units.tolist(), which[order].tolist(), levels[order].tolist(), strict=True
    ):
        if unit != now:
            file.write(f"#{unit}\n")
            now = unit
        file.write(f"{level}{marks[i]}\n")
    return len(order)


def _from(ticks: Any, levels: Any, first: int, last: int) -> tuple[Any, Any]:
    """Changes inside the stretch, and the level in force at its start."""
    a, b = np.searchsorted(ticks, (first, last))
    inside, values = ticks[a:b], np.asarray(levels[a:b], np.int8)
    if a > 0:
        inside = np.concatenate([[first], inside])
        values = np.concatenate([[np.int8(levels[a - 1])], values])
    return inside, values


def _mark(i: int) -> str:
    """Short name of a variable: printable characters from `!` on."""
    mark = ""
    i += 1
    while i:
        i, digit = divmod(i - 1, 90)
        mark += chr(35 + digit)
    return mark
