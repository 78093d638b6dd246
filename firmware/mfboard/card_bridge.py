"""From where a stop has left the machine back into the job: windows made here, while it stands.

A tail is the path itself, braked to rest. So the steps that it made are the first ones of the
windows behind it, and the rest of those windows, with their time stretched (mfboard.card_warp),
leads from rest to the job's own speed at the end of one of them; there the job goes on, step for
step. Each window made so has a tail: what is left of the job's window and its tail, played at the
rate that the clock has there. They are written to bridge.bin, for the card has more room than we.
"""

from mfboard import window
from mfboard.card_file import BRIDGE, MARK, CardError, Reader, Way
from mfboard.card_warp import Warp
from mfboard.card_words import List, words
from mfwire.messages import MASK30, put16, put32, u16, u30

SUB_TICKS = 7_500_000  # 60 ms: the longest window made
SLACK_TICKS = 6_250_000  # 50 ms: speeds within a window
SPARE = 8192  # ticks that a tail rests longer: room for whole chunks
MOST = 400  # windows of the job that one bridge may use
NOT_ALONE = "; the machine rests on its path, position known; end the job, then run it from a host"


class Bridge:
    """Made by `make`, and not needed any more when it is: what is to be played is a Way."""

    def __init__(self, card):
        self.card = card
        self.store = card.store
        self.board = card.board
        self.changes = ()  # outputs that the tail's own stretch of the path has changed
        self.count = 0
        self.at = 0  # where the job goes on
        self.left = 0
        self.shift = 0
        self.list = List()

    # ---- making it

    def make(self, name, at, left):
        """Windows from the end of the tail of the window at this place of the file.

        Generator; it returns the Way.
        """
        board = self.board
        self.motors = board.player.motors
        self.list.least = board.config["pulse_ticks"] + 8
        self.one = board.player.memory[0]  # nothing is played now: slots are free
        self.two = board.player.memory[1]
        self.out = board.player.memory[2]
        self.name = name
        reader = Reader(self.store, name, at)
        try:
            self._body(reader, self.one)
            after = reader.tell()
            begin = 0
            self.skip = [sum(1 for _ in self._steps(self._list(self.one, m, True)))
                         for m in range(self.motors)]  # fmt: skip
            if u30(self.one, 16):
                begin = yield self._skipped(reader, left)
            reader.close()
            number = yield self._heads(at, left, begin)
            yield self._write(after, left, begin, number)
        finally:
            reader.close()
        return Way(self)

    def _body(self, reader, out):
        """The next window of the job: its mark is left in `mark`, its body in out."""
        self.mark = bytearray(MARK)
        reader.take(self.mark, 0, MARK)
        reader.skip(8 * self.motors)
        length = u30(self.mark, MARK - 4)
        reader.take(out, 0, length)

    def _list(self, b, motor, tail):
        return words(b, window.list_at(b, motor, tail), window.list_segments(b, motor, tail))

    def _skipped(self, reader, left):
        """The tick of the path at which all steps of the tail have been made. Generator."""
        tails = [self._steps(self._list(self.one, m, True)) for m in range(self.motors)]
        waits = [next(tail, None) for tail in tails]
        begin = 0
        at = 0
        while any(wait is not None for wait in waits):
            if not left:
                raise CardError("the tail does not lie on the path" + NOT_ALONE)
            left -= 1
            self._body(reader, self.two)
            for m in range(self.motors):
                tick = at
                for length, kind in self._list(self.two, m, False):
                    if waits[m] is None:
                        break
                    tick += length
                    if kind & 2:
                        if kind & 1 != waits[m]:
                            raise CardError("the path turns round in its stop" + NOT_ALONE)
                        waits[m] = next(tails[m], None)
                        begin = max(begin, tick)
                yield 0
            at += u30(self.two, 12)
        return begin

    def _steps(self, items):
        """Directions of the steps of a list. Generator."""
        for _length, kind in items:
            if kind & 2:
                yield kind & 1

    def _heads(self, at, left, begin):
        """How many windows of the job it takes: until the clocks run alike. Generator.

        Decides the scale of time: the longest stop from any speed on the way.
        """
        reader = Reader(self.store, self.name, at)
        try:
            self._body(reader, self.two)
            longest = u30(self.two, 16)
            ticks = 0
            self.lengths = []
            self.warp = Warp(begin, longest + SLACK_TICKS)
            while left and ticks < self.warp.until and len(self.lengths) < MOST:
                self._body(reader, self.two)
                left -= 1
                longest = max(longest, u30(self.two, 16))
                self.warp = Warp(begin, longest + SLACK_TICKS)
                ticks += u30(self.two, 12)
                self.lengths.append(u30(self.two, 12))
                yield 0
            number = u30(self.two, 0) + 1
            self.at = reader.tell()
            self.left = left
            if left and ticks < self.warp.until:
                raise CardError("the way back to its speed is too long" + NOT_ALONE)
            if left:  # where the job goes on
                self._body(reader, self.two)
                self.goes_on = u30(self.two, 8) << 30 | u30(self.two, 4)
        finally:
            reader.close()
        return number

    def _parts(self, i, low, high):
        """Ticks of the clock at which the windows made from one of the job end."""
        begin, end = self.warp.clock(low), self.warp.clock(high)
        count = max(1, -(-(end - begin) // SUB_TICKS))
        return [begin + (end - begin) * (k + 1) // count for k in range(count)]

    def _write(self, after, left, begin, number):
        """All of them to the card. Generator."""
        plan = []
        low = 0
        for i, length in enumerate(self.lengths):
            high = low + length
            plan.append((low, self._parts(i, low, high) if high > begin else []))
            low = high
        self.count = sum(len(parts) for _low, parts in plan)
        if not self.count:
            raise CardError("there is no path left to go on with" + NOT_ALONE)
        self.number = (number - self.count) & MASK30
        planned = self.board.port.engine.planned
        self.steps = [planned(m) for m in range(self.motors)]
        self.cut = -1  # of the path: what ends later has not been made yet
        self.flags = 0
        arc = self.board.torch.arc
        if arc and self.card.saved and self.card.saved[0][arc["torch"]]:
            self.flags = window.ARC
        changes = []
        reader = Reader(self.store, self.name, after)
        out = self.store.open(BRIDGE, "r+b")
        self.written = 0
        self.room = self.store.size(BRIDGE)
        total = 0
        try:
            for low, parts in plan:
                at = reader.tell()
                self._body(reader, self.one)
                left -= 1
                self._passed(low, begin, changes, not parts)
                for end in parts:
                    total = yield self._window(out, low, total, end, at, left)
            out.flush()
        finally:
            out.close()
            reader.close()
        self.changes = changes
        if self.left:
            self.shift = (total - self.goes_on) & ((1 << 60) - 1)
            for m in range(self.motors):
                if window.start_steps(self.two, m) != self.steps[m]:
                    raise CardError("the path does not meet the job's steps" + NOT_ALONE)

    def _passed(self, low, begin, changes, whole):
        """Outputs that change on the stretch that the tail has made; whole: steps go with it."""
        for tick, number, value in events(self.one, False):
            if low + tick < begin:
                changes.append((number, value))
        for m in range(self.motors if whole else 0):
            for _direction in self._steps(self._list(self.one, m, False)):
                if self.skip[m]:
                    self.skip[m] -= 1

    def _window(self, file, low, start, end, job_at, left):
        """One window, from clock tick start to end, out of the job's in `one`. Generator."""
        warp, body = self.warp, self.one
        length = u30(body, 12)
        final = end == warp.clock(low + length)
        cut = low + length if final else min(low + length, warp.path(end))
        last = final and u16(body, 26) & window.LAST
        rate = max(warp.rate(end), 0.01)
        tail = 0 if last else int((low + length - cut + u30(body, 16)) / rate) + SPARE
        self._head(start, end, tail, last)
        at = self._events(low, start, end, cut, rate, last)
        made = [0] * self.motors
        for m in range(self.motors):
            at = self._main(m, low, start, end, cut, at, made)
            yield 0
        if not last:
            for m in range(self.motors):
                at = self._tail(m, low, cut, rate, tail, at)
                yield 0
        for m in range(self.motors):
            self.steps[m] += made[m]
        self._save(file, at, job_at, left)
        self.cut = cut
        return end

    def _head(self, start, end, tail, last):
        out = self.out
        for i in range(window.HEAD):
            out[i] = 0
        put32(out, 0, self.number)
        put32(out, 4, start & MASK30)
        put32(out, 8, start >> 30)
        put32(out, 12, end - start)
        put32(out, 16, tail)
        put16(out, 20, self.motors)
        put16(out, 26, (window.LAST if last else 0) | self.flags)
        self.flags = 0
        for m in range(self.motors):
            put32(out, window.HEAD + window.MOTOR * m, self.steps[m])
            put32(out, window.HEAD + window.MOTOR * m + 4, 0)

    def _events(self, low, start, end, cut, rate, last):
        """Outputs of the window, and of its tail. Where the segments begin."""
        at = window.HEAD + window.MOTOR * self.motors
        counts = [0, 0]
        first = max(self.cut + 1, self.warp.begin)
        for tick, number, value in events(self.one, False):
            path = low + tick
            if first <= path <= cut:
                clock = min(max(self.warp.clock(path), start), end - 1)
                at = self._event(at, clock - start, number, value)
                counts[0] += 1
        if not last:
            length = low + u30(self.one, 12)
            for tail in (False, True):
                for tick, number, value in events(self.one, tail):
                    path = (length if tail else low) + tick
                    if path > cut:
                        at = self._event(at, int((path - cut) / rate), number, value)
                        counts[1] += 1
        put16(self.out, 22, counts[0])
        put16(self.out, 24, counts[1])
        return at

    def _event(self, at, tick, number, value):
        put32(self.out, at, tick)
        put16(self.out, at + 4, number)
        put16(self.out, at + 6, value)
        return at + window.EVENT

    def _main(self, m, low, start, end, cut, at, made):
        """A motor's words of the window."""
        words_of = self.list
        words_of.begin()
        tick = low
        for length, kind in self._list(self.one, m, False):
            tick += length
            if tick > cut:
                words_of.kind = kind & 1  # the waits up to the end point where it will go
                break
            if kind & 2 and self.skip[m]:
                self.skip[m] -= 1
            elif tick > self.cut and (kind & 2 or tick > self.warp.begin):
                words_of.put(self.warp.clock(tick) - start, kind)
                if kind & 2:
                    made[m] += 1 if kind & 1 else -1
        return self._close(m, end - start, at, 4)

    def _tail(self, m, low, cut, rate, ticks, at):
        """What is left of the job's window, and its tail, at one rate."""
        words_of = self.list
        words_of.begin()
        tick = low
        for length, kind in self._list(self.one, m, False):
            tick += length
            if tick > cut:
                words_of.put(int((tick - cut) / rate), kind)
        tick = low + u30(self.one, 12)
        for length, kind in self._list(self.one, m, True):
            tick += length
            words_of.put(int((tick - cut) / rate), kind)
        return self._close(m, ticks, at, 6)

    def _close(self, m, ticks, at, field):
        made = self.list.segments(self.out, at) if self.list.finish(ticks) else -1
        if made < 0:
            raise CardError("a window of the way back is too long" + NOT_ALONE)
        put16(self.out, window.HEAD + window.MOTOR * m + field, made)
        return at + window.SEGMENT * made

    def _save(self, file, length, job_at, left):
        """Marks and body to bridge.bin."""
        if self.written + MARK + 8 * self.motors + length > self.room:
            raise CardError("bridge.bin on the card is too small" + NOT_ALONE)
        mark = self.mark
        put32(mark, 0, self.number)
        put32(mark, 4, left)
        put32(mark, 24, job_at)
        put32(mark, MARK - 4, length)
        file.write(mark)
        file.write(bytes(8 * self.motors))
        file.write(self.out[:length])
        self.written += MARK + 8 * self.motors + length
        self.number = (self.number + 1) & MASK30


def events(b, tail):
    """Tick, output and value of each change of a window, or of its tail. Generator."""
    at = window.HEAD + window.MOTOR * u16(b, 20)
    count = u16(b, 22)
    if tail:
        at += window.EVENT * count
        count = u16(b, 24)
    while count:
        yield u30(b, at), u16(b, at + 4), u16(b, at + 6)
        at += window.EVENT
        count -= 1
