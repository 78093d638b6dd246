"""The step engine of the board in memory: lists to edges, halts, and exact positions.

What has not happened yet is kept as batches of edges; a batch is told to the sink when its time has
passed, and cut when motors are stopped before.
"""

from array import array

from mfboard import faults, window
from mfboard.expand import DIRECTION, STEP, expand
from mfboard.sim_height import Height
from mfwire.messages import u16, u30

WORDS_MAX = 32768


def edges(lists, base, pulse, direction):
    """(rises, signs, turn ticks, turn directions, end, last direction) of one motor's list."""
    ends, steps, ways = lists
    rises = []
    signs = []
    turns = []
    turned = []
    begin = 0
    for i in range(len(ends)):
        if ways[i] != direction:
            direction = ways[i]
            turns.append(base + begin)
            turned.append(direction)
        if steps[i]:
            rises.append(base + ends[i] - pulse)
            signs.append(steps[i])
        begin = ends[i]
    return rises, signs, turns, turned, begin, direction


class PlainLists:
    """Lists of steps as Python lists. A faster twin has the same methods."""

    def __init__(self):
        self._ticks = array("i", bytes(4 * WORDS_MAX))
        self._kinds = bytearray(WORDS_MAX)

    def expand(self, slot, tail, motors):
        """For each motor (word ends, step of each word: 1, -1 or 0, direction of each word)."""
        out = []
        for m in range(motors):
            at = window.list_at(slot, m, tail)
            count = window.list_segments(slot, m, tail)
            n = expand(slot, at, count, self._ticks, self._kinds, WORDS_MAX)
            if n < 0 or n % 16:
                return None
            now = 0
            ends = []
            steps = []
            ways = []
            for i in range(n):
                now += self._ticks[i]
                way = 1 if self._kinds[i] & DIRECTION else -1
                ends.append(now)
                ways.append(way)
                steps.append(way if self._kinds[i] & STEP else 0)
            out.append((ends, steps, ways))
        return out

    def edges(self, lists, base, pulse, direction):
        """(rises, signs, turn ticks, turn directions, end, last direction) of one motor's list."""
        return edges(lists, base, pulse, direction)

    def total(self, signs):
        """Sum of steps."""
        return sum(signs)

    def upto(self, rises, tick):
        """How many edges rise at or before a tick."""
        n = len(rises)
        while n and rises[n - 1] > tick:
            n -= 1
        return n

    def crossing(self, signs, start, threshold, upward):
        """Number of the first edge after which the position is past a threshold, or -1."""
        position = start
        for i in range(len(signs)):
            before = position
            position += signs[i]
            if (before < threshold <= position) if upward else (position < threshold <= before):
                return i
        return -1


class Batch:
    """Edges of all motors in one list."""

    def __init__(self, base, end, motors):
        self.base = base
        self.end = end
        self.motors = motors  # of (rises, signs, turns, turned)


