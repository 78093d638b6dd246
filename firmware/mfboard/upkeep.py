"""What a board does about its own program: says that it works, and leaves it for an update.

Flash is written only at rest: an erase stops everything else for tens of milliseconds.
"""

from mfboard.player import since
from mfwire import session as s

PROOF_US = 500_000  # configured and without a fault for so long: this program works
HOT_MC = 50_000  # no update of a machine that is hotter


class Upkeep:
    """The board calls `configured`, `due_us` and `service`; MAINTAIN asks `leave`."""

    def __init__(self, board):
        self.board = board
        self.leaving = False  # once the host has its answer
        self.unproved = False
        self.configured_us = 0

    def configured(self, now):
        """A host has configured us: the link works, and sensors are being read."""
        self.configured_us = now
        self.unproved = True

    def leave(self):
        """For maintenance: only while nothing moves, is on, or is hot. A reason, or OK."""
        b = self.board
        if b.port.enabled:
            return s.ENABLED
        for value in b.outputs.value:
            if value:
                return s.OUTPUT_ON
        for heater in b.heaters:
            if heater.target_dc > 0 or heater.now_mc > HOT_MC:
                return s.HOT
        self.leaving = True
        return s.OK

    def due_us(self, now):
        """Until `service` has something to do; -1: nothing."""
        if self.leaving:
            return 0
        if self.unproved and self._at_rest():
            left = PROOF_US - since(now, self.configured_us)
            return left if left > 0 else 0
        return -1

    def service(self, now):
        """Everything that is due."""
        if self.unproved and self._at_rest() and since(now, self.configured_us) >= PROOF_US:
            self.unproved = False
            self.board.port.confirm()
        if self.leaving:
            self.leaving = False
            self.board.port.maintain()

    def _at_rest(self):
        return self.board.state in s.RESTS
