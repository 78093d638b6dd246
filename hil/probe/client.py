"""The host's end of the probe's serial port: asks, repeats what was lost, reads what was seen."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from hil.probe import counters
from hil.probe.clock import ClockError
from hil.probe.edges import FROZEN, Edges, losses, ticks_of
from mfprobe import state, words
from mfwire.crc import Crc
from mfwire.frames import FRAME_BYTES, Decoder, encode_into
from microfactory import LinkError

ASK_S = 0.25
TRIES = 8
TOGETHER = 6  # requests for words on their way: their replies fit into its buffer
MODULO = 1 << 30


class Trigger(NamedTuple):
    """Where a capture stops by itself: `after` changes after the pins of mask became value."""

    mask: int
    value: int
    after: int = state.RING_WORDS // 2


class Motor(NamedTuple):
    """A motor whose steps the probe counts; GPIOs of the probe. invert: low counts up."""

    step: int
    direction: int
    invert: bool = False


class Identity(NamedTuple):
    """Of a probe: its chip's number in hex, its firmware, pins it can watch, counts a second."""

    uid: str
    version: str
    pins_max: int
    count_hz: int


class Status(NamedTuple):
    """How far a capture is; indices of words modulo 2^30, the count of the last one."""

    flags: int
    running: bool
    total: int
    scanned: int
    last: int
    fired: int
    lost: int
    longest_us: int


class Client:
    """Requests and replies over a link (write, read, now_s)."""

    def __init__(self, link: Any) -> None:
        self.link = link
        self._decoder = Decoder()
        self._number = 0
        self._flags = 0
        self._running = False

    def ask(self, kind: int, body: bytes = b"") -> bytes:
        """A reply's body. LinkError: none came. ValueError: the probe does not do this."""
        return self.ask_all(kind, [body])[0]

    def ask_all(self, kind: int, bodies: Sequence[bytes]) -> list[bytes]:
        """Replies to several requests that are on their way together; what was lost is repeated.

        LinkError: one never came. ValueError: the probe does not do this.
        """
        frames = {}
        order = []
        for body in bodies:
            self._number = (self._number + 1) & 255
            frames[self._number] = framed(bytes([kind, self._number]) + body)
            order.append(self._number)
        replies: dict[int, bytes] = {}
        for _ in range(TRIES):
            self.link.write(b"".join(frames[n] for n in order if n not in replies))
            until_s = self.link.now_s() + ASK_S
            while self.link.now_s() < until_s:
                for reply in self._heard(until_s - self.link.now_s()):
                    if reply[1] not in frames:
                        continue
                    if reply[0] != kind | words.REPLY:
                        raise ValueError(f"the probe refused request {kind}")
                    self._flags, self._running = reply[2], bool(reply[3])
                    replies[reply[1]] = reply[4:]
                if len(replies) == len(frames):
                    return [replies[n] for n in order]
        raise LinkError(
            "the probe does not answer; nothing is known of the board's lines; look at its cable, "
            "and whether its firmware is on it (docs/probe.md)"
        )

    def _heard(self, timeout_s: float) -> list[bytes]:
        data = self.link.read(timeout_s)
        out, at = [], 0
        while at < len(data):
            at = self._decoder.feed(data, at, len(data))
            if self._decoder.length >= 4:
                out.append(bytes(self._decoder.payload[: self._decoder.length]))
        return out

    def identity(self) -> Identity:
        """Who answers."""
        body = self.ask(words.IDENTIFY)
        pins, hz = struct.unpack_from("<BI", body, 8)
        return Identity(body[:8].hex(), body[13:].decode(), pins, hz)

    def start(self, pins: int, motors: Sequence[Motor], trigger: Trigger | None) -> int:
        """Capture from now on; the probe's microseconds at tick 0."""
        mask, value, after = trigger or Trigger(0, 0)
        body = struct.pack("<BBIIIB", pins, trigger is not None, mask, value, after, len(motors))
        body += b"".join(bytes((m[0], m[1], bool(m[2]))) for m in motors)
        return int.from_bytes(self.ask(words.START, body)[:8], "little")

    def status(self, *, stop: bool = False) -> Status:
        """How far it is."""
        body = self.ask(words.STOP if stop else words.STATUS)
        total, scanned, low, high, fired, lost, longest = struct.unpack_from("<7I", body)
        last = low | high << 32
        return Status(self._flags, self._running, total, scanned, last, fired, lost, longest)

    def take(self, first: int, count: int) -> list[tuple[int, int, Any, Any]]:
        """(first, total, levels, counts) of words from index first on, piece by piece: as many
        as are asked for together, at most `count`.
        """
        pieces = range(0, min(count, TOGETHER * words.READ_MOST), words.READ_MOST)
        asked = [
            struct.pack("<IB", (first + at) % MODULO, min(count - at, words.READ_MOST))
            for at in pieces
        ]
        out = []
        for body in self.ask_all(words.READ, asked):
            index, total, n = struct.unpack_from("<IIB", body)
            both = np.frombuffer(body, "<u4", 2 * n, 9)
            out.append((index, total, both[:n], both[n:]))
        return out

    def gaps(self) -> list[tuple[int, int]]:
        """(index of the word after a long silence, further wraps of the count)."""
        body = self.ask(words.GAPS)
        return [struct.unpack_from("<II", body, 1 + 8 * i) for i in range(body[0])]  # type: ignore[misc]

    def counters(self, motor: int, hz: int) -> counters.Counters:
        """Of one motor."""
        return counters.read(self.ask(words.COUNTERS, bytes([motor])), hz)

    def levels(self) -> int:
        """All pins as they are now; bit g is GPIO g."""
        return int.from_bytes(self.ask(words.LEVELS)[:4], "little")

    def loop(self, gpio: int, bursts: int) -> None:
        """Bursts on a pin (mfprobe.pio)."""
        self.ask(words.LOOP, bytes((gpio, bursts)))

    def set(self, gpio: int, mode: int, value: int = 0) -> None:
        """One pin."""
        self.ask(words.SET, struct.pack("<BBH", gpio, mode, value))

    def clock(self, error: ClockError) -> int:
        """One more comparison of the clocks; the probe's microseconds."""
        before_s = self.link.now_s()
        us = int.from_bytes(self.ask(words.CLOCK)[:8], "little")
        error.add(before_s, self.link.now_s(), us)
        return us


