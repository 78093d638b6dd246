"""Play the burst on a board behind some wiring, and note what arrives where.

The board is the board's own program in memory; between it and the probe lies a `net`. The probe has
weak pulls and drivers on every line, sees levels, and stands in for switches and thermistors.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hil.capture import Capture
from hil.plant import Plant
from hil.rig_virtual import VirtualLink
from hil.thermometers import sensor_ohm
from hil.wiring.bursts import TICK_HZ, Plan, Wave, burst
from hil.wiring.lines import Line, lines_of
from hil.wiring.net import Net, Node
from hil.wiring.waves import Signature, both, inverse, signature
from mfboard import faults
from microfactory import Machine
from microfactory.board import Board
from microfactory.errors import BoardFault

HOT_C = 100.0  # a target far above what its sensor is given: full power
ROUND_S = 0.008  # of the switches: longer than their debouncing


def played_c(sensor: int) -> float:
    """The temperature that the probe plays on a thermistor."""
    return 30.0 + 12.0 * sensor


@dataclass(frozen=True)
class Observed:
    """What the probe and the board saw, by the names of lines.

    pulls: (level under a pull-up, level under a pull-down) at the probe, the board without power;
    follow: lines that went along when the probe drove this one; seen: at the probe, of each slot
    rises and level; heard: an input's levels in the rounds, in round i only switch i active, in the
    last none; read: a sensor's temperature, or the board's fault ("open", "short"); rig_s: the time
    it took. seen and read are empty when the board would not leave its emergency stop.
    """

    pulls: dict[str, tuple[int, int]]
    follow: dict[str, frozenset[str]]
    seen: dict[str, Signature]
    heard: dict[str, tuple[int, ...]]
    read: dict[str, float | str]
    rig_s: float


class Wired(Plant):
    """The world of a board as its wiring lets it be: switches and thermistors of the probe."""

    def __init__(self, machine: Machine, net: Net, lines: list[Line]) -> None:
        super().__init__(machine)
        self.net = net
        self.of = {(line.kind, line.number): line for line in lines}
        self.heated: dict[int, list[tuple[int, int]]] = {}
        self.driven: dict[Node, int] = {}  # by the probe, and their levels
        self.press(-1)
        self._sensors = [("rig", line.label) for line in lines if line.kind == "sensor"]

    def switches(self, motor: int) -> list[tuple[int, int, bool]]:
        return []  # no motor moves anything here

    def press(self, number: int) -> None:
        """Drive one switch line to its active level, all others not; -1: none."""
        for i, part in enumerate(self.machine.inputs):
            node = ("rig", self.of["input", i].label)
            self.driven[node] = int((i == number) == (part.active == "high"))

    def level(self, number: int, engine: Any) -> int:
        node = ("board", self.of["input", number].label)
        pull = {"up": 1, "down": 0, "none": 1}[self.machine.inputs[number].pull]
        return self.net.level(node, self.driven, pull)

    def heater(self, number: int, duty: int, tick: int) -> None:
        self.heated.setdefault(number, []).append((tick, int(duty > 0)))

    def sensor(self, number: int, tick: int) -> float:
        """Resistors in parallel below the board's own one, or a rail."""
        node = ("board", self.of["sensor", number].label)
        rail = self.net.rail(node)
        if rail is not None:
            return float(rail)
        part = self.machine.heaters[number].sensor
        siemens = 0.0
        for each in self.net.drivers(node, self._sensors):
            k = self._sensors.index(each)
            siemens += 1 / sensor_ohm(part, played_c(k))
        if not siemens:
            return 1.0
        return 1 / siemens / (1 / siemens + part.pullup_ohm)


def observe(machine: Machine, net: Net) -> Observed:
    """The whole check of one board."""
    lines = lines_of(machine)
    link = VirtualLink(machine, capture=True)
    world = Wired(machine, net, lines)
    link.plant = link.port.plant = world
    board = Board(link, machine).open()
    begin_s = link.now_s()
    plan = burst(machine)
    pulls, follow = _pulls(net, lines)
    heard = _rounds(board, world, link)
    seen: dict[str, Signature] = {}
    read: dict[str, float | str] = {}
    if released(board):  # an emergency stop that is not released ends it here
        play_burst(board, plan)
        names = [world.of["sensor", i].label for i in range(len(machine.heaters))]
        read = heat(board, names, plan)
        seen = _seen(link, world, plan)
    return Observed(pulls, follow, seen, heard, read, link.now_s() - begin_s)


def released(board: Board) -> bool:
    """No fault is latched any more."""
    try:
        return board.clear().state != "FAULT"
    except BoardFault:
        return False


def _pulls(
    net: Net, lines: list[Line]
) -> tuple[dict[str, tuple[int, int]], dict[str, frozenset[str]]]:
    nodes: dict[str, Node] = {line.label: ("rig", line.label) for line in lines}
    pulls = {name: (net.level(n, {}, 1), net.level(n, {}, 0)) for name, n in nodes.items()}
    follow = {}
    for name, node in nodes.items():
        follow[name] = frozenset(
            other
            for other, at in nodes.items()
            if other != name
            and (pulls[other][0] > net.level(at, {node: 0}, 1)
                 or pulls[other][1] < net.level(at, {node: 1}, 0))
        )  # fmt: skip
    return pulls, follow


