"""Torch height control on an RP2040: the motor's settings, and its state before and after a run.

What happens in between is mfboard.fast_late's. Only a board whose configuration has `height` takes
this into its memory.
"""

from machine import ADC, Pin

from mfboard import fast_begin, fast_late, fast_service
from mfboard import fast_state as f
from mfboard import height_state as w


class Height:
    """The offset of one motor. The engine makes one of these for each configuration."""

    def __init__(self, page, config):
        item = config["height"]
        self.motor = item["motor"]
        pin = page.ANALOG[item["sensor"]]
        self.converter = ADC(Pin(pin))  # its pad and its clock
        i = 0
        while i < w.SIZE:
            f.H[i] = 0
            i += 1
        for i, value in enumerate(item["settings"]):
            f.H[i] = value
        f.H[w.ARC] = 0 if config["arc"] else 1
        f.H[w.FROZEN] = 1
        fast_late.PATH[0] = pin - 26
        fast_late.PATH[1] = len(item["path"])
        for i, (motor, scale) in enumerate(item["path"]):
            fast_late.PATH[2 + 2 * i] = motor
            fast_late.PATH[3 + 2 * i] = scale
        fast_begin.late_begin = fast_late.begin
        fast_service.late_turn = fast_late.turn

    def begin(self):
        """A run begins in which this motor's lists are merged."""
        h = f.H
        h[w.FROZEN] = 0
        h[w.EXTRA] = 0
        h[w.FILLED] = 0
        h[w.WAITED] = 0
        h[w.BAD] = 0
        h[w.STEP] = 0
        h[w.NET] = 0
        f.S[f.MERGES] = 1
        f.S[f.LATE] = self.motor + 1

    def forget(self):
        """The motor's count is what its plan says from now on."""
        f.H[w.MADE] = 0
        f.H[w.WANT] = 0
        f.H[w.GOING] = 0

    def stop(self):
        """Nothing more is made: the run has ended, or was stopped."""
        f.S[f.MERGES] = 0
        f.S[f.LATE] = 0
        f.H[w.FROZEN] = 1
