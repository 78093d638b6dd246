"""The contactor that the charge pump holds, and its mirror contact, which tells whether it is in.

Before the pump runs it must read open, else its contacts are welded; only a closed one lets drivers
on and motion begin; one that opens is a loss of power. Nothing here allocates after it is made.
"""

from mfboard import faults
from mfboard.player import since

DROP_US = 500_000  # from the end of the pump until it must have opened
LOOK_US = 50_000  # so long it must have been without the pump before it may close
CLOSE_US = 1_000_000  # it should be in so soon after the pump began
FALLING, HELD, WELDED = range(3)


class Contactor:
    """Of one configuration. i: number of its input."""

    def __init__(self, board, i):
        self.board = board
        self.input = i
        self.begin()

    def begin(self):
        """The pump stands still; what the contact reads then is judged by `turn`."""
        self.board.port.power(False)
        self.state = FALLING
        self.was_in = False
        self.since_us = self.board.port.us()

    def closed(self):
        """It is in, as it should be: there is power."""
        return self.state == HELD and self.board.inputs.active[self.input] != 0

    def welded(self):
        """It was found welded, and still reads closed."""
        return self.state == WELDED and self.board.inputs.active[self.input] != 0

    def settling(self, now):
        """It is being looked at, or has a little time left to close."""
        if self.state == HELD:
            return not self.closed() and since(now, self.since_us) < CLOSE_US
        return self.state == FALLING

    def cleared(self):
        """The fault is cleared: a contactor that was welded is looked at again."""
        if self.state == WELDED:
            self.begin()

    def due_us(self, now):
        """Until `turn` has something to do; -1: nothing before its contact changes."""
        active = self.board.inputs.active[self.input] != 0
        if self.state == HELD:
            return 0 if active != self.was_in else -1
        if self.state == WELDED:
            return -1
        left = (DROP_US if active else LOOK_US) - since(now, self.since_us)
        return left if left > 0 else 0

    def turn(self, now):
        """Judge what it reads now."""
        b = self.board
        active = b.inputs.active[self.input] != 0
        if self.state == FALLING:
            waited = since(now, self.since_us)
            if active and waited >= DROP_US:
                self.state = WELDED
                b.trip(faults.CONTACTOR_WELDED, self.input)
            elif not active and waited >= LOOK_US:
                self.state = HELD
                self.since_us = now
                b.port.power(True)
        elif self.state == HELD and active != self.was_in:
            self.was_in = active
            b.changed = True
            if not active:
                self._lost()

    def _lost(self):
        """Carriages may have moved by themselves: nothing is known, and nothing comes back on."""
        b = self.board
        b.trip(faults.POWER_LOST, self.input)
        b.port.enable(0)
        b.trusted = False
        b.known = 0
