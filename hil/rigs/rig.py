"""The three rigs behind one face: virtual, emulated, real. A test sees no difference but abilities.

A rig opens a link to a board with a machine, and tells what the pins did. What it cannot do it does
not pretend: `abilities` say what a test may ask for (hil.rigs.needs).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

import numpy as np

from hil.capture import Capture
from hil.emulated.chip import CLOCK_HZ, missing
from hil.emulated.pair import open_pair
from hil.plant import near_home
from hil.probe import Probe
from hil.probe.twin import ProbeTwin
from hil.rigs.lines import names_of_pins, to_capture
from hil.rigs.probed import ProbedRig
from hil.rigs.rigfile import RigFile
from hil.rigs.tapped import TappedLink
from hil.rigs.told import Told
from microfactory import LinkError, Machine, UsageError
from microfactory.link import SerialLink, open_link

SIMULATED = frozenset(
    {"edges", "runs", "switches", "carriages", "adc_stim", "heat", "link_faults", "virtual_time"}
)
BACK_S = 8.0  # from a reset until the computer has found the board's ports again
GONE_S = 0.5  # until it has seen that they are gone
AGAIN_S = 0.1


class Rig(Protocol):
    """What a test may ask of a rig."""

    name: str
    abilities: frozenset[str]
    file: RigFile | None
    sees_targets: bool  # of heaters, inside the board's program; pins do not show them

    def open(self, machine: Machine) -> TappedLink:
        """A link to a board that has just been started. LinkError, UsageError."""

    def seen(self, link: TappedLink) -> Capture:
        """All edges since the link was opened. Only with the ability `edges`."""

    def probe(self, link: TappedLink) -> Probe | None:
        """The probe that watches this board; None: the rig needs none."""

    def reset(self, link: TappedLink) -> None:
        """Reset the board by its RUN line. Only with `reset`."""

    def power(self, link: TappedLink, on: bool) -> None:
        """The board's USB power. Only with `usb_power`."""

    def press(self, link: TappedLink, name: str, active: bool) -> None:
        """Hold an input active or not, whatever presses it. Only with `switches`."""

    def let_go(self, link: TappedLink, name: str) -> None:
        """An input is again what its switch says."""

    def sensor(self, link: TappedLink, heater: str, fault: str) -> None:
        """Break a sensor: open, short, detached; empty: mend it. Only with `adc_stim`."""


class Unprobed:
    """A rig without a probe, or one that needs none: simulated pins are seen on their tick."""

    name: str

    def probe(self, link: TappedLink) -> Probe | None:
        return None

    def reset(self, link: TappedLink) -> None:
        raise UsageError(f"the {self.name} rig has no RUN line; use needs('reset')")

    def power(self, link: TappedLink, on: bool) -> None:
        raise UsageError(f"the {self.name} rig switches no USB power; use needs('usb_power')")


class VirtualRig(Unprobed):
    """The board's own program in memory, with a simulated world. firmware: what the board tells."""

    name = "virtual"
    abilities = SIMULATED
    sees_targets = True

    def __init__(self, file: RigFile | None = None, seed: int = 1, firmware: str = "") -> None:
        self.file = file
        self.seed = seed
        self.firmware = firmware

    def open(self, machine: Machine) -> TappedLink:
        options: dict[str, Any] = {"capture": True, "seed": self.seed, "firmware": self.firmware}
        return TappedLink(open_link("virtual", machine, start_mm=near_home(machine), **options))

    def seen(self, link: TappedLink) -> Capture:
        found: Capture = link.inner.capture()
        return found

    def press(self, link: TappedLink, name: str, active: bool) -> None:
        link.inner.plant.stuck[name] = int(active)
        self._level(link, name)

    def let_go(self, link: TappedLink, name: str) -> None:
        link.inner.plant.stuck.pop(name, None)
        self._level(link, name)

    @staticmethod
    def _level(link: TappedLink, name: str) -> None:
        port, number = link.inner.port, link.inner.machine.input_id(name)
        if port.config is not None:  # else it reads its inputs when it gets one
            port.at(port.tick, "level", number, port.level(number))

    def sensor(self, link: TappedLink, heater: str, fault: str) -> None:
        break_sensor(link.inner.plant, heater, fault)


class EmulatedRig(Unprobed):
    """The real firmware on an emulated chip, with the same simulated world."""

    name = "emulated"
    abilities = SIMULATED
    sees_targets = False

    def __init__(self, file: RigFile | None = None) -> None:
        self.file = file

    def open(self, machine: Machine) -> TappedLink:
        reason = missing()
        if reason:
            raise UsageError(f"there is no emulated rig here: {reason}; nothing was tried")
        link = TappedLink(open_link("emulated", machine, start_mm=near_home(machine)))
        link.to_board.append(Told(link))
        return link

    def seen(self, link: TappedLink) -> Capture:
        emulated = link.inner
        emulated.look()
        names = names_of_pins(emulated.machine)
        clocks, pins, levels = (np.concatenate(part) for part in zip(*emulated.edges, strict=True))
        lines = {name: (clocks[pins == p], levels[pins == p]) for p, name in names.items()}
        told = next(tap for tap in link.to_board if isinstance(tap, Told))
        return to_capture(emulated.machine, lines, CLOCK_HZ, emulated.chip.now, told)

    def press(self, link: TappedLink, name: str, active: bool) -> None:
        emulated = link.inner
        part = emulated.machine.inputs[emulated.machine.input_id(name)]
        level = int(active) if part.active == "high" else 1 - int(active)
        emulated.chip.set_pin(emulated.page.INPUTS[part.connector], level)

    def let_go(self, link: TappedLink, name: str) -> None:
        self.press(link, name, False)

    def sensor(self, link: TappedLink, heater: str, fault: str) -> None:
        break_sensor(link.inner.plant, heater, fault)


