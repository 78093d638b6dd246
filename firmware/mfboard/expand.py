"""Segments to words: the plain specification of the expander (docs/protocol.md, "Segment").

The chip has a twin in assembler, the virtual rig one in numpy; both are tested equal to this.
"""

from mfwire.messages import u16

DIRECTION = 1
STEP = 2


def expand(b, at, segments, ticks, kinds, limit):
    """Write each word's duration and kind (DIRECTION | STEP bits) to two arrays; words written.

    -1: more than limit words, or a word without length. No integer reaches 2^31.
    """
    n = 0
    k = 0
    while k < segments:
        low = u16(b, at)
        high = u16(b, at + 2)
        count = low >> 2 & 127
        scale = low >> 9 & 3
        whole = low >> 11 | high << 5
        fraction = 512  # Q.10
        low = u16(b, at + 4)
        high = u16(b, at + 6)
        second = low & 4095
        if second & 2048:
            second -= 4096
        first = low >> 12 | high << 4
        if first & 0x80000:
            first -= 0x100000
        d = first << 2 + 3 * scale
        second = second << 5 * scale
        kind = b[at] & 3
        if n + count > limit or count == 0:
            return -1
        while count:
            step = whole + (fraction >> 10)
            if step <= 0:
                return -1
            ticks[n] = step
            kinds[n] = kind
            n += 1
            fraction += d
            whole += fraction >> 10
            fraction &= 1023
            d += second
            count -= 1
        at += 8
        k += 1
    return n
