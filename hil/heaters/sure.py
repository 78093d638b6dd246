"""When at the earliest somebody who knows all could tell a broken heater from a whole one.

A twin of the heater that is whole gets the same duties, and the worst that a whole one must be
forgiven: the weakest supply and the strongest draught that may be (or the strongest and a warm
hood). What both sensors are at differs by nothing at first. The best there is at telling two known
courses apart in noise, a matched filter, is sure when the squares of their differences, in units of
the noise, have added up to the square of SIGMAS. Who tells sooner tells whole heaters too.
"""

from __future__ import annotations

import copy
import math

from hil.heaters.thermal import Thermal

SIGMAS = 6.0
CONVERTER_C = 0.05  # noise that a converter's steps add at least


class Sure:
    """The twin of a heater that is about to break."""

    def __init__(self, world: Thermal, colder: bool) -> None:
        self.twin = copy.deepcopy(world)
        self.colder = colder
        self.squares = 0.0
        self.noise_c = math.hypot(world.noise_c, CONVERTER_C)
        self.twin.weather.excuse(colder)
        self.twin.fan = 1.0

    def look(self, duty: int, sensor_c: float) -> bool:
        """A turn at the duty the broken one had. True: now one can be sure."""
        self.twin.advance(duty)
        differs_c = self.twin.sensor_c - sensor_c if self.colder else sensor_c - self.twin.sensor_c
        if differs_c > 0:
            self.squares += (differs_c / self.noise_c) ** 2
        return self.squares >= SIGMAS**2
