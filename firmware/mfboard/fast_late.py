"""The motor whose words are made late, in viper: once a millisecond the arc, the rules, the chunks.

Called by the millisecond service in an interrupt (mfboard.fast_service). On the board in memory
mfboard.sim_height does the same. RP2040 datasheet chapters 2.5 DMA, 3.7 PIO, 4.9.6 ADC.
"""

from array import array

import micropython
from micropython import const

from mfboard.fast_height import control
from mfboard.fast_merge import chunk
from mfboard.fast_service import load
from mfboard.fast_state import H, M, S

# as in mfboard.fast_state and mfboard.height_state
_NEXT = const(4)
_ON_TAIL = const(2)
_FAULT = const(9)
_LATE = const(36)
_MERGES = const(37)
_LATE_SLOT = const(38)
_RING = const(0)
_CTL = const(1)
_DATA_DMA = const(2)
_CTL_DMA = const(3)
_K = const(4)
_WP = const(5)
_END = const(6)
_SEGP = const(7)
_SEGS = const(8)
_MASK = const(17)
_POS = const(18)
_SWITCHED = const(19)
_PIO = const(21)
_SM = const(22)
_EXPECT = const(24)
_H_RAW = const(18)
_H_SPEED = const(19)
_H_FROZEN = const(21)
_H_SEGMENTS = const(40)
_H_AT = const(41)
_H_WORDS = const(42)
_H_REST = const(48)
_H_LAST = const(50)
_H_TICKS = const(51)
_H_EXPECT = const(52)
_H_FILLED = const(53)
_H_TIME = const(54)
_H_BAD = const(56)
_H_NET = const(58)
_AHEAD = const(2)  # chunks in front of the one that plays, at least
_AHEAD_TICKS = const(220000)  # and so long
_MOST = const(12)  # chunks made in one service
_NEAR = const(24)  # words looked at for the neighbours of a step
_TRIES = const(100)  # looks at a converter that takes 2 us
_FASTEST = const(20000)  # 0.1 mm/s

PATH = array("i", [0] * 8)  # channel of the converter, motors, then each: motor, scale
CHUNK_TICKS = array("i", [0] * 32)  # length of each chunk of the ring


@micropython.viper
def reading() -> int:
    """Four readings of the arc's converter, added up; 0 when it does not answer."""
    a = ptr32(0x4004C000)
    start = ((ptr32(PATH)[0] & 7) << 12) | 5  # AINSEL, START_ONCE, EN
    total = 0
    k = 0
    while k < 4:
        a[0] = start
        i = 0
        while (a[0] >> 8) & 1 == 0:
            i += 1
            if i > _TRIES:
                return 0
        total += a[1] & 0xFFF
        k += 1
    return total


@micropython.viper
def interval(m: ptr32) -> int:
    """Ticks from the step before to the step after the word that plays; 0: none is near."""
    q = ptr32(m[_DATA_DMA])[0]
    if q == 0:
        return 0
    base = m[_RING]
    end = base + ((m[_MASK] + 4) << 4)
    q -= ((int(ptr32(m[_PIO])[3] >> (m[_SM] << 3)) & 15) + 1) << 2
    if q < base:
        q += end - base
    wp = m[_WP]
    p = q
    total = 0
    k = 0
    word = 0
    while word & 2 == 0:
        if p == wp or k > _NEAR:
            return 0
        word = ptr32(p)[0]
        total += (word >> 2) & 0x3FFFFFFF
        total += m[28 - ((word & 2) * 6)]  # clocks of a word besides delay: M[28] or M[16]
        p += 4
        if p == end:
            p = base
        k += 1
    k = 0
    word = 0
    while True:
        q -= 4
        if q < base:
            if m[_K] < 32:  # nothing was played before
                return 0
            q = end - 4
        word = ptr32(q)[0]
        if word & 2:
            return total
        if k > _NEAR:
            return 0
        total += ((word >> 2) & 0x3FFFFFFF) + m[28]
        k += 1
    return 0


@micropython.viper
def speed() -> int:
    """(0.1 mm/s)^2 along the path now."""
    path = ptr32(PATH)
    total = 0
    i = 0
    while i < path[1]:
        m = ptr32(int(uint(ptr32(M))) + (path[2 + 2 * i] << 7))
        ticks = int(interval(m))
        if ticks > 0:
            each = path[3 + 2 * i] // ticks
            if each > _FASTEST:
                each = _FASTEST
            total += each * each
        i += 1
    return total


@micropython.viper
def take(slot: int, tail: int):
    """A list of the late motor is the next that is merged: it is not expanded."""
    s = ptr32(S)
    h = ptr32(H)
    i = s[_LATE] - 1
    m = ptr32(int(uint(ptr32(M))) + (i << 7))
    load(m, slot, i, tail)
    s[_LATE_SLOT] = slot
    h[_H_SEGMENTS] = m[_SEGS]
    h[_H_AT] = m[_SEGP] - slot
    h[_H_EXPECT] = m[_EXPECT]
    h[_H_WORDS] = 0
    h[_H_REST] = 0
    h[_H_TICKS] = 0
    h[_H_LAST] = 1
    if tail == 0:
        h[_H_LAST] = ptr16(slot)[13] & 1
    m[_SEGS] = 0


@micropython.viper
def fill():
    """Make chunks until enough are in front of the motor."""
    s = ptr32(S)
    h = ptr32(H)
    m = ptr32(int(uint(ptr32(M))) + ((s[_LATE] - 1) << 7))
    lengths = ptr32(CHUNK_TICKS)
    made = 0
    while made < _MOST:
        k = m[_K]
        read = (ptr32(m[_CTL_DMA])[0] - m[_CTL]) >> 2
        waiting = (k - read) & 31
        if waiting == 31:
            waiting = 0  # the chain stands one past its null
        ahead = 0
        i = 1
        while i <= waiting:
            ahead += lengths[(k - i) & 31]
            i += 1
        if waiting >= _AHEAD and ahead >= _AHEAD_TICKS:
            return
        done = int(chunk(h, s[_LATE_SLOT], m[_END] - 64))
        m[_POS] += h[_H_NET]
        h[_H_NET] = 0
        if h[_H_BAD]:
            s[_FAULT] = 11
            return
        if done == 1:
            lengths[k & 31] = h[_H_TIME]
            k += 1
            m[_K] = k
            at = (k << 2) & m[_MASK]
            ptr32(m[_CTL] + at)[0] = 0  # first the null behind it
            ptr32(m[_CTL] + (((k - 1) << 2) & m[_MASK]))[0] = m[_END] - 64  # then the chunk
            m[_END] = m[_RING] + (at << 4) + 64
            made += 1
        m[_WP] = m[_END] - 64 + (h[_H_FILLED] << 2)
        if done == 2:
            s[_MERGES] = 0
            return
        if done == 0:
            following = s[_NEXT]
            if following == 0 or m[_SWITCHED] != 0:
                return
            take(following & -2, following & 1)
            m[_SWITCHED] = 1


@micropython.viper
def begin(slot: int):
    """A run begins; its first list is in the slot."""
    take(slot, 0)
    fill()


@micropython.viper
def turn():
    """A millisecond has passed."""
    s = ptr32(S)
    h = ptr32(H)
    if s[_MERGES] == 0:
        return
    h[_H_RAW] = int(reading())
    h[_H_SPEED] = int(speed())
    if s[_ON_TAIL]:
        h[_H_FROZEN] = 1
    control(h)
    fill()
