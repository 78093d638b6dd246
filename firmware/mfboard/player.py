"""The window player: takes windows in, decides at each branch between the next one and the tail.

Plain specification; the chip has a twin in viper. It never allocates after it is made, never makes
an edge itself (the port's engine does) and never looks at a wire. Times are microseconds modulo
2^30, as `ticks_us` gives them.
"""

from array import array

from mfboard import window
from mfwire.messages import MASK30, u16, u30
from mfwire.session import (
    BAD_BOUNDS,
    BAD_ORDER,
    BAD_POSITION,
    NO_SLOT,
    NOT_WHOLE,
    OK,
    TOO_FAR,
    TOO_LATE,
    WHY_END,
    WHY_GUARD,
    WHY_HOLD,
    WHY_LATE,
    WHY_NONE,
)

HALF30 = 1 << 29
PIECE = 16  # where a WINDOW payload's piece begins
LONG_US = 45_000
LOOK_US = 1000  # until a motor that is still busy after its list is looked at again
# modes
STOPPED, PLAYING, ON_TAIL, ENDING = range(4)


def since(now, then):
    """Microseconds from then to now, both modulo 2^30; negative when then is ahead."""
    d = (now - then) & MASK30
    return d - MASK30 - 1 if d & HALF30 else d  # 1 << 30 would be no small integer


def sooner(due, other):
    """The sooner of two times that are due; -1: never."""
    if other < 0:
        return due if other == -1 or due == 0 else 0
    return other if due < 0 or other < due else due