def framed(payload: bytes) -> bytes:
    """A request as it goes over the wire."""
    frame = bytearray(FRAME_BYTES)
    length = encode_into(frame, bytearray(payload) + bytes(4), len(payload), Crc())
    return bytes(frame[:length])


class Reader:
    """Takes the words of a running capture, in order, as long as they stand in the ring."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.first = 0  # index of the first word that was kept
        self.next = 0
        self.gone = False  # words were overwritten before they were read
        self._levels: list[Any] = []
        self._counts: list[Any] = []

    def read(self, total: int, within_s: float = math.inf) -> None:
        """All words before index total that are still there; the rest later when it takes longer
        than within_s.
        """
        until_s = self.client.link.now_s() + within_s
        while (total - self.next) % MODULO:
            oldest = total - state.RING_WORDS
            if (total - self.next) % MODULO > state.RING_WORDS:
                self._begin(oldest % MODULO)
            pieces = self.client.take(self.next, (total - self.next) % MODULO)
            for index, behind, levels, counts in pieces:
                if index != self.next:
                    break  # the piece before was short
                if (behind - self.next) % MODULO > state.RING_WORDS:
                    self._begin((behind - state.RING_WORDS // 2) % MODULO)
                    total = behind
                    break
                self._levels.append(levels)
                self._counts.append(counts)
                self.next = (self.next + len(levels)) % MODULO
            if self.client.link.now_s() > until_s:
                return

    def _begin(self, index: int) -> None:
        """What was before is gone."""
        self.gone = True
        self.first = self.next = index
        self._levels.clear()
        self._counts.clear()

    def edges(self, status: Status, gaps: Any, ppm: float | None, end_tick: int) -> Edges:
        """What was read, with times. end_tick: it was watched so long at least."""
        levels = np.concatenate(self._levels or [np.zeros(0, np.uint32)])
        counts = np.concatenate(self._counts or [np.zeros(0, np.uint32)])
        last = None
        if self.gone and len(counts):
            scanned = (status.scanned - self.first) % MODULO
            since = (int(~counts[-1]) - int(~counts[scanned - 1])) % (1 << 32)
            last = status.last + since
        ticks = ticks_of(counts, self.first, gaps, last)
        fired = (status.fired - self.first) % MODULO
        has_fired = bool(status.flags & FROZEN) and fired < len(ticks)
        lost = losses(status.flags)
        if self.gone and not status.flags & FROZEN:
            lost += ("its first edges were overwritten before they were read",)
        return Edges(
            ticks[1:],  # the first word says only what was before
            levels[1:].astype(np.uint32),
            int(levels[0]) if len(levels) else 0,
            lost,
            max(int(ticks[-1]) if len(ticks) else 0, end_tick),
            int(ticks[fired]) if has_fired else None,
            ppm,
        )
