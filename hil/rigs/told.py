"""What the host told the board: starts of motion and positions, read off the wire.

Pins alone do not say which start a pulse belongs to, nor which place the board calls zero.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from hil.rig_virtual import ZlibCrc
from mfwire.frames import Decoder
from mfwire.messages import unpack, well_formed


class Start(NamedTuple):
    """A START on the wire: when (s of the link's clock), whether inputs guard it, its window."""

    at_s: float
    guarded: bool
    window: int


class Position(NamedTuple):
    """A POSITION on the wire: from now on this motor's count is `steps`."""

    at_s: float
    motor: int
    steps: int


class Told:
    """A tap on the bytes to the board. link: whose clock is noted."""

    def __init__(self, link: Any) -> None:
        self.starts: list[Start] = []
        self.positions: list[Position] = []
        self._link = link
        self._decoder = Decoder(ZlibCrc())
        self._guarded = False
        self._last: tuple[int, int] | None = None  # connect id and sequence of the last message

    def __call__(self, data: bytes) -> bytes:
        at = 0
        while at < len(data):
            at = self._decoder.feed(data, at, len(data))
            if self._decoder.length:
                self._take(self._decoder.payload, self._decoder.length)
        return data

    def _take(self, payload: bytearray, length: int) -> None:
        if not well_formed(payload, length):
            return
        message: dict[str, Any] = unpack(payload, length)
        name = message["name"].decode()
        if name not in ("RESET", "GUARD", "START", "POSITION") or self._again(payload):
            return
        now = self._link.now_s()
        if name == "RESET":
            self._guarded = False
        elif name == "GUARD":
            self._guarded = True
        elif name == "START":
            self.starts.append(Start(now, self._guarded, message["number"]))
        else:
            self.positions.append(Position(now, message["motor"], message["steps"]))

    def _again(self, payload: bytearray) -> bool:
        """A message that is sent again counts once."""
        sequence = payload[2] | payload[3] << 8
        connect = int.from_bytes(payload[4:8], "little")
        if self._last and self._last[0] == connect:
            ahead = (sequence - self._last[1]) & 0xFFFF
            if not 1 <= ahead < 0x8000:
                return True
        self._last = (connect, sequence)
        return False