class Player:
    """Slots of windows, and what is being played of them."""

    def __init__(self, port, memory, slots, slot_bytes, horizon_us):
        self.engine = port.engine
        self.copy = port.copy
        self.slots = slots
        self.slot_bytes = slot_bytes
        memory = memoryview(memory)
        self.memory = [memory[i * slot_bytes : (i + 1) * slot_bytes] for i in range(slots)]
        self.length = array("H", bytes(2 * slots))
        self.ticks_per_us = port.ticks_per_us
        self.lead_us = port.lead_us
        self.horizon_us = horizon_us
        self.motors = 0
        self.outputs = 0
        self.mode = STOPPED
        self.why = WHY_NONE
        self.forget(0)

    def forget(self, number):
        """Drop all windows; the next one has this number."""
        self.whole = number  # next window that is not whole yet
        self.committed = number  # next window that is not committed yet
        self.number = number  # window being played
        self.got = 0  # bytes of the window being assembled
        self.hold = WHY_NONE  # take the tail at the next branch, and why
        self.decided = False
        self.mode = STOPPED
        self.why = WHY_NONE
        self.branch_us = 0
        self.rest_ticks = 0  # ticks by which the branch is later than branch_us
        self.begin_low = 0
        self.begin_high = 0
        self.committed_us = 0  # length of what is committed and not yet played

    def slot(self, number):
        """The memory of a window."""
        return self.memory[number % self.slots]

    def free(self):
        """Slots that a new window could use."""
        return self.slots - ((self.whole - self.number) & MASK30) - (1 if self.got else 0)

    # ---- windows in

    def fragment(self, p, length):
        """A WINDOW payload: a piece, in order. A reason of REFUSED, or OK."""
        if u30(p, 8) != self.whole:
            return BAD_ORDER
        if (self.whole - self.number) & MASK30 >= self.slots:
            return NO_SLOT
        total = u16(p, 14)
        if total > self.slot_bytes or length <= PIECE or u16(p, 12) + length - PIECE > total:
            return BAD_BOUNDS
        if u16(p, 12) != self.got:
            return BAD_ORDER
        self.put(p, length)
        return OK if self.got < total else self._complete(total)

    def put(self, p, length):
        """The piece of a WINDOW payload, behind what is there of its window."""
        self.copy(self.slot(self.whole), self.got, p, PIECE, length)
        self.got += length - PIECE

    def _complete(self, total):
        """The last piece has come: a window is checked whole."""
        number = self.whole
        slot = self.slot(number)
        self.got = 0
        if not window.sound(slot, total, self.motors, self.outputs) or u30(slot, 0) != number:
            return BAD_BOUNDS
        self.length[number % self.slots] = total
        self.whole = (number + 1) & MASK30
        return OK

    def commit(self, number, now_us):
        """All windows up to this one may be played. A reason of REFUSED, or OK."""
        ahead = (number - self.committed) & MASK30
        if ahead >= HALF30:
            return OK  # committed already
        if (self.whole - 1 - number) & MASK30 >= HALF30:
            return NOT_WHOLE
        if self.mode >= ON_TAIL or self.hold:
            return TOO_LATE
        length_us = 0
        k = self.committed
        while k != (number + 1) & MASK30:
            length_us += u30(self.slot(k), 12) // self.ticks_per_us
            k = (k + 1) & MASK30
        if self._ahead_us(now_us) + length_us > self.horizon_us:
            return TOO_FAR
        self.committed_us += length_us
        self.committed = (number + 1) & MASK30
        return OK

    def _ahead_us(self, now_us):
        """How much time is committed beyond now."""
        if self.mode == STOPPED:
            return self.committed_us
        return self.committed_us + since(self.branch_us, now_us)

    # ---- playing

    def may_start(self, number):
        """Whether a run may begin at this window. A reason of REFUSED, or OK."""
        if number != self.number or self.committed == number:
            return NOT_WHOLE
        slot = self.slot(number)
        if u30(slot, 4) != 0 or u30(slot, 8) != 0:
            return BAD_ORDER
        return self._matches(slot)

    def start(self, number, now_us):
        """Begin at this window, now: it may (`may_start`)."""
        slot = self.slot(number)
        self.why = WHY_NONE
        self.rest_ticks = 0
        self.begin_low = 0
        self.begin_high = 0
        self.mode = PLAYING
        self.branch_us = self.engine.start(slot, now_us)
        self._began(slot)

    def play_alone(self, slot, now_us):
        """A list that is no window of a run: a retreat, from wherever the motors rest."""
        m = 0
        while m < self.motors:
            window.set_start(slot, m, self.engine.planned(m))
            m += 1
        self.rest_ticks = 0
        self.committed_us = 0
        self.hold = WHY_NONE
        self.mode = PLAYING
        self.engine.alone = True
        self.branch_us = self.engine.start(slot, now_us)
        self.engine.alone = False
        self._began(slot)

    def _matches(self, slot):
        m = 0
        while m < self.motors:
            if window.start_steps(slot, m) != self.engine.planned(m):
                return BAD_POSITION
            m += 1
        return OK

    def _began(self, slot):
        """A window begins: where it ends is the next branch."""
        ticks = u30(slot, 12) + self.rest_ticks
        length_us = ticks // self.ticks_per_us
        self.rest_ticks = ticks - length_us * self.ticks_per_us
        self.branch_us = (self.branch_us + length_us) & MASK30
        self.committed_us -= u30(slot, 12) // self.ticks_per_us
        if self.committed_us < 0:
            self.committed_us = 0
        self.begin_low += u30(slot, 12)
        if self.begin_low > MASK30:
            self.begin_low &= MASK30
            self.begin_high = (self.begin_high + 1) & MASK30
        self.decided = False
        if u16(slot, 26) & window.LAST:
            self.decided = True
            self.mode = ENDING
            self.why = WHY_END

    def due_us(self, now_us):
        """Microseconds until service has something to do; -1: nothing is played."""
        if self.mode == STOPPED:
            return -1
        left = since(self.branch_us, now_us) - (0 if self.decided else self.lead_us)
        return left if left > 0 else 0

    def fresh_us(self, now_us):
        """Microseconds to a branch that is decided, with a long window behind it; else -1."""
        if self.mode != PLAYING or not self.decided:
            return -1
        if u30(self.slot((self.number + 1) & MASK30), 12) // self.ticks_per_us < LONG_US:
            return -1
        return since(self.branch_us, now_us)

    def service(self, now_us):
        """Decide near the branch; step over it when it has come. True: something changed."""
        if self.mode == STOPPED:
            return False
        if self.mode == PLAYING and self.engine.gave_up(self.slot(self.number)):
            self._take_tail(self.slot(self.number))
        if not self.decided and since(self.branch_us, now_us) <= self.lead_us:
            self._decide()
        if self.decided and since(self.branch_us, now_us) <= 0:
            return self._branch(now_us)
        return False

    def _decide(self):
        slot = self.slot(self.number)
        following = (self.number + 1) & MASK30
        go_on = not self.hold and following != self.committed
        if go_on:
            following_slot = self.slot(following)
            go_on = (
                u30(following_slot, 4) == self.begin_low
                and u30(following_slot, 8) == self.begin_high
                and self._matches(following_slot) == OK
            )
            if not go_on:
                self.hold = WHY_LATE
        if go_on:
            self.engine.follow(following_slot, False)
            self.decided = True
        else:
            self._take_tail(slot)

    def _take_tail(self, slot):
        self.why = self.hold or WHY_LATE
        self.mode = ON_TAIL
        self.engine.follow(slot, True)
        self.decided = True

    def _branch(self, now_us):
        """The window has ended."""
        if self.mode == PLAYING:
            self.number = (self.number + 1) & MASK30
            self._began(self.slot(self.number))
            return True
        if self.mode == ON_TAIL and not self.engine.on_tail:
            slot = self.slot(self.number)
            self.engine.on_tail = True
            self.branch_us = (self.branch_us + u30(slot, 16) // self.ticks_per_us + 1) & MASK30
            return True
        if self.engine.busy():
            self.branch_us = (now_us + LOOK_US) & MASK30
            return False
        self.mode = STOPPED
        if self.why == WHY_END and self.hold == WHY_GUARD:
            self.why = WHY_GUARD
        self.engine.finish()
        return True

    def ask_hold(self, why):
        """Take the tail at the next branch (or let the last window end)."""
        if not self.hold:
            self.hold = why if why else WHY_HOLD

    def abort(self):
        """Stop at once. The engine tells the positions."""
        self.mode = STOPPED
        self.engine.abort()
