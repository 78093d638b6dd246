"""Windows of a job file into edges, by docs/protocol.md alone, and their verdict.

Words of a segment: iv = (interval << 10) + 512, d = first << 2 + 3 scale; count times a word of
iv >> 10 ticks, iv += d, d += second << 5 scale. A pulse rises `pulse_ticks` before a word ends.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hil.capture import Capture, CaptureBuilder
from hil.verify.verdict import Report

HEAD = struct.Struct("<5I4H")
MOTOR = struct.Struct("<i2H")
CHANGE = struct.Struct("<I2H")
AS_BEFORE = 65535  # instead of a count: the list of the motor before
TOGETHER = 128  # windows expanded at a time
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
    segments: list[NDArray[np.uint32]] = []
    for _, main, _ in heads:
        if main == AS_BEFORE and segments:
            segments.append(segments[-1])
            continue
        segments.append(np.frombuffer(body, "<u4", 2 * main, at).reshape(-1, 2))
        at += 8 * main
    at += 8 * sum(tail for _, _, tail in heads if tail != AS_BEFORE)
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
    scale = w0 >> 9 & 3
    first, second = first << 2 + 3 * scale, second << 5 * scale
    start = ((w0 >> 11) << 10) + 512
    iv = start[of] + k * first[of] + (k * (k - 1) // 2) * second[of]
    lasts = (iv & 0xFFFFFFFF) >> 10
    end = np.cumsum(lasts)
    way = np.where(w0 & 1, 1, -1).astype(np.int8)
    return Words(end, ((w0 >> 1) & 1).astype(bool)[of], way[of], end - lasts)


def to_capture(bodies: Iterable[bytes], machine: Any, tick_hz: int = 125_000_000) -> Capture:
    """Edges that a board makes of whole runs of windows. ValueError: a window does not fit."""
    names = [motor.name for motor in machine.motors]
    player = _Player(CaptureBuilder(tick_hz, names), len(names), machine.pulse_ticks(tick_hz))
    zero = end = 0
    first = True
    for body in bodies:
        window = decode(body)
        if first:
            player.play()
            zero = end + int(BETWEEN_S * tick_hz) - window.begin
            player.builder.run(zero + window.begin, "motion", window.start_steps, window.number)
        elif zero + window.begin != end:
            raise ValueError(f"window {window.number} does not begin where the last one ends")
        player.add(window, zero + window.begin, first=first)
        for tick, output, value in window.changes:
            _change(player.builder, machine, zero + window.begin + tick, output, value)
        end = zero + window.begin + window.length
        first = window.last
    player.play()
    player.builder.end(end)
    return player.builder.build()


class _Player:
    """Plays windows of one run, many at a time: their lists follow on one another."""

    def __init__(self, builder: CaptureBuilder, motors: int, pulse_ticks: int) -> None:
        self.builder = builder
        self._pulse = pulse_ticks
        self._held: list[tuple[Window, int]] = []
        self._level = [0] * motors
        self._steps = [0] * motors

    def add(self, window: Window, begin: int, *, first: bool) -> None:
        if first:
            self._steps = list(window.start_steps)
        self._held.append((window, begin))
        if len(self._held) >= TOGETHER:
            self.play()

    def play(self) -> None:
        """Expand and hand over all that is held. ValueError: a window does not fit."""
        for motor in range(len(self._level)):
            if self._held:
                self._motor(motor)
        self._held = []

    def _motor(self, motor: int) -> None:
        lists = [window.segments[motor] for window, _ in self._held]
        lengths = [window.length for window, _ in self._held]
        all_words = words(np.concatenate(lists))
        counts = [int((part[:, 0] >> 2 & 127).sum()) for part in lists]
        way = np.where(all_words.step, all_words.way, 0)
        made = np.concatenate([[0], np.cumsum(way, dtype=np.int64)])
        last_words = np.cumsum(counts)
        ends = np.cumsum(lengths)
        for i, (window, _) in enumerate(self._held):
            before = last_words[i] - counts[i]
            here = self._steps[motor] + int(made[before])
            if window.start_steps[motor] != here:
                raise ValueError(f"window {window.number}, motor {motor}: does not start at {here}")
            if counts[i] % 16 or not counts[i] or all_words.end[last_words[i] - 1] != ends[i]:
                raise ValueError(f"window {window.number}, motor {motor}: no whole chunks")
        if int((all_words.end - all_words.begin).min()) < 8:
            raise ValueError(f"motor {motor}: a word of less than 8 ticks")
        self._steps[motor] += int(made[-1])
        zero = self._held[0][1]
        shown = np.concatenate([[self._level[motor]], all_words.way])
        turns = np.flatnonzero(shown[1:] != shown[:-1])
        self.builder.turns(motor, zero + all_words.begin[turns], all_words.way[turns])
        self._level[motor] = int(all_words.way[-1])
        rise = zero + all_words.end[all_words.step] - self._pulse
        self.builder.steps(motor, rise, self._pulse, all_words.way[all_words.step])


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