def play_burst(board: Board, plan: Plan) -> None:
    """The window of motors and outputs."""
    client = board.client
    board.ready()
    client.send("RESET", number=0)
    client.send("GUARD", input=0, motors=0, edge=1)  # homing: no limit switch ends it
    client.settle()
    client.send_window(0, plan.body)
    client.send("COMMIT", number=0)
    client.send("START", number=0)
    client.settle()
    while client.ask().state == "RUNNING":
        client.pump(0.005)


def heat(
    board: Board, sensors: list[str], plan: Plan, slot: Callable[[float], None] = lambda _s: None
) -> dict[str, float | str]:
    """Each heater in its slot; what its sensor reads meanwhile. sensors: their lines' names. slot:
    told when each slot ends, on the link's clock.
    """
    client = board.client
    read: dict[str, float | str] = {}
    for i, heater in enumerate(board.machine.heaters):
        end_s = board.link.now_s() + (plan.edges[-1] - plan.edges[-2]) / TICK_HZ
        number = plan.outputs + i
        client.send("OUTPUT", output=number, value=round(HOT_C * 10))
        while board.link.now_s() < end_s:
            client.pump(min(0.02, end_s - board.link.now_s()))
        status = client.ask()
        name = sensors[i]
        read[name] = status.heaters[heater.name].temperature_c
        if status.state == "FAULT":
            read[name] = "open" if status.fault == faults.SENSOR_OPEN else "short"
            released(board)
        else:
            board.heat(heater.name, 0.0)
        slot(end_s)
    return read


def _rounds(board: Board, world: Wired, link: VirtualLink) -> dict[str, tuple[int, ...]]:
    """The switches one by one, then none."""
    inputs = board.machine.inputs
    heard: dict[str, list[int]] = {world.of["input", i].label: [] for i in range(len(inputs))}
    for number in [*range(len(inputs)), -1]:
        world.press(number)
        for i in range(len(inputs)):
            link.port.at(link.port.tick, "level", i, world.level(i, None))
        end_s = link.now_s() + ROUND_S
        while link.now_s() < end_s:
            board.client.pump(end_s - link.now_s())
        status = board.client.ask()
        for i, part in enumerate(inputs):
            active = status.inputs[part.name]
            heard[world.of["input", i].label].append(int(active == (part.active == "high")))
    return {name: tuple(levels) for name, levels in heard.items()}


def _seen(link: VirtualLink, world: Wired, plan: Plan) -> dict[str, Signature]:
    """What arrives at the probe's end of every line."""
    capture = link.capture()
    start = capture.runs[-1].tick
    strong = {
        ("board", line.label): _wave(capture, world, line, start, plan.edges[-1])
        for line in world.of.values()
        if line.driven
    }
    return {
        line.label: signature(
            _arrives(world, ("rig", line.label), strong, plan.edges[-1]), plan.edges
        )
        for line in world.of.values()
        if line.kind != "sensor"
    }


def _wave(capture: Capture, world: Wired, line: Line, start: int, end: int) -> Wave:
    """Where a driven line is high at the board's own pin, from the start of the burst."""
    machine = world.machine
    if line.kind == "heater":
        return _high(world.heated.get(line.number, []), start, end)
    if line.kind == "output":
        signal = capture.outputs.get(machine.outputs[line.number].name)
        if signal is None:
            return ()
        values = (signal.value > 0).astype(int)
        return _high(list(zip(signal.tick.tolist(), values.tolist(), strict=True)), start, end)
    motor = machine.motors[line.number]
    trace = capture.motors[motor.name]
    if line.kind == "step":
        rises = trace.rise - start
        return tuple(zip(rises.tolist(), (rises + trace.width).tolist(), strict=True))
    ways = [(int(t), int((d > 0) != motor.invert)) for t, d in
            zip(trace.turn_tick, trace.turn_direction, strict=True)]  # fmt: skip
    return _high([(start, int(not motor.invert)), *ways], start, end)


def _high(changes: list[tuple[int, int]], start: int, end: int) -> Wave:
    """Stretches that are high, of changes (tick, level)."""
    out = []
    begin = -1
    for tick, level in changes:
        at = max(0, tick - start)
        if level and begin < 0:
            begin = at
        elif not level and begin >= 0:
            if at > begin:
                out.append((begin, at))
            begin = -1
    if 0 <= begin < end:
        out.append((begin, end))
    return tuple(out)


def _arrives(world: Wired, node: Node, strong: dict[Node, Wave], end: int) -> Wave:
    """What a node's level does: rails, then all that drive it, then resistors."""
    rail = world.net.rail(node)
    if rail is not None:
        return ((0, end),) if rail else ()
    drivers = world.net.drivers(node, strong)
    waves = [inverse(strong[d], end) if inverts else strong[d] for d, inverts in drivers.items()]
    for wave in waves[1:]:
        waves[0] = both(waves[0], wave)
    if waves:
        return waves[0]
    return ()  # nobody drives it: the probe's weak pull-down, or the board's resistor
