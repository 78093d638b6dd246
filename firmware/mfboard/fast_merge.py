"""Steps of offset merged into a motor's planned words, in viper: twin of mfboard.merge.

It writes the words that the state machine takes: clocks of delay, step, direction (mfboard.
port_rp2_pio). mfboard.fast_late says into which chunk.
"""

import micropython
from micropython import const

# as in mfboard.height_state; a constant of this file is a number in the code
_GAP = const(12)
_SLICE = const(13)
_WORD = const(14)
_TARGET = const(16)
_FROZEN = const(21)
_GOING = const(33)
_WANT = const(34)
_MADE = const(35)
_UPS = const(37)
_SEGMENTS = const(40)
_AT = const(41)
_WORDS = const(42)
_KIND = const(43)
_WHOLE = const(44)
_FRACTION = const(45)
_FIRST = const(46)
_SECOND = const(47)
_REST = const(48)
_STEP = const(49)
_LAST = const(50)
_TICKS = const(51)
_EXPECT = const(52)
_FILLED = const(53)
_TIME = const(54)
_EVERY = const(55)
_BAD = const(56)
_EXTRA = const(57)
_NET = const(58)
_FILL = const(64)
_WAIT = const(8)  # mfboard.port_rp2_pio.WAIT_WORD: clocks of a word without a step, besides delay


@micropython.viper
def still(h: ptr32) -> int:
    """1: nothing is left to make once the last list has ended."""
    if h[_GOING] != 0 or ((h[_WANT] + 128) >> 8) != h[_MADE]:
        return 0
    if h[_FROZEN] != 0 or h[_TARGET] != 0 or h[_MADE] == 0:
        return 1
    return 0


@micropython.viper
def segment(h: ptr32, slot: int):
    """The words of the next segment (mfboard.expand)."""
    b = ptr16(slot + h[_AT])
    low = int(b[0])
    h[_KIND] = low & 3
    words = (low >> 2) & 127
    scale = (low >> 9) & 3
    h[_WHOLE] = (low >> 11) | (int(b[1]) << 5)
    h[_FRACTION] = 512
    low = int(b[2])
    second = low & 4095
    if second & 2048:
        second -= 4096
    first = (low >> 12) | (int(b[3]) << 4)
    if first & 0x80000:
        first -= 0x100000
    h[_FIRST] = first << (2 + 3 * scale)
    h[_SECOND] = second << (5 * scale)
    if words == 0:
        h[_BAD] = 1
        words = 1
    h[_WORDS] = words
    h[_SEGMENTS] -= 1
    h[_AT] += 8


@micropython.viper
def chunk(h: ptr32, slot: int, out: ptr32) -> int:
    """Go on with the open chunk, 16 words at out. 0: load what follows; 1: full; 2: all done."""
    filled = h[_FILLED]
    rest = 0
    step = 0
    count = ((h[_WANT] + 128) >> 8) - h[_MADE]
    if filled == 0:
        if h[_EXTRA] != 0 and int(still(h)) != 0:
            return 2
        h[_TIME] = 0
        piece = count
        if piece < 0:
            piece = 0 - piece
        piece = h[_SLICE] // (piece + 1)
        if piece < h[_GAP]:
            piece = h[_GAP]
        h[_EVERY] = piece
    while filled < 16:
        rest = h[_REST]
        if rest == 0:
            if h[_WORDS] == 0 and h[_SEGMENTS] == 0:
                h[_FILLED] = filled
                if h[_TICKS] != h[_EXPECT]:
                    h[_BAD] = 1
                if h[_LAST] == 0:
                    return 0
                h[_EXTRA] = 1
                if h[_TARGET]:
                    h[_FROZEN] = 1
                if filled == 0 and int(still(h)) != 0:
                    return 2
                rest = h[_SLICE]
                h[_STEP] = h[_STEP] & 1
            else:
                if h[_WORDS] == 0:
                    segment(h, slot)
                h[_WORDS] -= 1
                step = h[_KIND]
                h[_STEP] = step
                rest = h[_WHOLE] + (h[_FRACTION] >> 10)
                piece = h[_FRACTION] + h[_FIRST]
                h[_WHOLE] += piece >> 10
                h[_FRACTION] = piece & 1023
                h[_FIRST] += h[_SECOND]
                piece = _WAIT
                if step & 2:
                    piece = h[_WORD]
                if step == 3:
                    h[_UPS] += 1
                if rest < piece:
                    h[_BAD] = 1
                    rest = h[_WORD]
                h[_TICKS] += rest
        # one word out of what is left of the planned one
        step = h[_STEP]
        count = ((h[_WANT] + 128) >> 8) - h[_MADE]
        if step & 2:
            if count < 0 and step == 3:
                step = 1
                h[_STEP] = 1
                h[_MADE] -= 1
                count = 0
            elif count > 0 and step == 2:
                step = 0
                h[_STEP] = 0
                h[_MADE] += 1
                count = 0
        room = rest - h[_GAP]
        piece = rest
        if count != 0 and room >= h[_GAP]:
            piece = h[_EVERY]
            if room < piece:
                piece = room
            if count > 0:
                step = 3
                h[_MADE] += 1
            else:
                step = 2
                h[_MADE] -= 1
        else:
            left = h[_SLICE] - h[_TIME]
            if left < _FILL:
                left = _FILL
            least = _WAIT
            if step & 2:
                least = h[_WORD]
            if rest >= left + least:
                piece = left
                step = step & 1
        h[_REST] = rest - piece
        h[_TIME] += piece
        if step & 2:
            h[_NET] += ((step & 1) << 1) - 1
            piece -= h[_WORD]
        else:
            piece -= _WAIT
        out[filled] = (piece << 2) | step
        filled += 1
    h[_FILLED] = 0
    return 1
