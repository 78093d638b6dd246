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
from hil.rigs.starts import Begun, Clock, Place, of_gate, of_silences, silence
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
        if channel.direction == "listen":
            ticks, levels = edges.get(channel.gpio, NOTHING)
            if channel.invert:
                levels = 1 - levels
                if not len(ticks) or ticks[0]:  # a pin that was never high is a line that was
                    ticks, levels = np.insert(ticks, 0, 0), np.insert(levels, 0, 1)
            out[channel.line] = (ticks, levels)
    return out


def to_capture(
    machine: Machine,
    lines: Mapping[str, Levels],
    tick_hz: int,
    end_tick: int,
    told: Told | None,
    clock: Clock | None = None,
    error_ticks: int = 0,
) -> Capture:
    """Everything seen on the lines until end_tick. told: whose runs are wanted too; clock: its
    times in ticks, None: they are exact. Where the gate is not wired, a start lies in the silence
    that the clock says, and retreats are not told apart. ValueError: edges that do not ascend.
    """
    builder = CaptureBuilder(tick_hz, [motor.name for motor in machine.motors], error_ticks)
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
        is_switch = output.kind == "switch"
        ticks, values = line if is_switch else duties(line, end_tick, error_ticks)
        for tick, value in zip(ticks.tolist(), values.tolist(), strict=True):
            builder.output(output.name, tick, value * FULL if is_switch else value)
    if told is not None:
        place: Place = lambda seconds: round(seconds * tick_hz)  # noqa: E731
        if clock is not None:
            place = silence(np.sort(np.concatenate([rise for rise, _ in signed])), clock)
        if "GATE" in lines:
            gate = changes(lines["GATE"])
            runs = of_gate(told.starts, gate[0][gate[1] == 1].tolist(), place)
        else:
            runs = of_silences(told.starts, place)
        for run in runs:
            builder.run(run.tick, run.kind, _counts(run, told, signed, place), run.window)
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


def duties(
    line: Levels, end_tick: int, error_ticks: int = 0
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Duties 0 to 65535 from each tick on, period by period; only changes are given, those that
    edges off by error_ticks would make left out.

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
    slack = round(2 * FULL * error_ticks / regular)
    kept, last = [], -1 - slack
    for i, value in enumerate(values.tolist()):
        if abs(value - last) > slack or (value != last and value in (0, FULL)):
            kept.append(i)
            last = value
    return at_ticks[kept], values[kept]


def _counts(run: Begun, told: Told, signed: Any, place: Place) -> list[int]:
    """Each motor's count when a run begins: what it was last told, and the steps since."""
    out = []
    for m, (rise, ways) in enumerate(signed):
        mine = [p for p in told.positions if p.motor == m and p.at_s <= run.at_s]
        if run.kind == "retreat":  # nobody asked for it: what was told before its tick counts
            mine = [p for p in mine if place(p.at_s) <= run.tick]
        since = place(mine[-1].at_s) if mine else 0
        a, b = np.searchsorted(rise, (since, run.tick))
        out.append((mine[-1].steps if mine else 0) + int(ways[a:b].sum()))
    return out
