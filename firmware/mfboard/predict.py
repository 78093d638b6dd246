"""Model-predictive control of a heater, in whole numbers below 2^30: nothing here allocates.

The model: one heat capacity that loses to the room, a dead time, and a sensor that lags. An
observer keeps the body's temperature, what the sensor should read, and a disturbance (a fan, what
is extruded, a room that is colder than thought), and corrects all three by what was read. The duty
is the one that brings the body, as it will be when the dead time is over, to the target within a
horizon, and holds it there against losses and disturbance.

Temperatures are fine: 1/64 of a thousandth of a degree. The observer's gains put its three poles
on one place (host, microfactory.heating.predict_config, has the sum).
"""

from array import array

FULL = 65535
PAST = 256  # turns that are remembered, a power of two
LARGEST = 1 << 28
FAR = 60_000 * 64  # the estimates are no further than this from what is read
OFF_MC = 20_000  # nor is more than this of a difference believed in a turn


def _bound(value, most):
    return most if value > most else -most if value < -most else value


class Predict:
    """One heater's: `observe` each turn, then `duty` where it is to be warm."""

    def __init__(self, item, model, turn_ms):
        """item: a checked `predict` of the configuration; model: the heater's Residual."""
        self.model = model
        self.rate = model.rate  # fine a turn at full power
        self.loss = model.loss
        self.dead = item["dead_ms"] // turn_ms
        self.lag = turn_ms * 4096 // (item["lag_ms"] + turn_ms)
        self.horizon = item["horizon_ms"] // turn_ms
        self.gain_sensor = item["sensor"]
        self.gain_body = item["body"]
        self.gain_wind = item["wind"]
        self.duties = array("H", bytes(2 * PAST))
        self.ahead = array("i", bytes(4 * PAST))  # the body without its dead time
        self.at = 0
        self.begun = False
        self.body = 0
        self.sensor = 0
        self.wind = 0  # what is neither power nor known loss, fine a turn, times 4096

    def _begin(self, fine):
        self.begun = True
        self.body = fine
        self.sensor = fine
        i = 0
        while i < PAST:
            self.ahead[i] = fine
            i += 1

    def _changes(self, fine, duty):
        """What a body at this temperature does in a turn at this duty."""
        lost = (((fine >> 6) - self.model.room_mc) >> 4) * self.loss >> 8
        return (duty >> 5) * self.rate // 2047 - lost + (self.wind >> 12)

    def observe(self, now_mc, duty):
        """A turn of the model with the duty that was on, corrected by what was read."""
        read = now_mc * 64
        if not self.begun:
            self._begin(read)
        before = self.ahead[self.at]
        self.at = (self.at + 1) % PAST
        self.duties[self.at] = duty
        self.ahead[self.at] = before + self._changes(before, duty)
        self.body += self._changes(self.body, self.duties[(self.at - self.dead) % PAST])
        self.sensor += ((self.body - self.sensor) >> 6) * self.lag >> 6
        off = _bound((read - self.sensor) >> 6, OFF_MC)
        self.sensor = read + _bound(self.sensor + (off * self.gain_sensor >> 6) - read, FAR)
        self.body = read + _bound(self.body + (off * self.gain_body >> 6) - read, FAR)
        self.wind = _bound(self.wind + off * self.gain_wind, self.rate << 12)

    def duty(self, target_mc):
        """0 to 65535, from what was observed."""
        target = target_mc * 64
        coming = self.ahead[self.at] - self.ahead[(self.at - self.dead) % PAST]
        need = _bound(target - self.body - coming, LARGEST) // self.horizon - self._changes(
            target, 0
        )
        if need >= self.rate:
            return FULL
        return (need << 12) // self.rate << 4 if need > 0 else 0
