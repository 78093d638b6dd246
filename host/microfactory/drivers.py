"""Step drivers: what known kinds ask of their pulses, and the settings of those on a wire."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from microfactory.tomlfile import TomlFile

if TYPE_CHECKING:
    from microfactory.machine import Machine
    from microfactory.parts import Driver, Home, Uart

# kind: pulse_us, direction_setup_us, direction_hold_us, max_step_hz, as their data sheets say
PRESETS: dict[str, tuple[float, float, float, float]] = {
    "a4988": (1.0, 0.2, 0.2, 500_000.0),  # Allegro A4988, STEP minimum high and low, set-up, hold
    "drv8825": (1.9, 0.65, 0.65, 250_000.0),  # TI DRV8825, SLVSA73, timing requirements
    "tmc2209": (0.1, 0.1, 0.1, 1_000_000.0),  # TMC2209 rev. 1.09, STEP/DIR input; our ceiling
    "tb6600": (2.2, 5.0, 2.2, 200_000.0),  # Toshiba TB6600HG: CLK 2.2 us; set-up for optocouplers
    "dm542": (2.5, 5.0, 2.5, 200_000.0),  # Leadshine DM542 manual: PUL 2.5 us, DIR 5 us ahead
}
KEYS = ("pulse_us", "direction_setup_us", "direction_hold_us", "max_step_hz")
SENSE_V = (0.325, 0.180)  # TMC2209 chapter 9: full scale with vsense 0 and 1
INSIDE_OHM = 0.02  # and what stands in series with the sense resistor
CLOCK_HZ = 12_000_000  # its own clock, chapter 14
STALL_SHARE = 0.5  # of the homing speed: below it no stall is told
MICROSTEPS = 256


def timed(table: Any, name: str, file: TomlFile) -> Any:
    """A driver's table with the timings of its `kind`. MachineError: unknown, or too short."""
    if not isinstance(table, dict) or "kind" not in table:
        return table
    place = ("drivers", name)
    kind = table["kind"]
    if kind not in PRESETS:
        raise file.error(
            (*place, "kind"), f"{kind!r} is no known kind", f"use one of {', '.join(PRESETS)}"
        )
    preset = dict(zip(KEYS, PRESETS[kind], strict=True))
    given = {key: value for key, value in table.items() if key != "kind"}
    for key, value in preset.items():
        asked = given.get(key, value)
        if isinstance(asked, bool) or not isinstance(asked, (int, float)):
            continue  # told when the part is built
        if asked > value if key == "max_step_hz" else asked < value:
            word = "at most" if key == "max_step_hz" else "at least"
            raise file.error(
                (*place, key), f"a {kind} takes {word} {value:g}", f"write {value:g} or remove it"
            )
    return {**preset, **given}


def check_drivers(machine: Machine, file: TomlFile) -> None:
    """MachineError: a wire that the board has not, a current or a homing that cannot be."""
    for m, motor in enumerate(machine.motors):
        driver = machine.driver(m)
        if driver.uart is None:
            continue
        if motor.connector not in machine.board.wired:
            raise file.error(
                ("motors", motor.name, "connector"),
                f"{machine.board.name} has no driver on a wire at {motor.connector!r}",
                f"remove [drivers.{driver.name}.uart], or use skr-pico",
            )
        _check_current(driver, driver.uart, file)
    for axis in machine.axes:
        if axis.home and machine.inputs[machine.input_id(axis.home.input)].role == "stall":
            if len(axis.motors) > 1 and axis.home.square is None:
                raise file.error(
                    ("axes", axis.name, "home", "input"),
                    f"{axis.home.input!r} tells the stall of one motor, and {axis.name} has "
                    f"{len(axis.motors)}",
                    "give this axis a switch, or each motor its own (home.square)",
                )
            for m in machine.motors_of_axis(machine.axes.index(axis)):
                uart = machine.driver(m).uart
                if uart is None or not uart.stealth or not uart.stall_threshold:
                    raise file.error(
                        ("axes", axis.name, "home", "input"),
                        f"{axis.home.input!r} tells a stall, and driver "
                        f"{machine.driver(m).name} finds none",
                        f"give [drivers.{machine.driver(m).name}.uart] stealth = true and a "
                        "stall_threshold",
                    )


def _check_current(driver: Driver, uart: Uart, file: TomlFile) -> None:
    place = ("drivers", driver.name, "uart")
    most_a = _ampere(31, uart.sense_ohm, 0)
    if uart.current_a > most_a:
        raise file.error(
            (*place, "current_a"),
            f"{uart.current_a:g} A are more than {uart.sense_ohm:g} ohm let it have",
            f"use {math.floor(most_a * 100) / 100:g} or less",
        )
    if uart.hold_a > uart.current_a:
        raise file.error((*place, "hold_a"), "hold_a is above current_a", "use current_a or less")
    if uart.microsteps & (uart.microsteps - 1):
        raise file.error(
            (*place, "microsteps"), f"{uart.microsteps} is no power of two", "use 16, for example"
        )


def _ampere(scale: int, sense_ohm: float, vsense: int) -> float:
    """RMS current at a current scale of 0 to 31 (chapter 9)."""
    return (scale + 1) / 32 * SENSE_V[vsense] / (sense_ohm + INSIDE_OHM) / math.sqrt(2)


def driver_configs(machine: Machine) -> list[dict[str, int]]:
    """`drivers` of the board's configuration, one for each motor whose driver is on a wire."""
    out = []
    for m in range(len(machine.motors)):
        uart = machine.driver(m).uart
        if uart is None:
            continue
        vsense = int(uart.current_a <= _ampere(31, uart.sense_ohm, 1))
        unit_a = _ampere(0, uart.sense_ohm, vsense)
        axis = machine.axes[machine.axis_of_motor(m)]
        stall = axis.home and machine.inputs[machine.input_id(axis.home.input)].role == "stall"
        out.append(
            {
                "motor": m,
                "run": max(0, math.floor(uart.current_a / unit_a + 1e-9) - 1),
                "hold": max(0, math.floor(uart.hold_a / unit_a + 1e-9) - 1),
                "vsense": vsense,
                "mres": 8 - uart.microsteps.bit_length() + 1,
                "spread": int(not uart.stealth),
                "stall": uart.stall_threshold if stall else 0,
                "cool": _slowest(axis.home, axis.steps_per_mm, uart) if axis.home and stall else 0,
            }
        )
    return out


def _slowest(home: Home, steps_per_mm: float, uart: Uart) -> int:
    """TCOOLTHRS: clocks of a 1/256 step at the lowest speed at which a stall is told."""
    speed_mm_s = min(home.fast_mm_s, home.slow_mm_s) * STALL_SHARE
    fine_hz = speed_mm_s * steps_per_mm * MICROSTEPS / uart.microsteps
    return min(2**20 - 1, round(CLOCK_HZ / fine_hz))
