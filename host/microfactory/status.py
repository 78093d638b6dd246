"""What a board says of itself, as frozen values, and its faults in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mfwire import session as s
from mfwire.messages import NONE30, s16, s30, u16
from microfactory.kinematics import point_of
from microfactory.machine import Machine

FAULTS = {
    1: ("emergency stop", "the emergency stop input is active", "release it, clear, home"),
    2: ("limit switch", "a limit switch tripped in normal motion", "clear the fault, then home"),
    3: ("door", "the door was opened while it moved", "close it, clear the fault, then home"),
    4: ("sensor open", "a temperature sensor reads like a broken wire", "mend the sensor"),
    5: ("sensor short", "a temperature sensor reads like a short circuit", "mend the sensor"),
    6: ("no rise", "a heater did not get as warm as it should", "look at heater and sensor"),
    7: ("drift", "a temperature left its target", "look at heater and sensor"),
    8: ("too hot", "a heater is above its max_c", "switch the power off, look at its switch"),
    9: ("exception", "the board's program failed", "report it with the board's log"),
    10: ("starved", "a motor ran out of steps", "report it; home before moving"),
    11: ("bad list", "a list of steps was not what its window said", "report it; then home"),
    12: ("watchdog", "the board's program hung and was reset", "report it; home"),
    13: ("memory", "the board ran out of memory", "report it with the machine file"),
    14: (
        "runaway",
        "a heater got warmer than its power makes it",
        "switch the power off, look at its switch",
    ),
    15: ("frozen", "a temperature reading did not move at all", "look at the sensor"),
    16: (
        "float lost",
        "the float switch lost its contact while it moved",
        "look at the head and what it met, clear the fault, then home",
    ),
    17: (
        "converter silent",
        "a thermocouple converter does not answer as its data sheet says",
        "look at its wires and its supply",
    ),
    18: (
        "contactor welded",
        "the contactor reads closed though nothing holds it",
        "switch the main switch off; replace the contactor, or mend its contact's wire, then clear",
    ),
    19: (
        "power lost",
        "the contactor opened, so motors and heaters have no power",
        "release the emergency stop, switch power on, clear the fault, then home",
    ),
    20: ("driver silent", "a driver does not answer on its wire", "look at motor power and plug"),
    21: ("driver setting", "a driver did not take its settings", "switch motor power off and on"),
    22: ("driver reset", "a driver lost its power and its settings", "look at the supply; home"),
    23: ("driver power", "a driver's supply is too low", "look at the motor supply; home"),
    24: ("driver hot", "a driver was too hot or switched itself off", "cool it, lower current_a"),
    25: (
        "driver short",
        "a driver finds a motor wire shorted",
        "power off, look at motor and plug",
    ),
}

INPUT_FAULTS = (1, 2, 3, 16, 18, 19)  # detail is the number of an input
HEATER_FAULTS = (4, 5, 6, 7, 8, 14, 15, 17)  # detail is the number of a heater

# what torch height control does (docs/torch-height.md)
HEIGHT = ("off", "waits", "samples", "holds", "slow", "spike", "stays")


@dataclass(frozen=True)
class BoardInfo:
    """What a board is."""

    uid: str
    firmware: str
    protocol: int
    schema: int
    tick_hz: int
    slots: int
    slot_bytes: int
    motors_max: int
    lead_s: float
    horizon_s: float
    lease_s: float


@dataclass(frozen=True)
class HeaterStatus:
    """A heater now."""

    temperature_c: float
    target_c: float
    duty: float


@dataclass(frozen=True)
class HeightStatus:
    """Torch height control now. aim_v 0: it has none yet. offset_steps: off the planned count."""

    doing: str
    arc_v: float
    aim_v: float
    offset_steps: int
    offset_mm: float


@dataclass(frozen=True)
class Status:
    """A board now. steps, latched: by motor name; position_mm: by axis name; all as planned, so
    without the offset of torch height control, which stands beside them.
    """

    state: str
    why: str
    fault: int
    detail: int
    position_trusted: bool
    standby: bool
    window: int
    begin_ticks: int
    bad_frames: int
    hash: int
    committed: int
    steps: dict[str, int]
    latched: dict[str, int]
    position_mm: dict[str, float]
    inputs: dict[str, bool]
    glitches: dict[str, int]
    outputs: dict[str, int]
    heaters: dict[str, HeaterStatus]
    height: HeightStatus | None

    def data(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        out = {key: getattr(self, key) for key in self.__dataclass_fields__}
        out["heaters"] = {name: vars(heater) for name, heater in self.heaters.items()}
        out["height"] = vars(self.height) if self.height else None
        return out


def status_from(m: dict[str, Any], machine: Machine) -> Status:
    """From an unpacked STATUS and the machine.

    While the board has the configuration of another machine (other counts), nothing is named:
    steps, inputs, outputs and heaters are empty.
    """
    rest: bytes = m["lists"]
    has = (len(machine.motors), len(machine.inputs), len(machine.outputs), len(machine.heaters))
    told = (m["motors"], m["inputs"], m["outputs"], m["heaters"])
    size = sum(count * each for count, each in zip(told, (8, 2, 2, 6), strict=True))
    if told != has or len(rest) != size:
        m = {**m, "motors": 0, "inputs": 0, "outputs": 0, "heaters": 0}
    at = 0
    steps: dict[str, int] = {}
    latched: dict[str, int] = {}
    for i in range(m["motors"]):
        name = machine.motors[i].name
        steps[name] = s30(rest, at)
        if s30(rest, at + 4) != NONE30:
            latched[name] = s30(rest, at + 4)
        at += 8
    glitches = {}
    inputs = {}
    for i in range(m["inputs"]):
        name = machine.inputs[i].name
        glitches[name] = u16(rest, at)
        inputs[name] = bool(m["levels"] >> i & 1)
        at += 2
    outputs = {}
    for i in range(m["outputs"]):
        outputs[machine.outputs[i].name] = u16(rest, at)
        at += 2
    heaters = {}
    for i in range(m["heaters"]):
        heaters[machine.heaters[i].name] = HeaterStatus(
            s16(rest, at) / 10, u16(rest, at + 2) / 10, u16(rest, at + 4) / 65535
        )
        at += 6
    position = {}
    if len(steps) == len(machine.motors):
        point = point_of(machine, tuple(steps.values()))
        position = {axis.name: point[a] for a, axis in enumerate(machine.axes)}
    return Status(
        state=word(s.STATES, m["state"]),
        why=word(s.WHY, m["why"]) if m["why"] else "",
        fault=m["fault"],
        detail=m["detail"],
        position_trusted=bool(m["trusted"]),
        standby=bool(m["flags"] & 1),
        window=m["window"],
        begin_ticks=m["tick_high"] << 30 | m["tick_low"],
        bad_frames=m["bad_frames"],
        hash=m["hash_high"] << 16 | m["hash_low"],
        committed=m["committed"],
        steps=steps,
        latched=latched,
        position_mm=position,
        inputs=inputs,
        glitches=glitches,
        outputs=outputs,
        heaters=heaters,
        height=_height(m, machine) if position else None,
    )


def _height(m: dict[str, Any], machine: Machine) -> HeightStatus | None:
    if machine.height is None:
        return None
    axis = machine.axis(machine.height.axis)
    return HeightStatus(
        doing=word(HEIGHT, m["height"]),
        arc_v=m["arc_cv"] / 100,
        aim_v=m["aim_cv"] / 100,
        offset_steps=m["offset"],
        offset_mm=m["offset"] / axis.steps_per_mm,
    )


def word(words: tuple[str, ...], number: int) -> str:
    """A number of the board in words; one that this host does not know says so."""
    return words[number] if number < len(words) else f"unknown ({number})"


def fault_words(fault: int, detail: int, machine: Machine) -> str:
    """What happened, what the machine did, what to do."""
    name, what, todo = FAULTS.get(fault, (f"fault {fault}", "an unknown fault", "report it"))
    part = ""
    if fault in INPUT_FAULTS and detail < len(machine.inputs):
        part = f" ({machine.inputs[detail].name})"
    elif fault in HEATER_FAULTS and detail < len(machine.heaters):
        part = f" ({machine.heaters[detail].name})"
    elif 20 <= fault <= 25 and detail < len(machine.motors):
        part = f" (motor {machine.motors[detail].name})"
    return f"{name}{part}: {what}; motors stopped at once, heat off; {todo}"
