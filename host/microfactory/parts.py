"""What a machine is made of, as frozen values. Units are in the names; bounds stand beside them.

Field names are the keys of a machine file. Axis, motor, input, output and heater numbers are
their order in the file.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

INFINITE = {"inf": True}


def number(
    low: float, high: float, default: Any = ..., *, inf: bool = False, quiet: bool = False
) -> Any:
    """A field with bounds; inf says that `inf` (no limit) may be written; quiet: see `choice`."""
    metadata = {"low": low, "high": high, "inf": inf, "quiet": quiet}
    if default is ...:
        return field(metadata=metadata)
    return field(default=default, metadata=metadata)


def choice(*words: str, default: Any = ..., quiet: bool = False) -> Any:
    """A field that holds one of some words. quiet: not written down when it is the default, so that
    files and hashes made before there was a choice stay what they were.
    """
    metadata = {"choices": words, "quiet": quiet}
    if default is ...:
        return field(metadata=metadata)
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, kw_only=True)
class Motion:
    """Limits of the whole path, and how exactly it is followed."""

    max_speed_mm_s: float = number(0.001, 10_000)
    max_accel_mm_s2: float = number(0.01, 1e6)
    max_jerk_mm_s3: float = number(0.1, 1e12, float("inf"), inf=True)
    corner_tolerance_mm: float = number(0.0, 10.0, 0.025)
    corner: str = choice("cap", "blend", default="cap", quiet=True)  # docs/planner.md
    step_tolerance_us: float = number(0.2, 50.0, 2.0)
    shaper_tolerance_mm: float = number(0.001, 10.0, float("inf"), inf=True)
    window_ms: float = number(20.0, 100.0, 50.0)


@dataclass(frozen=True, kw_only=True)
class Square:
    """Switches of an axis' motors behind the first, in their order, when each has its own.

    apart_mm: so much may the motors stand beside each other until their switches. trim_mm: so much
    higher on the axis each of them is to stand than its switch says.
    """

    inputs: tuple[str, ...]
    apart_mm: float = number(0.01, 100)
    trim_mm: tuple[float, ...] | None = number(-100, 100, None)


@dataclass(frozen=True, kw_only=True)
class Home:
    """How an axis finds its place: fast to the switch, back off, slow to it again.

    Then it stands at position_mm, pull_off_mm clear of the switch, so that no move within the
    travel presses it. square: each of its motors has a switch of its own (microfactory.squares).
    """

    input: str
    toward: str = choice("min", "max")
    position_mm: float = number(-100_000, 100_000)
    fast_mm_s: float = number(0.001, 1000)
    slow_mm_s: float = number(0.001, 1000)
    backoff_mm: float = number(0.01, 1000)
    pull_off_mm: float = number(0.0, 100, 1.0)
    square: Square | None = None


@dataclass(frozen=True, kw_only=True)
class Axis:
    """One axis of the program. An unlimited one (an extruder) has no travel.

    unpowered: what it does without its driver; one that falls says what becomes of it when nobody
    is there: held (drivers stay on), or lowered to lower_to_mm before they go off.
    """

    name: str
    letter: str = choice("X", "Y", "Z", "A", "B", "C", "E")
    motors: tuple[str, ...]
    steps_per_mm: float = number(0.001, 100_000)
    max_speed_mm_s: float = number(0.001, 10_000)
    max_accel_mm_s2: float = number(0.01, 1e6)
    max_jerk_mm_s3: float = number(0.1, 1e12, float("inf"), inf=True)
    min_mm: float = number(-100_000, 100_000, 0.0)
    max_mm: float = number(-100_000, 100_000, 0.0)
    unlimited: bool = False
    shaper: str = choice("none", "zv", "mzv", "ei", "2hei", default="none")
    shaper_hz: float = number(0.0, 500.0, 0.0)
    shaper_damping: float = number(0.0, 0.5, 0.1)
    pressure_advance_s: float = number(0.0, 2.0, 0.0)
    advance_smooth_s: float = number(0.005, 0.2, 0.04)
    home: Home | None = None
    unpowered: str = choice("stays", "falls", default="stays", quiet=True)
    when_idle: str | None = choice("hold", "lower", default=None)
    lower_to_mm: float | None = number(-100_000, 100_000, None)
    lower_mm_s: float | None = number(0.001, 1000, None)


@dataclass(frozen=True, kw_only=True)
class Idle:
    """So long after an orderly end, with nobody connected, drivers go off."""

    after_s: float = number(1.0, 86_400)


@dataclass(frozen=True, kw_only=True)
class Motor:
    """A motor on one of the board's connectors. Its own limits (0: none) are of its belt, where
    two axes move it.
    """

    name: str
    connector: str
    driver: str
    invert: bool = False
    max_speed_mm_s: float = number(0.0, 10_000, 0.0, quiet=True)
    max_accel_mm_s2: float = number(0.0, 1e6, 0.0, quiet=True)


@dataclass(frozen=True, kw_only=True)
class Uart:
    """A TMC2209 that the board sets and watches (docs/drivers.md). Amperes are RMS."""

    current_a: float = number(0.05, 1.7)
    hold_a: float = number(0.05, 1.7)
    microsteps: int = number(1, 256, 16)
    stealth: bool = True
    stall_threshold: int = number(0, 255, 0)
    sense_ohm: float = number(0.05, 0.5, 0.11)


@dataclass(frozen=True, kw_only=True)
class Driver:
    """What a step driver asks of its pulses; `kind` of a file gives them (docs/drivers.md)."""

    name: str
    pulse_us: float = number(0.1, 4.0)
    direction_setup_us: float = number(0.0, 100.0)
    direction_hold_us: float = number(0.0, 100.0, 0.0)
    max_step_hz: float = number(100, 1_000_000, 200_000.0)
    uart: Uart | None = None


@dataclass(frozen=True, kw_only=True)
class Input:
    """A switch: its role says what the board does when it becomes active.

    Of a door or a float: on_active hold (rest on the path) or fault (stop at once), and outputs
    that are off at once and as long as it is active (docs/safety.md).
    """

    name: str
    connector: str
    role: str = choice(
        "limit", "probe", "estop", "door", "float", "arc_ok", "stall", "button", "contactor"
    )  # fmt: skip
    active: str = choice("high", "low")
    pull: str = choice("up", "down", "none", default="up")
    debounce_ms: float = number(0.0, 100.0, 2.0)
    on_active: str | None = choice("hold", "fault", default=None)
    off: tuple[str, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class Output:
    """Something that is switched or set. keep, off, or a share of full for each event."""

    name: str
    connector: str
    role: str = choice("part_fan", "spindle", "torch", "mist", "flood", "laser", "pen", "relay")
    kind: str = choice("switch", "pwm", "servo", default="switch")
    pwm_hz: float = number(1.0, 100_000, 1000.0)
    on_hold: str | float = "keep"
    on_link_lost: str | float = "off"
    on_fault: str | float = "off"
    stop_to_switch: bool = False
    max_rpm: float = number(0.0, 200_000, 0.0)
    spin_up_s: float = number(0.0, 60.0, 0.0)


@dataclass(frozen=True, kw_only=True)
class Sensor:
    """A sensor below its pull-up to the reference voltage, or a thermocouple's converter.

    Which keys a kind has is in microfactory.sensors (docs/heaters.md).
    """

    connector: str
    kind: str = choice("beta", "steinhart-hart", "table", "part", "pt1000", "max31855", "max6675")
    r25_ohm: float | None = number(10, 10_000_000, None)
    beta_k: float | None = number(500, 20_000, None)
    pullup_ohm: float | None = number(10, 10_000_000, None)
    sh_a: float | None = number(-0.1, 0.1, None)
    sh_b: float | None = number(1e-6, 0.1, None)
    sh_c: float | None = number(0.0, 1e-3, None)
    table_c: tuple[float, ...] | None = number(-200, 1500, None)
    table_ohm: tuple[float, ...] | None = number(0.1, 1e9, None)
    part: str | None = None


@dataclass(frozen=True, kw_only=True)
class Pid:
    """Duty 0..1 per degree, per degree second, per degree a second."""

    kp: float = number(0.0, 100.0)
    ki: float = number(0.0, 100.0)
    kd: float = number(0.0, 1000.0)


@dataclass(frozen=True, kw_only=True)
class Warming:
    """What a heater does at full power: warms so fast, in the end to rate_c_s * time_s above the
    room, and dead_s pass until its sensor sees anything; the sensor itself lags by lag_s.
    """

    rate_c_s: float = number(0.01, 20.0)
    time_s: float = number(5.0, 2000.0)
    dead_s: float = number(0.0, 10.0)
    lag_s: float | None = number(0.0, 20.0, None)


@dataclass(frozen=True, kw_only=True)
class Heater:
    """A heater with its sensor. The board verifies it by itself (docs/heaters.md)."""

    name: str
    connector: str
    role: str = choice("hotend", "bed", "chamber")
    sensor: Sensor
    pid: Pid
    model: Warming | None = None
    control: str | None = choice("pid", "model", default=None)
    min_c: float = number(-50, 1000)
    max_c: float = number(0, 1000)
    cold_extrusion_c: float = number(0, 1000, 0.0)
    rise_c: float = number(0.1, 100, 2.0)
    rise_s: float = number(1.0, 600, 20.0)
    drift_c: float = number(0.5, 100, 4.0)
    drift_s: float = number(1.0, 600, 20.0)
    standby_c: float = number(0, 1000, 0.0)
    standby_min: float = number(0, 240, 0.0)


@dataclass(frozen=True, kw_only=True)
class Arc:
    """What says that the torch's arc burns. M3 waits for it, and a cut stops without it."""

    input: str
    wait_s: float = number(0.01, 60.0, 3.0)
    lost_s: float = number(0.001, 10.0, 0.1)


