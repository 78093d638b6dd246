"""A plan: stretches of motion as windows of bytes, with what happens between them.

Lazy: nothing is planned before it is asked for, and nothing is kept. A plan can be iterated once
for each call of `sections()`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from struct import Struct
from typing import Any, NamedTuple

from microfactory.errors import UsageError
from microfactory.kinematics import steps_at
from microfactory.machine import Machine
from microfactory.motion.compensate import Sides, carriage_mm, moves_of
from microfactory.motion.core import check, ffi, lib
from microfactory.motion.feed import Feed
from microfactory.motion.gcode import Program
from microfactory.motion.limits import stretch_config
from microfactory.motion.shapers import put_filters
from microfactory.offsets import after_homing
from microfactory.pace import PLAIN, Change, Pace
from microfactory.torch import struck

INFO = Struct(f"@3I Q QId QId {lib.MF_MOTORS}i {lib.MF_MOTORS}i")  # mf_window_info
SLOT_BYTES = 8192  # what the smallest board's window slot holds
AS_BEFORE = 65535  # instead of a count of segments: the list of the motor before
MASK30 = 2**30 - 1


class Place(NamedTuple):
    """A place in a program: so far along a move, counted from the program's first (0)."""

    move: int
    line: int
    distance_mm: float


class Window(NamedTuple):
    """One window's bytes, and where in the program it and its tail end."""

    number: int
    begin_ticks: int
    length_ticks: int
    tail_ticks: int
    data: bytes
    end: Place
    rest: Place
    end_steps: tuple[int, ...]
    rest_steps: tuple[int, ...]
    low: tuple[int, int] = (0, 0)  # masks of the axes with open slack, at the end and at rest

    @property
    def last(self) -> bool:
        """The stretch ends with this window."""
        return self.tail_ticks == 0


@dataclass
class Section:
    """A stretch of the program: kind is motion, home, wait, pause or end."""

    kind: str
    line: int = 0
    axes: tuple[int, ...] = ()
    heater: int = -1
    target_c: float = 0.0
    windows: Iterator[Window] = field(default_factory=lambda: iter(()))
    start_mm: tuple[float, ...] = ()
    start_steps: tuple[int, ...] = ()
    outputs: dict[int, int] = field(default_factory=dict)
    carriage_mm: tuple[float, ...] = ()  # of the axes where it begins, their slack aside


