"""A board whose pins a probe watches and plays: on a bench, or both emulated, or in memory.

The probe captures from before the board starts, and is read whenever the board is listened to. What
it sees becomes a Capture like any other rig's, each edge to some ticks (docs/probe.md).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hil.capture import Capture
from hil.probe import Probe
from hil.probe.edges import CHANGE_TICKS
from hil.probe.probe import SUPPLY_V
from hil.rigs.lines import lines_of_channels, to_capture
from hil.rigs.rigfile import RigFile
from hil.rigs.tapped import TappedLink
from hil.rigs.told import Told
from hil.thermometers import sensor_share
from microfactory import Machine, UsageError

POLL_S = 0.01  # between two looks at the probe
POLL_MOST_S = 0.01  # of one look: the board must be fed, too
ROOM_C = 25.0
PRESSES = ("pull", "drive")
# gives a link to the probe, and what opens one to the board: again, if it is given the old one
Opener = Callable[[Machine], tuple[Any, Callable[[Any], Any]]]


class Watched:
    """A board's link; its probe is read while the board is listened to."""

    def __init__(self, probe: Probe, open_board: Callable[[Any], Any]) -> None:
        self.probe = probe
        self._open_board = open_board
        self.board = open_board(None)
        self._next_s = 0.0
        self._closed = False

    def write(self, data: bytes) -> None:
        """Bytes to the board."""
        self.board.write(data)

    def read(self, timeout_s: float) -> bytes:
        """Bytes of the board."""
        data: bytes = self.board.read(timeout_s)
        if self.now_s() >= self._next_s:
            self.probe.poll(POLL_MOST_S)
            self._next_s = self.now_s() + POLL_S
        return data

    def again(self) -> None:
        """The board was reset: its ports are opened again. LinkError: they do not come back."""
        self.board = self._open_board(self.board)

    def now_s(self) -> float:
        return float(self.board.now_s())

    def close(self) -> None:
        """Let go of the board's lines and of both ports; more than once is fine."""
        if self._closed:
            return
        self._closed = True
        try:
            self.probe.compare_clocks()
            self.probe.let_go()
        finally:
            self.board.close()
            self.probe.link.close()


