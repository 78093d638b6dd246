"""Homing: fast to the switch, back off, slow to it again; every count exact from then on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from microfactory.client import Client
from microfactory.drive import ASKED, Driven, drive
from microfactory.errors import BoardFault, Stopped, UsageError
from microfactory.kinematics import core_axes, moved_with, point_of, shares
from microfactory.machine import Machine
from microfactory.motion.straight import straight
from microfactory.motion.stretch import Window
from microfactory.offsets import home_side, motor_mm
from microfactory.parts import Home
from microfactory.squaring import Squaring

BEYOND = 1.1  # so much of the travel is searched for the switch


class Homing:
    """Homes axes over a client. numbers: a source of window numbers."""

    def __init__(
        self,
        client: Client,
        machine: Machine,
        *,
        wants_hold: Callable[[], bool] | None = None,
        watch: Callable[[str], None] | None = None,
    ) -> None:
        self.client = client
        self.machine = machine
        self.wants_hold = wants_hold
        self.watch = watch
        self._late: dict[int, int] = {}  # steps by which counts of a pair are off, until both homed

    def axes(self, axes: Sequence[int]) -> None:
        """Home these axes: those that lift first, then the others, in the file's order."""
        core = [a for a in axes if a in core_axes(self.machine)]
        self._late = {}
        if core and not self.client.ask().position_trusted:
            if len(core) == 1:
                raise UsageError(
                    f"{self.machine.axes[core[0]].name} shares its motors with another axis, and "
                    "the position is not known; nothing moved; home both"
                )
            self._late = dict.fromkeys(core, 0)
        for a in sorted(axes, key=self._order):
            if self.machine.axes[a].home is None:
                raise UsageError(
                    f"{self.machine.axes[a].name} has no home switch; nothing moved; name another"
                )
            if self.watch:
                self.watch(self.machine.axes[a].name)
            self._axis(a)

    def _order(self, a: int) -> tuple[int, int]:
        axis = self.machine.axes[a]
        lifts = axis.letter == "Z" and axis.home is not None and axis.home.toward == "max"
        last = axis.letter == "Z" and not lifts
        return (0 if lifts else 2 if last else 1, a)

    def _axis(self, a: int) -> None:
        axis = self.machine.axes[a]
        home = axis.home
        assert home is not None
        sign = -1.0 if home.toward == "min" else 1.0
        travel = (axis.max_mm - axis.min_mm) * BEYOND
        if home.square is not None:
            Squaring(self, a).home(travel)
            return
        if self.client.ask().inputs[home.input]:
            self._by(a, -sign * home.backoff_mm, home.fast_mm_s, guard=False)
        self._seek(a, sign * travel, home.fast_mm_s, home)
        self._by(a, -sign * home.backoff_mm, home.fast_mm_s, guard=False)
        if self.client.ask().inputs[home.input]:
            raise BoardFault(
                f"{home.input} is still pressed {home.backoff_mm:g} mm off the switch of "
                f"{axis.name}; the machine stands; look at the switch and its `active` level"
            )
        self._seek(a, sign * 2 * home.backoff_mm, home.slow_mm_s, home)
        self._set(a, home)

    def _by(self, a: int, mm: float, speed_mm_s: float, *, guard: bool) -> Driven:
        axis = self.machine.axes[a]
        status = self.client.ask()
        steps = tuple(status.steps.values())
        here = point_of(self.machine, steps)[a]
        guards: tuple[tuple[int, int], ...] = ()
        if guard and axis.home:
            mask = sum(1 << m for m in moved_with(self.machine, a))
            guards = ((self.machine.input_id(axis.home.input), mask),)
        windows = straight(self.machine, steps, {axis.name: here + mm}, speed_mm_s, check=False)
        return self.drive(a, windows, guards)

    def drive(
        self, a: int, windows: Iterator[Window], guards: tuple[tuple[int, int], ...] = ()
    ) -> Driven:
        """One stretch of homing; whoever watches is asked all the while, so a stop is heard."""
        name = self.machine.axes[a].name
        driven = drive(
            self.client,
            windows,
            guards=guards,
            wants_hold=self.wants_hold,
            watch=lambda played_s, window: self.watch(name) if self.watch else None,
        )
        if driven.why in ASKED:
            raise Stopped(f"homing of {name} was stopped ({driven.why}); home again before moving")
        if driven.why == "late":
            raise BoardFault(
                f"homing of {name} stopped by itself, at rest: its windows came too late; look at "
                "the cable and at what else this computer does, then home again"
            )
        return driven

    def _seek(self, a: int, mm: float, speed_mm_s: float, home: Home) -> None:
        driven = self._by(a, mm, speed_mm_s, guard=True)
        names = [self.machine.motors[m].name for m in moved_with(self.machine, a)]
        status = self.client.ask()
        if not any(name in status.latched for name in names):
            raise BoardFault(
                f"{home.input} did not trip within {abs(mm):.1f} mm while homing "
                f"{self.machine.axes[a].name} (the board says {driven.state} {driven.why}); the "
                "machine stands; look at the switch, its wiring and the motor's direction"
            )

    def _set(self, a: int, home: Home) -> None:
        """The switch is pull_off_mm beyond position_mm: count from there, then go there."""
        client, machine = self.client, self.machine
        if a in core_axes(machine):
            self._set_core(a, home)
            return
        axis = machine.axes[a]
        status = client.ask()
        beyond_mm = home.pull_off_mm * (-1.0 if home.toward == "min" else 1.0)
        side = home_side(machine, a)
        touched_mm = motor_mm(machine, a, home.position_mm + beyond_mm, -side)
        at_switch = round(touched_mm * axis.steps_per_mm)
        names = [motor.name for motor in machine.motors]
        for m in machine.motors_of_axis(a):
            past = status.steps[names[m]] - status.latched[names[m]]
            client.send("RESET", number=0)
            client.send("POSITION", motor=m, steps=at_switch + past)
        client.settle()
        steps = tuple(client.ask().steps.values())
        there_mm = motor_mm(machine, a, home.position_mm, side)
        windows = straight(machine, steps, {axis.name: there_mm}, home.slow_mm_s, check=False)
        self.drive(a, windows)

    def _set_core(self, a: int, home: Home) -> None:
        """Of a pair on one belt. Where neither's place is known no count is set before both are
        homed: a board that was told both would call its position known.
        """
        client, machine = self.client, self.machine
        spm = machine.axes[a].steps_per_mm
        status = client.ask()
        names = [motor.name for motor in machine.motors]
        pair = moved_with(machine, a)
        touched = dict(status.steps)
        touched.update(
            {names[m]: status.latched[names[m]] for m in pair if names[m] in status.latched}
        )
        beyond_mm = home.pull_off_mm * (-1.0 if home.toward == "min" else 1.0)
        was_mm = point_of(machine, tuple(touched[name] for name in names))[a]
        late = round((home.position_mm + beyond_mm - was_mm) * spm)
        here = dict(status.steps)
        if a in self._late:
            self._late[a] = late
        if self._late and a != max(self._late, key=lambda b: (self._order(b), b)):
            there_mm = home.position_mm - late / spm
        else:
            both = self._late or {a: late}
            for b, steps in both.items():
                for m in pair:
                    share = next(x for axis, x in shares(machine, m) if axis == b)
                    here[names[m]] += round(steps * share)
            client.send("RESET", number=0)
            for m in pair:
                client.send("POSITION", motor=m, steps=here[names[m]])
            client.settle()
            there_mm = home.position_mm
        steps_now = tuple(client.ask().steps.values())
        goal = {machine.axes[a].name: there_mm}
        self.drive(a, straight(machine, steps_now, goal, home.slow_mm_s, check=False))
