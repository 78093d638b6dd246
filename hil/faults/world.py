"""What breaks outside the wire: power, sensors, switches, heaters, each at its time."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

from hil.faults.fault import HEATER, SENSOR, SWITCH, Fault
from hil.plant import Warm
from hil.rig_virtual import VirtualLink

TICK_HZ = 125_000_000
WHOLE: dict[str, Any] = {"fault": "", "noise_c": 0.0, "shift_c": 0.0, "power": 1.0, "welded": False}
# what a fault makes of a heater (hil.plant.Warm)
OF_HEATERS: dict[str, Callable[[Fault], dict[str, Any]]] = {
    "thermistor open": lambda fault: {"fault": "open"},
    "thermistor short": lambda fault: {"fault": "short"},
    "thermistor stuck": lambda fault: {"fault": "detached"},
    "thermistor noise": lambda fault: {"noise_c": fault.amount},
    "heater weak": lambda fault: {"power": fault.amount},
    "heater welded": lambda fault: {"welded": True},
}


def _drifts(fault: Fault) -> dict[str, Any]:
    return {"shift_c": fault.amount}


class World:
    """Breaks and mends a virtual machine as its clock goes on."""

    def __init__(self, link: VirtualLink, faults: Sequence[Fault], dice: random.Random) -> None:
        self.link = link
        outside = (*SENSOR, *SWITCH, *HEATER, "reset", "power loss", "cut")
        self._waiting = sorted((f for f in faults if f.kind in outside), key=lambda f: f.at_s)
        self._on: list[Fault] = []
        for warm in link.plant.warm:
            warm.dice = dice

    def advance(self, now: float) -> None:
        """All that is due now."""
        while self._waiting and self._waiting[0].at_s <= now:
            fault = self._waiting.pop(0)
            self._begin(fault)
            self._on.append(fault)
        for fault in list(self._on):
            if fault.at_s + fault.for_s <= now:
                self._on.remove(fault)
                self._mend(fault)
            elif fault.kind == "thermistor drift":
                self._warm(fault).shift_c = fault.amount * (now - fault.at_s)

    def _warm(self, fault: Fault) -> Warm:
        names = [heater.name for heater in self.link.machine.heaters]
        return self.link.plant.warm[names.index(fault.where)]

    def _begin(self, fault: Fault) -> None:
        if fault.kind in OF_HEATERS:
            self._set(fault, OF_HEATERS[fault.kind](fault))
        elif fault.kind == "cut":
            self.link.cut_tick = self.link.port.tick
        elif fault.kind in ("reset", "power loss"):
            self.link.restart()
            if fault.kind == "power loss":
                self.link.cut_tick = self.link.port.tick
        elif fault.kind == "switch stuck":
            self.link.plant.stuck[fault.where] = int(fault.amount)
            self._tell(fault)
        elif fault.kind == "switch late":
            self.link.plant.shift(fault.where, fault.amount)
        elif fault.kind == "switch bounce":
            self._bounce(fault)

    def _mend(self, fault: Fault) -> None:
        if fault.kind in OF_HEATERS or fault.kind == "thermistor drift":
            self._set(fault, WHOLE)
        elif fault.kind == "power loss":
            self.link.mend()
            self.link.restart()
        elif fault.kind == "switch stuck":
            self.link.plant.stuck.pop(fault.where, None)
            self._tell(fault)

    def _set(self, fault: Fault, values: dict[str, Any]) -> None:
        """Attributes of a heater; those of a fault that is over are whole again."""
        mine = {**OF_HEATERS, "thermistor drift": _drifts}[fault.kind](fault)
        for name in mine:
            setattr(self._warm(fault), name, values[name])

    def _tell(self, fault: Fault) -> None:
        """The level of an input has changed with it."""
        port = self.link.port
        if port.config is not None:
            number = self.link.machine.input_id(fault.where)
            port.at(port.tick, "level", number, self.link.plant.level(number, port.engine))

    def _bounce(self, fault: Fault) -> None:
        port = self.link.port
        if port.config is None:
            return
        number = self.link.machine.input_id(fault.where)
        rest = self.link.plant.level(number, port.engine)
        apart = round(fault.for_s * TICK_HZ)
        for k in range(int(fault.amount)):
            port.at(port.tick + k * apart, "level", number, rest if k % 2 else 1 - rest)
        port.at(port.tick + int(fault.amount) * apart, "level", number, rest)
