"""The scanner, in viper: reads the rings every millisecond, counts for each motor, looks for the
trigger, and notices whatever was lost. It allocates nothing; state and its words: mfprobe.state.
"""

import micropython
from micropython import const

from mfprobe.state import G, S

_PIO_CLEAR = const(0x50203000)  # CTRL, clearing
_FDEBUG = const(0x50200008)
_NOW_US = const(0x40054028)  # TIMERAWL
_TIMER = const(0x40054024)  # TIMERAWH, then TIMERAWL
_ROOM = const(8128)  # of 8192: the rest may be written while it is read
_BUDGET = const(4096)  # words a call
_WRAP_MS = const(68719)  # 2^32 counts of 16 ns
_LONG_MS = const(30000)
# as in mfprobe.state; a constant of this file is a number in the code
_READ = const(6)
_FLAGS = const(7)
_LAST = const(8)
_HIGH = const(9)
_BEFORE = const(10)
_RUNNING = const(11)
_STEPS = const(13)
_MASK = const(14)
_VALUE = const(15)
_ARMED = const(16)
_POST = const(17)
_FIRED = const(18)
_NOW = const(19)
_QUIET = const(20)
_REST = const(21)
_GAP = const(22)
_LOST = const(23)
_LONGEST = const(24)
_N = const(25)
_MORE = const(26)
_CLOCK = const(28)
_COUNTED = const(30)
_UP = const(8)
_DOWN = const(10)
_LEAST = const(12)
_MOST = const(13)
_SETUP = const(14)
_NARROW = const(15)
_WIDE = const(16)
_PINS = const(17)
_BINS = const(18)


@micropython.viper
def fresh():
    """N: words in both rings that were not scanned; they are written by pairs of channels."""
    s = ptr32(S)
    n = 0
    pair = 2
    while pair < 6:
        one = ptr32(s[pair])
        two = ptr32(s[pair + 1])
        done = 0x20000000 - one[2]
        if not (one[3] >> 24) & 1:
            done = 0x20000000 - two[2] + 0x20000000
        done = (done - s[_READ]) & 0x3FFFFFFF
        if pair == 2:
            s[_MORE] = done
            n = done
        else:
            s[_MORE] -= done
            if done < n:
                n = done
        pair += 2
    s[_N] = n


