"""Moves: a program's lines, arcs and happenings, machine coordinates, in batches from the core."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from microfactory.machine import Machine
from microfactory.motion.core import check, ffi, lib
from microfactory.motion.gcode import Program
from microfactory.motion.refusal import refusal
from microfactory.parts import Heater, Output
from microfactory.torch import height_output, height_target

BATCH = 1024
PIECE_BYTES = 1 << 20
POSITION_MAX_STEPS = 2**29 - 1
POSITION_MAX_MM = 1e6
MAIN_ROLES = ("torch", "spindle", "laser", "pen")
FULL_WITHOUT_RPM = 1000.0  # S of a laser or pen that means full, as GRBL has it
FULL_FAN = 255.0


def _switch(machine: Machine, roles: Sequence[str], full: float) -> dict[str, Any]:
    """`mf_gcode_switch` of the first output that has one of these roles, in their order."""
    for role in roles:
        number = machine.output_of_role(role)
        if number >= 0:
            output: Output = machine.outputs[number]
            beam = role == "laser" and output.kind != "switch"
            return {
                "output": number,
                "graded": int(output.kind != "switch"),
                "stop": int(output.stop_to_switch),
                "reversible": int(role == "torch" or role == "pen" or beam),
                "beam": int(beam),
                "fixes": int(role == "torch"),
                "full": output.max_rpm if output.max_rpm and role in MAIN_ROLES else full,
                "spin_up_s": output.spin_up_s,
            }
    return {"output": -1}


def _heater(machine: Machine, role: str) -> dict[str, Any]:
    """`mf_gcode_heater` of the first heater of a role."""
    number = machine.heater_of_role(role)
    if number < 0:
        return {"heater": -1}
    heater: Heater = machine.heaters[number]
    return {"heater": number, "max_c": heater.max_c, "cold_c": heater.cold_extrusion_c}


def reader_machine(machine: Machine) -> Any:
    """What the core's reader must know of a machine: `mf_gcode_machine *`."""
    out = ffi.new("mf_gcode_machine *")
    out.dialect = lib.MF_GCODE_PRINTER if machine.kind == "printer" else lib.MF_GCODE_RS274
    out.axes = len(machine.axes)
    for i, axis in enumerate(machine.axes):
        reach_mm = min(POSITION_MAX_MM, POSITION_MAX_STEPS / axis.steps_per_mm)
        out.letter[i] = ord(axis.letter)
        out.unlimited[i] = axis.unlimited
        out.min_mm[i] = -reach_mm if axis.unlimited else axis.min_mm
        out.max_mm[i] = reach_mm if axis.unlimited else axis.max_mm
        out.has_home[i] = axis.home is not None
        middle_mm = min(max(0.0, out.min_mm[i]), out.max_mm[i])
        out.home_mm[i] = axis.home.position_mm if axis.home else middle_mm
    out.outputs = len(machine.outputs)
    out.main = _switch(machine, MAIN_ROLES, FULL_WITHOUT_RPM)
    out.fan = _switch(machine, ("part_fan",), FULL_FAN)
    out.mist = _switch(machine, ("mist",), 1.0)
    out.flood = _switch(machine, ("flood",), 1.0)
    out.hotend = _heater(machine, "hotend")
    out.bed = _heater(machine, "bed")
    out.chamber = _heater(machine, "chamber")
    out.strikes = machine.arc is not None
    out.advance_s = max(axis.pressure_advance_s for axis in machine.axes)
    out.height.output = height_output(machine)
    if machine.height:
        out.height.target = height_target(machine)
        out.height.share = machine.height.slow_share
    return out


class Moves:
    """A stream of `mf_move` batches: iterate to get (array, count).

    The array is used again for the next batch. The whole program is read once before the first
    batch comes, so one that must not be run is refused before anything moves.
    Errors: GcodeError, and LimitError for travel, heat, speed and cold extrusion.
    """

    def __init__(
        self,
        program: Program,
        machine: Machine,
        start_mm: Sequence[float] | None = None,
        *,
        checked: bool = False,
    ) -> None:
        self.program = program
        self.machine = machine
        self._checked = checked
        self._start_mm = None if start_mm is None else tuple(start_mm)
        size = lib.mf_gcode_size()
        self._memory = ffi.new("uint64_t[]", size // 8 + 1)
        size = ffi.sizeof(self._memory)  # the core looks whether it is enough
        handle = ffi.new("mf_gcode **")
        start = ffi.NULL
        if start_mm is not None:
            start = ffi.new("double[]", [*start_mm, *[0.0] * (lib.MF_AXES - len(start_mm))])
        status = lib.mf_gcode_init(self._memory, size, reader_machine(machine), start, handle)
        check(status, f"reading {program.name} for {machine.name}")
        self._reader = handle[0]

    def __iter__(self) -> Iterator[tuple[Any, int]]:
        if not self._checked:
            check_program(self.program, self.machine, self._start_mm)
            self._checked = True
        yield from self._batches()

    def _batches(self) -> Iterator[tuple[Any, int]]:
        text = ffi.from_buffer("char[]", self.program.data)
        total = len(self.program.data)
        out = ffi.new("mf_move[]", BATCH)
        taken = ffi.new("size_t *")
        made = ffi.new("size_t *")
        at, ended = 0, False
        while not ended:
            length = min(PIECE_BYTES, total - at)
            final = at + length == total
            status = lib.mf_gcode_read(
                self._reader, text + at, length, final, out, BATCH, taken, made
            )
            if status != lib.MF_OK:
                trouble = lib.mf_gcode_trouble_of(self._reader)
                raise refusal(self.program.name, self.machine, trouble)
            at += taken[0]
            if made[0]:
                ended = out[made[0] - 1].kind == lib.MF_MOVE_END
                yield out, made[0]

    def counts(self) -> dict[str, int]:
        """Lines read, lines and arcs made so far."""
        count = lib.mf_gcode_counted(self._reader)
        return {"lines": count.lines, "moves": count.moves, "arcs": count.arcs}


def check_program(
    program: Program, machine: Machine, start_mm: Sequence[float] | None = None
) -> dict[str, int]:
    """Read it whole and say how much there is. GcodeError, LimitError: it must not be run."""
    moves = Moves(program, machine, start_mm, checked=True)
    for _ in moves:
        pass
    return moves.counts()


def codes() -> list[tuple[str, tuple[str, ...], str, str]]:
    """The table of codes: (name, dialects, what is done: does, ignored or refused, text)."""
    count = ffi.new("size_t *")
    rows = lib.mf_gcode_codes(count)
    table = []
    for i in range(count[0]):
        row = rows[i]
        number = f"{row.tenths // 10}" + (f".{row.tenths % 10}" if row.tenths % 10 else "")
        dialects = (
            *(("printer",) if row.dialects & lib.MF_GCODE_PRINTER else ()),
            *(("rs274",) if row.dialects & lib.MF_GCODE_RS274 else ()),
        )
        done = "refused" if row.action < 0 else "ignored" if row.action <= 1 else "does"
        text = ffi.string(row.tells).decode()
        table.append((f"{chr(row.letter)}{number}", dialects, done, text))
    return table
