"""What is not the heater's fault: a supply that is off by a tenth, draughts, a warm hood."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

VOLTS = (0.9, 1.1)  # of what it was tuned with
STEP_VOLTS = 0.05  # at once (EN 50160: rapid changes are generally no more)
LOSSES = (0.8, 1.35)  # times those it was tuned with: a warm hood; a fan or a draught
SUPPLY_S = 60.0  # between two changes of the supply, in the mean
DRAUGHT_S = 90.0  # between two draughts
LASTS_S = (5.0, 40.0)


@dataclass
class Weather:
    """Goes on by itself. Calm: nothing changes, as while it is tuned."""

    dice: random.Random = field(default_factory=lambda: random.Random(1))
    calm: bool = True
    volts: float = 1.0  # times those it was tuned with
    draught: float = 1.0  # times the losses
    left_s: float = 0.0  # of the draught

    def turn(self, turn_s: float) -> None:
        """So much time passes."""
        if self.calm:
            return
        dice = self.dice
        if dice.random() < turn_s / SUPPLY_S:
            volts = self.volts + dice.uniform(-STEP_VOLTS, STEP_VOLTS)
            self.volts = min(max(volts, VOLTS[0]), VOLTS[1])
        self.left_s -= turn_s
        if self.left_s < 0:
            self.draught = 1.0
            if dice.random() < turn_s / DRAUGHT_S:
                self.draught = dice.uniform(*LOSSES)
                self.left_s = dice.uniform(*LASTS_S)

    def power(self) -> float:
        """Times that it was tuned with."""
        return self.volts**2

    def losses(self, fan: float) -> float:
        """Times those it was tuned with, with a fan on it."""
        return min(fan * self.draught, LOSSES[1])

    def begin(self, seed: int) -> None:
        """No longer calm, and the supply is somewhere."""
        self.dice = random.Random(seed)
        self.calm = False
        self.volts = self.dice.uniform(*VOLTS)

    def excuse(self, colder: bool) -> None:
        """The worst that a whole heater may have to bear from now on, to be colder, or warmer."""
        self.calm = True
        self.left_s = 0.0
        self.volts = VOLTS[0 if colder else 1]
        self.draught = LOSSES[1 if colder else 0]
