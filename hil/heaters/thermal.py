"""A random heated thing: capacity, losses, a dead time and a lag before its sensor, noise, a fan.

Nothing of it is known to the board. Faults are a field, so that a copy of a running one can be
broken at any instant.
"""

from __future__ import annotations

import math
import random
from collections import deque
from dataclasses import dataclass, field

from hil.heaters.weather import Weather
from mfboard.converter import OPEN, SHORT, ZERO
from microfactory.heating import share
from microfactory.parts import Sensor

TURN_S = 0.1
BITS = 4095  # of the converter
READINGS = 8  # the board's mean of so many
FALL_S = 4.0  # a sensor that came off is in the air
SENSORS = {  # by kind
    "pt1000": Sensor(connector="TEMP0", kind="pt1000", pullup_ohm=4700.0),
    "max31855": Sensor(connector="TC0", kind="max31855"),
    "max6675": Sensor(connector="TC0", kind="max6675"),
}
CONVERSION_TURNS = {"max31855": 1.02, "max6675": 2.21}
SENSOR = Sensor(connector="TEMP0", r25_ohm=100_000.0, beta_k=4092.0, pullup_ohm=4700.0, kind="beta")


@dataclass
class Thermal:
    """One heater in its body. All of it is drawn by `draw`."""

    kind: str
    rate_c_s: float  # at full power, without losses
    time_s: float
    dead_s: float
    lag_s: float  # of the sensor
    room_c: float
    noise_c: float
    dice: random.Random
    fan: float = 1.0  # times the losses
    fault: str = ""
    share_left: float = 1.0  # of its power, when weak
    body_c: float = 0.0
    sensor_c: float = 0.0
    held: int = -1  # a frozen reading
    sensor: Sensor = SENSOR
    told: int = 0  # a converter's last frame, as a reading ...
    told_turns: float = 0.0  # ... which is so old
    late: deque[float] = field(default_factory=deque)
    weather: Weather = field(default_factory=Weather)

    def __post_init__(self) -> None:
        self.body_c = self.sensor_c = self.room_c
        self.late = deque([self.room_c] * max(1, round(self.dead_s / TURN_S)))

    @classmethod
    def draw(cls, seed: int) -> Thermal:
        """A hotend (even seeds) or a bed (odd)."""
        dice = random.Random(seed)
        hot = seed % 2 == 0
        top_c = dice.uniform(330, 500) if hot else dice.uniform(100, 160)
        rate = dice.uniform(2.0, 6.0) if hot else dice.uniform(0.2, 0.8)
        return cls(
            kind="hotend" if hot else "bed",
            rate_c_s=rate,
            time_s=top_c / rate,
            dead_s=dice.uniform(0.3, 4.0) if hot else dice.uniform(0.5, 4.0),
            lag_s=dice.uniform(0.2, 1.5) if hot else dice.uniform(0.5, 4.0),
            room_c=dice.uniform(12, 33),
            noise_c=dice.uniform(0.02, 0.2),
            dice=dice,
        )

    def power(self, duty: int) -> float:
        """Share of full power that it gets at a duty, were the supply what it was tuned with."""
        return self.share_left * (1.0 if self.fault == "welded" else duty / 65535)

    def turn(self, duty: int) -> int:
        """A tenth of a second at a duty of 65535; what the converter then reads, of 65535."""
        self.advance(duty)
        if self.fault == "open":
            return OPEN
        if self.fault == "short":
            return SHORT
        felt_c = self.sensor_c + self.dice.gauss(0.0, self.noise_c)
        reading = (
            self._converted(felt_c)
            if self.sensor.kind in CONVERSION_TURNS
            else self._divided(felt_c)
        )
        if self.fault == "frozen":
            self.held = reading if self.held < 0 else self.held
            return self.held
        return reading

    def advance(self, duty: int) -> None:
        """A tenth of a second at a duty: body and sensor, without noise."""
        weather = self.weather
        weather.turn(TURN_S)
        lost = (self.body_c - self.room_c) * weather.losses(self.fan) / self.time_s
        given = self.power(duty) * weather.power() * self.rate_c_s
        self.body_c += TURN_S * (given - lost)
        self.late.append(self.body_c)
        goal = self.late.popleft()
        lag_s = self.lag_s
        if self.fault == "detached":
            goal, lag_s = self.room_c, FALL_S
        self.sensor_c += (goal - self.sensor_c) * (1 - math.exp(-TURN_S / lag_s))

    def _divided(self, felt_c: float) -> int:
        read = share(self.sensor, felt_c) * BITS
        return int(round(read * READINGS) / READINGS / BITS * 65535)

    def _converted(self, felt_c: float) -> int:
        """A thermocouple's converter: quarters of a degree, as old as a conversion lasts."""
        self.told_turns -= 1
        if self.told_turns < 0 or not self.told:
            self.told = ZERO + int(felt_c * 4)
            self.told_turns += CONVERSION_TURNS[self.sensor.kind]
        return self.told