@micropython.viper
def _quiet(now_moved: int):
    """How long it has been quiet, in milliseconds; after long, the wraps that nobody saw."""
    s = ptr32(S)
    now = ptr32(_NOW_US)[0]
    us = s[_REST] + now - s[_NOW]
    s[_QUIET] += us // 1000
    s[_REST] = us % 1000
    s[_NOW] = now
    if not now_moved:
        return
    if s[_QUIET] > _LONG_MS:
        first = ptr32(s[1])[s[_READ] & 8191] ^ -1
        d = ((first - s[_LAST]) >> 5) & 0x7FFFFFF
        wraps = (s[_QUIET] - d // 1953 + 34360) // _WRAP_MS
        if wraps > 0:
            s[_HIGH] += wraps
            g = ptr32(G)
            n = s[_GAP]
            if n < 32:
                g[2 * n] = s[_READ]
                g[2 * n + 1] = wraps
                s[_GAP] = n + 1
            else:
                s[_FLAGS] |= 8
    s[_QUIET] = 0
    s[_REST] = 0


@micropython.viper
def _count(n: int):
    """Take in n words: each is one change of pins and its time."""
    s = ptr32(S)
    words = ptr32(s[0])
    times = ptr32(s[1])
    read = s[_READ]
    last = s[_LAST]
    high = s[_HIGH]
    before = s[_BEFORE]
    steps = s[_STEPS]
    mask = s[_MASK]
    first = ptr32(s[_COUNTED])
    i = 0
    while i < n:
        at = (read + i) & 8191
        w = words[at]
        t = times[at] ^ -1
        if uint(t) < uint(last):
            high += 1
        last = t
        changed = w ^ before
        rest = changed & steps
        m = first
        while rest:
            pins = m[_PINS] & rest
            if pins:
                rest ^= pins
                if changed & m[1]:
                    m[3] |= 2
                    m[6] = t
                    m[7] = high
                if changed & m[0]:
                    since = t - m[4]  # the rise before
                    far = high - m[5]
                    if far > 1 or (far == 1 and uint(t) >= uint(m[4])):
                        since = -1
                    if w & m[0]:
                        have = m[3]
                        if have & 1:
                            if uint(since) < uint(m[_LEAST]):
                                m[_LEAST] = since
                            if uint(since) > uint(m[_MOST]):
                                m[_MOST] = since
                            slot = _BINS
                            if since < 0:
                                slot = _BINS + 64
                            else:
                                while since > 255:
                                    slot += 16
                                    since >>= 8
                                while since:
                                    slot += 2
                                    since >>= 1
                            m[slot] += 1
                            if m[slot] == 0:
                                m[slot + 1] += 1
                        if have & 2:
                            since = t - m[6]  # the turn before
                            far = high - m[7]
                            if far > 1 or (far == 1 and uint(t) >= uint(m[6])):
                                since = -1
                            if uint(since) < uint(m[_SETUP]):
                                m[_SETUP] = since
                        slot = _DOWN
                        if w & m[1]:
                            if not m[2]:
                                slot = _UP
                        elif m[2]:
                            slot = _UP
                        m[slot] += 1
                        if m[slot] == 0:
                            m[slot + 1] += 1
                        m[3] = have | 1
                        m[4] = t
                        m[5] = high
                    elif m[3] & 1:
                        if uint(since) < uint(m[_NARROW]):
                            m[_NARROW] = since
                        if uint(since) > uint(m[_WIDE]):
                            m[_WIDE] = since
            m = ptr32(int(m) + 384)
        if s[_ARMED] == 1:
            value = s[_VALUE]
            if w & mask == value and before & mask != value:
                s[_ARMED] = 2
                s[_FIRED] = read + i
        before = w
        i += 1
    s[_LAST] = last
    s[_HIGH] = high
    s[_BEFORE] = before
    s[_READ] = (read + n) & 0x3FFFFFFF


@micropython.viper
def scan(_timer):
    """Take in what the rings have got since the last time."""
    s = ptr32(S)
    if not s[_RUNNING]:
        return
    clock = ptr32(_NOW_US)
    now = clock[0]
    fresh()
    if ptr32(_FDEBUG)[0] & 3:
        s[_FLAGS] |= 1
    n = s[_N]
    if n > _ROOM:
        s[_FLAGS] |= 2
        s[_LOST] += n - 4096
        s[_READ] = (s[_READ] + n - 4096) & 0x3FFFFFFF
        n = 4096
    if n > _BUDGET:
        n = _BUDGET
    _quiet(n)
    _count(n)
    if s[_ARMED] == 2 and ((s[_READ] - s[_FIRED]) & 0x3FFFFFFF) > s[_POST]:
        ptr32(_PIO_CLEAR)[0] = 3
        s[_RUNNING] = 0
        s[_FLAGS] |= 16
    spent = clock[0] - now
    if spent > s[_LONGEST]:
        s[_LONGEST] = spent


@micropython.viper
def take(out: ptr8, at: int, first: int, count: int):
    """Copy words from index `first` on, then their counts, to out, from byte `at` on."""
    s = ptr32(S)
    ring = 0
    while ring < 2:
        bytes_of = ptr8(s[ring])
        i = 0
        while i < count:
            p = ((first + i) & 8191) << 2
            out[at] = bytes_of[p]
            out[at + 1] = bytes_of[p + 1]
            out[at + 2] = bytes_of[p + 2]
            out[at + 3] = bytes_of[p + 3]
            at += 4
            i += 1
        ring += 1


@micropython.viper
def put_words(out: ptr8, at: int, words: ptr32, first: int, count: int):
    """Words of an array, low byte first."""
    i = 0
    while i < count:
        value = words[first + i]
        out[at] = value
        out[at + 1] = value >> 8
        out[at + 2] = value >> 16
        out[at + 3] = value >> 24
        at += 4
        i += 1


@micropython.viper
def look_at_clock():
    """CLOCK, CLOCK + 1: the chip's own microseconds, 64 bits, low word first."""
    s = ptr32(S)
    timer = ptr32(_TIMER)
    high = timer[0]
    low = timer[1]
    again = timer[0]
    if again != high:
        low = timer[1]
    s[_CLOCK] = low
    s[_CLOCK + 1] = again


@micropython.viper
def take_trigger(payload: ptr8):
    """Mask, value and words after it, of a START."""
    s = ptr32(S)
    at = 4
    i = 0
    while i < 3:
        value = payload[at] | payload[at + 1] << 8 | payload[at + 2] << 16 | payload[at + 3] << 24
        if i == 0:
            s[_MASK] = value
        elif i == 1:
            s[_VALUE] = value
        else:
            s[_POST] = value
        at += 4
        i += 1
