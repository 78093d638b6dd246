"""A stretch of motion: moves in, windows out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from struct import Struct
from typing import Any, NamedTuple

from microfactory.machine import Machine
from microfactory.motion.core import check, ffi, lib
from microfactory.motion.limits import stretch_config
from microfactory.motion.shapers import put_filters
from microfactory.pace import Pace

INFO = Struct(f"@3I Q QId QId {lib.MF_MOTORS}i {lib.MF_MOTORS}i")  # mf_window_info
ENDS = lib.MF_MOTORS + 10  # where its rest_steps begin
SLOT_BYTES = 8192  # what the smallest board's window slot holds
AS_BEFORE = 65535  # instead of a count of segments: the list of the motor before


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
        plan, out, written, make = self.plan, self._bytes, self._written, lib.mf_plan_window
        while True:
            status = make(plan, out, SLOT_BYTES, written, info)
            if status:
                check(status, "making a window")
            n = written[0]
            if not n:
                return
            yield self.window(INFO.unpack(head), body[:n])

    def window(self, told: tuple[Any, ...], data: bytes) -> Window:
        """What the core tells of a window (`INFO`), and its bytes."""
        number, length, tail, begin = told[:4]
        m = self.motors
        return Window(
            number,
            begin,
            length,
            tail,
            data,
            self._place(*told[4:7]),
            self._place(*told[7:10]),
            told[10 : 10 + m],
            told[ENDS : ENDS + m],
        )

    def _place(self, move: int, line: int, distance_mm: float) -> Place:
        done_mm = self.done_mm if move == 0 else 0.0
        return Place(move + self.first_move, line, distance_mm + done_mm)

    def figures(self) -> Any:
        """The core's `mf_plan_figures` so far."""
        figures = ffi.new("mf_plan_figures *")
        check(lib.mf_plan_figures_so_far(self.plan, figures), "counting")
        return figures
