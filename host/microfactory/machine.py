"""A machine: what kind it is, its axes, motors, switches, outputs and heaters; read from TOML.

A machine file never has pin numbers: it names the connectors of its board. Every key that has a
unit carries it. A key that nobody knows is refused with file, line and the nearest right key.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from microfactory.drivers import driver_configs, timed
from microfactory.errors import MachineError, UsageError
from microfactory.heating import model_config, predict_config, sensor_config
from microfactory.idle import idle_config
from microfactory.kinematics import travel_mm
from microfactory.machine_check import check
from microfactory.machine_read import board_from, build, named
from microfactory.parts import (
    Arc,
    Axis,
    Board,
    Compensation,
    Driver,
    Heater,
    Height,
    Idle,
    Input,
    Motion,
    Motor,
    Output,
    RetreatStep,
)
from microfactory.tomlfile import TomlFile
from microfactory.tomlfile import dump as dump_toml
from microfactory.torch import arc_config, height_config

if TYPE_CHECKING:
    from microfactory.heightmap import HeightMap

MACHINES = Path(__file__).parent / "machines"
BOARDS = Path(__file__).parent / "boards"
TICK_HZ = 125_000_000
LEASE_MS = 250
TOP = [
    "machine", "motion", "axes", "motors", "drivers", "inputs", "outputs", "heaters", "arc",
    "height", "compensation", "retreat", "idle",
]  # fmt: skip


@dataclass(frozen=True)
class Machine:
    """One machine, as its file says. Frozen; make another with `with_settings`."""

    name: str
    kind: str
    board: Board
    kinematics: str
    motion: Motion
    axes: tuple[Axis, ...]
    motors: tuple[Motor, ...]
    drivers: tuple[Driver, ...]
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    heaters: tuple[Heater, ...]
    retreat: tuple[RetreatStep, ...]
    arc: Arc | None = None
    height: Height | None = None
    compensation: Compensation | None = None
    idle: Idle | None = None
    heightmap: HeightMap | None = field(default=None, compare=False)  # not of the file

    @classmethod
    def load(cls, name: str | Path) -> Machine:
        """By the name of a machine that comes along, or by a path. MachineError: it cannot be."""
        path = Path(name)
        if path.suffix != ".toml" and not os.path.exists(path):
            path = MACHINES / f"{name}.toml"
            if not os.path.exists(path):  # False for a name no file system takes
                raise MachineError(
                    f"{name}: no such machine; nothing was loaded; known are {', '.join(names())}, "
                    "or give the path of a .toml file"
                )
        return cls.from_file(TomlFile.read(path))

    @classmethod
    def parse(cls, text: str, name: str = "machine.toml") -> Machine:
        """From TOML text. MachineError: it cannot be used."""
        return cls.from_file(TomlFile(text, name))

    @classmethod
    def from_file(cls, file: TomlFile) -> Machine:
        """From a parsed TOML file. MachineError: it cannot be used."""
        data = file.data
        file.refuse_unknown((), data, TOP)
        for key in ("machine", "motion", "axes", "motors", "drivers"):
            if not isinstance(data.get(key), dict):
                raise file.error((key,), "this table is missing", f"add [{key}]")
        head = data["machine"]
        file.refuse_unknown(("machine",), head, ["name", "kind", "board", "kinematics"])
        for key in ("name", "kind", "board", "kinematics"):
            if not isinstance(head.get(key), str):
                raise file.error(("machine", key), "a text is missing here", f'write {key} = "..."')
        wanted = {n: timed(table, n, file) for n, table in data["drivers"].items()}
        retreat = data.get("retreat", [])
        if not isinstance(retreat, list) or not all(isinstance(x, dict) for x in retreat):
            raise file.error(("retreat",), "this is no list of steps", "write [[retreat]] tables")
        machine = cls(
            name=head["name"],
            kind=head["kind"],
            board=board_from(BOARDS, head["board"], file),
            kinematics=head["kinematics"],
            motion=build(Motion, data["motion"], ("motion",), file),
            axes=named(Axis, data, "axes", file),
            motors=named(Motor, data, "motors", file),
            drivers=named(Driver, {"drivers": wanted}, "drivers", file),
            inputs=named(Input, data, "inputs", file),
            outputs=named(Output, data, "outputs", file),
            heaters=named(Heater, data, "heaters", file),
            retreat=tuple(
                build(RetreatStep, step, ("retreat", str(i)), file)
                for i, step in enumerate(retreat)
            ),
            arc=build(Arc, data["arc"], ("arc",), file) if "arc" in data else None,
            height=build(Height, data["height"], ("height",), file) if "height" in data else None,
            compensation=build(Compensation, data["compensation"], ("compensation",), file)
            if "compensation" in data
            else None,
            idle=build(Idle, data["idle"], ("idle",), file) if "idle" in data else None,
        )
        check(machine, file)
        return machine

    # what others ask of it

    def axis(self, letter_or_name: str) -> Axis:
        """The axis of that letter or name. UsageError: it has none."""
        wanted = letter_or_name.lower()
        for axis in self.axes:
            if wanted in (axis.name.lower(), axis.letter.lower()):
                return axis
        raise UsageError(
            f"{letter_or_name}: {self.name} has no such axis; nothing moved; its axes are "
            + ", ".join(axis.name for axis in self.axes)
        )

    def axis_of_motor(self, motor: int) -> int:
        """Number of the axis that a motor drives."""
        name = self.motors[motor].name
        return next(i for i, axis in enumerate(self.axes) if name in axis.motors)

    def motors_of_axis(self, axis: int) -> tuple[int, ...]:
        """Numbers of the motors that drive an axis."""
        return tuple(i for i, m in enumerate(self.motors) if m.name in self.axes[axis].motors)

    def steps_per_mm(self, motor: int) -> float:
        """Of the axis that a motor drives."""
        return self.axes[self.axis_of_motor(motor)].steps_per_mm

    def driver(self, motor: int) -> Driver:
        """The driver of a motor."""
        return next(d for d in self.drivers if d.name == self.motors[motor].driver)

    def output_id(self, name: str) -> int:
        """Number of an output (or heater) as windows name it. UsageError: there is none."""
        everything = [o.name for o in self.outputs] + [h.name for h in self.heaters]
        if name not in everything:
            raise UsageError(
                f"{name}: {self.name} has no such output or heater; nothing was switched; it has "
                + ", ".join(everything)
            )
        return everything.index(name)

    def output_of_role(self, role: str) -> int:
        """Number of the first output of that role, -1: none."""
        return next((i for i, out in enumerate(self.outputs) if out.role == role), -1)

    def heater_of_role(self, role: str) -> int:
        """Number of the first heater of that role (0: first heater), -1: none."""
        return next((i for i, heater in enumerate(self.heaters) if heater.role == role), -1)

    def input_id(self, name: str) -> int:
        """Number of an input. UsageError: there is none."""
        for i, part in enumerate(self.inputs):
            if part.name == name:
                return i
        raise UsageError(f"{name}: {self.name} has no such input; nothing was done")

    def contactor(self) -> Input | None:
        """The input that tells whether the contactor is in, if there is one."""
        return next((part for part in self.inputs if part.role == "contactor"), None)

    def pulse_ticks(self, tick_hz: int = TICK_HZ) -> int:
        """Width of a step pulse: 1 + 16 k ticks, enough for every driver (docs/protocol.md)."""
        widest_us = max((self.driver(i).pulse_us for i in range(len(self.motors))), default=0.1)
        k = max(1, math.ceil((widest_us * tick_hz / 1e6 - 1 - 1e-9) / 16))
        return 1 + 16 * min(k, 32)

    def _interlock(self, part: Input) -> dict[str, Any]:
        """What a door or a float does, where the file says so; off: a mask of outputs."""
        if part.on_active is None:
            return {}
        off = sum(1 << self.output_id(name) for name in part.off or ())
        return {"rule": part.on_active, "off": off}

    def _travel(self, motor: int) -> dict[str, int]:
        """Lowest and highest count of a motor; a retreat keeps within them."""
        axis = self.axes[self.axis_of_motor(motor)]
        far = 2**29 - 1
        if axis.unlimited:
            return {"low": -far, "high": far}
        low, high = (mm * axis.steps_per_mm for mm in travel_mm(self, motor))
        return {"low": max(-far, math.ceil(low)), "high": min(far, math.floor(high))}

    def board_config(self) -> bytes:
        """The JSON that configures a board, canonical (docs/protocol.md, CONFIG)."""
        pull = {"up": 1, "down": -1, "none": 0}
        config: dict[str, Any] = {
            "v": 1,
            "machine": self.name,
            "pulse_ticks": self.pulse_ticks(),
            "lease_ms": LEASE_MS,
            "motors": [
                {"name": m.name, "at": m.connector, "invert": int(m.invert), **self._travel(i)}
                for i, m in enumerate(self.motors)
            ],
            "inputs": [
                {
                    "name": i.name,
                    "at": i.connector,
                    "active": int(i.active == "high"),
                    "pull": pull[i.pull],
                    "debounce_us": round(i.debounce_ms * 1000),
                    "role": i.role,
                    **self._interlock(i),
                }
                for i in self.inputs
            ],
            "outputs": [
                {
                    "name": o.name,
                    "at": o.connector,
                    "kind": o.kind,
                    "hz": round(o.pwm_hz),
                    "hold": event_value(o.on_hold),
                    "lost": event_value(o.on_link_lost),
                    "fault": event_value(o.on_fault),
                }
                for o in self.outputs
            ],
            "heaters": [heater_config(h) for h in self.heaters],
            "arc": arc_config(self),
            "height": height_config(self),
            **idle_config(self, TICK_HZ),
        }
        drivers = driver_configs(self)
        if drivers:
            config["drivers"] = drivers
        return json.dumps(config, sort_keys=True, separators=(",", ":")).encode()

    # text and variants

    def data(self) -> dict[str, Any]:
        """Nested plain values, as a machine file has them."""
        out: dict[str, Any] = {
            "machine": {
                "name": self.name,
                "kind": self.kind,
                "board": self.board.name,
                "kinematics": self.kinematics,
            },
            "motion": _plain(self.motion),
        }
        for key in ("axes", "motors", "drivers", "inputs", "outputs", "heaters"):
            parts: tuple[Any, ...] = getattr(self, key)
            if parts:
                out[key] = {part.name: _plain(part, skip=("name",)) for part in parts}
        if self.arc:
            out["arc"] = _plain(self.arc)
        if self.height:
            out["height"] = _plain(self.height)
        if self.compensation:
            out["compensation"] = _plain(self.compensation)
        if self.idle:
            out["idle"] = _plain(self.idle)
        if self.retreat:
            out["retreat"] = [_plain(step) for step in self.retreat]
        return out

    def dump(self) -> str:
        """TOML text; loading it gives an equal machine."""
        return dump_toml(self.data())

    @property
    def sha256(self) -> str:
        """Of the dumped text: equal machines have equal hashes whatever their files look like."""
        return hashlib.sha256(self.dump().encode()).hexdigest()

    def with_settings(self, settings: dict[str, Any]) -> Machine:
        """Another machine with keys such as "motion.corner_tolerance_mm" replaced.

        MachineError: unknown key, or a value that the key cannot have.
        """
        data = self.data()
        for key, value in settings.items():
            table: Any = data
            *places, last = key.split(".")
            for place in places:
                table = table.get(place) if isinstance(table, dict) else None
            if not isinstance(table, dict):
                raise MachineError(
                    f"--set {key}: {self.name} has no table {'.'.join(places)}; nothing was "
                    "changed; write for example motion.corner_tolerance_mm=0.025"
                )
            table[last] = value
        changed = Machine.parse(dump_toml(data), f"{self.name} with --set")
        return replace(changed, board=self.board, heightmap=self.heightmap)


def event_value(word: str | float) -> int:
    """-1: keep; else 0..65535."""
    if word == "keep":
        return -1
    return 0 if word == "off" else round(float(word) * 65535)


def names() -> list[str]:
    """The machines that come along."""
    return sorted(path.stem for path in MACHINES.glob("*.toml"))


def heater_config(heater: Heater) -> dict[str, Any]:
    """A heater as the board's configuration has it."""
    return {
        "name": heater.name,
        "at": heater.connector,
        "sensor": heater.sensor.connector,
        **sensor_config(heater),
        "min_dc": round(heater.min_c * 10),
        "max_dc": round(heater.max_c * 10),
        "kp": heater.pid.kp,
        "ki": heater.pid.ki,
        "kd": heater.pid.kd,
        "rise": {"dc": round(heater.rise_c * 10), "s": heater.rise_s},
        "hold": {"dc": round(heater.drift_c * 10), "s": heater.drift_s},
        "max_duty": 65535,
        "model": model_config(heater),
        **predict_config(heater),
    }


def _plain(part: Any, skip: tuple[str, ...] = ()) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for key in fields(part):
        value = getattr(part, key.name)
        quiet = key.metadata.get("quiet") and value == key.default
        if key.name in skip or value is None or quiet:
            continue
        if hasattr(value, "__dataclass_fields__"):
            value = _plain(value)
        out[key.name] = list(value) if isinstance(value, tuple) else value
    return out
