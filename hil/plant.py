"""The simulated world around a board: carriages on switches, heaters with dead time, an arc.

Nothing here knows the board's program: it hears pins and answers with levels and voltages. Faults
are parameters, so that a test says what breaks and when.
"""

from __future__ import annotations

import math
import random
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from hil.arc import Arc
from hil.belt import Belt
from hil.contactor import Contactor
from hil.crooked import Crooked
from hil.pages import PAGES
from hil.stepdrivers import OneWire, Tmc2209
from hil.thermocouples import BITS, Thermocouple
from hil.thermometers import sensor_share
from microfactory import Machine
from microfactory.parts import Home
from microfactory.squares import motor_numbers, switches

SENSOR_BEHIND_S = 1.0  # dead time between heater and sensor
AMBIENT_C = 22.0


@dataclass
class Warm:
    """A heater as one heat capacity with losses: full power would reach top_c in the end."""

    top_c: float
    time_s: float
    temperature_c: float = AMBIENT_C
    duty: int = 0
    tick: int = 0
    seen: deque[tuple[int, float]] = field(default_factory=deque)
    fault: str = ""  # open, short, detached, stuck_on
    power: float = 1.0  # share of its power that a weak heater has
    welded: bool = False  # its switch: on for good
    shift_c: float = 0.0  # its sensor reads so much too high
    noise_c: float = 0.0  # and with so much noise, rms
    dice: random.Random = field(default_factory=lambda: random.Random(1))
    highest_c: float = AMBIENT_C

    def advance(self, tick: int, tick_hz: int) -> None:
        """Warm or cool until a tick."""
        seconds = (tick - self.tick) / tick_hz
        self.tick = tick
        share = 1.0 if self.welded or self.fault == "stuck_on" else self.duty / 65535
        goal = AMBIENT_C + share * self.power * (self.top_c - AMBIENT_C)
        self.temperature_c = goal + (self.temperature_c - goal) * math.exp(-seconds / self.time_s)
        self.highest_c = max(self.highest_c, self.temperature_c)

    def felt(self, tick: int, tick_hz: int) -> float:
        """What its sensor is at, which lags behind."""
        self.seen.append((tick, self.temperature_c))
        late = tick - int(SENSOR_BEHIND_S * tick_hz)
        while len(self.seen) > 1 and self.seen[1][0] <= late:
            self.seen.popleft()
        celsius = AMBIENT_C if self.fault == "detached" else self.seen[0][1]
        noise = self.dice.gauss(0.0, self.noise_c) if self.noise_c else 0.0
        return celsius + self.shift_c + noise


