"""Viper twins of mfwire.crc, mfwire.frames and the copying of bytes: the same results, on the chip.

Tested equal to the plain ones on MicroPython (tests/board/test_fast.py). Integers in viper wrap at
32 bits on the chip and at 64 in the unix port, so whatever may go beyond 31 bits is masked.
"""

from array import array

import micropython

from mfwire.crc import HIGH, LOW
from mfwire.frames import FRAME_BYTES, Decoder

_TABLE = array("I", bytes(1024))


@micropython.viper
def _join(out: ptr32, low: ptr16, high: ptr16):
    i = 0
    while i < 256:
        out[i] = low[i] | high[i] << 16
        i += 1


_join(_TABLE, LOW, HIGH)


@micropython.viper
def _crc(state: ptr32, data: ptr8, begin: int, end: int, table: ptr32):
    c = state[0]
    p = begin
    while p < end:
        c = table[(c ^ data[p]) & 255] ^ ((c >> 8) & 0xFFFFFF)
        p += 1
    state[0] = c


@micropython.viper
def _half(state: ptr16, i: int) -> int:
    return state[i] ^ 0xFFFF


class FastCrc:
    """mfwire.crc.Crc, about 40 cycles a byte."""

    def __init__(self):
        self.state = array("I", [0xFFFFFFFF])

    def reset(self):
        """Begin anew."""
        self.state[0] = 0xFFFFFFFF

    def feed(self, data, begin, end):
        """Bytes begin to end - 1."""
        _crc(self.state, data, begin, end, _TABLE)

    def value_low(self):
        """Low 16 bits of the checksum so far."""
        return _half(self.state, 0)

    def value_high(self):
        """High 16 bits of the checksum so far."""
        return _half(self.state, 1)


@micropython.viper
def copy(out: ptr8, at: int, data: ptr8, begin: int, end: int):
    """Bytes begin to end - 1 of data to out, from at on."""
    p = begin
    q = at
    while p < end:
        out[q] = data[p]
        p += 1
        q += 1


# words of a decoder: 0 bytes so far, 1 until the next code, 2 a zero waits, 3 lost, 4 a zero came
@micropython.viper
def _feed(s: ptr32, data: ptr8, begin: int, end: int, out: ptr8) -> int:
    i = begin
    at = s[0]
    left = s[1]
    s[4] = 0
    while i < end:
        c = data[i]
        i += 1
        if c == 0:
            s[4] = 1
            break
        if s[3]:
            continue
        if left:
            if at >= 510:
                s[3] = 1
            else:
                out[at] = c
                at += 1
                left -= 1
        else:
            if s[2]:
                if at >= 510:
                    s[3] = 1
                else:
                    out[at] = 0
                    at += 1
            left = c - 1
            s[2] = 1
            if c == 255:
                s[2] = 0
    s[0] = at
    s[1] = left
    return i


class FastDecoder(Decoder):
    """mfwire.frames.Decoder, about 70 cycles a byte with its checksum."""

    def __init__(self):
        Decoder.__init__(self, FastCrc())
        assert FRAME_BYTES == 512
        self.words = array("i", [0] * 8)

    def feed(self, data, begin, end):
        """Read from begin until a frame is whole or the bytes end; where reading stopped."""
        words = self.words
        self.length = 0
        while begin < end:
            begin = _feed(words, data, begin, end, self.payload)
            if words[4]:
                self._at = words[0]
                self._left = words[1]
                self._zero = words[2] == 1
                self._lost = words[3] == 1
                words[0] = 0
                words[1] = 0
                words[2] = 0
                words[3] = 0
                if self._finish():
                    return begin
        return begin


@micropython.viper
def _cobs(out: ptr8, data: ptr8, total: int) -> int:
    code_at = 0
    at = 1
    code = 1
    i = 0
    c = 0
    while i < total:
        c = data[i]
        i += 1
        if c:
            out[at] = c
            at += 1
            code += 1
        if c == 0 or code == 255:
            out[code_at] = code
            code_at = at
            at += 1
            code = 1
    if code == 1 and total > 0 and c != 0:
        at -= 1
    else:
        out[code_at] = code
    out[at] = 0
    return at + 1


def encode(out, payload, length, crc):
    """mfwire.frames.encode_into."""
    crc.reset()
    crc.feed(payload, 0, length)
    low = crc.value_low()
    high = crc.value_high()
    payload[length] = low & 255
    payload[length + 1] = low >> 8
    payload[length + 2] = high & 255
    payload[length + 3] = high >> 8
    return _cobs(out, payload, length + 4)
