"""Inputs: levels, debounce, glitches. A role says what an active input means.

Called with each change of a pin and once a service; never waits.
"""

from array import array

from mfwire.messages import MASK30

UNSET = -1


class Inputs:
    """All inputs of a machine, by their number in its file."""

    def __init__(self, items):
        self.items = items
        n = len(items)
        self.active = bytearray(n)  # after debounce
        self.raw = bytearray(n)
        self.changed_us = array("i", [UNSET] * n)  # when raw began to differ, UNSET: it does not
        self.debounce_us = array("i", [item["debounce_us"] for item in items])
        self.glitches = array("H", bytes(2 * n)) if n else array("H")
        self.tripped = 0  # bit mask: became active since it was last asked

    def change(self, i, level, now_us):
        """A pin has this level now."""
        raw = 1 if level == self.items[i]["active"] else 0
        if raw == self.raw[i]:
            return
        self.raw[i] = raw
        if raw == self.active[i]:
            self.changed_us[i] = UNSET  # back before it was confirmed
            self.glitches[i] = (self.glitches[i] + 1) & 0xFFFF
        elif self.debounce_us[i] == 0:
            self._confirm(i)
        else:
            self.changed_us[i] = now_us

    def service(self, now_us):
        """Confirm what has stayed for its debounce time."""
        i = 0
        while i < len(self.active):
            then = self.changed_us[i]
            if then != UNSET and (now_us - then) & MASK30 >= self.debounce_us[i]:
                self._confirm(i)
            i += 1

    def due_us(self, now_us):
        """Until the next confirmation; -1: none is waiting."""
        due = -1
        i = 0
        while i < len(self.active):
            then = self.changed_us[i]
            if then != UNSET:
                left = self.debounce_us[i] - ((now_us - then) & MASK30)
                left = left if left > 0 else 0
                due = left if due < 0 or left < due else due
            i += 1
        return due

    def _confirm(self, i):
        self.changed_us[i] = UNSET
        self.active[i] = self.raw[i]
        if self.active[i]:
            self.tripped |= 1 << i

    def levels(self):
        """Bit mask of active inputs."""
        mask = 0
        i = 0
        while i < len(self.active):
            if self.active[i]:
                mask |= 1 << i
            i += 1
        return mask
