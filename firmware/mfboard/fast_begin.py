"""The beginning of a run, in viper: rings filled, every motor at the gate, then the gate.

RP2040 datasheet chapters 2.5 DMA, 2.17 ring oscillator, 3.7 PIO, 4.6 timer.
"""

import micropython
from micropython import const

from mfboard.fast_expand import expand
from mfboard.fast_service import load
from mfboard.fast_state import SCRATCH, WORDS, M, S

# as in mfboard.fast_state; a constant of this file is a number in the code
_MODE = const(0)
_SLOT = const(1)
_ON_TAIL = const(2)
_WANT = const(3)
_NEXT = const(4)
_TOOK = const(5)
_BRANCH = const(6)
_REST = const(7)
_LAST = const(8)
_FAULT = const(9)
_BUDGET = const(12)
_COUNT = const(13)
_FED = const(14)
_FILLED = const(15)
_PREPARED = const(16)
_BEFORE = const(26)
_TRACK_TOP = const(31)
_LATE = const(36)
_RUN = const(2)
_BROKEN = const(6)
_RING = const(0)
_CTL = const(1)
_CTL_DMA = const(3)
_K = const(4)
_WP = const(5)
_END = const(6)
_SEGS = const(8)
_CNT = const(9)
_BITS = const(13)
_SWITCHED = const(19)
_ADDR = const(20)
_PIO = const(21)
_SM = const(22)
_TOP = const(23)
_BAD = const(26)

late_begin = None  # mfboard.fast_late.begin, once a configuration has a height


@micropython.viper
def start(slot: int, motor: int) -> int:
    """Where a window says that a motor stands when it begins."""
    return ptr32(slot)[7 + 2 * motor]


@micropython.viper
def steps(slot: int, motor: int, tail: int) -> int:
    """Signed steps of a motor's list (mfboard.window.steps_made)."""
    b = ptr16(slot)
    n = 28 + 8 * b[10] + 8 * (b[11] + b[12])
    c = 16
    j = 0
    if tail:
        while j < b[10]:
            if b[16 + 4 * j] != 65535:
                n += 8 * b[16 + 4 * j]
            j += 1
        c = 17
    while motor > 0 and b[c + 4 * motor] == 65535:
        motor -= 1
    j = 0
    while j < motor:
        if b[c + 4 * j] != 65535:
            n += 8 * b[c + 4 * j]
        j += 1
    left = int(b[c + 4 * motor])
    p = ptr32(slot + n)
    made = 0
    while left > 0:
        w = p[0]
        if w & 2:
            if w & 1:
                made += (w >> 2) & 127
            else:
                made -= (w >> 2) & 127
        p = ptr32(uint(p) + uint(8))
        left -= 1
    return made


def end(slot, motor, tail):
    """Where a motor stands at a window's end, or at its tail's."""
    at = start(slot, motor) + steps(slot, motor, 0)
    return at + steps(slot, motor, 1) if tail else at


@micropython.viper
def empty(chains: int):
    """Channels aborted, FIFOs empty, state machines at their beginning and on. Motors rest."""
    s = ptr32(S)
    first = int(uint(ptr32(M)))
    ptr32(0x50000444)[0] = chains  # CHAN_ABORT
    i = 0
    while i < 200:
        i += 1
    i = 0
    while i < s[_COUNT]:
        m = ptr32(first + (i << 7))
        bit = 1 << m[_SM]
        ptr32(m[_PIO] + 0x3000)[0] = bit
        instruction = ptr32(m[_ADDR] + 4)
        j = 0
        while j < 9:
            instruction[0] = 0x8080
            j += 1
        ptr32(m[_PIO] + 0x2000)[0] = (
            bit << 4
        )  # restart: a waiting or delayed instruction is dropped
        instruction[0] = m[_TOP]
        ptr32(m[_PIO] + 0x2000)[0] = bit
        i += 1
    t = ptr32(0x50300000)
    ptr32(0x50303000)[0] = 2
    j = 0
    while j < 9:
        t[60] = 0x8080  # SM1_INSTR
        j += 1
    ptr32(0x50302000)[0] = 2 << 4
    t[60] = s[_TRACK_TOP]
    ptr32(0x50302000)[0] = 2


@micropython.viper
def go(slot: int, tracked: int) -> int:
    """Begin at this slot: rings filled, every motor at the gate, then the gate. The microsecond."""
    s = ptr32(S)
    first = int(uint(ptr32(M)))
    s[_SLOT] = slot
    s[_ON_TAIL] = 0
    s[_WANT] = 0
    s[_NEXT] = 0
    s[_TOOK] = 0
    s[_REST] = 0
    s[_FAULT] = 0
    s[_LAST] = ptr16(slot)[13] & 1
    s[_FED] = 0
    s[_FILLED] = 0
    if tracked:
        s[_FILLED] = s[_PREPARED]
    n = s[_COUNT]
    i = 0
    while i < n:
        m = ptr32(first + (i << 7))
        m[_K] = 0
        m[_WP] = m[_RING]
        m[_END] = m[_RING] + 64
        m[_BAD] = 0
        m[_BITS] = 0
        m[_SWITCHED] = 0
        ptr32(m[_CTL])[0] = 0
        ptr32(m[_CTL_DMA])[0] = m[_CTL]
        if s[_LATE] == i + 1:
            m[_SEGS] = 0
            m[_CNT] = 0
            late_begin(slot)
        else:
            load(m, slot, i, 0)
        i += 1
    expand(first, s[_BUDGET], n)
    i = 0
    while i < n:
        m = ptr32(first + (i << 7))
        ptr32(m[_CTL_DMA])[15] = m[_CTL]
        i += 1
    g = ptr32(0x50300000)
    words = ptr32(WORDS)
    while s[_FED] != s[_FILLED] and (g[3] >> 8) & 15 < 4:
        g[5] = words[s[_FED] & 127]
        s[_FED] += 1
    i = 0
    while i < 500:
        i += 1
    i = 0
    while i < n:
        m = ptr32(first + (i << 7))
        if ptr32(m[_ADDR])[0] != m[_TOP] + 1 or m[_BAD] != 0:
            s[_FAULT] = 11
        i += 1
    if s[_FAULT]:
        s[_MODE] = _BROKEN
        return ptr32(0x40054028)[0]
    ptr32(0x50200008)[0] = 15 << 24  # forget old stalls
    ptr32(0x50300008)[0] = 15 << 24
    s[_BEFORE] = 0
    u = ptr32(0x40054028)[0]
    g[7] = 125000
    g[7] = 125000
    g[7] = 125000
    length = ptr32(slot)[3]
    us = length // 125
    s[_BRANCH] = u + us
    s[_REST] = length - us * 125
    s[_MODE] = _RUN
    return u


@micropython.viper
def draw() -> int:
    """30 random bits, never 0: the ring oscillator's, and the time (RP2040 datasheet 2.17)."""
    s = ptr32(SCRATCH)
    x = s[7] ^ ptr32(0x40054028)[0]
    i = 0
    while i < 64:
        x = (x << 1) ^ (ptr32(0x4006001C)[0] & 1)
        x ^= (x >> 13) & 0x7FFFF
        x ^= x << 7
        i += 1
    s[7] = x
    x = x & 0x3FFFFFFF
    if x == 0:
        x = 1
    return x
