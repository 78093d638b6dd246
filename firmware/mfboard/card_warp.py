"""How a path that was stopped gets up to its speed again: its time, stretched.

The path is the job's own, step for step; only its clock begins at rest. With s the rate at which
the path's time passes, speed is s v and acceleration s^2 a + v ds/dt. So while ds/dt is
(1 - s^2) / T, with T at least v / a for all speeds v on the way, no acceleration is above the
planner's a. That is s = tanh(t / T), and the path's time T ln cosh(t / T). It ends where s is
0.998.
"""

import math

END = 2.758  # of the path's time over T: there s = tanh(3.45) = 0.998
RATE = 0.998


class Warp:
    """Ticks of the path from `begin` on to ticks of the clock, and back. scale: T in ticks."""

    def __init__(self, begin, scale):
        self.begin = begin
        self.scale = scale
        self.until = begin + int(END * scale)  # of the path: from here on clocks run alike
        self.spent = self._spent(END)

    def _spent(self, x):
        return int(self.scale * (x + math.log(1 + math.sqrt(-math.expm1(-2 * x)))))

    def clock(self, path):
        """Ticks since the start at which the path is at this tick of its own."""
        if path <= self.begin:
            return 0
        if path >= self.until:
            return self.spent + path - self.until
        return self._spent((path - self.begin) / self.scale)

    def path(self, clock):
        """The inverse."""
        if clock >= self.spent:
            return self.until + clock - self.spent
        return self.begin + int(self.scale * math.log(math.cosh(clock / self.scale)))

    def rate(self, clock):
        """How fast the path's time passes then."""
        return math.tanh(clock / self.scale) if clock < self.spent else 1.0
