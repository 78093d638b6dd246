"""What runs in interrupts, in viper: the millisecond service and the track of output changes.

State and its words are in mfboard.fast_state; each word has one writer. Registers are the RP2040's
(datasheet chapters 2.5 DMA, 3.7 PIO, 4.6 timer).
"""

import micropython
from micropython import const

from mfboard.fast_expand import expand
from mfboard.fast_state import EV, WORDS, M, S

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
_HALTED = const(10)
_DEADLINE = const(11)
_BUDGET = const(12)
_COUNT = const(13)
_FED = const(14)
_FILLED = const(15)
_PREPARED = const(16)
_DONE = const(17)
_MADE = const(18)
_ALLOW = const(19)
_CALLS = const(23)
_LONGEST = const(24)
_SPENT = const(25)
_BEFORE = const(26)
_GAP = const(27)
_LATEST = const(28)
_DRY = const(29)
_KEEPER_TOP = const(30)
_LATE = const(36)
_MERGES = const(37)
_RUN = const(2)
_FLUSH = const(3)
_STOPPED = const(5)
_BROKEN = const(6)
_CTL = const(1)
_DATA_DMA = const(2)
_CTL_DMA = const(3)
_WP = const(5)
_END = const(6)
_SEGP = const(7)
_SEGS = const(8)
_CNT = const(9)
_TICKS = const(14)
_MASK = const(17)
_SWITCHED = const(19)
_ADDR = const(20)
_PIO = const(21)
_SM = const(22)
_TOP = const(23)
_EXPECT = const(24)
_BAD = const(26)

late_turn = None  # mfboard.fast_late.turn, once a configuration has a height


@micropython.viper
def gate_off():
    """The gate falls now, and no grant is left."""
    s = ptr32(S)
    g = ptr32(0x50300000)
    ptr32(0x50303000)[0] = 8  # clear: state machine 3 off
    top = s[_KEEPER_TOP]
    g[72] = top  # SM3_INSTR: jmp top, side 0
    i = 0
    while i < 6:
        g[72] = 0x8080
        i += 1
    g[72] = top
    ptr32(0x50302000)[0] = 8


@micropython.viper
def load(m: ptr32, slot: int, i: int, tail: int):
    """Motor i's next list, or the one before's that it plays too (mfboard.window.list_at)."""
    b = ptr16(slot)
    n = 28 + 8 * b[10] + 8 * (b[11] + b[12])
    c = 16
    j = 0
    m[_EXPECT] = ptr32(slot)[3]
    if tail:
        while j < b[10]:
            if b[16 + 4 * j] != 65535:
                n += 8 * b[16 + 4 * j]
            j += 1
        c = 17
        m[_EXPECT] = ptr32(slot)[4]
    while i > 0 and b[c + 4 * i] == 65535:
        i -= 1
    j = 0
    while j < i:
        if b[c + 4 * j] != 65535:
            n += 8 * b[c + 4 * j]
        j += 1
    m[_SEGS] = b[c + 4 * i]
    m[_SEGP] = slot + n
    m[_CNT] = 0
    m[_TICKS] = 0


@micropython.viper
def _revive(m: ptr32):
    """A chain that met its null is started again where the null stood, once that is filled."""
    data = ptr32(m[_DATA_DMA])
    control = ptr32(m[_CTL_DMA])
    if ((data[3] | control[3] | data[3]) >> 24) & 1 == 0:
        q = control[0] - 4
        if q < m[_CTL]:
            q += m[_MASK] + 4
        if ptr32(q)[0] != 0:
            control[15] = q  # AL3_READ_ADDR_TRIG
            ptr32(S)[_DRY] += 1


