"""Viper twins of mfwire.crc, mfwire.frames and the copying of bytes: the same results, on the chip.

Tested equal to the plain ones on MicroPython (tests/board/test_fast.py). Integers in viper wrap at
32 bits on the chip and at 64 in the unix port, so whatever may go beyond 31 bits is masked. On the
chip the two that see every byte are its assembler's (mfboard.fast_bytes).
"""

import sys
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


# state: checksum so far, where to begin
@micropython.viper
def crc(state: ptr32, data: ptr8, end: int, table: ptr32):
    """Bytes state[1] to end - 1 into a checksum."""
    c = state[0]
    p = state[1]
    while p < end:
        c = table[(c ^ data[p]) & 255] ^ ((c >> 8) & 0xFFFFFF)
        p += 1
    state[0] = c


# words of a decoder: 0 bytes so far, 1 until the next code, 2 a zero waits, 3 lost, 4 a zero came,
# 5 where to begin, 6 where to end
@micropython.viper
def unstuff(s: ptr32, data: ptr8, out: ptr8) -> int:
    """COBS bytes to out until a zero comes or data end; where reading stopped."""
    i = s[5]
    end = s[6]
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


@micropython.viper
def _whole(s: ptr32, total: ptr16) -> int:
    """A frame has ended: bytes of its payload; 0: there was nothing; -1: it is damaged."""
    at = s[0]
    length = at - 4
    if at < 5 or s[3] != 0 or s[1] != 0 or total[0] != 0x20E3 or total[1] != 0xDEBB:
        length = -1  # its bytes and their checksum have another sum than every such pair
        if at == 0 and s[1] == 0 and s[2] == 0 and s[3] == 0:
            length = 0
    s[0] = 0
    s[1] = 0
    s[2] = 0
    s[3] = 0
    return length


if sys.platform == "rp2":
    from mfboard.fast_bytes import crc, unstuff  # noqa: F811


@micropython.viper
def _start(state: ptr32):
    state[0] = -1
    state[1] = 0


@micropython.viper
def _half(state: ptr16, i: int) -> int:
    return state[i] ^ 0xFFFF


class FastCrc:
    """mfwire.crc.Crc."""

    def __init__(self):
        self.state = array("I", [0xFFFFFFFF, 0])

    def reset(self):
        """Begin anew."""
        _start(self.state)

    def feed(self, data, begin, end):
        """Bytes begin to end - 1."""
        self.state[1] = begin
        crc(self.state, data, end, _TABLE)

    def value_low(self):
        """Low 16 bits of the checksum so far."""
        return _half(self.state, 0)

    def value_high(self):
        """High 16 bits of the checksum so far."""
        return _half(self.state, 1)


@micropython.viper
def copy(out: ptr8, at: int, data: ptr8, begin: int, end: int):
    """Bytes begin to end - 1 of data to out, from at on; four at a time where both lie so."""
    p = begin
    a = int(uint(out)) + at
    b = int(uint(data)) + begin
    if (a | b) & 3 == 0:
        q = ptr32(a)
        r = ptr32(b)
        while p + 16 <= end:
            q[0] = r[0]
            q[1] = r[1]
            q[2] = r[2]
            q[3] = r[3]
            q = ptr32(int(uint(q)) + 16)
            r = ptr32(int(uint(r)) + 16)
            p += 16
    at -= begin
    while p < end:
        out[at + p] = data[p]
        p += 1


class FastDecoder(Decoder):
    """mfwire.frames.Decoder."""

    def __init__(self):
        Decoder.__init__(self, FastCrc())
        assert FRAME_BYTES == 512
        self.words = array("i", [0] * 8)
        self.sum = array("I", [0, 0])

    def feed(self, data, begin, end):
        """Read from begin until a frame is whole or the bytes end; where reading stopped."""
        words = self.words
        self.length = 0
        while begin < end:
            words[5] = begin
            words[6] = end
            begin = unstuff(words, data, self.payload)
            if words[4] and self._ended():
                break
        return begin

    def _ended(self):
        """A zero came: True when a whole, undamaged frame is there."""
        _start(self.sum)
        crc(self.sum, self.payload, self.words[0], _TABLE)
        length = _whole(self.words, self.sum)
        if length > 0:
            self.length = length
            return True
        if length:
            self.bad = (self.bad + 1) & 0xFFFF
        return False


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
