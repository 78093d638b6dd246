"""Outputs: their values, and what becomes of them in a hold, without a link, at a fault.

0 to 65535 each; safe (0) at boot and until the host has configured them.
"""

from mfboard.height_state import TARGET

HEATER_HZ = 10
SERVO_HZ = 50
KEEP = -1


class Outputs:
    """All outputs of a machine, by their number in its file."""

    def __init__(self, items, port):
        self.port = port
        self.items = items
        self.value = [0] * len(items)
        self.locked = 0  # mask of those that stay off

    def set(self, i, value):
        """From now on; one that is locked stays off."""
        if self.locked >> i & 1:
            value = 0
        self.value[i] = value
        self.port.set_output(i, value)

    def lock(self, mask):
        """These are off from now on, whatever is asked; the others are free again."""
        fresh = mask & ~self.locked
        self.locked = mask
        i = 0
        while fresh:
            if fresh & 1:
                self.set(i, 0)
            fresh >>= 1
            i += 1

    def hold(self):
        """The machine holds: each output as its file says."""
        self._apply("hold")

    def lost(self):
        """The link is lost."""
        self._apply("lost")

    def leave(self):
        """Nobody is there and nothing moves: what was kept for the way out goes off."""
        i = 0
        while i < len(self.value):
            if self.items[i]["lost"] == KEEP:
                self.set(i, 0)
            i += 1

    def fault(self):
        """A fault."""
        self._apply("fault")

    def off(self):
        """Everything off."""
        self.port.engine.steer(TARGET, 0)
        i = 0
        while i < len(self.value):
            self.set(i, 0)
            i += 1

    def _apply(self, event):
        self.port.engine.steer(TARGET, 0)
        i = 0
        while i < len(self.value):
            to = self.items[i][event]
            if to != KEEP:
                self.set(i, to)
            i += 1
