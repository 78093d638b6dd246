"""Homing of an axis with a switch for each motor: each is halted by its own, then all are square.

As microfactory.homing does it, fast and then slowly, with the motors counted apart. While a motor
looks for its switch alone it goes no further than the frame may be racked.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt
from typing import TYPE_CHECKING

from microfactory.errors import BoardFault
from microfactory.motion.straight import straight
from microfactory.offsets import home_side, motor_mm
from microfactory.squares import motor_numbers, switches, taken_apart, trims_mm

if TYPE_CHECKING:
    from microfactory.drive import Driven
    from microfactory.homing import Homing


class Squaring:
    """One axis of a machine, homed and squared over a Homing's client."""

    def __init__(self, homing: Homing, a: int) -> None:
        machine = homing.machine
        axis = machine.axes[a]
        assert axis.home is not None
        assert axis.home.square is not None
        self.homing, self.a = homing, a
        self.client = homing.client
        self.axis, self.details, self.square = axis, axis.home, axis.home.square
        self.apart, self.axes = taken_apart(machine, a)
        self.motors = motor_numbers(machine, a)
        self.inputs = switches(machine, a)
        self.sign = -1.0 if axis.home.toward == "min" else 1.0

    def home(self, travel_mm: float) -> None:
        """Find all switches twice; counts are exact afterwards. BoardFault: in words, at rest."""
        home = self.details
        off_mm = -self.sign * home.backoff_mm
        if self._pressed():
            self._off(off_mm)
        self._seek(travel_mm, home.fast_mm_s)
        self._off(off_mm)
        self._set(self._seek(2 * home.backoff_mm, home.slow_mm_s))

    def _off(self, mm: float) -> None:
        """All motors off their switches."""
        home = self.details
        self._by(dict.fromkeys(range(len(self.motors)), mm), home.fast_mm_s)
        pressed = self._pressed()
        if pressed:
            raise BoardFault(
                f"{' and '.join(pressed)} still pressed {home.backoff_mm:g} mm off the switches of "
                f"{self.axis.name}; the machine stands; look at the switch and its `active` level"
            )

    def _pressed(self) -> list[str]:
        levels = self.client.ask().inputs
        return [name for name in self.inputs if levels[name]]

    def _by(self, mm: Mapping[int, float], speed_mm_s: float, guarded: bool = False) -> Driven:
        """Some motors by so much, each at this speed; guarded: each until its switch trips."""
        steps = tuple(self.client.ask().steps.values())
        spm = self.axis.steps_per_mm
        targets = {self.axes[k]: steps[self.motors[k]] / spm + by for k, by in mm.items()}
        guards = tuple(
            (self.homing.machine.input_id(self.inputs[k]), 1 << self.motors[k])
            for k in mm if guarded
        )  # fmt: skip
        return self._to(steps, targets, speed_mm_s, guards)

    def _to(
        self,
        steps: tuple[int, ...],
        targets: Mapping[str, float],
        speed_mm_s: float,
        guards: tuple[tuple[int, int], ...] = (),
    ) -> Driven:
        speed = speed_mm_s * sqrt(len(targets))  # of the path, whose axes the motors are here
        windows = straight(self.apart, steps, targets, speed, check=False)
        return self.homing.drive(self.a, windows, guards)

    def _seek(self, most_mm: float, speed_mm_s: float) -> dict[int, int]:
        """All motors to their switches; the count of each where its switch tripped."""
        names = [self.homing.machine.motors[m].name for m in self.motors]
        begin = self.client.ask().steps
        most = dict.fromkeys(range(len(names)), self.sign * most_mm)
        driven = self._by(most, speed_mm_s, guarded=True)
        status = self.client.ask()
        at = {k: status.latched[name] for k, name in enumerate(names) if name in status.latched}
        if not at:
            raise BoardFault(
                f"none of {', '.join(self.inputs)} tripped within {most_mm:.1f} mm while homing "
                f"{self.axis.name} (the board says {driven.state} {driven.why}); the machine "
                "stands; look at the switches, their wiring and the motors' direction"
            )
        way = {k: self.sign * (at[k] - begin[names[k]]) for k in at}
        soonest = min(way.values())
        bound = self.square.apart_mm * self.axis.steps_per_mm
        for k, name in enumerate(names):
            if k not in way:
                gone = self.sign * (status.steps[name] - begin[name]) - soonest
                found = self._alone(k, (bound - gone) / self.axis.steps_per_mm, speed_mm_s)
                if found is None:
                    raise self._racked(k, way)
                at[k], way[k] = found, self.sign * (found - begin[name])
        last = max(way, key=lambda k: way[k])
        if way[last] - soonest > bound:
            raise self._racked(last, way)
        return at

    def _alone(self, k: int, left_mm: float, speed_mm_s: float) -> int | None:
        """One motor on to its switch while the others stand; the count where it tripped."""
        if left_mm <= 0:
            return None
        self._by({k: self.sign * left_mm}, speed_mm_s, guarded=True)
        return self.client.ask().latched.get(self.homing.machine.motors[self.motors[k]].name)

    def _racked(self, k: int, way: Mapping[int, float]) -> BoardFault:
        first = min(way, key=lambda i: way[i])
        return BoardFault(
            f"{self.inputs[k]} did not trip within {self.square.apart_mm:g} mm of "
            f"{self.inputs[first]} while homing {self.axis.name}; the machine stands, racked by "
            f"that at most; switch the motors off, push {self.axis.name} square by hand, look at "
            "both switches, then home again"
        )

    def _set(self, at: Mapping[int, int]) -> None:
        """The switches are pull_off_mm beyond position_mm, save for their trim: count from there,
        then go there.
        """
        client, machine, a = self.client, self.homing.machine, self.a
        side = home_side(machine, a)
        beyond_mm = self.details.pull_off_mm * self.sign
        touched_mm = motor_mm(machine, a, self.details.position_mm + beyond_mm, -side)
        steps = client.ask().steps
        client.send("RESET", number=0)
        for k, trim_mm in enumerate(trims_mm(machine, a)):
            m = self.motors[k]
            past = steps[machine.motors[m].name] - at[k]
            at_switch = round((touched_mm - trim_mm) * self.axis.steps_per_mm)
            client.send("POSITION", motor=m, steps=at_switch + past)
        client.settle()
        there_mm = motor_mm(machine, a, self.details.position_mm, side)
        here = tuple(client.ask().steps.values())
        self._to(here, dict.fromkeys(self.axes, there_mm), self.details.slow_mm_s)
