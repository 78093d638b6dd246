"""What becomes of drivers when nobody is there: axes that fall without them are held or lowered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from microfactory.tomlfile import TomlFile

if TYPE_CHECKING:
    from microfactory.machine import Machine
    from microfactory.parts import Axis

WORD_MOST_TICKS = 2**21 - 1  # of one step


def falling(machine: Machine) -> tuple[Axis, ...]:
    """Axes that fall when their drivers are off."""
    return tuple(axis for axis in machine.axes if axis.unpowered == "falls")


def lower_steps(axis: Axis) -> int:
    """Count of an axis' motors once it is lowered."""
    assert axis.lower_to_mm is not None
    return round(axis.lower_to_mm * axis.steps_per_mm)


def idle_config(machine: Machine, tick_hz: int) -> dict[str, Any]:
    """What the board's configuration has of it (docs/protocol.md); empty: drivers stay on."""
    if machine.idle is None:
        return {}
    rows = []
    for a, axis in enumerate(machine.axes):
        if axis.unpowered == "falls":
            assert axis.lower_mm_s is not None
            ticks = round(tick_hz / (axis.lower_mm_s * axis.steps_per_mm))
            rows += [[m, lower_steps(axis), ticks] for m in machine.motors_of_axis(a)]
    return {"idle": {"after_s": round(machine.idle.after_s), "lower": rows}}


def check_idle(machine: Machine, file: TomlFile, tick_hz: int) -> None:
    """MachineError: an axis that says half of it, or what cannot be."""
    for axis in machine.axes:
        _axis(machine, axis, file, tick_hz)
    held = [axis.name for axis in falling(machine) if axis.when_idle == "hold"]
    if machine.idle is not None and held:
        raise file.error(
            ("idle", "after_s"),
            f"{held[0]} is held when idle, and drivers are switched together, so that none would "
            "ever go off",
            f'remove [idle], or write when_idle = "lower" for {held[0]}',
        )


def _axis(machine: Machine, axis: Axis, file: TomlFile, tick_hz: int) -> None:
    place = ("axes", axis.name)
    lowers = axis.when_idle == "lower"
    if axis.unpowered == "falls" and axis.when_idle is None:
        raise file.error(
            (*place, "unpowered"),
            f"nothing says what becomes of {axis.name} when nobody is there",
            'write when_idle = "hold" (drivers stay on) or "lower"',
        )
    if axis.when_idle is not None and axis.unpowered != "falls":
        raise file.error((*place, "when_idle"), "it is for an axis that falls",
                         'write unpowered = "falls"')  # fmt: skip
    if (axis.lower_to_mm is not None or axis.lower_mm_s is not None) and not lowers:
        raise file.error((*place, "when_idle"), "a height to lower to needs it", '"lower"')
    if not lowers:
        return
    if axis.lower_to_mm is None or axis.lower_mm_s is None or axis.home is None:
        raise file.error(
            (*place, "when_idle"),
            "to be lowered an axis needs a home, lower_to_mm and lower_mm_s",
            "add them",
        )
    if not axis.min_mm <= axis.lower_to_mm <= axis.max_mm:
        raise file.error((*place, "lower_to_mm"), "it is outside the travel")
    most = axis.home.slow_mm_s  # homing stops from that at once, and loses no step
    least = tick_hz / WORD_MOST_TICKS / axis.steps_per_mm
    if not least <= axis.lower_mm_s <= most:
        raise file.error(
            (*place, "lower_mm_s"),
            f"{axis.lower_mm_s:g} mm/s is too fast to begin without a ramp, or slower than a "
            "board can",
            f"use {least:.3g} to {most:g} (home.slow_mm_s)",
        )
