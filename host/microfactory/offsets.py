"""Backlash in counts: where motors stand when an axis was last moved up or down.

A motor's place is its carriage's as long as the axis was last moved up. Last moved down the motor
is one slack lower, for it has turned so far without its axis.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

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
