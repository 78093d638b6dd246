"""Steps of offset merged into a motor's planned words: a chunk of 16 words, about a millisecond.

Plain specification; the chip has a twin in viper (mfboard.fast_merge). Every planned word keeps
its end to the tick. A step of offset is put into a planned word that has room for it, GAP ticks
from its neighbours; one against a planned step makes that step a wait instead, so that no motor
turns round for it. A list may end inside a chunk: the next one goes on in it.
"""

from mfboard import height_state as w
from mfboard.expand import DIRECTION, STEP
from mfwire.messages import u16

WORDS = 16
# what `chunk` returns
MORE = 0  # the list has ended in the open chunk: load what follows
FULL = 1  # a chunk is full
DONE = 2  # the last list has ended, nothing is left to make


def load(h, at, segments, ticks, last):
    """The next list of planned words: where its segments stand in the slot; its length in ticks."""
    h[w.SEGMENTS] = segments
    h[w.AT] = at
    h[w.WORDS] = 0
    h[w.REST] = 0
    h[w.TICKS] = 0
    h[w.EXPECT] = ticks
    h[w.LAST] = last


def pending(h):
    """Steps of offset that are wanted and not made."""
    return (h[w.WANT] + 128 >> 8) - h[w.MADE]


def still(h):
    """Nothing is left to make once the last list has ended."""
    if h[w.GOING] or pending(h):
        return False
    return h[w.FROZEN] or h[w.TARGET] or h[w.MADE] == 0


def chunk(h, slot, ticks, kinds):
    """Go on with the open chunk: durations and kinds of its words. MORE, FULL or DONE."""
    if h[w.FILLED] == 0:
        if h[w.EXTRA] and still(h):
            return DONE
        h[w.TIME] = 0
        count = pending(h)
        every = h[w.SLICE] // ((count if count > 0 else -count) + 1)
        h[w.EVERY] = every if every > h[w.GAP] else h[w.GAP]
    while h[w.FILLED] < WORDS:
        if h[w.REST] == 0 and not _take(h, slot):
            if h[w.TICKS] != h[w.EXPECT]:
                h[w.BAD] = 1
            if not h[w.LAST]:
                return MORE
            h[w.EXTRA] = 1
            if h[w.TARGET]:
                h[w.FROZEN] = 1
            if h[w.FILLED] == 0 and still(h):
                return DONE
            h[w.REST] = h[w.SLICE]
            h[w.STEP] &= DIRECTION
        _put(h, ticks, kinds)
    h[w.FILLED] = 0
    return FULL


def _take(h, slot):
    """The next planned word. False: the list has ended."""
    if h[w.WORDS] == 0:
        if h[w.SEGMENTS] == 0:
            return False
        _segment(h, slot, h[w.AT])
        h[w.SEGMENTS] -= 1
        h[w.AT] += 8
    h[w.WORDS] -= 1
    rest = h[w.WHOLE] + (h[w.FRACTION] >> 10)
    h[w.FRACTION] += h[w.FIRST]
    h[w.WHOLE] += h[w.FRACTION] >> 10
    h[w.FRACTION] &= 1023
    h[w.FIRST] += h[w.SECOND]
    h[w.STEP] = h[w.KIND]
    if h[w.KIND] == STEP | DIRECTION:
        h[w.UPS] += 1
    if rest < (h[w.WORD] if h[w.KIND] & STEP else 8):
        h[w.BAD] = 1
        rest = h[w.WORD]
    h[w.REST] = rest
    h[w.TICKS] += rest
    return True


def _segment(h, b, at):
    """The words of a segment, as mfboard.expand has them."""
    low = u16(b, at)
    h[w.KIND] = low & 3
    h[w.WORDS] = low >> 2 & 127
    scale = low >> 9 & 3
    h[w.WHOLE] = low >> 11 | u16(b, at + 2) << 5
    h[w.FRACTION] = 512
    low = u16(b, at + 4)
    second = low & 4095
    if second & 2048:
        second -= 4096
    first = low >> 12 | u16(b, at + 6) << 4
    if first & 0x80000:
        first -= 0x100000
    h[w.FIRST] = first << 2 + 3 * scale
    h[w.SECOND] = second << 5 * scale
    if h[w.WORDS] == 0:
        h[w.BAD] = 1
        h[w.WORDS] = 1


def _put(h, ticks, kinds):
    """One word out of what is left of the planned one."""
    count = pending(h)
    rest = h[w.REST]
    step = h[w.STEP]
    if step & STEP:
        up = step & DIRECTION
        if (count < 0 and up) or (count > 0 and not up):
            h[w.STEP] = step = up  # the planned step is not made
            h[w.MADE] += -1 if up else 1
            count = 0
    room = rest - h[w.GAP]
    if count and room >= h[w.GAP]:
        piece = h[w.EVERY] if room >= h[w.EVERY] else room
        kind = STEP | DIRECTION if count > 0 else STEP
        h[w.MADE] += 1 if count > 0 else -1
    else:
        piece = _cut(h, rest, h[w.WORD] if step & STEP else 8)
        kind = step if piece == rest else step & DIRECTION
    h[w.REST] = rest - piece
    h[w.TIME] += piece
    if kind & STEP:
        h[w.NET] += 1 if kind & DIRECTION else -1
    ticks[h[w.FILLED]] = piece
    kinds[h[w.FILLED]] = kind
    h[w.FILLED] += 1


def _cut(h, rest, least):
    """How much of a planned word is the next word: all of it, or a wait at its beginning."""
    left = h[w.SLICE] - h[w.TIME]
    if left < w.FILL:
        left = w.FILL
    return left if rest >= left + least else rest
