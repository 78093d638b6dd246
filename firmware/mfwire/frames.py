"""Frames: COBS(payload + CRC-32) + 0x00, at most 512 bytes in all.

`Decoder.feed` takes bytes in pieces of any size; `encode_into` writes one frame. Neither allocates.
After damage the decoder is in step again with the next zero byte.
"""

from mfwire.crc import Crc

FRAME_BYTES = 512  # with the zero at its end
PAYLOAD_BYTES = 502  # 512 less the zero, less the checksum, less the COBS bytes (1 in 254)


class Decoder:
    """Bytes to payloads. After feed returns, `payload[:length]` holds one when length > 0."""

    def __init__(self, crc: "Crc | None" = None) -> None:
        self.payload = bytearray(FRAME_BYTES)
        self.length = 0
        self.bad = 0  # damaged frames so far, modulo 2^16
        self._crc = crc or Crc()
        self._at = 0  # bytes of the frame being read
        self._left = 0  # bytes until the next COBS code
        self._zero = False  # a zero stands before the next block
        self._lost = False  # skip to the next zero

    def feed(self, data: "bytearray | memoryview | bytes", begin: int, end: int) -> int:
        """Read from begin until a frame is whole or the bytes end; where reading stopped."""
        self.length = 0
        payload = self.payload
        i = begin
        while i < end:
            c = data[i]
            i += 1
            if c == 0:
                if self._finish():
                    return i
            elif self._lost:
                pass
            elif self._left == 0:
                if self._zero:
                    self._put(0)
                self._left = c - 1
                self._zero = c != 255
            else:
                n = self._left
                if n > end - i + 1:
                    n = end - i + 1
                at = self._at
                if at + n > FRAME_BYTES - 2:
                    self._lost = True
                else:
                    payload[at] = c
                    at += 1
                    k = 1
                    while k < n:
                        c = data[i]
                        if c == 0:
                            break
                        payload[at] = c
                        at += 1
                        i += 1
                        k += 1
                    self._at = at
                    self._left -= k
        return i

    def _put(self, c: int) -> None:
        if self._at >= FRAME_BYTES - 2:
            self._lost = True
        else:
            self.payload[self._at] = c
            self._at += 1

    def _finish(self) -> bool:
        """A zero came: True when a whole, undamaged frame is there."""
        at = self._at
        empty = at == 0 and self._left == 0 and not self._zero and not self._lost
        good = False
        if not self._lost and self._left == 0 and at >= 5:
            crc = self._crc
            p = self.payload
            n = at - 4
            crc.reset()
            crc.feed(p, 0, n)
            good = (
                crc.value_low() == p[n] | p[n + 1] << 8
                and crc.value_high() == p[n + 2] | p[n + 3] << 8
            )
            if good:
                self.length = n
        if not good and not empty:
            self.bad = (self.bad + 1) & 0xFFFF
        self._at = 0
        self._left = 0
        self._zero = False
        self._lost = False
        return good


def encode_into(out: bytearray, payload: "bytearray | memoryview", length: int, crc: Crc) -> int:
    """Frame payload[:length] into out; bytes written. payload must have room for 4 more bytes.

    length is at most PAYLOAD_BYTES; out holds FRAME_BYTES.
    """
    crc.reset()
    crc.feed(payload, 0, length)
    low = crc.value_low()
    high = crc.value_high()
    payload[length] = low & 255
    payload[length + 1] = low >> 8
    payload[length + 2] = high & 255
    payload[length + 3] = high >> 8
    total = length + 4
    code_at = 0
    at = 1
    code = 1
    i = 0
    while i < total:
        c = payload[i]
        i += 1
        if c == 0:
            out[code_at] = code
            code_at = at
            at += 1
            code = 1
        else:
            out[at] = c
            at += 1
            code += 1
            if code == 255:
                out[code_at] = code
                code_at = at
                at += 1
                code = 1
    if code == 1 and code_at == at - 1 and total and payload[total - 1] != 0:
        at -= 1  # the last block was full: no empty one behind it
    else:
        out[code_at] = code
    out[at] = 0
    return at + 1
