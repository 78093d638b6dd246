"""Probing a map of heights: down at each point of a grid until the probe closes, twice.

The tool itself is the probe (a touch plate, a nozzle or a cutter that closes a contact). Ways down
and across are guarded: down they end where the probe closes, across that ends it all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from microfactory.drive import Driven, drive
from microfactory.errors import BoardFault, LimitError, Stopped, UsageError
from microfactory.heightmap import SIDE_MAX, HeightMap, geometry_sha256
from microfactory.motion.compensate import Corrections, travel
from microfactory.motion.straight import straight
from microfactory.offsets import home_side, motor_mm, slack_mm

if TYPE_CHECKING:
    from microfactory.board import Board

ROUND_MM = 6  # decimals of a height in a map


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Where to probe, in mm of the tool, machine coordinates.

    clear_mm: Z for the ways between points. lowest_mm: no probing goes deeper. zero_mm: the Z that
    counts as height 0; None: what is found at the point nearest to the middle.
    """

    low_mm: tuple[float, float]
    high_mm: tuple[float, float]
    columns: int
    rows: int
    clear_mm: float
    lowest_mm: float
    speed_mm_s: float = 2.0
    lift_mm: float = 1.0
    repeat_mm: float = 0.05
    zero_mm: float | None = None

    def check(self) -> None:
        """UsageError: there is no such grid."""
        for count in (self.columns, self.rows):
            if not 2 <= count <= SIDE_MAX:
                raise UsageError(
                    f"{self.columns} by {self.rows} points: a map has 2 to {SIDE_MAX} each way; "
                    "nothing moved; name other --points"
                )
        for low, high, count in zip(
            self.low_mm, self.high_mm, (self.columns, self.rows), strict=True
        ):
            if not high - low >= 0.1 * (count - 1):
                raise UsageError(
                    f"{low:g} to {high:g} mm is no stretch for {count} points; nothing moved; "
                    "name --from and --to that are further apart"
                )
        if not self.lowest_mm < self.clear_mm:
            raise UsageError(
                f"--lowest {self.lowest_mm:g} is not below --clear {self.clear_mm:g}; nothing moved"
            )
        if not 0 < self.speed_mm_s <= 20 or not 0.05 <= self.lift_mm <= 50:
            raise UsageError("--speed is 20 mm/s at most and --lift 0.05 to 50 mm; nothing moved")

    def point(self, i: int, j: int) -> tuple[float, float]:
        """X and Y of a point."""
        x = self.low_mm[0] + (self.high_mm[0] - self.low_mm[0]) * i / (self.columns - 1)
        y = self.low_mm[1] + (self.high_mm[1] - self.low_mm[1]) * j / (self.rows - 1)
        return x, y

    def way(self) -> Iterator[tuple[int, int]]:
        """All points, to and fro."""
        for j in range(self.rows):
            for i in range(self.columns):
                yield (i if j % 2 == 0 else self.columns - 1 - i), j


