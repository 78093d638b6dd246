"""Backlash in counts: where motors stand when an axis was last moved up or down.

A motor's place is its carriage's as long as the axis was last moved up. Last moved down the motor
is one slack lower, for it has turned so far without its axis.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from microfactory.kinematics import core_axes, point_of, steps_at

if TYPE_CHECKING:
    from microfactory.machine import Machine


def slack_mm(machine: Machine, a: int) -> float:
    """Backlash of axis number a."""
    part = machine.compensation
    return part.slack_mm(machine.axes[a].letter) if part else 0.0


def home_side(machine: Machine, a: int) -> int:
    """How homing leaves an axis: +1 moved up last (off a switch at the low end), -1 down, 0: it has
    no switch.
    """
    home = machine.axes[a].home
    return 0 if home is None else 1 if home.toward == "min" else -1


def motor_mm(machine: Machine, a: int, carriage_mm: float, side: int) -> float:
    """Place of a motor for one of its carriage, the axis moved up (+1) or down (-1) last."""
    return carriage_mm - (slack_mm(machine, a) if side < 0 else 0.0)


def homed_steps(machine: Machine, a: int) -> int:
    """Count of an axis's motors once it is homed."""
    axis = machine.axes[a]
    if axis.home is None:
        return 0
    return round(
        motor_mm(machine, a, axis.home.position_mm, home_side(machine, a)) * axis.steps_per_mm
    )


def after_homing(machine: Machine, steps: Sequence[int], axes: Sequence[int]) -> tuple[int, ...]:
    """Counts of all motors after these axes were homed: the other axes are where they were."""
    out = list(steps)
    core = core_axes(machine)
    for a in axes:
        for m in machine.motors_of_axis(a) if a not in core else ():
            out[m] = homed_steps(machine, a)
    point = point_of(machine, out)
    for a in core:
        home = machine.axes[a].home
        if a in axes and home is not None:
            point[a] = home.position_mm
    both = steps_at(machine, point)
    for a in core:
        for m in machine.motors_of_axis(a):
            out[m] = both[m]
    return tuple(out)
