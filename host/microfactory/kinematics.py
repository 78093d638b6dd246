"""Where motors are when the axes are somewhere, and back: the one place of the host that knows.

`cartesian`: every axis has motors of its own. `corexy`: two motors on one belt; X's motor, A, goes
X + Y and Y's motor, B, goes X - Y; all other axes are Cartesian. The planner's twin is
`csrc/src/kin_*.c`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from microfactory.machine import Machine

KINDS = ("cartesian", "corexy")


def core_axes(machine: Machine) -> tuple[int, ...]:
    """Numbers of the axes that two motors move together: X and Y of a CoreXY, else none."""
    if machine.kinematics != "corexy":
        return ()
    letters = [axis.letter for axis in machine.axes]
    return letters.index("X"), letters.index("Y")


def shares(machine: Machine, motor: int) -> tuple[tuple[int, float], ...]:
    """(axis, mm of the motor's belt or screw in a mm of that axis) of each axis that moves it."""
    axis = machine.axis_of_motor(motor)
    core = core_axes(machine)
    if axis not in core:
        return ((axis, 1.0),)
    return ((core[0], 1.0), (core[1], 1.0 if axis == core[0] else -1.0))


def moved_with(machine: Machine, axis: int) -> tuple[int, ...]:
    """Numbers of the motors that turn when this axis alone moves."""
    core = core_axes(machine)
    if axis not in core:
        return machine.motors_of_axis(axis)
    return tuple(m for a in core for m in machine.motors_of_axis(a))


def steps_at(machine: Machine, point_mm: Sequence[float]) -> tuple[int, ...]:
    """Count of every motor at a point, mm by axis: the nearest step."""
    return tuple(
        round(sum(point_mm[a] * share for a, share in shares(machine, m)) * machine.steps_per_mm(m))
        for m in range(len(machine.motors))
    )


def point_of(machine: Machine, steps: Sequence[int]) -> list[float]:
    """Where the axes are, in mm, at these counts of the motors (an axis's first motor tells)."""
    point = [
        steps[machine.motors_of_axis(a)[0]] / axis.steps_per_mm
        for a, axis in enumerate(machine.axes)
    ]
    if core := core_axes(machine):
        a_mm, b_mm = point[core[0]], point[core[1]]
        point[core[0]], point[core[1]] = (a_mm + b_mm) / 2, (a_mm - b_mm) / 2
    return point


def travel_mm(machine: Machine, motor: int) -> tuple[float, float]:
    """Lowest and highest place of a motor's belt or screw while all its axes keep their travel."""
    low = high = 0.0
    for a, share in shares(machine, motor):
        axis = machine.axes[a]
        ends = axis.min_mm * share, axis.max_mm * share
        low, high = low + min(ends), high + max(ends)
    return low, high
