"""Axes of several motors with a switch for each: which switch is whose, and the motors as axes.

A gantry's two motors may stand beside each other. Each finds its own switch, so that the gantry is
square on them afterwards (docs/machine-files.md, "Squaring").
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from microfactory.tomlfile import TomlFile

if TYPE_CHECKING:
    from microfactory.machine import Machine
    from microfactory.parts import Axis, Home, Motion, Square

STOP_S = 0.1  # from a switch's trip until the other motor begins to brake, at most


def motor_numbers(machine: Machine, a: int) -> tuple[int, ...]:
    """Numbers of an axis' motors in the order in which its table names them."""
    names = [motor.name for motor in machine.motors]
    return tuple(names.index(name) for name in machine.axes[a].motors)


def switches(machine: Machine, a: int) -> tuple[str, ...]:
    """Input of each motor of an axis that has a home, in that order; one for all: the same."""
    home = machine.axes[a].home
    assert home is not None
    if home.square is None:
        return (home.input,) * len(machine.axes[a].motors)
    return (home.input, *home.square.inputs)


def trims_mm(machine: Machine, a: int) -> tuple[float, ...]:
    """How much higher on the axis each motor stands than its switch says."""
    home = machine.axes[a].home
    assert home is not None
    count = len(machine.axes[a].motors)
    if home.square is None or home.square.trim_mm is None:
        return (0.0,) * count
    return (0.0, *home.square.trim_mm)


def taken_apart(machine: Machine, a: int) -> tuple[Machine, tuple[str, ...]]:
    """The same machine with an axis of its own for each motor of axis a; those axes' names."""
    axis = machine.axes[a]
    alone = tuple(
        replace(axis, name=f"{axis.name}.{motor}", motors=(motor,)) for motor in axis.motors
    )
    axes = machine.axes[:a] + alone + machine.axes[a + 1 :]
    return replace(machine, axes=axes), tuple(part.name for part in alone)


def overrun_mm(axis: Axis, home: Home, motion: Motion) -> float:
    """How far a motor goes on at most when another one's switch has tripped, at fast_mm_s."""
    speed = home.fast_mm_s
    accel = min(axis.max_accel_mm_s2, motion.max_accel_mm_s2)
    jerk = min(axis.max_jerk_mm_s3, motion.max_jerk_mm_s3)
    return speed * STOP_S + speed / 2 * (speed / accel + accel / jerk)


def check_squares(machine: Machine, file: TomlFile) -> None:
    """MachineError: a square that cannot be."""
    for axis in machine.axes:
        if axis.home is None or axis.home.square is None:
            continue
        _counts(axis, axis.home, axis.home.square, file)
        _inputs(machine, axis, axis.home, axis.home.square, file)
        beyond = overrun_mm(axis, axis.home, machine.motion)
        if beyond > axis.home.square.apart_mm:
            raise file.error(
                ("axes", axis.name, "home", "square", "apart_mm"),
                f"at fast_mm_s = {axis.home.fast_mm_s:g} a motor goes on up to {beyond:.2f} mm "
                "when the other one's switch has tripped, more than may be racked",
                "let fast_mm_s be lower, or write more where the frame bears it",
            )


def _counts(axis: Axis, home: Home, square: Square, file: TomlFile) -> None:
    place = ("axes", axis.name, "home", "square")
    others = len(axis.motors) - 1
    if others < 1:
        raise file.error(
            place, f"{axis.name} has one motor, which is always square", "remove this table"
        )
    if len(square.inputs) != others:
        raise file.error(
            (*place, "inputs"),
            f"there are {len(square.inputs)} switches for the {others} motors of {axis.name} "
            f"behind {axis.motors[0]}, whose switch is {home.input}",
            "name one for each, in the order of the axis' motors",
        )
    if square.trim_mm is not None and len(square.trim_mm) != others:
        raise file.error((*place, "trim_mm"), "there is not one for each of inputs")


def _inputs(machine: Machine, axis: Axis, home: Home, square: Square, file: TomlFile) -> None:
    place = ("axes", axis.name, "home", "square", "inputs")
    known = {part.name: part.role for part in machine.inputs}
    for name in square.inputs:
        if name not in known:
            raise file.error(place, f"there is no input {name!r}", f"known are {', '.join(known)}")
        if known[name] != known[home.input]:
            raise file.error(
                place,
                f"{name} is a {known[name]} and {home.input} a {known[home.input]}",
                "give all motors of an axis switches of one role",
            )
    if len({home.input, *square.inputs}) != len(axis.motors):
        raise file.error(place, "a switch is named twice", "name one a motor")
