"""The lines between a board and what it drives or hears, by the names that people use."""

from __future__ import annotations

from dataclasses import dataclass

from microfactory import Machine


@dataclass(frozen=True)
class Line:
    """One line. kind: step, dir, output, heater, input or sensor; number: within the machine's."""

    kind: str
    number: int
    label: str
    pull_down: bool = False  # a resistor at the gate holds it low when nobody drives it

    @property
    def driven(self) -> bool:
        """The board drives it."""
        return self.kind in ("step", "dir", "output", "heater")


def lines_of(machine: Machine) -> list[Line]:
    """All lines of a machine's board, in the order of its file."""
    found = []
    for m, motor in enumerate(machine.motors):
        name = motor.name.upper()
        found.append(Line("step", m, f"{name} STEP"))
        found.append(Line("dir", m, f"{name} DIR"))
    for i, output in enumerate(machine.outputs):
        found.append(Line("output", i, output.name.replace("_", " "), True))
    for i, heater in enumerate(machine.heaters):
        found.append(Line("heater", i, f"{heater.name} heater", True))
    for i, item in enumerate(machine.inputs):
        found.append(Line("input", i, f"{item.name.replace('_', '-')} switch"))
    for i, heater in enumerate(machine.heaters):
        found.append(Line("sensor", i, f"{heater.name} thermistor"))
    return found
