"""Levels of a board's lines, as a probe sees them, into a Capture: pulses, turns, outputs, runs.

A line has the name that the board's page gives it: M1.STEP, M1.DIR, OUT1, GATE. Ticks are the
probe's; what the pins cannot tell (which start a pulse belongs to) comes off the wire.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hil.capture import Capture, CaptureBuilder
from hil.rigs.rigfile import RigFile
from hil.rigs.told import Told
from microfactory import Machine

FULL = 65535
Levels = tuple[NDArray[np.int64], NDArray[np.int64]]  # ticks (ascending) and levels from then on
NOTHING: Levels = (np.zeros(0, np.int64), np.zeros(0, np.int64))


def names_of_pins(machine: Machine) -> dict[int, str]:
    """GPIO of the board to the name of its line."""
    out = {}
    for connector, pins in machine.board.pins:
        if len(pins) == 2:
            out[pins[0]], out[pins[1]] = f"{connector}.STEP", f"{connector}.DIR"
        else:
            out[pins[0]] = connector
    return out


def lines_of_channels(rig: RigFile, edges: Mapping[int, Levels]) -> dict[str, Levels]:
    """What a probe saw at its own pins, by GPIO, as levels of the board's lines."""
    out = {}
    for channel in rig.channels:
        if channel.direction == "listen" and channel.gpio in edges:
            ticks, levels = edges[channel.gpio]
            out[channel.line] = (ticks, 1 - levels if channel.invert else levels)
    return out


def to_capture(
    machine: Machine, lines: Mapping[str, Levels], tick_hz: int, end_tick: int, told: Told | None
) -> Capture:
    """Everything seen on the lines until end_tick. told: whose runs are wanted too.

    ValueError: edges that do not ascend.
    """
    builder = CaptureBuilder(tick_hz, [motor.name for motor in machine.motors])
    signed = []
    for m, motor in enumerate(machine.motors):
        step = changes(lines.get(f"{motor.connector}.STEP", NOTHING))
        direction = changes(lines.get(f"{motor.connector}.DIR", NOTHING))
        way = np.where(direction[1] == (0 if motor.invert else 1), 1, -1)
        rise, width = pulses(step)
        at_rest = 1 if motor.invert else -1  # a pin that was never high
        before = np.searchsorted(direction[0], rise, side="right")
        ways = np.concatenate([[at_rest], way])[before]
        builder.steps(m, rise, width, ways)
        builder.turns(m, direction[0], way)
        signed.append((rise, ways))
    for output in machine.outputs:
        line = changes(lines.get(output.connector, NOTHING))
        ticks, values = duties(line, end_tick) if output.kind != "switch" else line
        for tick, value in zip(ticks.tolist(), values.tolist(), strict=True):
            builder.output(output.name, tick, value if output.kind != "switch" else value * FULL)
    if told is not None:
        gate = changes(lines.get("GATE", NOTHING))
        _runs(builder, gate[0][gate[1] == 1], told, signed, tick_hz)
    builder.end(end_tick)
    return builder.build()


def changes(line: Levels) -> Levels:
    """Only where the level is another than before; before the first it is low."""
    ticks, levels = line
    kept = np.diff(levels, prepend=0) != 0
    return ticks[kept], levels[kept]


def pulses(line: Levels) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rises and widths of all whole pulses."""
    ticks, levels = line
    rise, fall = ticks[levels == 1], ticks[levels == 0]
    rise = rise[: len(fall)]
    return rise, fall[: len(rise)] - rise


def duties(line: Levels, end_tick: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Duties 0 to 65535 from each tick on, period by period; only changes are given.

    A level that stays for more than two periods counts as what it is: all or nothing.
    """
    ticks, levels = line
    rise, width = pulses(line)
    if len(rise) < 2:
        return ticks, levels * FULL
    regular = int(np.median(np.diff(rise)))
    rows: list[tuple[int, int]] = []
    ends = [*rise[1:].tolist(), int(ticks[-1]) if levels[-1] else end_tick]
    for at, wide, following in zip(rise.tolist(), width.tolist(), ends, strict=True):
        period = following - at if following < end_tick else regular
        held = following - at > 2 * regular
        if wide > 2 * regular:
            rows.append((at, FULL))
        else:
            rows.append((at, round(FULL * min(1.0, wide / (regular if held else period)))))
        if held:
            rows.append((at + wide, 0))
    if levels[-1]:
        last = int(ticks[-1])
        rows.append((last, FULL if end_tick - last > 2 * regular else rows[-1][1]))
    at_ticks, values = np.array(rows, np.int64).T
    kept = np.diff(values, prepend=-1) != 0
    return at_ticks[kept], values[kept]


def _runs(
    builder: CaptureBuilder, begins: NDArray[np.int64], told: Told, signed: Any, tick_hz: int
) -> None:
    """Each opening of the gate with the START that it answers; without one it is a retreat."""
    starts = list(told.starts)
    for begin in begins.tolist():
        before = [start for start in starts if round(start.at_s * tick_hz) <= begin]
        starts = starts[len(before) :]
        kind, window = "retreat", -1
        if before:
            kind, window = ("guarded" if before[-1].guarded else "motion"), before[-1].window
        builder.run(begin, kind, _counts(begin, told, signed, tick_hz), window)


def _counts(begin: int, told: Told, signed: Any, tick_hz: int) -> list[int]:
    """Each motor's count at a tick: what it was last told, and the steps since."""
    out = []
    for m, (rise, ways) in enumerate(signed):
        known = [p for p in told.positions if p.motor == m and round(p.at_s * tick_hz) <= begin]
        since = round(known[-1].at_s * tick_hz) if known else 0
        a, b = np.searchsorted(rise, (since, begin))
        out.append((known[-1].steps if known else 0) + int(ways[a:b].sum()))
    return out
