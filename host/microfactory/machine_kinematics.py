"""What a machine file must be where two motors move two axes together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from microfactory.kinematics import core_axes
from microfactory.tomlfile import TomlFile

if TYPE_CHECKING:
    from microfactory.machine import Machine
    from microfactory.parts import Axis


def check_kinematics(machine: Machine, file: TomlFile) -> None:
    """MachineError for what no planner, homing or verifier here can drive."""
    if machine.kinematics == "corexy":
        _core(machine, file)
        return
    for motor in machine.motors:
        for key in ("max_speed_mm_s", "max_accel_mm_s2"):
            if getattr(motor, key):
                raise file.error(
                    ("motors", motor.name, key),
                    "here a motor goes as its axis does",
                    "write the limit at its axis",
                )


def _core(machine: Machine, file: TomlFile) -> None:
    letters = [axis.letter for axis in machine.axes]
    if not {"X", "Y"} <= set(letters):
        raise file.error(("axes",), "a CoreXY has an X and a Y", "add them")
    x, y = (machine.axes[a] for a in core_axes(machine))
    for axis in (x, y):
        _core_axis(machine, axis, file)
    if x.steps_per_mm != y.steps_per_mm:
        raise file.error(
            ("axes", y.name, "steps_per_mm"),
            f"{y.steps_per_mm:g}, but {x.name} has {x.steps_per_mm:g}, and both are on one belt",
            "give both the same",
        )
    if bool(x.home) != bool(y.home):
        lone = y if x.home else x
        raise file.error(("axes", lone.name), "only the other has a home", "add one")
    _not_with_core(machine, (x.name, y.name), file)
    for axis in (x, y):
        _belt(machine, axis, x.max_speed_mm_s + y.max_speed_mm_s, file)


def _core_axis(machine: Machine, axis: Axis, file: TomlFile) -> None:
    place = ("axes", axis.name)
    if len(axis.motors) != 1:
        raise file.error(
            (*place, "motors"),
            f"{axis.name} has {len(axis.motors)} motors",
            "name one: X's goes X + Y, Y's goes X - Y",
        )
    if axis.unlimited:
        raise file.error((*place, "unlimited"), "an axis on a belt has a travel", "remove it")
    if axis.home and machine.inputs[machine.input_id(axis.home.input)].role == "stall":
        raise file.error(
            (*place, "home", "input"),
            "a stall does not tell which of the two axes has met its end",
            "give this axis a switch",
        )


def _not_with_core(machine: Machine, pair: tuple[str, str], file: TomlFile) -> None:
    """What nobody has looked at together with a shared belt is not driven with it."""
    parts: tuple[tuple[object, tuple[str, ...]], ...] = (
        (machine.compensation, ("compensation",)),
        (machine.height, ("height",)),
        (machine.motion.corner == "blend", ("motion", "corner")),
    )
    for there, place in parts:
        if there:
            raise file.error(
                place,
                "compensation, height control and blended corners are not driven with CoreXY",
                "remove it",
            )
    for i, step in enumerate(machine.retreat):
        if step.axis in pair:
            raise file.error(
                ("retreat", str(i), "axis"),
                "the board keeps each motor in its travel, not an axis that two of them move",
                "retreat with other axes",
            )


def _belt(machine: Machine, axis: Axis, both_mm_s: float, file: TomlFile) -> None:
    number = [m.name for m in machine.motors].index(axis.motors[0])
    own = machine.motors[number].max_speed_mm_s
    fastest = min(both_mm_s, own) if own else both_mm_s
    driver = machine.driver(number)
    if fastest * axis.steps_per_mm > driver.max_step_hz:
        raise file.error(
            ("motors", axis.motors[0], "max_speed_mm_s"),
            f"its belt may go {fastest:g} mm/s when both axes do, and that is more than driver "
            f"{driver.name} takes",
            f"write max_speed_mm_s = {driver.max_step_hz / axis.steps_per_mm:.1f} or less",
        )
