"""A probe in memory, wired to a board in memory: what the host's end is tried with everywhere.

It answers the probe's requests from the pins of a virtual board, with the times and losses of the
real watcher (mfprobe.pio): looks four clocks apart, six for a change. The firmware itself runs on
the emulated chip (hil/emulated/pair.py).
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

from hil.probe.client import framed
from hil.probe.edges import CHANGE_TICKS, COUNT_TICKS, LOOK_TICKS, SEEN_TICKS, TICK_HZ
from hil.probe.loopback import played
from hil.probe.probe import SUPPLY_V
from hil.probe.twin_count import count
from hil.probe.twin_pins import Pins
from hil.rigs.rigfile import RigFile
from mfprobe import state, words
from mfwire.frames import Decoder

LOW, HIGH, DUTY = words.LOW, words.HIGH, words.DUTY
UID = bytes(range(8))


class ProbeTwin:
    """The host's link to it. board: a VirtualLink with a capture. ppm: of its clock."""

    def __init__(self, board: Any, rig: RigFile, ppm: float = 0.0) -> None:
        self.board = board
        self.rig = rig
        self.fast = 1 + ppm / 1e6
        self._decoder = Decoder()
        self._out = bytearray()
        self._pins = Pins(board, rig)
        self._motors: list[tuple[int, int, int]] = []
        self._begin(0)
        self._running = False

    # ---- a link

    def write(self, data: bytes) -> None:
        """Requests, answered at once."""
        at = 0
        while at < len(data):
            at = self._decoder.feed(data, at, len(data))
            if self._decoder.length:
                self._answer(bytes(self._decoder.payload[: self._decoder.length]))

    def read(self, timeout_s: float) -> bytes:
        """What was answered; else the board lives so long."""
        if not self._out:
            self.board.port.run_until(self.board.port.tick + max(1, round(timeout_s * TICK_HZ)))
        data = bytes(self._out)
        self._out.clear()
        return data

    def now_s(self) -> float:
        return float(self.board.now_s())

    def close(self) -> None:
        """Unplug."""

    # ---- what it sees

    def _begin(self, mask: int) -> None:
        """Forget; look at these pins from now on."""
        self._mask = mask
        self._zero = self._done = self.board.port.tick
        self._ticks = [0]
        self._states = [0]

    def _see(self) -> None:
        """Take in what the pins did before now."""
        now = self.board.port.tick
        if not self._running or now <= self._done:
            return
        level = self._states[-1]
        for tick, gpio, high in self._pins.changes(self._done, now, first=self._done == self._zero):
            if not self._mask >> gpio & 1:
                continue
            at = round((tick - self._zero) * self.fast)
            level = level & ~(1 << gpio) | high << gpio
            if len(self._ticks) > 1 and at <= self._ticks[-1]:
                self._states[-1] = level
            elif level != self._states[-1]:
                look = self._ticks[-1] + CHANGE_TICKS
                look += max(0, -(-(at - look) // LOOK_TICKS)) * LOOK_TICKS
                self._ticks.append(look)
                self._states.append(level)
        self._done = now

    # ---- requests

    def _answer(self, request: bytes) -> None:
        kind, number, body = request[0], request[1], request[2:]
        answer = getattr(self, f"_on_{NAMES.get(kind, 'nothing')}", None)
        reply = answer(body) if answer else None
        head = bytes([kind | words.REPLY if reply is not None else words.NO_SUCH, number, 0])
        self._out += framed(head + bytes([self._running]) + (reply or b""))

    def _on_identify(self, _body: bytes) -> bytes:
        return UID + struct.pack("<BI", 25, TICK_HZ // COUNT_TICKS) + b"mfprobe twin"

    def _on_start(self, body: bytes) -> bytes:
        pins, *_trigger, motors = struct.unpack_from("<BBIIIB", body)
        self._motors = [tuple(body[15 + 3 * m : 18 + 3 * m]) for m in range(motors)]  # type: ignore[misc]
        self._begin((1 << pins) - 1)
        self._running = True
        return self._clock()

    def _clock(self) -> bytes:
        return struct.pack("<Q", round(self.board.port.tick * self.fast * 1e6 / TICK_HZ))

    def _on_clock(self, _body: bytes) -> bytes:
        return self._clock()

    def _on_status(self, _body: bytes) -> bytes:
        self._see()
        total, last = len(self._ticks), _count(self._ticks[-1])
        return struct.pack("<7I", total, total, last & 0xFFFFFFFF, last >> 32, 0, 0, 0)

    def _on_stop(self, body: bytes) -> bytes:
        reply = self._on_status(body)
        self._running = False
        return reply

    def _on_read(self, body: bytes) -> bytes:
        first, most = struct.unpack("<IB", body)
        n = max(0, min(most, words.READ_MOST, len(self._ticks) - first))
        part = slice(first, first + n)
        counts = [~_count(tick) & 0xFFFFFFFF for tick in self._ticks[part]]
        head = struct.pack("<IIB", first, len(self._ticks), n)
        return head + struct.pack(f"<{2 * n}I", *self._states[part], *counts)

    def _on_gaps(self, _body: bytes) -> bytes:
        wraps = np.diff([_count(tick) >> 32 for tick in self._ticks])
        far = [(i + 1, int(n) - 1) for i, n in enumerate(wraps) if n > 1][: state.GAPS]
        return bytes([len(far)]) + b"".join(struct.pack("<II", *row) for row in far)

    def _on_counters(self, body: bytes) -> bytes | None:
        self._see()
        if body[0] >= len(self._motors):
            return bytes(4 * state.MOTOR_WORDS)
        return count(np.array(self._ticks), np.array(self._states), self._motors[body[0]])

    def _on_levels(self, _body: bytes) -> bytes:
        return struct.pack("<I", self._pins.levels())

    def _on_set(self, body: bytes) -> bytes:
        gpio, mode, value = struct.unpack("<BBH", body)
        for channel in self.rig.channels:
            if channel.gpio == gpio:
                self._pins.play(channel, mode, value / 65535 * SUPPLY_V)
        return b""

    def _on_loop(self, body: bytes) -> bytes | None:
        if self.rig.loop is None or self.rig.loop[0].gpio != body[0]:
            return b""
        begin = self.board.port.tick + TICK_HZ // 100_000
        ticks = begin + np.rint(played(body[1]) / self.fast).astype(np.int64)
        self._pins.loop(self.rig.loop[1].gpio, ticks)
        self.board.port.run_until(int(ticks[-1]) + TICK_HZ // 100_000)
        return b""


def _count(tick: int) -> int:
    """What the clock counts when a change of that tick is seen."""
    return -(-(tick + SEEN_TICKS) // COUNT_TICKS) if tick else 0


NAMES = {
    number: name.lower()
    for name, number in vars(words).items()
    if name
    in ("IDENTIFY", "START", "STOP", "READ", "COUNTERS", "SET", "CLOCK", "GAPS", "STATUS", "LEVELS",
        "LOOP")
}  # fmt: skip
