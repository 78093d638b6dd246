"""A plan: stretches of motion as windows of bytes, with what happens between them.

Lazy: nothing is planned before it is asked for, and nothing is kept. A plan can be iterated once
for each call of `sections()`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from microfactory.errors import UsageError
from microfactory.kinematics import steps_at
from microfactory.machine import Machine
from microfactory.motion.compensate import Sides, carriage_mm, moves_of
from microfactory.motion.core import check, ffi, lib
from microfactory.motion.feed import Feed
from microfactory.motion.gcode import Program
from microfactory.motion.pump import Pump
from microfactory.motion.stretch import Place, Stretch, Window
from microfactory.offsets import after_homing
from microfactory.pace import PLAIN, Change, Pace


@dataclass
class Section:
    """A stretch of the program: kind is motion, home, wait, pause or end."""

    kind: str
    line: int = 0
    axes: tuple[int, ...] = ()
    heater: int = -1
    target_c: float = 0.0
    windows: Iterator[Window] = field(default_factory=lambda: iter(()))
    framed: Callable[[Any], Iterator[bytes]] = lambda framer: iter(())  # instead: their frames
    start_mm: tuple[float, ...] = ()
    start_steps: tuple[int, ...] = ()
    outputs: dict[int, int] = field(default_factory=dict)
    carriage_mm: tuple[float, ...] = ()  # of the axes where it begins, their slack aside


class Plan:
    """A program on a machine, stretch by stretch."""

    def __init__(
        self,
        program: Program,
        machine: Machine,
        *,
        start_mm: Sequence[float] | None = None,
        place: Place | None = None,
        rest_steps: Sequence[int] | None = None,
        first_number: int = 0,
    ) -> None:
        self.program = program
        self.machine = machine
        self.place = place
        self._start_mm = start_mm
        self._rest_steps = rest_steps
        self._first_number = first_number
        self.stretches: list[Any] = []
        self.counts: dict[str, int] = {}
        self.wanted = PLAIN
        self.changes: list[Change] = []

    def override(self, pace: Pace) -> None:
        """From the next window that is made on; `changes` tells with which it took effect."""
        self.wanted = pace

    def sections(self) -> Iterator[Section]:
        """The program's sections in order; use up a motion's windows before asking for the next."""
        machine = self.machine
        moves = moves_of(self.program, machine, self._start_mm)
        sides = Sides(machine)
        feed = Feed(moves, sides)
        number = self._first_number
        steps: Sequence[int] | None = self._rest_steps
        outputs: dict[int, int] = {}
        cut_mm = self._skip(feed, outputs) if self.place else 0.0
        strikes = machine.arc is not None and outputs.get(machine.output_of_role("torch"), 0) > 0
        self.stretches = []
        while feed.fill():
            move = feed.array[feed.at]
            if move.kind == lib.MF_MOVE_STRIKE:
                strikes = True
                feed.advance()
                continue
            if move.kind >= lib.MF_MOVE_HOME:
                section = self._still(move)
                section.outputs = dict(outputs)
                feed.advance()
                if section.kind == "home" and steps is not None:
                    steps = self._homed(steps, section.axes)
                yield section
                if section.kind == "end":
                    break
                continue
            carriage = carriage_mm(machine, move, cut_mm)
            point = self._cut(move, cut_mm)
            at_steps = tuple(steps) if steps is not None else steps_at(machine, point)
            stretch = Stretch(
                machine, point, at_steps, number, feed.index, done_mm=cut_mm, filtered=True
            )
            self.stretches.append(stretch)
            cut_mm = 0.0
            pump = Pump(self, stretch, feed, at_steps, number, move.line, strikes)
            section = Section(
                "motion",
                line=move.line,
                windows=pump.windows(),
                framed=pump.framed,
                start_mm=tuple(point),
                start_steps=at_steps,
                outputs=dict(outputs),
                carriage_mm=carriage,
            )
            yield section
            for _ in section.windows:
                pass
            steps, number = pump.steps, pump.number
            outputs = {}
            strikes = False
        self.counts = moves.counts()

    def _homed(self, steps: Sequence[int], axes: Sequence[int]) -> tuple[int, ...]:
        """Counts after homing: those of the homed axes are where homing leaves them."""
        return after_homing(self.machine, steps, axes)

    def _cut(self, move: Any, cut_mm: float) -> list[float]:
        """Where the stretch begins; the move is shortened to what is left of it."""
        if cut_mm > 0:
            rest = ffi.new("mf_move *")
            length = max(0.0, min(cut_mm, move.length_mm))
            check(lib.mf_move_cut(ffi.addressof(move), length, rest), "going on inside a move")
            ffi.memmove(ffi.addressof(move), rest, ffi.sizeof("mf_move"))
        return list(move.start_mm[0 : len(self.machine.axes)])

    def _skip(self, feed: Feed, outputs: dict[int, int]) -> float:
        """Go to the place of a resume; outputs collects what has been switched before it."""
        place = self.place
        assert place is not None
        while feed.index < place.move:
            if not feed.fill():
                raise UsageError(
                    f"{self.program.name}: move {place.move} is not in this program; nothing "
                    "moved; resume the program that was cut"
                )
            move = feed.array[feed.at]
            if move.kind == lib.MF_MOVE_OUTPUT:
                outputs[move.output] = round(move.value)
            feed.advance()
        if not feed.fill():
            return 0.0
        move = feed.array[feed.at]
        if move.kind > lib.MF_MOVE_ARC:
            return 0.0
        if place.distance_mm >= move.length_mm - 1e-9:
            feed.advance()
            return 0.0
        return place.distance_mm

    @staticmethod
    def _still(move: Any) -> Section:
        if move.kind == lib.MF_MOVE_HOME:
            axes = tuple(a for a in range(8) if move.output >> a & 1)
            return Section("home", line=move.line, axes=axes)
        if move.kind == lib.MF_MOVE_WAIT:
            return Section("wait", line=move.line, heater=move.output, target_c=move.value / 10)
        return Section("pause" if move.kind == lib.MF_MOVE_PAUSE else "end", line=move.line)

    def keep_pace(self, pump: Pump) -> None:
        """What is wanted takes effect with the stretch's next window."""
        if self.wanted == pump.pace or not pump.stretch.override(self.wanted):
            return
        if self.changes or self.wanted != PLAIN:
            here = Change(self.wanted, pump.number, pump.ticks, pump.line, pump.steps)
            if not self.changes or self.changes[-1].pace != self.wanted:
                self.changes.append(here)
        pump.pace = self.wanted


def plan(
    program: Program,
    machine: Machine,
    *,
    start_mm: Sequence[float] | None = None,
    place: Place | None = None,
    rest_steps: Sequence[int] | None = None,
    first_number: int = 0,
) -> Plan:
    """Plan a program for a machine, lazily.

    start_mm: where the machine stands before line 1 (default: home). place and rest_steps: go on
    inside that move, from rest, with the motors' counts there (a board that stopped told them).
    """
    return Plan(
        program,
        machine,
        start_mm=start_mm,
        place=place,
        rest_steps=rest_steps,
        first_number=first_number,
    )