@dataclass(frozen=True, kw_only=True)
class Height:
    """Torch height control: the arc's voltage holds the torch's height (docs/torch-height.md).

    volts_per_volt: of the arc for one at the connector. volts_per_mm: that a longer arc adds.
    target_v 0: the voltage that the arc has when control begins.
    """

    axis: str
    connector: str
    volts_per_volt: float = number(1.0, 196.0)
    volts_per_mm: float = number(0.5, 50.0)
    target_v: float = number(0.0, 600.0, 0.0)
    within_v: float = number(0.0, 20.0, 0.5)
    max_offset_mm: float = number(0.1, 50.0)
    max_speed_mm_s: float = number(0.1, 100.0)
    max_accel_mm_s2: float = number(1.0, 10_000.0)
    response_s: float = number(0.02, 5.0, 0.1)
    filter_s: float = number(0.001, 0.2, 0.008)
    delay_s: float = number(0.0, 10.0, 0.2)
    sample_s: float = number(0.001, 1.0, 0.1)
    slow_share: float = number(0.0, 1.0, 0.9)
    spike_v: float = number(0.5, 200.0, 6.0)
    spike_hold_s: float = number(0.0, 5.0, 0.05)
    spike_most_s: float = number(0.01, 10.0, 0.5)


@dataclass(frozen=True, kw_only=True)
class Compensation:
    """What this one machine is off by, and how exactly that is made good (docs/compensation.md).

    skew: mm that the tool's X (Y) goes with a mm of Y (Z) of the carriages. slack: backlash of an
    axis. fade: up to begin all of a map's height counts, from end on nothing (machine Z).
    """

    tolerance_mm: float = number(0.0005, 1.0, 0.005)
    skew_xy: float = number(-0.1, 0.1, 0.0)
    skew_xz: float = number(-0.1, 0.1, 0.0)
    skew_yz: float = number(-0.1, 0.1, 0.0)
    x_slack_mm: float = number(0.0, 5.0, 0.0)
    y_slack_mm: float = number(0.0, 5.0, 0.0)
    z_slack_mm: float = number(0.0, 5.0, 0.0)
    outside: str = choice("edge", "refuse", default="edge")
    fade_begin_mm: float = number(-100_000, 100_000, 0.0)
    fade_end_mm: float = number(-100_000, 100_000, float("inf"), inf=True)

    def slack_mm(self, letter: str) -> float:
        """Of the axis of that letter; 0 for those that have none."""
        return float(getattr(self, f"{letter.lower()}_slack_mm", 0.0))


@dataclass(frozen=True, kw_only=True)
class RetreatStep:
    """One straight move of the retreat, relative to where the machine came to rest."""

    axis: str
    by_mm: float = number(-1000, 1000)
    speed_mm_s: float = number(0.001, 1000)


@dataclass(frozen=True, kw_only=True)
class Board:
    """A board's page: what a connector can do, and what the chip can hold."""

    name: str
    chip: str
    motors_max: int
    step: tuple[str, ...]
    inputs: tuple[str, ...]
    switches: tuple[str, ...]
    pwm: tuple[str, ...]
    analog: tuple[str, ...]
    wired: tuple[str, ...] = ()
    converters: tuple[str, ...] = ()
    pins: tuple[tuple[str, tuple[int, ...]], ...] = ()