class RealRig(Unprobed):
    """A board on a serial port, without a probe: nobody sees its pins."""

    name = "real"
    sees_targets = False

    def __init__(self, file: RigFile | None, port: str, *, person: bool = False) -> None:
        self.file = file
        self.port = port
        self.abilities = frozenset({"link_faults"} | ({"person"} if person else set()))

    def open(self, machine: Machine) -> TappedLink:
        if not self.port:
            raise UsageError("the real rig needs the board's port; nothing was sent; add --port")
        return TappedLink(SerialLink(self.port))

    def seen(self, link: TappedLink) -> Capture:
        raise UsageError("no probe watches this board; nothing was seen; use needs('edges')")

    def press(self, link: TappedLink, name: str, active: bool) -> None:
        raise UsageError("no probe presses this board's switches; use needs('switches')")

    def let_go(self, link: TappedLink, name: str) -> None:
        self.press(link, name, False)

    def sensor(self, link: TappedLink, heater: str, fault: str) -> None:
        raise UsageError("no probe sets this board's sensors; use needs('adc_stim')")


def break_sensor(plant: Any, heater: str, fault: str) -> None:
    """A simulated sensor: open, short, detached; empty: whole. UsageError: no such heater."""
    names = [part.name for part in plant.machine.heaters]
    if heater not in names or fault not in ("", "open", "short", "detached"):
        raise UsageError(
            f"{heater!r} {fault!r}: {plant.machine.name} has the heaters {', '.join(names)}, and a "
            "sensor may be open, short or detached; nothing was broken"
        )
    plant.warm[names.index(heater)].fault = fault


def make(
    kind: str, file: RigFile | None, port: str, probe: str = "", *, person: bool = False
) -> Rig:
    """The rig of that name. probe: its port; on a rig without hardware any word, for a simulated
    one. person: somebody sits at the terminal. UsageError: there is none.
    """
    if probe:
        return _probed(kind, file, port, probe, person)
    if kind == "virtual":
        return VirtualRig(file)
    if kind == "emulated":
        return EmulatedRig(file)
    if kind == "real":
        return RealRig(file, port, person=person)
    raise _unknown(kind)


def _probed(kind: str, file: RigFile | None, port: str, probe: str, person: bool) -> Rig:
    if file is None:
        raise UsageError(
            "a probe needs a rig file, which says what its pins are wired to; nothing was tried; "
            "write one with `microfactory hil scan` and add --rig-file"
        )
    if kind == "virtual":
        return ProbedRig(kind, file, partial(_virtual_pair, file), simulated=True, person=person)
    if kind == "emulated":
        return ProbedRig(kind, file, partial(_emulated_pair, file), simulated=True, person=person)
    if kind == "real":
        opener = partial(_serial_pair, file, port, probe)
        return ProbedRig(kind, file, opener, simulated=False, person=person)
    raise _unknown(kind)


def _unknown(kind: str) -> UsageError:
    return UsageError(f"--rig {kind}: known are virtual, emulated and real; nothing was tried")


def _virtual_pair(file: RigFile, machine: Machine) -> tuple[Any, Callable[[Any], Any]]:
    board = open_link("virtual", machine, capture=True)
    return ProbeTwin(board, file), lambda _old: board


def _emulated_pair(file: RigFile, machine: Machine) -> tuple[Any, Callable[[Any], Any]]:
    reason = missing()
    if reason:
        raise UsageError(f"there is no emulated rig here: {reason}; nothing was tried")
    board, probe = open_pair(machine, file)

    def open_board(_old: Any) -> Any:
        board.chip.boot(2)
        return board

    return probe, open_board


def _serial_pair(
    file: RigFile, port: str, probe: str, _machine: Machine
) -> tuple[Any, Callable[[Any], Any]]:
    if not port:
        raise UsageError("the real rig needs the board's port; nothing was sent; add --port")
    watching = SerialLink(probe)

    def open_board(old: Any) -> SerialLink:
        """After a reset the computer needs a while to find the board again."""
        if old is None and file.of_line("RUN", "pull", "drive") is None:
            return SerialLink(port)
        if old is not None:
            old.close()
        until_s = watching.now_s() + BACK_S
        time.sleep(GONE_S)
        while True:
            try:
                return SerialLink(port)
            except LinkError:
                if watching.now_s() > until_s:
                    raise
                time.sleep(AGAIN_S)

    return watching, open_board