class Prober:
    """Probes on a homed board. watch: told the number of points done."""

    def __init__(
        self,
        board: Board,
        *,
        wants_hold: Callable[[], bool] | None = None,
        watch: Callable[[int, int], None] | None = None,
    ) -> None:
        self.board, self.machine = board, board.machine
        self.wants_hold, self.watch = wants_hold, watch
        machine = self.machine
        self.x, self.y, self.z = (self._axis(letter) for letter in "XYZ")
        probes = [i for i, part in enumerate(machine.inputs) if part.role == "probe"]
        if not probes:
            raise UsageError(
                f'{machine.name} has no input of role "probe"; nothing moved; add one to its '
                "machine file and wire it"
            )
        self.input = probes[0]
        self.name = machine.inputs[self.input].name
        self.corrections = Corrections(machine)
        self.side = [home_side(machine, a) for a in range(len(machine.axes))]

    def _axis(self, letter: str) -> int:
        for a, axis in enumerate(self.machine.axes):
            if axis.letter == letter and axis.home:
                return a
        raise UsageError(
            f"{self.machine.name} has no axis {letter} with a switch; nothing moved; a map needs "
            "X, Y and Z that can be homed"
        )

    def map(self, grid: Grid) -> HeightMap:
        """The map. Homes first. BoardFault: the probe is closed, never closes, or is not steady."""
        grid.check()
        self._within(grid)
        self.board.home()
        self.side = [home_side(self.machine, a) or 1 for a in range(len(self.machine.axes))]
        if self.board.status().inputs[self.name]:
            raise BoardFault(
                f"{self.name} is closed though nothing touches; the machine stands homed; look at "
                "the probe, its wires and its `active` level"
            )
        found: dict[tuple[int, int], float] = {}
        worst = 0.0
        self._to(self.z, grid.clear_mm, None, guard=False)
        for i, j in grid.way():
            found[i, j], apart = self._point(grid, *grid.point(i, j))
            worst = max(worst, apart)
            if self.watch:
                self.watch(len(found), grid.columns * grid.rows)
        self._to(self.z, grid.clear_mm, None, guard=False)
        zero = grid.zero_mm
        if zero is None:
            zero = found[(grid.columns - 1) // 2, (grid.rows - 1) // 2]
        return HeightMap(
            machine=self.machine.name,
            geometry_sha256=geometry_sha256(self.machine),
            first_x_mm=grid.low_mm[0],
            first_y_mm=grid.low_mm[1],
            pitch_x_mm=(grid.high_mm[0] - grid.low_mm[0]) / (grid.columns - 1),
            pitch_y_mm=(grid.high_mm[1] - grid.low_mm[1]) / (grid.rows - 1),
            zero_z_mm=zero,
            repeat_mm=round(worst, ROUND_MM),
            heights_mm=tuple(
                tuple(round(found[i, j] - zero, ROUND_MM) for i in range(grid.columns))
                for j in range(grid.rows)
            ),
        )

    def _within(self, grid: Grid) -> None:
        for x in (grid.low_mm[0], grid.high_mm[0]):
            for y in (grid.low_mm[1], grid.high_mm[1]):
                for z in (grid.clear_mm, grid.lowest_mm):
                    at = self._carriages(x, y, z)
                    for a in (self.x, self.y, self.z):
                        low, high = travel(self.machine, a)
                        if not low <= at[a] <= high:
                            raise LimitError(
                                f"{self.machine.axes[a].letter} would be at {at[a]:g} mm, and it "
                                f"goes from {low:g} to {high:g} mm; nothing moved; probe within it"
                            )

    def _carriages(self, x: float, y: float, z: float) -> list[float]:
        tool = [0.0] * len(self.machine.axes)
        tool[self.x], tool[self.y], tool[self.z] = x, y, z
        return self.corrections.motors(tool)

    def _point(self, grid: Grid, x: float, y: float) -> tuple[float, float]:
        """Height of the carriage where the probe closes, and how far the first trial was off it."""
        at = self._carriages(x, y, grid.clear_mm)
        for a in (self.y, self.x):
            driven = self._to(a, at[a], None, guard=True)
            if driven.why == "guard":
                raise BoardFault(
                    f"{self.name} closed on the way to X{x:g} Y{y:g}; the machine stands there; "
                    "raise the tool by hand and probe with a higher --clear"
                )
        first = self._down(grid, grid.speed_mm_s)
        self._to(self.z, first + grid.lift_mm, None, guard=False)
        second = self._down(grid, grid.speed_mm_s / 2)
        self._to(self.z, grid.clear_mm, None, guard=False)
        if abs(first - second) > grid.repeat_mm:
            raise BoardFault(
                f"X{x:g} Y{y:g}: the probe closed at Z{first:.4f} and then at Z{second:.4f}, more "
                f"than {grid.repeat_mm:g} mm apart; no map was written; clean tool and plate, look "
                "at the probe's contact, or allow more with --repeat"
            )
        return second, abs(first - second)

    def _down(self, grid: Grid, speed_mm_s: float) -> float:
        if self.board.status().inputs[self.name]:
            raise BoardFault(
                f"{self.name} stays closed {grid.lift_mm:g} mm above the touch; the machine "
                "stands; probe with a larger --lift, or look at the probe"
            )
        self._to(self.z, grid.lowest_mm, speed_mm_s, guard=True)
        name = self.machine.motors[self.machine.motors_of_axis(self.z)[0]].name
        latched = self.board.status().latched
        if name not in latched:
            raise BoardFault(
                f"{self.name} did not close down to Z{grid.lowest_mm:g}; no map was written; the "
                "machine stands there; look at the probe, or allow a lower --lowest"
            )
        return latched[name] / self.machine.axes[self.z].steps_per_mm + slack_mm(
            self.machine, self.z
        )

    def _to(self, a: int, carriage_mm: float, speed: float | None, *, guard: bool) -> Driven:
        """One axis to a place of its carriage, its slack taken up on the way."""
        machine, client = self.machine, self.board.client
        axis = machine.axes[a]
        steps = tuple(client.ask().steps.values())
        motor = machine.motors_of_axis(a)[0]
        here = steps[motor] / axis.steps_per_mm
        was = here + (slack_mm(machine, a) if self.side[a] < 0 else 0.0)
        if abs(carriage_mm - was) * axis.steps_per_mm > 0.5:
            self.side[a] = 1 if carriage_mm > was else -1
        there = motor_mm(machine, a, carriage_mm, self.side[a])
        mask = (1 << len(machine.motors)) - 1
        driven = drive(
            client,
            straight(
                machine, steps, {axis.name: there}, speed or axis.max_speed_mm_s * 0.5, check=False
            ),
            guards=((self.input, mask),) if guard else (),
            wants_hold=self.wants_hold,
        )
        if driven.why in ("hold", "late"):
            raise Stopped(
                f"probing stopped ({driven.why}); the machine stands, no map was written; probe "
                "again"
            )
        return driven
