"""Moves of the tool to moves of the motors: a map of heights, skew and backlash.

What comes out are `mf_move` batches like those of `Moves`, in the motors' coordinates. They follow
from program, machine and map alone, so a place in them is a place in the program.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

from microfactory.errors import LimitError, UsageError
from microfactory.kinematics import point_of
from microfactory.machine import Machine
from microfactory.motion.bent import bent, blends
from microfactory.motion.core import check, ffi, lib
from microfactory.motion.gcode import Program
from microfactory.motion.moves import Moves, reader_machine
from microfactory.motion.refusal import shown
from microfactory.offsets import home_side, slack_mm
from microfactory.parts import Compensation

ROOM = 1024
HOME_SHARE = 0.5  # of pull_off_mm: so near to its switch a corrected axis may come
FAR_MM = 1e9
KEPT = 8192  # changes of side: more than a look-ahead has


def compensates(machine: Machine) -> bool:
    """Anything is to be made good; if not, no byte changes."""
    part = machine.compensation
    skewed = part is not None and any((part.skew_xy, part.skew_xz, part.skew_yz))
    mapped = machine.heightmap is not None and not machine.heightmap.zero
    return skewed or mapped or any(slack_mm(machine, a) > 0 for a in range(len(machine.axes)))


def moves_of(program: Program, machine: Machine, start_mm: Sequence[float] | None = None) -> Any:
    """The moves of a program as the motors make them: `Moves`, or `Compensated` of them."""
    moves = Moves(program, machine, start_mm)
    if not compensates(machine):
        return bent(moves)
    if machine.kinematics != "cartesian":
        raise UsageError(
            f"{machine.name} is a {machine.kinematics} machine, and maps of heights are not driven "
            "there; nothing moved; leave --map away"
        )
    if blends(machine):
        raise UsageError(
            f"{machine.name} blends its corners, and they are not blended on a path that is made "
            'good by a map; nothing moved; leave --map away, or remove corner = "blend"'
        )
    return Compensated(moves, machine, start_mm)


def _number(machine: Machine, letter: str) -> int:
    return next((i for i, axis in enumerate(machine.axes) if axis.letter == letter), -1)


def travel(machine: Machine, a: int) -> tuple[float, float]:
    """How far the motors of an axis may go: its travel, and half of what its switch is clear."""
    axis = machine.axes[a]
    if axis.unlimited:
        return -FAR_MM, FAR_MM
    low, high = axis.min_mm, axis.max_mm
    if axis.home:
        beyond = HOME_SHARE * axis.home.pull_off_mm
        if axis.home.toward == "min":
            low = min(low, axis.home.position_mm - beyond)
        else:
            high = max(high, axis.home.position_mm + beyond)
    return low, high


class Corrections:
    """The core's `mf_compensate` of a machine."""

    def __init__(self, machine: Machine, start_mm: Sequence[float] | None = None) -> None:
        self.machine = machine
        part = machine.compensation or Compensation()
        c = ffi.new("mf_compensate_config *")
        reader = reader_machine(machine)
        c.axes = len(machine.axes)
        c.x, c.y, c.z = (_number(machine, letter) for letter in "XYZ")
        c.tolerance_mm = part.tolerance_mm
        c.corner_mm = machine.motion.corner_tolerance_mm
        c.skew_xy, c.skew_xz, c.skew_yz = part.skew_xy, part.skew_xz, part.skew_yz
        for a in range(len(machine.axes)):
            c.slack_mm[a] = slack_mm(machine, a)
            c.home_side[a] = home_side(machine, a)
            c.home_mm[a] = reader.home_mm[a]
            c.low_mm[a], c.high_mm[a] = travel(machine, a)
        if start_mm is not None:
            c.starts = 1
            for a, value in enumerate(start_mm):
                c.start_mm[a] = value
        self._heights = ffi.NULL
        if machine.heightmap is not None:
            page = machine.heightmap
            c.columns, c.rows = page.columns, page.rows
            c.first_mm[0:2] = page.first_x_mm, page.first_y_mm
            c.pitch_mm[0:2] = page.pitch_x_mm, page.pitch_y_mm
            c.refuses = part.outside == "refuse"
            c.fade_begin_mm, c.fade_end_mm = part.fade_begin_mm, part.fade_end_mm
            self._heights = ffi.new("double[]", [h for row in page.heights_mm for h in row])
        size = lib.mf_compensate_size()
        self._memory = ffi.new("double[]", size // 8 + 1)
        size = ffi.sizeof(self._memory)  # the core looks whether it is enough
        handle = ffi.new("mf_compensate **")
        status = lib.mf_compensate_init(self._memory, size, c, self._heights, handle)
        check(status, f"making good what {machine.name} is off by")
        self.state = handle[0]

    def motors(self, tool_mm: Sequence[float]) -> list[float]:
        """Carriages, slack aside, for a place of the tool."""
        return self._map(lib.mf_compensate_motors, tool_mm)

    def tool(self, motors_mm: Sequence[float]) -> list[float]:
        """The tool's place for one of the carriages."""
        return self._map(lib.mf_compensate_tool, motors_mm)

    def _map(self, function: Any, point_mm: Sequence[float]) -> list[float]:
        point = ffi.new("double[]", [*point_mm, *[0.0] * (lib.MF_AXES - len(point_mm))])
        out = ffi.new("double[]", lib.MF_AXES)
        check(function(self.state, point, out), "telling a place")
        return list(out[0 : len(self.machine.axes)])


class Compensated:
    """A stream of `mf_move` batches for the motors: iterate to get (array, count).

    LimitError: a motor would leave its travel, or the tool the map where the machine refuses that.
    """

    def __init__(
        self, moves: Moves, machine: Machine, start_mm: Sequence[float] | None = None
    ) -> None:
        self.moves = moves
        self.machine = machine
        self.corrections = Corrections(machine, start_mm)

    def __iter__(self) -> Iterator[tuple[Any, int]]:
        state, out = self.corrections.state, ffi.new("mf_move[]", ROOM)
        taken, made = ffi.new("size_t *"), ffi.new("size_t *")
        for batch, count in self.moves:
            at = 0
            while at < count:
                status = lib.mf_compensate_run(
                    state, batch + at, count - at, out, ROOM, taken, made
                )
                at += taken[0]
                if made[0]:
                    yield out, made[0]
                if status != lib.MF_OK:
                    self._refuse(status)

    def _refuse(self, status: int) -> None:
        trouble = lib.mf_compensate_trouble_of(self.corrections.state)
        if trouble.why == lib.MF_COMPENSATE_FINE:
            check(status, "making good what the machine is off by")
        axis = self.machine.axes[trouble.axis]
        where = f"{self.moves.program.name}:{trouble.line}: "
        if trouble.why == lib.MF_COMPENSATE_OUTSIDE:
            raise LimitError(
                f"{where}{axis.letter} {shown(trouble.value)} mm is outside the map of heights, "
                f"{shown(trouble.low)} to {shown(trouble.high)} mm; nothing moved; probe a larger "
                'map, or write outside = "edge" in [compensation]',
                trouble.line,
            )
        raise LimitError(
            f"{where}made good for map, skew and backlash {axis.letter} would be at "
            f"{shown(trouble.value)} mm, and its motors go from {shown(trouble.low)} to "
            f"{shown(trouble.high)} mm; nothing moved; place the part elsewhere, or let the map "
            "fade (fade_end_mm of [compensation])",
            trouble.line,
        )

    def counts(self) -> dict[str, int]:
        """Lines read, lines and arcs of the program so far."""
        return self.moves.counts()


class Sides:
    """On which side each axis' slack is, by the number of the move. Of the last moves only."""

    def __init__(self, machine: Machine) -> None:
        axes = range(len(machine.axes))
        self.any = any(slack_mm(machine, a) > 0 for a in axes)
        self.low = sum(
            1 << a for a in axes if home_side(machine, a) < 0 and slack_mm(machine, a) > 0
        )
        self._changes: deque[tuple[int, int]] = deque(maxlen=KEPT)
        self._changes.append((0, self.low))

    def note(self, index: int, array: Any, count: int) -> None:
        """Moves from number `index` on are in `array`."""
        if not self.any:
            return
        for i in range(count):
            if array[i].kind <= lib.MF_MOVE_ARC and array[i].output != self.low:
                self.low = array[i].output
                self._changes.append((index + i, self.low))

    def at(self, move: int) -> int:
        """Mask of the axes whose slack is open in a move."""
        for begin, low in reversed(self._changes):
            if begin <= move:
                return low
        return self._changes[0][1]


def carriage_mm(machine: Machine, move: Any, at_mm: float) -> tuple[float, ...]:
    """Places of the axes' carriages at_mm along a move, as its motors and its slack say."""
    point = ffi.new("double[]", list(move.start_mm))
    takes_up = move.kind == lib.MF_MOVE_LINE and move.value > 0.0
    if move.kind <= lib.MF_MOVE_ARC and at_mm > 0 and not takes_up:
        lib.mf_move_point(ffi.addressof(move), min(at_mm, move.length_mm), point)
    low = move.output if move.kind <= lib.MF_MOVE_ARC else 0
    return tuple(
        point[a] + (slack_mm(machine, a) if low >> a & 1 else 0.0) for a in range(len(machine.axes))
    )


def tool_mm(machine: Machine, steps: Sequence[int], low: int) -> dict[str, float]:
    """Where the tool is, by axis name, when the motors have these counts; low: see `Sides`."""
    carriages = [
        place_mm + (slack_mm(machine, a) if low >> a & 1 else 0.0)
        for a, place_mm in enumerate(point_of(machine, steps))
    ]
    if compensates(machine):
        carriages = Corrections(machine).tool(carriages)
    return {axis.name: carriages[a] for a, axis in enumerate(machine.axes)}
