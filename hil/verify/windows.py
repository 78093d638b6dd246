"""Windows of a job file into edges, by docs/protocol.md alone, and their verdict.

The words of a segment: iv = (interval << 8) + 512, d = first << 2; count times: a word of iv >> 10
ticks, iv += d, d += second. A step word raises its pulse `pulse_ticks` before its end.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hil.capture import Capture, CaptureBuilder
from hil.verify.verdict import Report

HEAD = struct.Struct("<5I4H")
MOTOR = struct.Struct("<i2H")
CHANGE = struct.Struct("<I2H")
BETWEEN_S = 1.0  # rest put between two runs: a job file knows no waits


class Window(NamedTuple):
    """One window body: its numbers, and for each motor the segments of its main list."""

    number: int
    begin: int
    length: int
    last: bool
    start_steps: tuple[int, ...]
    segments: tuple[NDArray[np.uint32], ...]
    changes: tuple[tuple[int, int, int], ...]


class Words(NamedTuple):
    """Words of one motor: end tick from the list's start, step or wait, direction."""

    end: NDArray[np.int64]
    step: NDArray[np.bool_]
    way: NDArray[np.int8]
    begin: NDArray[np.int64]


def decode(body: bytes) -> Window:
    """A window body. ValueError: it cannot be one."""
    number, low, high, length, _, motors, changes, tail_changes, flags = HEAD.unpack_from(body)
    at = HEAD.size
    heads = [MOTOR.unpack_from(body, at + i * MOTOR.size) for i in range(motors)]
    at += motors * MOTOR.size
    rows = [CHANGE.unpack_from(body, at + i * CHANGE.size) for i in range(changes)]
    at += (changes + tail_changes) * CHANGE.size
    segments = []
    for _, main, _ in heads:
        segments.append(np.frombuffer(body, "<u4", 2 * main, at).reshape(-1, 2))
        at += 8 * main
    at += 8 * sum(tail for _, _, tail in heads)
    if at != len(body):
        raise ValueError(f"window {number}: {len(body)} bytes where its counts say {at}")
    starts = tuple(start for start, _, _ in heads)
    begin = (high << 30) + low
    return Window(number, begin, length, bool(flags & 1), starts, tuple(segments), tuple(rows))


def words(segments: NDArray[np.uint32]) -> Words:
    """All words of a list, expanded in closed form."""
    w0, w1 = segments[:, 0].astype(np.int64), segments[:, 1].astype(np.int64)
    count = w0 >> 2 & 127
    first = (w1 >> 12) - ((w1 >> 31) << 20)
    second = (w1 & 0xFFF) - ((w1 >> 11 & 1) << 12)
    of = np.repeat(np.arange(len(count)), count)
    k = np.arange(len(of)) - np.repeat(np.cumsum(count) - count, count)
    start = ((w0 >> 9) << 8) + 512
    iv = start[of] + k * (first << 2)[of] + (k * (k - 1) // 2) * second[of]
    lasts = (iv & 0xFFFFFFFF) >> 10
    end = np.cumsum(lasts)
    way = np.where(w0 & 1, 1, -1).astype(np.int8)
    return Words(end, ((w0 >> 1) & 1).astype(bool)[of], way[of], end - lasts)


def to_capture(bodies: Iterable[bytes], machine: Any, tick_hz: int = 125_000_000) -> Capture:
    """Edges that a board makes of whole runs of windows. ValueError: a window does not fit."""
    names = [motor.name for motor in machine.motors]
    builder = CaptureBuilder(tick_hz, names)
    pulse = machine.pulse_ticks(tick_hz)
    levels = [0] * len(names)
    zero = end = 0
    steps: list[int] = []
    first = True
    for body in bodies:
        window = decode(body)
        if first:
            zero = end + int(BETWEEN_S * tick_hz) - window.begin
            builder.run(zero + window.begin, "motion", window.start_steps, window.number)
            steps = list(window.start_steps)
        _expect(window, zero + window.begin == end or first, steps)
        begin = zero + window.begin
        for motor, segments in enumerate(window.segments):
            steps[motor] += _play(builder, motor, words(segments), begin, window, pulse, levels)
        for tick, output, value in window.changes:
            _change(builder, machine, begin + tick, output, value)
        end = begin + window.length
        first = window.last
    builder.end(end)
    return builder.build()


def _expect(window: Window, follows: bool, steps: Sequence[int]) -> None:
    if not follows:
        raise ValueError(f"window {window.number} does not begin where the one before it ends")
    if list(window.start_steps) != list(steps):
        raise ValueError(f"window {window.number} does not start where the one before it ended")


def _play(
    builder: CaptureBuilder,
    motor: int,
    list_: Words,
    begin: int,
    window: Window,
    pulse: int,
    levels: list[int],
) -> int:
    """Play one motor's list; returns the steps it makes."""
    if len(list_.end) % 16 or (len(list_.end) and int(list_.end[-1]) != window.length):
        raise ValueError(f"window {window.number}, motor {motor}: its words are not whole chunks")
    if len(list_.end) and int((list_.end - list_.begin).min()) < 8:
        raise ValueError(f"window {window.number}, motor {motor}: a word of less than 8 ticks")
    shown = np.concatenate([[levels[motor]], list_.way])
    turns = np.flatnonzero(shown[1:] != shown[:-1])
    builder.turns(motor, begin + list_.begin[turns], list_.way[turns])
    if len(list_.way):
        levels[motor] = int(list_.way[-1])
    rise = begin + list_.end[list_.step] - pulse
    builder.steps(motor, rise, pulse, list_.way[list_.step])
    return int(list_.way[list_.step].sum(dtype=np.int64))


def _change(builder: CaptureBuilder, machine: Any, tick: int, output: int, value: int) -> None:
    if output < len(machine.outputs):
        builder.output(machine.outputs[output].name, tick, value)
    else:
        builder.target(machine.heaters[output - len(machine.outputs)].name, tick, value / 10)


def verify_job(
    program: Any, machine: Any, windows: Iterable[bytes], tick_hz: int = 125_000_000, **options: Any
) -> Report:
    """Verdict over the very windows of a job; the options are those of `verify`."""
    from hil.verify.judge import verify

    bodies = (getattr(window, "data", window) for window in windows)
    return verify(program, machine, to_capture(bodies, machine, tick_hz), timed=False, **options)
