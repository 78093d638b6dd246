"""PID from a temperature to a duty, in whole numbers below 2^30: nothing here allocates.

Factors come as fractions and are kept times 2^8, the integral's times 2^13; each product is kept in
bounds by bounding what is multiplied, far beyond where the duty is full on or off anyway.
"""

LARGEST = 1 << 29
FULL = 65535
SLOPE_PART = 15  # of 256, of a new reading in the slope: 1.7 s, about what Marlin smooths over


def _bound(value, most):
    return most if value > most else -most if value < -most else value


class Pid:
    """Duty 0 to 65535. kp, ki, kd: duty 0 to 1 per degree, degree second, degree a second."""

    def __init__(self, kp, ki, kd, turn_ms):
        self.turns_s = 1000 // turn_ms
        self.kp = int(kp * FULL / 1000 * 256 + 0.5)  # duty of 65535 for a thousandth of a degree
        self.ki = int(ki * FULL / 1000 * 8192 * turn_ms / 1000 + 0.5)
        self.kd = int(kd * FULL / 1000 * 256 + 0.5)
        self.most_p = LARGEST // (self.kp + 1)
        self.most_i = LARGEST // (self.ki + 1)
        self.most_d = LARGEST // (self.kd + 1)
        self.begin(0, 0)

    def begin(self, now_mc, duty):
        """Forget what was regulated. duty: what is thought to hold the target."""
        self.sum = duty << 13  # of the integral, duty times 2^13
        self.slope = 0  # thousandths of a degree a second, times 64
        self.before_mc = now_mc

    def turn(self, now_mc, target_mc):
        """The duty from one reading."""
        error = target_mc - now_mc
        # a slope of single readings is mostly noise: it would switch full on and off each turn
        fresh = _bound((now_mc - self.before_mc) * self.turns_s, 400_000)
        self.slope += (fresh * 64 - self.slope) * SLOPE_PART >> 8
        self.before_mc = now_mc
        base = self.kp * _bound(error, self.most_p) >> 8
        base -= self.kd * _bound(self.slope >> 6, self.most_d) >> 8
        duty = base + (self.sum >> 13)
        room = 0 < duty < FULL or (duty >= FULL and error < 0) or (duty <= 0 and error > 0)
        if room:  # for more: while it heats up it is full on, and nothing is added up
            step = self.ki * _bound(error, self.most_i)
            self.sum = _bound(_bound(self.sum, LARGEST - 1) + step, LARGEST - 1)
        duty = base + (self.sum >> 13)
        return 0 if duty < 0 else FULL if duty > FULL else duty
