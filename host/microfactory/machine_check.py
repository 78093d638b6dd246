"""What a machine file must be beyond its keys: parts that exist, travel, what the chip can hold."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from microfactory import kinematics
from microfactory.drivers import check_drivers
from microfactory.heating import check_curve
from microfactory.idle import check_idle
from microfactory.machine_kinematics import check_kinematics
from microfactory.motion.shapers import impulses
from microfactory.sensors import CONVERTERS, check_sensor
from microfactory.squares import check_squares
from microfactory.tomlfile import TomlFile
from microfactory.torch import check_torch

if TYPE_CHECKING:
    from microfactory.machine import Machine
    from microfactory.parts import Axis, Heater

KINDS = ("printer", "torch", "mill", "plotter")
AXES_MAX = 6
INPUTS_MAX = 12
OUTPUTS_MAX = 12
HEATERS_MAX = 3
POSITION_MAX_STEPS = 2**29
SHAPER_MOST_S = 0.2
SHAPER_LEAST_HZ = 5.0
TICK_HZ = 125_000_000


def check(machine: Machine, file: TomlFile) -> None:
    """MachineError for the first thing that cannot be."""
    _head(machine, file)
    _axes(machine, file)
    _connectors(machine, file)
    check_kinematics(machine, file)
    _chip(machine, file)
    _heaters(machine, file)
    _interlocks(machine, file)
    check_squares(machine, file)
    check_idle(machine, file, TICK_HZ)
    check_torch(machine, file)
    check_drivers(machine, file)
    _compensation(machine, file)
    _blend(machine, file)
    for i, step in enumerate(machine.retreat):
        _known(step.axis, [a.name for a in machine.axes], ("retreat", str(i), "axis"), "axis", file)


def _known(
    name: str, names: Iterable[str], place: tuple[str, ...], noun: str, file: TomlFile
) -> None:
    known = list(names)
    if name not in known:
        raise file.error(place, f"there is no {noun} {name!r}", f"known are {', '.join(known)}")


def _head(machine: Machine, file: TomlFile) -> None:
    if machine.kind not in KINDS:
        raise file.error(
            ("machine", "kind"), f"{machine.kind!r} is no kind", f"use one of {', '.join(KINDS)}"
        )
    if machine.kinematics not in kinematics.KINDS:
        raise file.error(
            ("machine", "kinematics"),
            f"{machine.kinematics!r} is not known",
            f"use one of {', '.join(kinematics.KINDS)}",
        )
    if not machine.name or len(machine.name) > 40 or not machine.name.isprintable():
        raise file.error(("machine", "name"), "a name has 1 to 40 printable characters")


def _axes(machine: Machine, file: TomlFile) -> None:
    if not 1 <= len(machine.axes) <= AXES_MAX:
        raise file.error(("axes",), f"there are {len(machine.axes)} axes", f"use 1 to {AXES_MAX}")
    driven: list[str] = []
    letters: list[str] = []
    for axis in machine.axes:
        if axis.letter in letters:
            raise file.error(("axes", axis.name, "letter"), f"letter {axis.letter} is used twice")
        letters.append(axis.letter)
        _axis_motors(machine, axis, driven, file)
        _travel(machine, axis, file)
        _filters(machine, axis, file)
    for m in machine.motors:
        if m.name not in driven:
            raise file.error(("motors", m.name), "no axis names this motor", "name it or remove it")
        _known(m.driver, [d.name for d in machine.drivers], ("motors", m.name), "driver", file)


def _axis_motors(machine: Machine, axis: Axis, driven: list[str], file: TomlFile) -> None:
    place = ("axes", axis.name, "motors")
    if not axis.motors:
        raise file.error(place, "an axis has at least one motor")
    for motor in axis.motors:
        _known(motor, [m.name for m in machine.motors], place, "motor", file)
        if motor in driven:
            raise file.error(place, f"motor {motor!r} is named twice")
        driven.append(motor)


def _travel(machine: Machine, axis: Axis, file: TomlFile) -> None:
    place = ("axes", axis.name)
    if not axis.unlimited:
        if not axis.min_mm < axis.max_mm:
            raise file.error((*place, "max_mm"), "the travel has no length: max is below min")
        far_steps = max(abs(axis.min_mm), abs(axis.max_mm)) * axis.steps_per_mm
        if far_steps >= POSITION_MAX_STEPS:
            raise file.error((*place, "steps_per_mm"), "the travel has more than 2^29 steps")
    if axis.home:
        names = [i.name for i in machine.inputs]
        _known(axis.home.input, names, (*place, "home", "input"), "input", file)


def _filters(machine: Machine, axis: Axis, file: TomlFile) -> None:
    place = ("axes", axis.name)
    if axis.shaper != "none":
        if axis.unlimited:
            raise file.error((*place, "shaper"), "an extruder is not shaped", "remove it")
        if axis.shaper_hz < SHAPER_LEAST_HZ:
            raise file.error(
                (*place, "shaper"),
                f"{axis.shaper} needs the frequency at which the axis rings",
                f"add shaper_hz, {SHAPER_LEAST_HZ:g} or more",
            )
        last = impulses(axis.shaper, axis.shaper_hz, axis.shaper_damping)[-1].delay_s
        if last > SHAPER_MOST_S:
            raise file.error(
                (*place, "shaper_hz"),
                f"{axis.shaper} at {axis.shaper_hz:g} Hz lasts {last * 1000:.0f} ms",
                f"use a stiffer frame or a shorter shaper: at most {SHAPER_MOST_S * 1000:.0f} ms",
            )
    if axis.pressure_advance_s and not (axis.unlimited and machine.kind == "printer"):
        raise file.error(
            (*place, "pressure_advance_s"), "only a printer's extruder has pressure", "remove it"
        )


def _sensors(machine: Machine) -> list[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    """Connector, those it may be, and where it stands, of each thing that is read."""
    board = machine.board
    out: list[tuple[str, tuple[str, ...], tuple[str, ...]]] = []
    for h in machine.heaters:
        kinds = board.converters if h.sensor.kind in CONVERTERS else board.analog
        out.append((h.sensor.connector, kinds, ("heaters", h.name, "sensor", "connector")))
    if machine.height:
        out.append((machine.height.connector, board.analog, ("height", "connector")))
    return out


def _blend(machine: Machine, file: TomlFile) -> None:
    """What nobody has looked at together with bent corners is not driven with them."""
    if machine.motion.corner != "blend":
        return
    if machine.compensation is not None:
        raise file.error(
            ("motion", "corner"),
            "corners are not blended on a machine that is compensated",
            'remove corner = "blend", or [compensation]',
        )


def _connectors(machine: Machine, file: TomlFile) -> None:
    board = machine.board
    used: dict[str, str] = {}

    def take(connector: str, known: Iterable[str], place: tuple[str, ...]) -> None:
        names = list(known)
        if connector not in names:
            raise file.error(
                place,
                f"{board.name} has no connector {connector!r} for this",
                f"use one of {', '.join(names)}",
            )
        if connector in used:
            raise file.error(place, f"connector {connector!r} is used by {used[connector]} already")
        used[connector] = ".".join(place[:2])

    for m in machine.motors:
        take(m.connector, board.step, ("motors", m.name, "connector"))
    for i in machine.inputs:
        take(i.connector, board.inputs, ("inputs", i.name, "connector"))
    for o in machine.outputs:
        kinds = board.switches if o.kind == "switch" else board.pwm
        take(o.connector, kinds, ("outputs", o.name, "connector"))
    for h in machine.heaters:
        take(h.connector, board.pwm, ("heaters", h.name, "connector"))
    for sensor in _sensors(machine):
        take(*sensor)
    _pins_of_converters(machine, used, file)


def _pins_of_converters(machine: Machine, used: dict[str, str], file: TomlFile) -> None:
    """A converter takes three pins that other connectors may have too; clock and data are shared
    by all converters.
    """
    for heater in machine.heaters:
        if heater.sensor.kind in CONVERTERS:
            _pins_of_converter(machine, heater, used, file)


def _pins_of_converter(
    machine: Machine, heater: Heater, used: dict[str, str], file: TomlFile
) -> None:
    pins = dict(machine.board.pins)
    mine = pins[heater.sensor.connector]
    for connector, user in used.items():
        if connector in machine.board.converters:
            continue
        shared = set(pins[connector]) & set(mine)
        if shared:
            raise file.error(
                ("heaters", heater.name, "sensor", "connector"),
                f"{heater.sensor.connector} needs pin {min(shared)}, which {user} has on "
                f"{connector}",
                "use another connector for that",
            )


def _chip(machine: Machine, file: TomlFile) -> None:
    board = machine.board
    if len(machine.motors) > board.motors_max:
        raise file.error(
            ("motors", machine.motors[board.motors_max].name),
            f"{len(machine.motors)} motors are more than the {board.chip} of {board.name} can "
            f"hold: {board.motors_max}, for each takes one of 8 state machines and two of 12 DMA "
            "channels",
            "remove a motor or use a board with a larger chip",
        )
    for key, most in (("inputs", INPUTS_MAX), ("outputs", OUTPUTS_MAX), ("heaters", HEATERS_MAX)):
        count = len(getattr(machine, key))
        if count > most:
            raise file.error(
                (key,), f"{count} are more than the board holds", f"use {most} or less"
            )
    for part in machine.inputs:
        if board.chip == "RP2350" and part.pull == "down":
            raise file.error(
                ("inputs", part.name, "pull"),
                "the RP2350's pull-down does not bring a pin down (erratum RP2350-E9)",
                'let the switch close to ground and write pull = "up"',
            )
    core = kinematics.core_axes(machine)
    for a, axis in enumerate(machine.axes):
        if a in core:  # machine_kinematics.py looks at these
            continue
        rate_hz = axis.max_speed_mm_s * axis.steps_per_mm
        for name in axis.motors:
            motor = next(m for m in machine.motors if m.name == name)
            driver = next(d for d in machine.drivers if d.name == motor.driver)
            if rate_hz > driver.max_step_hz:
                raise file.error(
                    ("axes", axis.name, "max_speed_mm_s"),
                    f"{axis.max_speed_mm_s} mm/s are {rate_hz:.0f} steps/s, more than driver "
                    f"{driver.name} takes",
                    f"use {driver.max_step_hz / axis.steps_per_mm:.3f} mm/s or less",
                )


def _interlocks(machine: Machine, file: TomlFile) -> None:
    contactors = [i.name for i in machine.inputs if i.role == "contactor"]
    if len(contactors) > 1:
        raise file.error(
            ("inputs", contactors[1], "role"),
            f"{contactors[0]} tells of a contactor already",
            "wire their mirror contacts in series, to one input",
        )
    for i in machine.inputs:
        place = ("inputs", i.name, "on_active")
        if i.role == "float" and i.on_active is None:
            raise file.error(
                place,
                "nothing says what the board does when the float is lost",
                'write on_active = "fault" (stop at once) or "hold" (rest on the path)',
            )
        if i.role not in ("door", "float") and (i.on_active or i.off):
            raise file.error(place, "only a door and a float have one", "remove it")
        if i.off and i.on_active is None:
            raise file.error(place, "off is for inputs with on_active", 'write on_active = "hold"')
        for name in i.off or ():
            names = [o.name for o in machine.outputs]
            _known(name, names, ("inputs", i.name, "off"), "output", file)


def _compensation(machine: Machine, file: TomlFile) -> None:
    part = machine.compensation
    if part is None:
        return
    if not part.fade_begin_mm < part.fade_end_mm:
        raise file.error(("compensation", "fade_end_mm"), "it is not above fade_begin_mm")
    letters = [axis.letter for axis in machine.axes]
    for letter in "XYZ":
        slack = part.slack_mm(letter)
        place = ("compensation", f"{letter.lower()}_slack_mm")
        if slack == 0.0:
            continue
        home = machine.axis(letter).home if letter in letters else None
        if home is None:
            raise file.error(
                place,
                f"axis {letter} has no switch, so nobody knows on which side its slack is",
                "give it a home, or write 0.0",
            )
        if not slack < min(home.pull_off_mm, home.backoff_mm):
            raise file.error(
                place,
                "homing takes the slack up on its way off the switch, and that way is shorter",
                "let pull_off_mm and backoff_mm of its home be larger",
            )
    if part.skew_xy and not {"X", "Y"} <= set(letters):
        raise file.error(("compensation", "skew_xy"), "there is no X and Y to be skewed")
    if (part.skew_xz or part.skew_yz) and not {"X", "Y", "Z"} <= set(letters):
        raise file.error(("compensation",), "there is no X, Y and Z to be skewed")


def _heaters(machine: Machine, file: TomlFile) -> None:
    for h in machine.heaters:
        if not h.min_c < h.max_c:
            raise file.error(("heaters", h.name, "max_c"), "max_c is not above min_c")
        if h.control == "model" and (h.model is None or h.model.lag_s is None):
            raise file.error(
                ("heaters", h.name, "control"),
                "control by a model needs one with its sensor's lag",
                "tune it (`microfactory heat --tune`), or write model.lag_s",
            )
        check_sensor(h, file)
        check_curve(h, file)
        if h.standby_c > h.max_c:
            raise file.error(("heaters", h.name, "standby_c"), "standby_c is above max_c")
