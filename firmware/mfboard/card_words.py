"""A motor's words to segments, and back one by one: for a path whose clock was stretched.

A list is kept as duration << 2 | kind, so a word fits 23 bits. What `segments` writes plays every
word within TOLERANCE ticks of its place, and ends exactly.
"""

from array import array

from mfwire.messages import put16, u16

WORDS = 4096  # of one list, at most
MORE = 256  # it grows by
LONGEST = (1 << 21) - 1
SHORTEST = 8
TOLERANCE = 24  # ticks: 0.2 us
CHUNK = 16


def words(b, at, segments):
    """Duration and kind of each word of a list of segments (mfboard.expand). Generator."""
    while segments:
        low = u16(b, at)
        high = u16(b, at + 2)
        count = low >> 2 & 127
        scale = low >> 9 & 3
        whole = low >> 11 | high << 5
        fraction = 512
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
        while count:
            yield whole + (fraction >> 10), kind
            fraction += d
            whole += fraction >> 10
            fraction &= 1023
            d += second
            count -= 1
        at += 8
        segments -= 1


class List:
    """One list being made: words are put by the tick at which they end."""

    def __init__(self):
        self.items = array("I", bytes(4 * MORE))
        self.least = 200  # of a step word: the pulse and 8 ticks
        self.begin()

    def begin(self):
        """Anew, at tick 0."""
        self.count = 0
        self.end = 0
        self.kind = 0

    def put(self, end, kind):
        """A word that ends at this tick, or a little later where there is no room for it."""
        least = self.least if kind & 2 else SHORTEST
        if end - self.end < least:
            if not kind & 2:
                return  # a wait without room: the next word takes its time
            end = self.end + least
        while end - self.end > LONGEST:
            self._add(LONGEST // 2, kind & 1)
        self._add(end - self.end, kind)

    def _add(self, length, kind):
        if self.count >= len(self.items) - CHUNK:
            if len(self.items) >= WORDS:
                raise IndexError
            self.items.extend(array("I", bytes(4 * MORE)))
        self.items[self.count] = length << 2 | kind
        self.count += 1
        self.end += length
        self.kind = kind

    def finish(self, end):
        """Waits to the end, and whole chunks of words. False: there is no room for them."""
        if end < self.end:
            return False
        self.put(end, self.kind & 1)
        if self.end != end:  # fewer ticks than a wait has: the last word gets them
            if not self.count:
                return False
            self.items[self.count - 1] += end - self.end << 2
            self.end = end
        missing = -self.count % CHUNK
        if missing:
            return self._split(missing)
        return True

    def _split(self, missing):
        """The longest word begins with so many waits."""
        best = 0
        i = 0
        while i < self.count:
            if self.items[i] >> 2 > self.items[best] >> 2:
                best = i
            i += 1
        word = self.items[best]
        waits = SHORTEST
        left = (word >> 2) - waits * missing
        if left < (self.least if word & 2 else SHORTEST):
            return False
        i = self.count - 1
        while i >= best:
            self.items[i + missing] = self.items[i]
            i -= 1
        i = 0
        while i < missing:
            self.items[best + i] = waits << 2 | word & 1
            i += 1
        self.items[best + missing] = left << 2 | word & 3
        self.count += missing
        return True

    def segments(self, out, at):
        """Write them from out[at] on; how many. -1: out is too short."""
        k = 0
        made = 0
        slip = 0  # ticks by which what is written ends too early
        while k < self.count:
            if at + 8 > len(out):
                return -1
            n = self._alike(k)
            if k + n == self.count and n > 1:
                n -= 1  # the very last word stands alone, and ends exactly
            while n > 1:
                missed = self._fit(k, n, slip)
                if missed is not None:
                    break
                n = (n + 1) // 2
            if n == 1:
                self._interval = (self.items[k] >> 2) + slip
                self._first = self._scale = 0
                missed = 0
            self._write(out, at, n, self.items[k] & 3)
            slip = missed
            k += n
            at += 8
            made += 1
        return made

    def _alike(self, k):
        kind = self.items[k] & 3
        n = 1
        while n < 127 and k + n < self.count and self.items[k + n] & 3 == kind:
            n += 1
        return n

    def _fit(self, k, n, slip):
        """Try one segment for n words; what it ends too early by, None: it is too far off."""
        items = self.items
        begin = items[k] >> 2
        total = slip
        i = 0
        while i < n:
            total += items[k + i] >> 2
            i += 1
        # sum of n intervals is n begin + n (n - 1) / 2 d
        d = ((total - n * begin) << 11) // (n * (n - 1))
        scale = 0
        while not -0x80000 <= d >> 2 + 3 * scale < 0x80000:
            scale += 1
            if scale > 2:
                return None
        first = d >> 2 + 3 * scale
        d = first << 2 + 3 * scale
        least = self.least if items[k] & 2 else SHORTEST
        fraction = 512
        whole = begin
        off = slip
        i = 0
        while i < n:
            length = whole + (fraction >> 10)
            off += (items[k + i] >> 2) - length
            if off > TOLERANCE or off < -TOLERANCE or length < least or length > LONGEST:
                return None
            fraction += d
            whole += fraction >> 10
            fraction &= 1023
            i += 1
        self._interval = begin
        self._first = first & 0xFFFFF
        self._scale = scale
        return off

    def _write(self, out, at, n, kind):
        low = kind | n << 2 | self._scale << 9 | (self._interval & 31) << 11
        put16(out, at, low)
        put16(out, at + 2, self._interval >> 5)
        put16(out, at + 4, (self._first & 15) << 12)
        put16(out, at + 6, self._first >> 4)