class Plant:
    """The world of one machine. The board's port calls it; tests break it."""

    def __init__(
        self,
        machine: Machine,
        start_mm: dict[str, float] | None = None,
        crooked: Crooked | None = None,
    ) -> None:
        self.machine = machine
        self.crooked = crooked  # frame, slack and plate that are off
        self.stuck: dict[str, int] = {}  # input name -> 1: always active, 0: never
        self.pressed: dict[str, int] = {}  # inputs that no motor presses: estop, door
        self.outputs: dict[int, int] = {}
        self.duties: list[list[tuple[int, int]]] = [[] for _ in machine.heaters]  # (tick, duty)
        self.held: dict[int, float] = {}  # heater's number: what somebody holds its sensor at
        self.held_arc: float | None = None  # and the arc's voltage; shares of the converter's range
        self.warm = [
            Warm(420.0, 110.0) if heater.role == "hotend" else Warm(150.0, 400.0)
            for heater in machine.heaters
        ]
        self.converters = {
            i: Thermocouple(heater.sensor.kind)
            for i, heater in enumerate(machine.heaters)
            if heater.sensor.kind in BITS
        }
        self.belt = Belt(machine) if machine.kinematics == "corexy" else None
        self._switches = [self._of_motor(m) for m in range(len(machine.motors))]
        start = start_mm or {}
        self.offset = [
            round(self._start(start, m) * machine.steps_per_mm(m))
            for m in range(len(machine.motors))
        ]
        if self.belt:
            self.belt.mix(self.offset)
        self.tick_hz = 125_000_000
        self.config: Any = None
        self.port: Any = None
        self.contactor = Contactor()
        self.fire = Arc()  # above the sheet, with a torch
        self.drivers = {  # of each motor whose driver is set over a wire
            m: Tmc2209() for m, motor in enumerate(machine.motors) if machine.driver(m).uart
        }
        page = PAGES[machine.board.name]
        self.wire = OneWire(
            {page.DRIVERS[machine.motors[m].connector]: self.drivers[m] for m in self.drivers}
        )

    def rack(self, motor: str, by_mm: float) -> None:
        """The gantry stands askew: this motor's side is so much higher on the axis."""
        m = [part.name for part in self.machine.motors].index(motor)
        self.offset[m] += round(by_mm * self.machine.steps_per_mm(m))

    def _start(self, start: dict[str, float], motor: int) -> float:
        axis = self.machine.axes[self.machine.axis_of_motor(motor)]
        middle = (axis.min_mm + axis.max_mm) / 2
        return start.get(axis.name, 0.0 if axis.unlimited else middle)

    def _of_motor(self, motor: int) -> list[tuple[int, int, bool]]:
        """(true position in steps, input, closed below) of the switches a motor reaches."""
        axis = self.machine.axes[self.machine.axis_of_motor(motor)]
        if axis.home is None or (self.belt and motor in self.belt.motors):
            return []
        a = self.machine.axes.index(axis)
        own = switches(self.machine, a)[motor_numbers(self.machine, a).index(motor)]
        return [
            (
                round((axis.home.position_mm + self._beyond(axis.home)) * axis.steps_per_mm),
                self.machine.input_id(own),
                axis.home.toward == "min",
            )
        ]

    @staticmethod
    def _beyond(home: Home) -> float:
        """How far past the homed place the switch is, signed."""
        return -home.pull_off_mm if home.toward == "min" else home.pull_off_mm

    def crossings(self, motors: Any, starts: Any) -> list[tuple[int, int, int, bool, int]]:
        """Switches of a belt's carriage that change while its two motors make these edges."""
        if self.belt is None:
            return []
        a, b = self.belt.motors
        true = starts[a] + self.offset[a], starts[b] + self.offset[b]
        return [
            (tick, m, number, closes, starts[m] + steps)
            for tick, m, number, closes, steps in self.belt.crossings(motors, true)
            if self.machine.inputs[number].name not in self.stuck
        ]

    def shift(self, name: str, by_mm: float) -> None:
        """A switch closes so much later than it should."""
        number = self.machine.input_id(name)
        if self.belt:
            self.belt.shift(number, by_mm)
        for m, reached in enumerate(self._switches):
            steps = round(by_mm * self.machine.steps_per_mm(m))
            self._switches[m] = [
                (at + (-steps if below else steps) if i == number else at, i, below)
                for at, i, below in reached
            ]

    # ---- what the port calls

    def configure(self, port: Any, config: Any) -> None:
        """The board has a configuration: counts begin at 0 where the carriages stand."""
        self.tick_hz = port.tick_hz
        self.config = config
        self.port = port

    def switches(self, motor: int) -> list[tuple[int, int, bool]]:
        """(count in steps, input, closed below) in the board's own counts."""
        out = []
        for position, number, below in self._reached(motor):
            if self.machine.inputs[number].name not in self.stuck and self._tells(number, motor):
                out.append((position - self.offset[motor] + (1 if below else 0), number, below))
        return out

    def _reached(self, motor: int) -> list[tuple[int, int, bool]]:
        """Switches of a motor, and the probe; one that is reached from above is by as much lower
        as the axis has slack.
        """
        found = self._switches[motor]
        if self.crooked is None:
            return found
        axis = self.machine.axes[self.machine.axis_of_motor(motor)]
        slack = round(self.crooked.slack(axis.letter) * axis.steps_per_mm)
        found = [(at - slack if below else at, i, below) for at, i, below in found]
        probe = next((i for i, p in enumerate(self.machine.inputs) if p.role == "probe"), -1)
        if axis.letter == "Z" and probe >= 0 and self.crooked.plate is not None and self.port:
            place = self.place_mm(self.port.engine)
            z_mm = self.crooked.touch_mm(place["X"], place["Y"], place["Z"])
            found.append((math.floor(z_mm * axis.steps_per_mm) - slack, probe, True))
        return found

    def _tells(self, number: int, motor: int) -> bool:
        """An input tells what the motor meets; a driver tells a stall only as it is set."""
        if self.machine.inputs[number].role != "stall":
            return True
        return motor in self.drivers and self.drivers[motor].finds_stalls()

    def recount(self, motor: int, old: int, new: int) -> None:
        """The board calls the same place by another count."""
        self.offset[motor] += old - new

    def level(self, number: int, engine: Any) -> int:
        """Level of an input now."""
        item = self.machine.inputs[number]
        active = self.pressed.get(item.name, 0)
        if item.name in self.stuck:
            active = self.stuck[item.name]
        elif item.role == "contactor":
            active = int(self.contactor.closed(self.port.tick))
        elif item.role == "arc_ok" and self.machine.arc:
            active = int(self.fire.burns(self.port.tick))
        else:
            if self.belt:
                active |= self.belt.pressed(number, self._true(engine))
            for motor in range(len(self.machine.motors)):
                for position, i, below in self._reached(motor):
                    moves = item.role != "stall" or engine.busy()  # none at standstill
                    if i == number and moves and self._tells(i, motor):
                        at = engine.position(motor) + self.offset[motor]
                        active |= int(at <= position if below else at >= position)
        return active if item.active == "high" else 1 - active

    def pump(self, on: bool, tick: int) -> None:
        """The board's charge pump runs, or stands still."""
        self.contactor.pumped = on
        self.coil(tick)

    def coil(self, tick: int) -> None:
        """What holds the contactor has changed: its contact follows, and the board sees it."""
        follows = self.contactor.update(tick, self.tick_hz)
        for number, part in enumerate(self.machine.inputs):
            if part.role == "contactor" and follows is not None and not self.contactor.welded:
                closes = self.contactor.held == (part.active == "high")
                self.port.at(follows, "level", number, int(closes))

    def output(self, number: int, value: int, tick: int) -> None:
        """An output has a value."""
        self.outputs[number] = value
        if self.machine.arc and self.machine.outputs[number].role == "torch":
            self._strike(value > 0, tick)

    def _strike(self, on: bool, tick: int) -> None:
        """The torch is switched: when its arc begins, and when it goes out, the input changes."""
        assert self.machine.arc is not None
        number = self.machine.input_id(self.machine.arc.input)
        if on == self.fire.torch or self.machine.arc.input in self.stuck:
            return
        self.fire.switch(on, tick, self.tick_hz)
        level = int(self.machine.inputs[number].active == "high")
        events = self.port.events
        self.port.events = [e for e in events if e[2] != "level" or e[3] != number]
        if not on:
            self.port.at(tick, "level", number, 1 - level)
        if self.fire.begin_tick is not None:
            self.port.at(self.fire.begin_tick, "level", number, level)
        if self.fire.out_tick is not None:
            self.port.at(self.fire.out_tick, "level", number, 1 - level)

    def place_mm(self, engine: Any) -> dict[str, float]:
        """Where the motors have brought each axis."""
        out = {}
        for i, axis in enumerate(self.machine.axes):
            m = self.machine.motors_of_axis(i)[0]
            out[axis.letter] = (engine.position(m) + self.offset[m]) / axis.steps_per_mm
        if self.belt:
            out["X"], out["Y"] = self.belt.place_mm(*self._true(engine))
        return out

    def _true(self, engine: Any) -> tuple[int, int]:
        """Counts of a belt's two motors, from 0 where its carriage is at 0, 0."""
        assert self.belt is not None
        a, b = self.belt.motors
        return engine.position(a) + self.offset[a], engine.position(b) + self.offset[b]

    def arc(self, engine: Any, tick: int) -> int:
        """What the converter of the arc's voltage reads: 0 to 16380."""
        if self.held_arc is not None:
            return round(16380 * self.held_arc)
        fire = self.fire
        if self.machine.height is None or not fire.burns(tick):
            return 0
        at = self.place_mm(engine)
        fire.heights.append((tick, at["X"], at["Y"], at["Z"]))
        volts = fire.volts(at["X"], at["Y"], at["Z"])
        return fire.reading(volts, self.machine.height.volts_per_volt)

    def heater(self, number: int, duty: int, tick: int) -> None:
        """A heater has a duty."""
        warm = self.warm[number]
        if duty != warm.duty:
            self.duties[number].append((tick, duty))
        warm.advance(tick, self.tick_hz)
        warm.duty = duty

    def sensor(self, number: int, tick: int) -> float:
        """What the converter reads, as a share of its range; the sensor lags behind."""
        warm = self.warm[number]
        warm.advance(tick, self.tick_hz)
        if number in self.held:
            return self.held[number]
        if warm.fault == "open":
            return 1.0
        if warm.fault == "short":
            return 0.0
        return sensor_share(self.machine.heaters[number].sensor, warm.felt(tick, self.tick_hz))

    def convert(self, number: int, count: int, tick: int) -> bytes:
        """A frame of a heater's thermocouple converter."""
        warm, twin = self.warm[number], self.converters[number]
        warm.advance(tick, self.tick_hz)
        twin.fault = {"short": "short_gnd"}.get(warm.fault, warm.fault)
        twin.fault = twin.fault if twin.fault in ("open", "short_gnd", "short_vcc") else ""
        data = twin.read(tick / self.tick_hz, warm.felt(tick, self.tick_hz))
        assert len(data) == count
        return data


def near_home(machine: Machine) -> dict[str, float]:
    """Carriages a little off their switches, so that homing is short."""
    out = {}
    for axis in machine.axes:
        if axis.home:
            way = 8.0 if axis.home.toward == "min" else -8.0
            out[axis.name] = axis.home.position_mm + way
    return out
