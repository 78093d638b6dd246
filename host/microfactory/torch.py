"""A torch's arc and height in the board's own numbers (docs/protocol.md, *Configuration*)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from microfactory.tomlfile import TomlFile

if TYPE_CHECKING:
    from microfactory.machine import Machine

TICK_HZ = 125_000_000
REFERENCE_V = 3.3  # what the board's converter reads as full
BACK_S = 0.032  # an offset is taken back by so much of itself (mfboard.height)
FLAGS = 26  # where they stand in a window (docs/protocol.md)
ARC = 2
MERGED_HZ = 30_000  # steps a second that the board merges (docs/torch-height.md)


def struck(data: bytes) -> bytes:
    """A window's bytes with the flag that a run which begins with it waits for the arc."""
    return data[:FLAGS] + bytes([data[FLAGS] | ARC]) + data[FLAGS + 1 :]


def height_output(machine: Machine) -> int:
    """Number of the output that sets height control's target, -1: the machine has none."""
    return len(machine.outputs) + len(machine.heaters) if machine.height else -1


def height_target(machine: Machine) -> int:
    """Its value while the torch is on: 1, or hundredths of a volt."""
    return max(1, round(machine.height.target_v * 100)) if machine.height else 0


def arc_config(machine: Machine) -> dict[str, int] | None:
    """`arc` of the board's configuration."""
    arc = machine.arc
    if arc is None:
        return None
    return {
        "input": machine.input_id(arc.input),
        "torch": machine.output_of_role("torch"),
        "wait_ms": round(arc.wait_s * 1000),
        "lost_ms": round(arc.lost_s * 1000),
    }


def height_config(machine: Machine) -> dict[str, Any] | None:
    """`height` of the board's configuration; its settings in the order of mfboard.config."""
    height = machine.height
    if height is None:
        return None
    axis = machine.axis(height.axis)
    number = machine.axes.index(axis)
    motor = machine.motors_of_axis(number)[0]
    q8 = axis.steps_per_mm * 256
    gain = q8 / (height.volts_per_mm * height.response_s) / 1000 / 100 * 65536
    pulse = machine.pulse_ticks()
    settings = [
        round(REFERENCE_V * height.volts_per_volt * 100),
        round(gain),
        round(height.within_v * 100),
        round(height.max_offset_mm * q8),
        max(1, round(height.max_speed_mm_s * q8 / 1000)),
        max(1, round(height.max_accel_mm_s2 * q8 / 1e6)),
        round(height.delay_s * 1000),
        max(1, round(height.sample_s * 1000)),
        round(height.spike_v * 100),
        round(height.spike_hold_s * 1000),
        round(height.spike_most_s * 1000),
        max(1, round(256 * (1 - math.exp(-0.001 / height.filter_s)))),
        gap_ticks(machine, motor),
        TICK_HZ // 1000,
        pulse + 8,
    ]
    path = [
        [machine.motors_of_axis(i)[0], round(TICK_HZ / other.steps_per_mm * 10)]
        for i, other in enumerate(machine.axes)
        if other.letter in "XY"
    ]
    return {"motor": motor, "sensor": height.connector, "path": path, "settings": settings}


def gap_ticks(machine: Machine, motor: int) -> int:
    """Least ticks between two steps of the merged motor: its driver's rate, pulse and set-up."""
    driver = machine.driver(motor)
    setup = math.ceil(driver.direction_setup_us * TICK_HZ / 1e6)
    rate = math.ceil(TICK_HZ / driver.max_step_hz)
    return max(600, rate, setup + 2 * machine.pulse_ticks() + 16)


def check_torch(machine: Machine, file: TomlFile) -> None:
    """MachineError: an arc or a height that cannot be."""
    _check_arc(machine, file)
    _check_height(machine, file)


def _check_arc(machine: Machine, file: TomlFile) -> None:
    arc = machine.arc
    if arc is not None:
        if arc.input not in [i.name for i in machine.inputs if i.role == "arc_ok"]:
            raise file.error(
                ("arc", "input"),
                f"{arc.input!r} is no input of role arc_ok",
                "name one that has this role",
            )
        torch = machine.output_of_role("torch")
        if torch < 0 or not machine.outputs[torch].stop_to_switch:
            raise file.error(
                ("arc", "input"),
                "an arc is waited for by a torch that switches at rest",
                "give the machine an output of role torch with stop_to_switch = true",
            )


def _check_height(machine: Machine, file: TomlFile) -> None:
    height = machine.height
    if height is None:
        return
    if height.axis not in [axis.name for axis in machine.axes]:
        raise file.error(
            ("height", "axis"), f"there is no axis {height.axis!r}", "name the torch's"
        )
    axis = machine.axis(height.axis)
    number = machine.axes.index(axis)
    if machine.output_of_role("torch") < 0:
        raise file.error(("height",), "there is no torch to hold", "add an output of role torch")
    if machine.heaters:
        raise file.error(
            ("height",),
            "the board's converter is read for the arc alone",
            "remove the heaters, or this table",
        )
    if len(axis.motors) != 1:
        raise file.error(("height", "axis"), "its axis has more than one motor", "use one motor")
    fastest = (axis.max_speed_mm_s + height.max_speed_mm_s) * axis.steps_per_mm
    most = min(MERGED_HZ, 0.5 * TICK_HZ / gap_ticks(machine, machine.motors_of_axis(number)[0]))
    if fastest > most:
        raise file.error(
            ("height", "max_speed_mm_s"),
            f"with the axis's own speed these are {fastest:.0f} steps/s, more than {most:.0f}",
            "lower one of the two",
        )
    if height.max_speed_mm_s > height.max_accel_mm_s2 * BACK_S:
        raise file.error(
            ("height", "max_speed_mm_s"),
            "it is more than its acceleration can brake when the offset is taken back",
            f"use {height.max_accel_mm_s2 * BACK_S:.1f} or less, or a higher max_accel_mm_s2",
        )
