"""A simulated CoreXY: one belt, two motors, one carriage, and the switches that it meets.

Written from the mechanics, apart from the host's and the planner's kinematics: the carriage is at
x = (a + b) / 2, y = (a - b) / 2 of what the two motors have let through, so their edges are merged
in time, and a switch changes with the very edge that takes the carriage past it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from microfactory import Machine


class Belt:
    """Of one machine. Counts are steps of its two motors, 0 where the carriage is at 0, 0."""

    def __init__(self, machine: Machine) -> None:
        names = [motor.name for motor in machine.motors]
        ways = {axis.letter: axis for axis in machine.axes}
        self.motors = tuple(names.index(ways[letter].motors[0]) for letter in "XY")
        self.steps_per_mm = ways["X"].steps_per_mm
        self.switches: list[tuple[str, float, int, bool]] = []  # way, mm, input, closed below
        for letter in "XY":
            home = ways[letter].home
            if home is not None:
                below = home.toward == "min"
                at_mm = home.position_mm + (-home.pull_off_mm if below else home.pull_off_mm)
                number = machine.input_id(home.input)
                self.switches.append((letter, at_mm, number, below))

    def mix(self, counts: list[int]) -> None:
        """Counts that were those of X and of Y become those of the motors."""
        a, b = self.motors
        counts[a], counts[b] = counts[a] + counts[b], counts[a] - counts[b]

    def place_mm(self, a: int, b: int) -> tuple[float, float]:
        """Where the carriage is."""
        return (a + b) / 2 / self.steps_per_mm, (a - b) / 2 / self.steps_per_mm

    def shift(self, number: int, by_mm: float) -> None:
        """A switch closes so much later than it should."""
        self.switches = [
            (way, at + (-by_mm if below else by_mm) if i == number else at, i, below)
            for way, at, i, below in self.switches
        ]

    def pressed(self, number: int, counts: tuple[int, int]) -> int:
        """Whether the carriage presses this input's switch."""
        place = dict(zip("XY", self.place_mm(*counts), strict=True))
        return int(
            any(
                place[way] <= at if below else place[way] >= at
                for way, at, i, below in self.switches
                if i == number
            )
        )

    def crossings(
        self, motors: Any, counts: tuple[int, int]
    ) -> list[tuple[int, int, int, bool, int]]:
        """(tick, motor, input, it closes, steps of that motor until then) while the motors make
        these edges from these counts.
        """
        rises = [np.asarray(motors[m][0], dtype=np.int64) for m in self.motors]
        signs = [np.asarray(motors[m][1], dtype=np.int64) for m in self.motors]
        tick = np.concatenate(rises)
        if not len(tick):
            return []
        order = np.argsort(tick, kind="stable")
        who = np.repeat([0, 1], [len(rises[0]), len(rises[1])])[order]
        sign = np.concatenate(signs)[order]
        a, b = (np.concatenate([[0], np.cumsum(np.where(who == k, sign, 0))]) for k in (0, 1))
        a, b = a + counts[0], b + counts[1]
        found = []
        for way, at_mm, number, below in self.switches:
            at = 2 * at_mm * self.steps_per_mm
            place = a + b if way == "X" else a - b
            closed = place <= at if below else place >= at
            for k in np.flatnonzero(closed[1:] != closed[:-1]):
                mine = int(who[k])
                made = int((a, b)[mine][k + 1]) - counts[mine]
                row = int(tick[order[k]]), self.motors[mine], number, bool(closed[k + 1]), made
                found.append(row)
        return found