@micropython.viper
def service(timer):
    """Once a millisecond, in an interrupt: the gate, the branch, the rings, the track."""
    s = ptr32(S)
    mode = s[_MODE]
    if mode != _RUN and mode != _FLUSH:
        s[_BEFORE] = 0
        return
    now = ptr32(0x40054028)[0]
    if s[_BEFORE]:
        gap = now - s[_BEFORE]
        if gap > s[_GAP]:
            s[_GAP] = gap
    s[_BEFORE] = now
    s[_CALLS] += 1
    n = s[_COUNT]
    first = int(uint(ptr32(M)))
    g = ptr32(0x50300000)
    if (g[3] >> 24) & 15 < 3:
        g[7] = 125000  # a millisecond more
    halted = s[_HALTED]
    i = 0
    if mode == _RUN:
        if s[_LAST] == 0 and s[_NEXT] == 0:
            late = now - s[_BRANCH] + s[_DEADLINE]
            want = s[_WANT]
            if want:
                s[_NEXT] = want
                s[_WANT] = 0
                if want & 1 == 0:
                    s[_FILLED] = s[_PREPARED]
            elif late >= 0:
                s[_NEXT] = s[_SLOT] | 1
                s[_TOOK] = s[_SLOT]
                if late > s[_LATEST]:
                    s[_LATEST] = late
        if s[_LATE]:
            late_turn()
        following = s[_NEXT]
        switched = 0
        ended = 0
        while i < n:
            m = ptr32(first + (i << 7))
            if (halted >> i) & 1:
                switched += 1
                ended += 1
            elif s[_LATE] == i + 1:
                if s[_MERGES] == 0:
                    ended += 1
                switched += m[_SWITCHED]
            else:
                if m[_SEGS] == 0 and m[_CNT] == 0 and m[_SWITCHED] == 0:
                    if m[_BAD] or m[_TICKS] != m[_EXPECT] or m[_WP] != m[_END] - 64:
                        s[_FAULT] = 11
                    if s[_LAST]:
                        ended += 1
                    elif following:
                        load(m, following & -2, i, following & 1)
                        m[_SWITCHED] = 1
                switched += m[_SWITCHED]
            i += 1
        if following != 0 and switched >= n:
            slot = ptr32(following & -2)
            ticks = slot[3]
            if following & 1:
                s[_ON_TAIL] = 1
                s[_LAST] = 1
                ticks = slot[4]
            else:
                s[_SLOT] = following
                s[_LAST] = ptr16(following)[13] & 1
            ticks += s[_REST]
            us = ticks // 125
            s[_BRANCH] += us
            s[_REST] = ticks - us * 125
            s[_NEXT] = 0
            i = 0
            while i < n:
                ptr32(first + (i << 7))[_SWITCHED] = 0
                i += 1
        if s[_LAST] and ended >= n:
            s[_MODE] = _FLUSH
            mode = _FLUSH
        elif s[_FAULT] == 0:
            expand(first, s[_BUDGET], n)
    i = 0
    rested = 0
    while i < n:
        m = ptr32(first + (i << 7))
        if (halted >> i) & 1:
            rested += 1
        else:
            _revive(m)
            pio = ptr32(m[_PIO])
            if mode == _FLUSH:
                busy = ptr32(m[_DATA_DMA])[3] | ptr32(m[_CTL_DMA])[3]
                if (busy >> 24) & 1 == 0 and ptr32(m[_ADDR])[0] == m[_TOP]:
                    rested += (pio[1] >> (24 + m[_SM])) & 1
            elif (pio[2] >> (24 + m[_SM])) & 1:
                if s[_LAST] == 0 or m[_SEGS] != 0 or m[_CNT] != 0:
                    s[_FAULT] = 10  # it ran dry
                elif s[_LATE] == i + 1 and s[_MERGES] != 0:
                    s[_FAULT] = 10
        i += 1
    if s[_FAULT]:
        s[_MODE] = _BROKEN
        gate_off()
    elif mode == _FLUSH and rested >= n:
        s[_MODE] = _STOPPED
        gate_off()
    else:
        words = ptr32(WORDS)
        while s[_FED] != s[_FILLED] and (g[3] >> 8) & 15 < 4:
            g[5] = words[s[_FED] & 127]
            s[_FED] += 1
    spent = ptr32(0x40054028)[0] - now
    s[_SPENT] += spent
    if spent > s[_LONGEST]:
        s[_LONGEST] = spent


@micropython.viper
def fire(machine):
    """The track has come to an event: outputs change now."""
    s = ptr32(S)
    k = s[_DONE]
    more = 1
    while more and k != s[_MADE]:
        e = ptr32(int(uint(ptr32(EV))) + ((k & 127) << 5))
        if (s[_ALLOW] >> e[3]) & 1 and e[0] != 0:
            r = ptr32(e[0])
            r[0] = (r[0] & e[1]) | e[2]
        more = e[4]
        k += 1
    s[_DONE] = k
    g = ptr32(0x50300000)
    words = ptr32(WORDS)
    while s[_FED] != s[_FILLED] and (g[3] >> 8) & 15 < 4:
        g[5] = words[s[_FED] & 127]
        s[_FED] += 1