class ProbedRig:
    """file: how the probe is wired. opener: gives a link to the probe, and what opens the board."""

    sees_targets = False

    def __init__(
        self, name: str, file: RigFile, opener: Opener, *, simulated: bool, person: bool = False
    ) -> None:
        self.name = name
        self.file = file
        self._opener = opener
        self._simulated = simulated
        self.abilities = abilities_of(file)
        self.abilities |= {"virtual_time"} if simulated else set()
        self.abilities |= {"person"} if person else set()

    def open(self, machine: Machine) -> TappedLink:
        if machine != self.file.machine:
            raise UsageError(
                f"the rig {self.file.head.name} is wired for {self.file.head.machine}, and the "
                f"test wants {machine.name}; nothing was tried"
            )
        probe_link, open_board = self._opener(machine)
        probe = Probe(probe_link, self.file)
        at_rest(probe, machine)
        probe.start()
        if "reset" in self.abilities and not self._simulated:
            probe.reset_board()
        link = TappedLink(Watched(probe, open_board))
        link.to_board.append(Told(link))
        return link

    def seen(self, link: TappedLink) -> Capture:
        probe = self.probe(link)
        edges = probe.seen()
        told = next(tap for tap in link.to_board if isinstance(tap, Told))
        lines = lines_of_channels(self.file, edges.lines())
        return to_capture(
            self.file.machine, lines, edges.tick_hz, edges.end_tick, told, probe.tick_at,
            CHANGE_TICKS,
        )  # fmt: skip

    def probe(self, link: TappedLink) -> Probe:
        """The probe that watches this board."""
        watching: Probe = link.inner.probe
        return watching

    def reset(self, link: TappedLink) -> None:
        """The board's RUN line low for a moment. LinkError: it does not come back."""
        self.probe(link).reset_board()
        link.inner.again()

    def power(self, link: TappedLink, on: bool) -> None:
        """The board's USB power. LinkError: it does not come back."""
        self.probe(link).power_board(on)
        if on:
            link.inner.again()

    def press(self, link: TappedLink, name: str, active: bool) -> None:
        machine = self.file.machine
        part = machine.inputs[machine.input_id(name)]
        high = active == (part.active == "high")
        self.probe(link).set(self._channel(part.connector, *PRESSES), int(high))

    def let_go(self, link: TappedLink, name: str) -> None:
        self.press(link, name, False)

    def sensor(self, link: TappedLink, heater: str, fault: str) -> None:
        """open: no voltage is held; detached: room temperature for good; short: not with a filter's
        resistor in the way. UsageError.
        """
        part = heater_of(self.file.machine, heater)
        name = self._channel(part.sensor.connector, "analog")
        probe = self.probe(link)
        if fault in ("", "detached"):
            probe.set(name, sensor_v(part.sensor, ROOM_C))
        elif fault == "open":
            probe.set(name, None)
        else:
            raise UsageError(
                f"{heater} {fault!r}: through its filter the probe can let a sensor's line go and "
                "hold a voltage, and does not reach zero; nothing was broken; bridge the sensor by "
                "hand"
            )

    def arc(self, link: TappedLink, volts: float) -> None:
        """The arc's voltage, as its divider gives it to the board. UsageError: there is none."""
        height = self.file.machine.height
        if height is None:
            raise UsageError(f"{self.file.machine.name} reads no arc's voltage; nothing was done")
        name = self._channel(height.connector, "analog")
        self.probe(link).set(name, volts / height.volts_per_volt)

    def _channel(self, line: str, *directions: str) -> str:
        found = self.file.of_line(line, *directions)
        if found is None:
            raise UsageError(f"the probe is not wired to {line}; nothing was done")
        return found.name


def abilities_of(file: RigFile) -> frozenset[str]:
    """What a probe wired like this lets a test do."""
    machine = file.machine
    connectors = [f"{m.connector}.{pin}" for m in machine.motors for pin in ("STEP", "DIR")]
    connectors += [output.connector for output in machine.outputs]
    has = {
        "edges": [file.of_line(line, "listen") for line in connectors],
        "switches": [file.of_line(part.connector, *PRESSES) for part in machine.inputs],
        "adc_stim": [file.of_line(h.sensor.connector, "analog") for h in machine.heaters],
        "reset": [file.of_line("RUN", *PRESSES)],
        "usb_power": [file.of_line("VBUS", *PRESSES)],
    }
    found = {word for word, channels in has.items() if channels and all(channels)}
    return frozenset(found | {"link_faults"} | ({"runs"} if "edges" in found else set()))


def at_rest(probe: Probe, machine: Machine) -> None:
    """Switches that nobody presses, sensors at room temperature, no arc."""
    assert probe.rig is not None
    for part in machine.inputs:
        channel = probe.rig.of_line(part.connector, *PRESSES)
        if channel:
            probe.set(channel.name, int(part.active == "low"))
    volts = {heater.sensor.connector: sensor_v(heater.sensor, ROOM_C) for heater in machine.heaters}
    if machine.height:
        volts[machine.height.connector] = 0.0  # no arc
    for line, value in volts.items():
        channel = probe.rig.of_line(line, "analog")
        if channel:
            probe.set(channel.name, value)


def heater_of(machine: Machine, name: str) -> Any:
    """A heater by name. UsageError: there is none."""
    for heater in machine.heaters:
        if heater.name == name:
            return heater
    names = ", ".join(heater.name for heater in machine.heaters) or "none"
    raise UsageError(f"{name}: {machine.name} has the heaters {names}; nothing was done")


def sensor_v(sensor: Any, celsius: float) -> float:
    """The voltage that a thermistor leaves at a temperature."""
    return SUPPLY_V * sensor_share(sensor, celsius)
