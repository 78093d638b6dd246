"""Moves: a program's lines, arcs and happenings, machine coordinates, in batches from the core."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from microfactory.errors import GcodeError, LimitError
from microfactory.machine import Machine
from microfactory.motion.core import check, ffi, lib
from microfactory.motion.gcode import Program

BATCH = 1024
PIECE_BYTES = 1 << 16
LIMITS = (lib.MF_E_LIMIT, lib.MF_E_TRAVEL)


def reader_config(machine: Machine, start_mm: Sequence[float] | None = None) -> Any:
    """The core's `mf_gcode_config` for a machine; start_mm: where it stands before line 1."""
    c = ffi.new("mf_gcode_config *")
    c.axes = len(machine.axes)
    for i, axis in enumerate(machine.axes):
        c.letter[i] = ord(axis.letter)
        c.unlimited[i] = axis.unlimited
        c.min_mm[i] = axis.min_mm
        c.max_mm[i] = axis.max_mm
        c.home_mm[i] = axis.home.position_mm if axis.home else 0.0
        c.can_home[i] = axis.home is not None
        c.start_mm[i] = start_mm[i] if start_mm is not None else c.home_mm[i]
    c.printer = machine.kind == "printer"
    c.fan = machine.output_of_role("part_fan")
    c.spindle = machine.output_of_role("spindle")
    c.torch = machine.output_of_role("torch")
    c.mist = machine.output_of_role("mist")
    c.flood = machine.output_of_role("flood")
    if c.spindle >= 0:
        spindle = machine.outputs[c.spindle]
        c.spindle_max_rpm = spindle.max_rpm if spindle.kind != "switch" else 0.0
        c.spindle_spin_up_s = spindle.spin_up_s
        c.spindle_stops = spindle.stop_to_switch
    c.hotend = machine.heater_of_role("hotend")
    c.bed = machine.heater_of_role("bed")
    c.first_heater_output = len(machine.outputs)
    if c.hotend >= 0:
        c.hotend_max_c = machine.heaters[c.hotend].max_c
        c.cold_extrusion_c = machine.heaters[c.hotend].cold_extrusion_c
    if c.bed >= 0:
        c.bed_max_c = machine.heaters[c.bed].max_c
    c.feed_mm_s = min(machine.motion.max_speed_mm_s, 25.0)
    return c


class Moves:
    """A stream of `mf_move` batches: iterate to get (array, count). GcodeError where it is bad."""

    def __init__(
        self, program: Program, machine: Machine, start_mm: Sequence[float] | None = None
    ) -> None:
        self.program = program
        self._memory = ffi.new("char[]", lib.mf_gcode_size() + 16)
        handle = ffi.new("mf_gcode **")
        size = lib.mf_gcode_size()
        aligned = self._aligned(self._memory)
        check(
            lib.mf_gcode_init(aligned, size, reader_config(machine, start_mm), handle),
            "reading the program",
        )
        self._reader = handle[0]

    @staticmethod
    def _aligned(memory: Any) -> Any:
        address = int(ffi.cast("uintptr_t", memory))
        return memory + (-address) % 16

    def __iter__(self) -> Iterator[tuple[Any, int]]:
        text = ffi.from_buffer("char[]", self.program.data)
        total = len(self.program.data)
        out = ffi.new("mf_move[]", BATCH)
        used = ffi.new("size_t *")
        count = ffi.new("size_t *")
        error = ffi.new("mf_gcode_error *")
        at = 0
        while at < total:
            length = min(PIECE_BYTES, total - at)
            final = at + length == total
            status = lib.mf_gcode_read(
                self._reader, text + at, length, final, out, BATCH, used, count, error
            )
            if status != lib.MF_OK:
                if count[0]:
                    yield out, count[0]
                raise self._error(status, error)
            at += used[0]
            if count[0]:
                yield out, count[0]

    def _error(self, status: int, error: Any) -> GcodeError:
        word = ffi.string(error.word).decode("ascii", "replace")
        text = ffi.string(error.text).decode() if error.text != ffi.NULL else "cannot be read"
        kind = LimitError if status in LIMITS else GcodeError
        line, column = int(error.where.line), int(error.where.column)
        shown = f" {word!r}:" if word else ""
        return kind(
            f"{self.program.name}:{line}:{column}:{shown} {text}; the machine does not move",
            line,
            column,
            word,
        )

    def counts(self) -> dict[str, int]:
        """Lines, moves, arcs and ignored codes so far."""
        counts = ffi.new("mf_gcode_counts *")
        check(lib.mf_gcode_counts_so_far(self._reader, counts), "counting")
        return {
            "lines": counts.lines,
            "moves": counts.moves,
            "arcs": counts.arcs,
            "ignored": counts.ignored,
        }


def check_program(program: Program, machine: Machine) -> dict[str, int]:
    """Read it whole and say how much there is. GcodeError, LimitError: it must not be run."""
    moves = Moves(program, machine)
    for _ in moves:
        pass
    return moves.counts()
