"""Heaters: thermistor to temperature, PID to duty, and the doubts that switch heat off.

Floats are fine here: this runs ten times a second in the main loop, never in an interrupt.
"""

from math import log

from mfboard import faults

TURN_MS = 100
ZERO_C = 273.15
OPEN_SHARE = 0.996  # of the converter's range: a broken wire
SHORT_SHARE = 0.004
OPEN_TURNS = 2  # so many readings in a row: 200 ms
SLOPE_SHARE = 0.06  # of a new reading in the slope: 1.7 s, about what Marlin smooths over


class Heater:
    """One heater and its sensor."""

    def __init__(self, item):
        curve = item["curve"]
        self.name = item["name"]
        self.r25_ohm = curve["r25_ohm"]
        self.beta = curve["beta"]
        self.pullup_ohm = curve["pullup_ohm"]
        self.min_c = item["min_dc"] / 10
        self.max_c = item["max_dc"] / 10
        self.kp = item["kp"]
        self.ki = item["ki"]
        self.kd = item["kd"]
        self.rise_c = item["rise"]["dc"] / 10
        self.rise_s = item["rise"]["s"]
        self.drift_c = item["hold"]["dc"] / 10
        self.drift_s = item["hold"]["s"]
        self.max_duty = item["max_duty"]
        self.target_c = 0.0
        self.standby_c = 0.0  # granted: keep at most this after a lost link ...
        self.standby_s = 0  # ... for so long
        self.standby_ms = -1  # what is left of it; -1: no standby is running
        self.temperature_c = 25.0
        self.duty = 0
        self.reset()
        self.bad_turns = 0
        self.reached = False

    def reset(self):
        """Forget what was regulated."""
        self.sum = 0.0
        self.slope = 0.0
        self.before_c = self.temperature_c
        self.since_s = 0.0  # since the last sign of warming, or within the target's band
        self.mark_c = self.temperature_c
        self.reached = False

    def set_target(self, target_c):
        """0: off. Above max_c is refused by the caller."""
        if target_c != self.target_c:
            self.target_c = target_c
            self.reset()

    def stand_by(self):
        """The host is gone: keep what was granted, and nothing without a grant."""
        keep = self.standby_c if self.standby_s else 0.0
        if self.target_c > keep:
            self.set_target(keep)
        self.standby_ms = self.standby_s * 1000 if self.target_c > 0 else -1
        if self.target_c <= 0:
            self.duty = 0

    def standby_over(self):
        """A turn of a standby has passed. True: it ends with this one."""
        if self.standby_ms < 0:
            return False
        self.standby_ms -= TURN_MS
        return self.standby_ms < 0

    def celsius(self, share):
        """Temperature from the converter's share of its range (beta formula)."""
        ohm = self.pullup_ohm * share / (1.0 - share)
        return 1.0 / (1.0 / (25.0 + ZERO_C) + log(ohm / self.r25_ohm) / self.beta) - ZERO_C

    def turn(self, share, turn_s):
        """One reading: sets duty; a fault number, or NONE."""
        if share >= OPEN_SHARE or share <= SHORT_SHARE:
            self.bad_turns += 1
            if self.bad_turns >= OPEN_TURNS:
                self.duty = 0
                if self.target_c > 0 or self.reached:
                    return faults.SENSOR_OPEN if share >= OPEN_SHARE else faults.SENSOR_SHORT
            return faults.NONE
        self.bad_turns = 0
        c = self.celsius(share)
        self.temperature_c = c
        if c > self.max_c + 10:
            self.duty = 0
            return faults.TOO_HOT
        if self.target_c <= 0:
            self.duty = 0
            self.before_c = c
            return faults.NONE
        if c < self.min_c:
            self.duty = 0
            return faults.SENSOR_OPEN
        self._regulate(c, turn_s)
        return self._verify(c, turn_s)

    def _regulate(self, c, turn_s):
        error = self.target_c - c
        # a slope of single readings is mostly noise: it would switch full on and off each turn
        self.slope += SLOPE_SHARE * ((c - self.before_c) / turn_s - self.slope)
        self.before_c = c
        base = self.kp * error - self.kd * self.slope
        share = base + self.sum
        # the integral moves only where the output has room for it
        if (0.0 < share < 1.0 or (share >= 1.0 and error < 0) or (share <= 0.0 and error > 0)) and (
            -10 < error < 10
        ):
            self.sum += self.ki * error * turn_s
        if error > 10:
            self.sum = 0.0
        share = base + self.sum
        share = 0.0 if share < 0.0 else 1.0 if share > 1.0 else share
        self.duty = int(share * self.max_duty)

    def _verify(self, c, turn_s):
        """Runaway and detached sensors: no warming while heating, or leaving the band."""
        above = c >= self.target_c + self.drift_c
        if not self.reached and c >= self.target_c - 2 and not above:
            self.reached = True
            self.since_s = 0.0
        self.since_s += turn_s
        if above and not self.reached:  # the target was lowered: it cools, however slowly
            self.since_s = 0.0
            if c < self.mark_c:
                self.mark_c = c
            elif c >= self.mark_c + self.rise_c:
                self.duty = 0
                return faults.DRIFT
            return faults.NONE
        if self.reached:
            if c > self.target_c - self.drift_c and c < self.target_c + self.drift_c:
                self.since_s = 0.0
            elif self.since_s > self.drift_s:
                self.duty = 0
                return faults.DRIFT
            return faults.NONE
        if self.duty < self.max_duty * 0.9:
            self.since_s -= (
                0.75 * turn_s
            )  # near its target it is not at full power: four times as long
        if c >= self.mark_c + self.rise_c:
            self.mark_c = c
            self.since_s = 0.0
        elif self.since_s > self.rise_s:
            self.duty = 0
            return faults.NO_RISE
        return faults.NONE