class Engine:
    """Plays lists on motors that remember."""

    def __init__(self, port, lists):
        self.port = port
        self.lists = lists
        self.motors = 0
        self.pulse = 17
        self.on_tail = False
        self.fault = faults.NONE
        self.batches = []
        self.late = []  # batches of the motor whose words are made late (mfboard.sim_height)
        self.height = None
        self.guards = []  # (input, mask)
        self.alone = False
        self.merging = False  # this run's lists of one motor go through its height control

    def configure(self, config):
        """Motors of a configuration; all stand at 0."""
        self.motors = len(config["motors"])
        self.pulse = config["pulse_ticks"]
        self.steps = [0] * self.motors  # told to the sink
        self.plan = [0] * self.motors  # where lists end, as planned
        self.ahead = [0] * self.motors  # where lists end, halts considered
        self.direction = [1] * self.motors
        self.halted = 0
        self.latched = [None] * self.motors
        self.end = 0
        self.height = Height(self, config) if config["height"] else None

    # ---- what the player asks of its engine

    def planned(self, motor):
        """Where a motor stands when everything that is loaded has been played."""
        return self.plan[motor]

    def position(self, motor):
        """Where a motor stands now, exactly."""
        n = self.steps[motor]
        for batch in self.batches + self.late:
            rises, signs = batch.motors[motor][0], batch.motors[motor][1]
            k = self.lists.upto(rises, self.port.tick)
            n += self.lists.total(signs[:k])
        return n

    def set_position(self, motor, steps):
        """The count is this from now on (motors rest)."""
        if self.port.plant:
            self.port.plant.recount(motor, self.steps[motor], steps)
        self.steps[motor] = self.plan[motor] = self.ahead[motor] = steps
        self.latched[motor] = None
        if self.height and motor == self.height.motor:
            self.height.forget()

    def offset(self):
        """Steps of height control's offset (at rest exact), 0 without it."""
        return self.height.steps() if self.height else 0

    def steer(self, word, value):
        """A word of mfboard.height_state from the board: its target, its limit, the arc."""
        if self.height:
            self.height.h[word] = value

    def told(self, word):
        """What a word of mfboard.height_state is."""
        return self.height.h[word] if self.height else 0

    def start(self, slot, now_us):
        """The first list of a run begins now; when that was."""
        self.on_tail = False
        self.halted = 0
        self.end = self.port.tick
        if self.port.sink:
            kind = "guarded" if self.guards else "retreat" if self.alone else "motion"
            positions = [self.position(m) for m in range(self.motors)]
            self.port.sink.run(self.port.tick, kind, positions, u30(slot, 0))
        for i, mask in self.guards:
            if self.port.level(i) == self.port.config["inputs"][i]["active"]:
                self._halt(mask, self.port.tick)
        self.merging = self.height is not None and not self.guards and not self.alone
        self._load(slot, False)
        return now_us

    def follow(self, slot, tail):
        """Play a list when the present one ends."""
        self._flush(self.port.tick)
        self._load(slot, tail)

    def gave_up(self, slot):
        """Never: in memory the player decides in time."""
        return False

    def busy(self):
        """Something of what is loaded has not been played yet."""
        if self.merging and (self.height.on or self.port.tick < self.height.end):
            return True
        return self.port.tick < self.end

    def finish(self):
        """All has been played."""
        if self.merging:
            self.height.stop()
            self.end = max(self.end, self.height.end)
        self.merging = False
        self._flush(self.end)
        for m in range(self.motors):
            self.plan[m] = self.ahead[m] = self.steps[m]
        if self.height:
            self.plan[self.height.motor] -= self.height.steps()
        self.guards = []

    def abort(self):
        """Stop at once; a pulse that has begun ends."""
        now = self.port.tick
        self.port.drop(now, ("output", "level", "height"))
        self._cut(range(self.motors), now)
        for batch in self.batches + self.late:
            if batch.end > now:
                batch.end = now
        self.end = now
        if self.height:
            self.height.end = now
            self.height.forget()
        self.finish()

    def guard(self, i, mask):
        """In the next run this input stops those motors. False: no room."""
        if len(self.guards) >= 8:
            return False
        self.guards.append((i, mask))
        return True

    def unguard(self):
        """No input stops a motor."""
        self.guards = []
        for m in range(self.motors):
            self.latched[m] = None

    # ---- inside

    def _load(self, slot, tail):
        lists = self.lists.expand(slot, tail, self.motors)
        length = u30(slot, 16 if tail else 12)
        base = self.end
        motors = []
        if lists is None:
            self.fault = faults.BAD_LIST
            return
        for m in range(self.motors):
            if self.merging and m == self.height.motor:
                self.plan[m] += int(self.lists.total(lists[m][1]))
                motors.append(([], [], [], []))
                continue
            made = self.lists.edges(lists[m], base, self.pulse, self.direction[m])
            rises, signs, turns, turned, end, self.direction[m] = made
            if end != length:
                self.fault = faults.BAD_LIST
            self.plan[m] += self.lists.total(signs)
            if self.halted >> m & 1:
                rises, signs, turns, turned = rises[:0], signs[:0], turns[:0], turned[:0]
            motors.append((rises, signs, turns, turned))
        batch = Batch(base, base + length, motors)
        self.batches.append(batch)
        self.end = base + length
        self._events(slot, tail, base)
        self._switches(batch)
        if self.merging and self.height.on:
            self.height.follow(slot, tail)
        elif self.merging:
            self.height.begin(slot, base)

    def publish(self, motor, base, words):
        """Words of the motor whose words are made late: they are played from a tick on."""
        motors = [([], [], [], [])] * self.motors
        made = edges(words, base, self.pulse, self.direction[motor])
        motors[motor] = made[:4]
        self.direction[motor] = made[5]
        batch = Batch(base, base + made[4], motors)
        self.late.append(batch)
        self._switches(batch)

    def interval(self, motor):
        """Ticks between the steps of a motor that are being made now; 0: it stands."""
        now = self.port.tick
        for batch in self.batches:
            if batch.base <= now < batch.end:
                rises = batch.motors[motor][0]
                k = self.lists.upto(rises, now)
                if len(rises) < 2:
                    return 0
                i = min(max(k, 1), len(rises) - 1)
                ticks = int(rises[i] - rises[i - 1])
                return max(ticks, int(now - rises[-1]), int(rises[0] - now))
        return 0

    def _events(self, slot, tail, base):
        at = window.HEAD + window.MOTOR * u16(slot, 20)
        count = u16(slot, 22)
        if tail:
            at += window.EVENT * count
            count = u16(slot, 24)
        while count:
            when = base + u30(slot, at)
            self.port.at(when, "output", u16(slot, at + 4), u16(slot, at + 6))
            at += window.EVENT
            count -= 1

    def _switches(self, batch):
        """Switches that close or open on the way, and the halts they cause, in order of time."""
        plant = self.port.plant
        if plant is None:
            return
        starts = list(self.ahead)
        seen = []
        for m in range(self.motors):
            for threshold, i, below in plant.switches(m):
                for upward in (False, True):
                    signs = batch.motors[m][1]
                    k = self.lists.crossing(signs, starts[m], threshold, upward)
                    if k >= 0:
                        tick = int(batch.motors[m][0][k])
                        closes = upward != below
                        seen.append((tick, m, i, closes, starts[m] + self._sum(signs, k + 1)))
        crossings = getattr(plant, "crossings", None)
        if crossings is not None:  # of switches that two motors reach together
            seen.extend(crossings(batch.motors, starts))
        seen.sort()
        for tick, m, i, closes, position in seen:
            if tick > batch.end or self._gone(batch, m, tick):
                continue
            level = self.port.config["inputs"][i]["active"]
            self.port.at(tick, "level", i, level if closes else 1 - level)
            if closes:
                for guard, mask in self.guards:
                    if guard == i:
                        self._halt(mask & ~self.halted, tick, batch)
                        if self.latched[m] is None:
                            self.latched[m] = position
        for m in range(self.motors):
            self.ahead[m] = starts[m] + self.lists.total(batch.motors[m][1])

    def _sum(self, signs, n):
        return self.lists.total(signs[:n])

    def _gone(self, batch, motor, tick):
        rises = batch.motors[motor][0]
        return self.lists.upto(rises, tick) == 0 or int(rises[len(rises) - 1]) < tick

    def _halt(self, mask, tick, batch=None):
        self.halted |= mask
        which = [m for m in range(self.motors) if mask >> m & 1]
        for m in which:
            self.latched[m] = None if batch else self.position(m)
        self._cut(which, tick)
        for m in which:
            if batch is not None and self.latched[m] is None:
                signs = batch.motors[m][1]
                self.latched[m] = self.ahead[m] + self.lists.total(signs)

    def _cut(self, motors, tick):
        """Edges of these motors that rise after a tick do not happen."""
        for batch in self.batches + self.late:
            for m in motors:
                rises, signs, turns, turned = batch.motors[m]
                k = self.lists.upto(rises, tick)
                t = self.lists.upto(turns, tick)
                batch.motors[m] = (rises[:k], signs[:k], turns[:t], turned[:t])

    def _flush(self, tick):
        """Tell the sink what has passed."""
        for batches in (self.batches, self.late):
            while batches and batches[0].end <= tick:
                self._tell(batches.pop(0))

    def _tell(self, batch):
        for m in range(self.motors):
            rises, signs, turns, turned = batch.motors[m]
            self.steps[m] += int(self.lists.total(signs))
            if self.port.sink:
                if len(turns):
                    self.port.sink.turns(m, turns, turned)
                if len(rises):
                    self.port.sink.steps(m, rises, self.pulse, signs)