class Stretch:
    """One `mf_plan`: moves in, windows out."""

    def __init__(
        self,
        machine: Machine,
        start_mm: Sequence[float],
        start_steps: Sequence[int],
        first_number: int = 0,
        first_move: int = 0,
        window_s: float | None = None,
        done_mm: float = 0.0,
        filtered: bool = False,
    ) -> None:
        size = lib.mf_plan_size()
        self._memory = ffi.new("double[]", size // 8 + 1)
        size = ffi.sizeof(self._memory)  # the core looks whether it is enough
        handle = ffi.new("mf_plan **")
        config = stretch_config(machine, start_mm, start_steps, first_number)
        if window_s is not None:
            config.window_s = window_s
        if filtered:
            put_filters(config, machine)
        check(
            lib.mf_plan_init(self._memory, size, config, handle),
            "beginning a stretch of motion",
        )
        self.plan = handle[0]
        self.motors = len(machine.motors)
        self.first_move = first_move
        self.done_mm = done_mm  # of the first move, before the stretch begins
        self._out = ffi.new("uint32_t[]", SLOT_BYTES // 4)
        self._bytes = ffi.cast("uint8_t *", self._out)
        self._written = ffi.new("size_t *")
        self._out_bytes = ffi.buffer(self._out)
        self._info = ffi.new("mf_window_info *")
        self._info_bytes = ffi.buffer(self._info)
        self._taken = ffi.new("size_t *")

    def push(self, moves: Any, count: int) -> int:
        """Take up to count moves; how many were taken. Fewer: pull windows, or the stretch ends."""
        status = lib.mf_plan_push(self.plan, moves, count, self._taken)
        taken = int(self._taken[0])
        if status != lib.MF_OK:
            check(status, "planning a move")
        return taken

    def override(self, pace: Pace) -> bool:
        """Speeds of all that is in no window yet. False: not now, ask behind the next window."""
        status = lib.mf_plan_override(self.plan, pace.feed / 100, pace.rapid / 100)
        if status == lib.MF_E_SPACE:
            return False
        check(status, "overriding speeds")
        return True

    def finish(self) -> None:
        """No more moves."""
        check(lib.mf_plan_finish(self.plan), "ending a stretch")

    def windows(self) -> Iterator[Window]:
        """All that can be made so far."""
        info, head, body = self._info, self._info_bytes, self._out_bytes
        plan, out, written, m = self.plan, self._bytes, self._written, self.motors
        make, ends = lib.mf_plan_window, lib.MF_MOTORS + 10
        while True:
            status = make(plan, out, SLOT_BYTES, written, info)
            if status:
                check(status, "making a window")
            n = written[0]
            if not n:
                return
            told = INFO.unpack(head)
            number, length, tail, begin = told[:4]
            yield Window(
                number,
                begin,
                length,
                tail,
                body[:n],
                self._place(*told[4:7]),
                self._place(*told[7:10]),
                told[10 : 10 + m],
                told[ends : ends + m],
            )

    def _place(self, move: int, line: int, distance_mm: float) -> Place:
        done_mm = self.done_mm if move == 0 else 0.0
        return Place(move + self.first_move, line, distance_mm + done_mm)

    def figures(self) -> Any:
        """The core's `mf_plan_figures` so far."""
        figures = ffi.new("mf_plan_figures *")
        check(lib.mf_plan_figures_so_far(self.plan, figures), "counting")
        return figures


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
            state: dict[str, Any] = {
                "steps": at_steps,
                "number": number,
                "ticks": 0,
                "line": move.line,
                "pace": PLAIN,
            }
            section = Section(
                "motion",
                line=move.line,
                windows=self._pump(stretch, feed, state, strikes),
                start_mm=tuple(point),
                start_steps=at_steps,
                outputs=dict(outputs),
                carriage_mm=carriage,
            )
            yield section
            for _ in section.windows:
                pass
            steps, number = state["steps"], state["number"]
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

    def _pump(
        self, stretch: Stretch, feed: Feed, state: dict[str, Any], strikes: bool
    ) -> Iterator[Window]:
        """Windows of one stretch, moves pushed as they are asked for. strikes: the first waits for
        the arc.
        """
        ended = False
        self._keep_pace(stretch, state)
        while not ended:
            ended = feed.push_to(stretch)[1]
            for window in stretch.windows():
                state["steps"] = window.end_steps
                state["number"] = (window.number + 1) & MASK30
                if feed.sides.any:
                    low = feed.sides.at(window.end.move), feed.sides.at(window.rest.move)
                    window = window._replace(low=low)
                state["ticks"] = window.begin_ticks + window.length_ticks
                state["line"] = window.end.line
                if strikes:
                    strikes = False
                    window = window._replace(data=struck(window.data))
                yield window
                if window.last:
                    break
                while self.wanted != state["pace"] and not ended:  # so it looks far enough ahead
                    taken, ended = feed.push_to(stretch)
                    if taken == 0:
                        break
                self._keep_pace(stretch, state)

    def _keep_pace(self, stretch: Stretch, state: dict[str, Any]) -> None:
        """What is wanted takes effect with the stretch's next window."""
        if self.wanted == state["pace"] or not stretch.override(self.wanted):
            return
        if self.changes or self.wanted != PLAIN:
            here = Change(
                self.wanted, state["number"], state["ticks"], state["line"], tuple(state["steps"])
            )
            if not self.changes or self.changes[-1].pace != self.wanted:
                self.changes.append(here)
        state["pace"] = self.wanted


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
