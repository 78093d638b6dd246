"""The arc of a torch on the emulated chip: its contact and its voltage, from what the pins did."""

from __future__ import annotations

from typing import Any

from hil.arc import FULL, Arc
from hil.emulated.chip import CLOCK_HZ, Chip
from microfactory import Machine


class ArcWorld:
    """hil.arc.Arc above the sheet, between a chip's torch pin, its contact and its converter."""

    def __init__(self, machine: Machine, page: Any, chip: Chip, fire: Arc) -> None:
        assert machine.arc is not None
        self.machine = machine
        self.chip = chip
        self.fire = fire
        self.torch = page.OUTPUTS[machine.outputs[machine.output_of_role("torch")].connector]
        part = next(item for item in machine.inputs if item.name == machine.arc.input)
        self.contact = page.INPUTS[part.connector]
        self.active = int(part.active == "high")
        self.converter = page.ANALOG[machine.height.connector] - 26 if machine.height else None
        self.axes = [
            (axis, page.STEP[machine.motors[machine.motors_of_axis(i)[0]].connector][0])
            for i, axis in enumerate(machine.axes)
        ]
        self.burns = False

    def turn(self, pins: Any, levels: Any) -> None:
        """Time has passed, in which these pins took these levels."""
        now = self.chip.now
        switched = levels[pins == self.torch]
        if len(switched):
            self.fire.switch(bool(switched[-1]), now, CLOCK_HZ)
        burns = self.fire.burns(now)
        if burns != self.burns:
            self.burns = burns
            self.chip.set_pin(self.contact, self.active if burns else 1 - self.active)
        if self.converter is not None and self.machine.height is not None:
            reading = 0
            if burns:
                at = [self.chip.where(step) / axis.steps_per_mm for axis, step in self.axes]
                place = dict(zip([axis.letter for axis, _ in self.axes], at, strict=True))
                self.fire.heights.append((now, place["X"], place["Y"], place["Z"]))
                volts = self.fire.volts(place["X"], place["Y"], place["Z"])
                reading = self.fire.reading(volts, self.machine.height.volts_per_volt)
            self.chip.set_adc(self.converter, reading / FULL)
