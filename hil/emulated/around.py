"""What stands around an emulated chip beside its switches: drivers on their wire, stops that they
feel, converters, a card in its slot. The same models as the board in memory has (hil/plant.py).
"""

from __future__ import annotations

from typing import Any

from hil.emulated.chip import CLOCK_HZ, Chip
from hil.plant import Plant
from hil.thermocouples import BITS
from microfactory import Machine

FULL_STEPS = 4  # of an electrical turn
FREE = 300  # SG_RESULT of a motor that runs freely
SGTHRS, TCOOLTHRS = 0x40, 0x14


class Around:
    """Attached once to a chip; `turn` after time has passed."""

    def __init__(self, machine: Machine, page: Any, plant: Plant, chip: Chip) -> None:
        self.machine = machine
        self.page = page
        self.plant = plant
        self.chip = chip
        self.stops: dict[int, tuple[int, dict[str, int]]] = {}  # motor -> STEP pin, as last told
        if plant.drivers:
            chip.drivers(page.UART[0], self._said)
        self.converters: list[int] = []  # heaters
        for i, heater in enumerate(machine.heaters):
            if i in plant.converters:
                sck, so, cs = page.CONVERTERS[heater.sensor.connector]
                chip.converter({"sck": sck, "so": so, "cs": cs}, bits=BITS[heater.sensor.kind])
                self.converters.append(i)

    def stop(self, motor: int, at: int, number: int, below: bool) -> dict[str, Any]:
        """The hard stop of a motor whose driver tells a stall at this input."""
        part = self.machine.inputs[number]
        uart = self.machine.driver(motor).uart
        assert uart
        step, _direction = self.page.STEP[self.machine.motors[motor].connector]
        told = self._told(motor)
        self.stops[motor] = step, told
        return {
            "at": at,
            "below": below,
            "micro": uart.microsteps,
            "period": uart.microsteps * FULL_STEPS,
            "gpio": self.page.INPUTS[part.connector],
            "active": int(part.active == "high"),
            "free": FREE,
            "result": FREE,
            **told,
        }

    def _told(self, motor: int) -> dict[str, int]:
        driver = self.plant.drivers[motor]
        return {
            "threshold": driver.registers.get(SGTHRS, 0),
            "cool": driver.registers.get(TCOOLTHRS, 0),
            "finds": int(driver.finds_stalls()),
        }

    def _said(self, data: bytes, clock: int) -> list[tuple[int, int]]:
        reply = self.plant.wire.timed(data, clock)
        for motor, (step, before) in list(self.stops.items()):
            told = self._told(motor)
            if told != before:
                self.stops[motor] = step, told
                self.chip.stop(step, **told)
        return reply

    def turn(self) -> None:
        """The converters' next conversions are of what their sensors are at now."""
        now = self.chip.now
        for k, i in enumerate(self.converters):
            warm, twin = self.plant.warm[i], self.plant.converters[i]
            warm.advance(now, CLOCK_HZ)
            fault = {"short": "short_gnd"}.get(warm.fault, warm.fault)
            twin.fault = fault if fault in ("open", "short_gnd", "short_vcc") else ""
            frame = twin.frame(warm.felt(now, CLOCK_HZ))
            self.chip.converter(
                number=k, frame=frame, conversion=round(twin.conversion_s * CLOCK_HZ)
            )
