"""A slow, plain generator of captures for the verifier's tests: no code of the planner, none of the
verifier. It comes to rest at every vertex: trapezoids along straight lines and arcs.
"""

import math

import numpy as np
from hil.capture import CaptureBuilder

HZ = 125_000_000


class SlowMotion:
    """Plays lines, arcs, dwells and outputs on a machine into a capture."""

    def __init__(self, machine, start_mm=None):
        self.machine = machine
        self.names = [motor.name for motor in machine.motors]
        self.builder = CaptureBuilder(HZ, self.names)
        self.time_s = 0.01
        home = [a.home.position_mm if a.home else 0.0 for a in machine.axes]
        self.at = list(start_mm or home)
        self.way = {}
        self.edges = {name: [] for name in self.names}
        self.run()

    def steps(self):
        out = []
        for i in range(len(self.names)):
            axis = self.machine.axis_of_motor(i)
            out.append(round(self.at[axis] * self.machine.axes[axis].steps_per_mm))
        return out

    def run(self, kind="motion"):
        self.builder.run(round(self.time_s * HZ), kind, self.steps())

    def rest(self, seconds):
        self.time_s += seconds

    def output(self, name, value):
        self.builder.output(name, round(self.time_s * HZ), value)

    def heat(self, name, celsius):
        self.builder.target(name, round(self.time_s * HZ), celsius)

    def line(self, speed, accel, **target):
        """To a place, axes by letter (machine mm)."""
        end = list(self.at)
        for i, axis in enumerate(self.machine.axes):
            end[i] = target.get(axis.letter.lower(), end[i])
        start = list(self.at)
        way = [b - a for a, b in zip(start, end, strict=True)]
        flat = [w for w, a in zip(way, self.machine.axes, strict=True) if a.letter in "XYZ"]
        length = math.sqrt(sum(w * w for w in flat)) or max(abs(w) for w in way)
        self.play(
            lambda u: [a + w * u for a, w in zip(start, way, strict=True)], length, speed, accel
        )
        self.at = end

    def arc(self, speed, accel, centre, sweep, axes="xy", **rest):
        """About a centre by a sweep (rad); other axes to a place."""
        letters = [axis.letter.lower() for axis in self.machine.axes]
        a, b = letters.index(axes[0]), letters.index(axes[1])
        start = list(self.at)
        r = math.hypot(start[a] - centre[0], start[b] - centre[1])
        first = math.atan2(start[b] - centre[1], start[a] - centre[0])
        end = [rest.get(letter, x) for letter, x in zip(letters, start, strict=True)]

        def place(u):
            out = [x + (y - x) * u for x, y in zip(start, end, strict=True)]
            out[a] = centre[0] + r * math.cos(first + sweep * u)
            out[b] = centre[1] + r * math.sin(first + sweep * u)
            return out

        climb = [y - x for x, y, c in zip(start, end, letters, strict=True) if c in "xyz"]
        self.play(place, math.hypot(r * sweep, *climb), speed, accel)
        self.at = place(1.0)

    def straight_through(self, speed, points):
        """X and Y through points at one speed, braking nowhere; gives the capture."""
        for point in points:
            end = [*point, *self.at[2:]]
            length = math.dist(self.at[:2], point)
            u = np.linspace(0.0, 1.0, 2001)
            for i, axis in enumerate(self.machine.axes):
                steps = (self.at[i] + (end[i] - self.at[i]) * u) * axis.steps_per_mm
                self.axis(axis, steps, u * length / speed)
            self.time_s += length / speed
            self.at = end
        return self.capture()

    def play(self, place, length, speed, accel):
        """Sample finely, find crossings of n + 1/2 by bisection-free linear interpolation."""
        speed = min(speed, math.sqrt(accel * length))
        ramp = speed / accel
        total = length / speed + ramp
        n = max(200, int(length * 2000))
        u = np.linspace(0.0, 1.0, n + 1)
        s = u * length
        down = length - s
        edge = speed * speed / (2 * accel)
        time = np.where(
            s < edge,
            np.sqrt(2 * s / accel),
            np.where(down < edge, total - np.sqrt(2 * down / accel), s / speed + ramp / 2),
        )
        points = np.array([place(x) for x in u])
        for i, axis in enumerate(self.machine.axes):
            steps = points[:, i] * axis.steps_per_mm
            self.axis(axis, steps, time)
        self.time_s += total

    def axis(self, axis, steps, time):
        level = np.floor(steps + 0.5)
        for k in np.flatnonzero(np.diff(level)):
            a, b = steps[k], steps[k + 1]
            sign = 1 if b > a else -1
            crossings = np.arange(min(level[k], level[k + 1]) + 0.5, max(level[k], level[k + 1]))
            for c in crossings if sign > 0 else crossings[::-1]:
                t = time[k] + (time[k + 1] - time[k]) * (c - a) / (b - a)
                for name in axis.motors:
                    self.edges[name].append((round((self.time_s + t) * HZ), sign))

    def capture(self, setup_us=20.0):
        """The capture; direction pins turn a while before the pulse."""
        pulse = self.machine.pulse_ticks(HZ)
        early = round(setup_us * HZ / 1e6)
        for i, name in enumerate(self.names):
            if not self.edges[name]:
                continue
            tick, sign = (np.array(x) for x in zip(*self.edges[name], strict=True))
            turns = np.flatnonzero(np.diff(np.concatenate([[0], sign])))
            self.builder.turns(i, tick[turns] - early, sign[turns])
            self.builder.steps(i, tick, pulse, sign)
        self.builder.end(round((self.time_s + 1) * HZ))
        return self.builder.build()
