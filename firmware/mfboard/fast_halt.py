"""Motors halted, stopped and found again, in viper: what was expanded and has not been played.

RP2040 datasheet chapters 2.3 SIO, 2.5 DMA, 2.19 GPIO, 3.7 PIO.
"""

import micropython
from micropython import const

from mfboard.fast_service import gate_off
from mfboard.fast_state import IN, M, S

# as in mfboard.fast_state; a constant of this file is a number in the code
_MODE = const(0)
_HALTED = const(10)
_COUNT = const(13)
_EDGES = const(20)
_SEEN = const(21)
_STOPPER = const(22)
_CALLS = const(23)
_IDLE = const(0)
_RUN = const(2)
_FLUSH = const(3)
_STOPPED = const(5)
_ABORTING = const(7)
_RING = const(0)
_CTL = const(1)
_DATA_DMA = const(2)
_CTL_DMA = const(3)
_WP = const(5)
_CNT = const(9)
_BITS = const(13)
_MASK = const(17)
_POS = const(18)
_ADDR = const(20)
_PIO = const(21)
_SM = const(22)
_TOP = const(23)


@micropython.viper
def rest(m: ptr32):
    """A state machine off, outside of a pulse."""
    off = ptr32(m[_PIO] + 0x3000)
    on = ptr32(m[_PIO] + 0x2000)
    bit = 1 << m[_SM]
    a = ptr32(m[_ADDR])
    off[0] = bit
    pc = a[0] - m[_TOP]
    if pc >= 8:
        on[0] = bit
        while pc >= 8:
            pc = a[0] - m[_TOP]
        i = 0
        while i < 4:
            i += 1
        off[0] = bit


@micropython.viper
def halt(mask: int):
    """These motors stop now; a pulse that has begun ends."""
    s = ptr32(S)
    mask = mask & (s[_HALTED] ^ -1)
    i = 0
    while i < s[_COUNT]:
        if (mask >> i) & 1:
            m = ptr32(int(uint(ptr32(M))) + (i << 7))
            rest(m)
        i += 1
    s[_HALTED] |= mask


@micropython.viper
def level(i: int) -> int:
    """Level of an input at its pad."""
    item = ptr32(int(uint(ptr32(IN))) + (i << 4))
    return (ptr32(item[0])[0] >> 17) & 1


@micropython.viper
def take(word: int) -> int:
    """A mask that interrupts add to: read, and taken out again bit by bit as they may add more."""
    s = ptr32(S)
    mask = s[word]
    s[word] = s[word] ^ mask
    return mask


@micropython.viper
def note(i: int):
    """An input's pin has changed: what must stop at once stops."""
    s = ptr32(S)
    item = ptr32(int(uint(ptr32(IN))) + (i << 4))
    s[_EDGES] |= 1 << i
    if ((ptr32(item[0])[0] >> 17) & 1) == item[1]:
        s[_SEEN] |= 1 << i
        mode = s[_MODE]
        if mode == _RUN or mode == _FLUSH:
            if (s[_STOPPER] >> i) & 1:
                s[_MODE] = _ABORTING
                gate_off()
            elif item[2]:
                halt(item[2])


@micropython.viper
def unplayed(m: ptr32) -> int:
    """Signed steps that were expanded and have not been made."""
    pc = ptr32(m[_ADDR])[0] - m[_TOP]
    n = int(ptr32(m[_PIO])[3] >> (m[_SM] << 3)) & 15
    if pc >= 1 and pc <= 7:
        n += 1
    base = m[_RING]
    end = base + ((m[_MASK] + 4) << 4)
    p = ptr32(m[_DATA_DMA])[0]
    if p == 0:
        q = ptr32(m[_CTL_DMA])[0] - 4
        if q < m[_CTL]:
            q += m[_MASK] + 4
        p = base + ((q - m[_CTL]) << 4)
    p -= n << 2
    if p < base:
        p += end - base
    wp = m[_WP]
    d = 0
    while p != wp:
        if p >= end:
            p = base
        if p != wp:
            w = ptr32(p)[0]
            if w & 2:
                if w & 1:
                    d += 1
                else:
                    d -= 1
            p += 4
    if m[_BITS] & 2:
        if m[_BITS] & 1:
            d += m[_CNT]
        else:
            d -= m[_CNT]
    return d


@micropython.viper
def where(i: int) -> int:
    """A motor's position: exact when it rests."""
    s = ptr32(S)
    m = ptr32(int(uint(ptr32(M))) + (i << 7))
    mode = s[_MODE]
    if mode == _IDLE or mode == _STOPPED:
        if (s[_HALTED] >> i) & 1 == 0:
            return m[_POS]
    at = 0
    tries = 0
    while tries < 4:
        calls = s[_CALLS]
        at = m[_POS] - int(unplayed(m))
        if calls == s[_CALLS]:
            return at
        tries += 1
    return at


@micropython.viper
def stop():
    """All motors stop now, at most one word late; a pulse that has begun ends."""
    s = ptr32(S)
    s[_MODE] = _ABORTING
    gate_off()
    i = 0
    while i < s[_COUNT]:
        if (s[_HALTED] >> i) & 1 == 0:
            rest(ptr32(int(uint(ptr32(M))) + (i << 7)))
        i += 1
    ptr32(0x50303000)[0] = 2  # the track


@micropython.viper
def edge0(pin):
    note(0)


@micropython.viper
def edge1(pin):
    note(1)


@micropython.viper
def edge2(pin):
    note(2)


@micropython.viper
def edge3(pin):
    note(3)


@micropython.viper
def edge4(pin):
    note(4)


@micropython.viper
def edge5(pin):
    note(5)


@micropython.viper
def edge6(pin):
    note(6)


@micropython.viper
def edge7(pin):
    note(7)


EDGE = (edge0, edge1, edge2, edge3, edge4, edge5, edge6, edge7)
