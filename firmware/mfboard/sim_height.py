"""Torch height control on the board in memory: one motor's words made two milliseconds ahead.

The engine hands over that motor's lists; once a millisecond the arc is read, the rules of
mfboard.height say what offset is wanted, and mfboard.merge makes the next chunks. On the chip the
millisecond service does the same (mfboard.fast_height).
"""

from array import array

from mfboard import faults, height, merge, window
from mfboard import height_state as w
from mfboard.expand import DIRECTION, STEP
from mfwire.messages import u30

AHEAD = 3  # chunks that are made and not played


class Height:
    """The offset of one motor. The engine makes one of these for each configuration."""

    def __init__(self, engine, config):
        item = config["height"]
        self.engine = engine
        self.port = engine.port
        self.motor = item["motor"]
        self.path = item["path"]  # (motor, 0.1 mm/s times ticks of a step)
        self.h = array("i", [0] * w.SIZE)
        for i in range(len(item["settings"])):
            self.h[i] = item["settings"][i]
        self.h[w.ARC] = 0 if config["arc"] else 1
        self.h[w.FROZEN] = 1
        self.period = engine.port.tick_hz // 1000
        self.slot = None
        self.next = None  # the list that follows, and whether it is a tail
        self.on = False  # the motor's lists come here
        self.end = 0  # tick up to which words are made
        self.made = []  # ends of chunks that are not played
        self._ticks = array("i", [0] * merge.WORDS)
        self._kinds = bytearray(merge.WORDS)

    def begin(self, slot, tick):
        """A run begins at a tick; its first list is in the slot."""
        h = self.h
        h[w.FROZEN] = h[w.EXTRA] = h[w.FILLED] = h[w.WAITED] = h[w.BAD] = h[w.STEP] = 0
        self.on = True
        self.end = tick
        self.made = []
        self._load(slot, False)
        self._fill()
        self.port.at(tick + self.period, "height", 0, 0)

    def follow(self, slot, tail):
        """The list after the present one."""
        self.next = (slot, tail)

    def _load(self, slot, tail):
        m = self.motor
        last = tail or slot[26] & window.LAST
        merge.load(
            self.h,
            window.list_at(slot, m, tail),
            window.list_segments(slot, m, tail),
            u30(slot, 16 if tail else 12),
            1 if last else 0,
        )
        self.slot = slot
        self.next = None

    def turn(self):
        """A millisecond has passed."""
        if not self.on:
            return
        h = self.h
        h[w.RAW] = self.port.arc()
        h[w.SPEED] = self.speed()
        if self.engine.on_tail:
            h[w.FROZEN] = 1
        height.control(h)
        self._fill()
        if self.on:
            self.port.at(self.port.tick + self.period, "height", 0, 0)

    def speed(self):
        """(0.1 mm/s)^2 along the path now, from the intervals of the steps being made."""
        total = 0
        for motor, scale in self.path:
            ticks = self.engine.interval(motor)
            if ticks:
                total += (scale // ticks) ** 2
        return total

    def _fill(self):
        now = self.port.tick
        while self.made and self.made[0] <= now:
            self.made.pop(0)
        while self.on and len(self.made) < AHEAD:
            done = merge.chunk(self.h, self.slot, self._ticks, self._kinds)
            if self.h[w.BAD]:
                self.engine.fault = faults.BAD_LIST
                self.on = False
            elif done == merge.FULL:
                self._publish()
            elif done == merge.DONE:
                self.on = False
            elif self.next is None:
                break
            else:
                self._load(*self.next)

    def _publish(self):
        """A chunk is full: its words become edges."""
        ends = []
        steps = []
        ways = []
        now = 0
        for i in range(merge.WORDS):
            way = 1 if self._kinds[i] & DIRECTION else -1
            now += self._ticks[i]
            ends.append(now)
            ways.append(way)
            steps.append(way if self._kinds[i] & STEP else 0)
        begin = self.end
        self.end += now
        self.made.append(self.end)
        self.engine.publish(self.motor, begin, (ends, steps, ways))

    def steps(self):
        """Steps of offset that the motor stands off its plan (at rest)."""
        return self.h[w.MADE]

    def forget(self):
        """The motor's count is what its plan says from now on."""
        self.h[w.MADE] = self.h[w.WANT] = self.h[w.GOING] = 0

    def stop(self):
        """Nothing more is made: the run has ended, or was stopped."""
        self.on = False
        self.next = None
        self.h[w.FROZEN] = 1
