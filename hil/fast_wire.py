"""The virtual rig's decoder: that of mfwire.frames, a whole frame at a time by slices."""

from __future__ import annotations

from typing import Any

from mfwire.frames import FRAME_BYTES, Decoder


class SliceDecoder(Decoder):
    """Same answers as mfwire.frames.Decoder. A frame that comes in pieces goes the plain way."""

    def feed(self, data: Any, begin: int, end: int) -> int:
        """Read from begin until a frame is whole or the bytes end; where reading stopped."""
        self.length = 0
        at = begin
        while at < end:
            zero = -1
            if not (self._at or self._left or self._zero or self._lost):
                zero = data.find(0, at, end)
            if not 0 < zero - at <= FRAME_BYTES:
                return super().feed(data, at, end)
            self._unstuff(data, at, zero)
            at = zero + 1
            if self._finish():
                return at
        return at

    def _unstuff(self, data: Any, at: int, end: int) -> None:
        """One frame without its zero: payload and checksum, or that it is lost."""
        out = bytearray()
        while at < end:
            code = data[at]
            out += data[at + 1 : at + code]
            at += code
            if at < end and code != 255:
                out.append(0)
        self._left = at - end
        self._zero = True  # it is not empty
        self._lost = len(out) > FRAME_BYTES - 2
        if not self._lost:
            self._at = len(out)
            self.payload[: len(out)] = out
