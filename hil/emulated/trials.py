"""Cut cables on the emulated rig, each run compared edge by edge with the board in memory.

The same windows are played by both. Whatever window the chip stopped behind, the twin is given just
that many, so both end in the same tail; then the retreat. Clocks count from the gate's rise.
"""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hil.emulated.link import EmulatedLink
from hil.emulated.pins import SETTLED, Played, runs
from hil.rig_virtual import VirtualLink
from mfboard import window as body
from microfactory import Machine
from microfactory.board import Board
from microfactory.drive import drive
from microfactory.errors import LinkError
from microfactory.motion.gcode import parse
from microfactory.motion.plan import plan
from microfactory.motion.straight import retreat_body
from microfactory.motion.stretch import Window

SCENARIOS = Path(__file__).resolve().parents[1] / "scenarios"
KINDS = {
    "d3d-printer": "short_print",
    "cnc-torch-table": "short_cut",
    "cnc-machine-centre": "short_pocket",
    "circuit-plotter": "short_board",
}
AFTER_GATE = -1  # clocks: a word begins one before the gate is seen
WAIT_S = 6.0  # for the twin left alone to come to rest
FEW = 5  # windows
HOT_C = 60.0
QUIET_S = 0.7  # without a step: longer than lease, tail and the way to the retreat


def stretch(machine: Machine, text: str) -> list[Window]:
    """The longest stretch of motion of a program."""
    found: list[Window] = []
    for section in plan(parse(text), machine).sections():
        windows = list(section.windows)
        if len(windows) > len(found):
            found = windows
    return found


def start_steps(window: Window, motors: int) -> list[int]:
    """Where the motors stand when a window begins."""
    return [body.start_steps(window.data, m) for m in range(motors)]


@dataclass(frozen=True)
class Twin:
    """What the board in memory did: of each run, each motor's rises and signs; where it rests."""

    played: list[list[tuple[Any, Any]]]
    steps: tuple[int, ...]


def twin(machine: Machine, windows: list[Window]) -> Twin:
    """Play windows on the board in memory; its host goes away when it has come to rest."""
    link = VirtualLink(machine, capture=True)
    board = Board(link, machine).open()
    _stand(board, windows)
    if len(windows) < FEW:
        _start_at_once(board, windows)
    else:
        drive(board.client, iter(windows))
    link.cut_tick = link.port.tick
    link.alone(WAIT_S)
    capture = link.capture()
    begins = [run.tick for run in capture.runs] + [capture.end_tick + 1]
    played = []
    for begin, end in itertools.pairwise(begins):
        motors = []
        for trace in capture.motors.values():
            a, b = np.searchsorted(trace.rise, (begin, end))
            motors.append((trace.rise[a:b] - begin, trace.direction[a:b]))
        played.append(motors)
    engine = link.port.engine
    return Twin(played, tuple(engine.position(m) for m in range(len(machine.motors))))


def _start_at_once(board: Board, windows: list[Window]) -> None:
    """Windows that are too few for a driver to start: it would wait for more."""
    client = board.client
    client.send("RESET", number=windows[0].number)
    for window in windows:
        client.send_window(window.number, window.data)
    client.send("COMMIT", number=windows[-1].number)
    client.settle()
    client.send("START", number=windows[0].number)
    client.settle()
    while client.ask().state not in ("RESTED", "DONE"):
        client.pump(0.02)


def _stand(board: Board, windows: list[Window]) -> None:
    """Drivers on, motors where the first window begins, the retreat loaded."""
    board.ready()
    for m, steps in enumerate(start_steps(windows[0], len(board.machine.motors))):
        board.client.send("POSITION", motor=m, steps=steps)
    board.client.settle()
    board.client.load_retreat(retreat_body(board.machine))


class Bench:
    """One emulated board with one machine, and trials on it."""

    def __init__(self, name: str, seed: int) -> None:
        self.machine = Machine.load(name)
        self.windows = stretch(self.machine, (SCENARIOS / f"{KINDS[name]}.gcode").read_text())
        self.random = random.Random(f"{name} {seed}")
        self.link = EmulatedLink(self.machine)
        self.board = Board(self.link, self.machine).open()
        self.twins: dict[int, Twin] = {}
        self.length_s = sum(w.length_ticks for w in self.windows) / 125e6

    def close(self) -> None:
        """End the emulator."""
        self.link.close()

    def stand(self) -> None:
        """Motors and carriages where the first window begins."""
        self.link.place(start_steps(self.windows[0], len(self.machine.motors)))
        _stand(self.board, self.windows)
        for heater in self.machine.heaters:  # as in a job: the loop has its regulators to turn
            self.board.heat(heater.name, HOT_C)

    def play(self) -> None:
        """All windows, without a fault."""
        drive(self.board.client, iter(self.windows))

    def pulses(self) -> int:
        """Pulses of all motors since the last `forget`."""
        self.link.look()
        played = runs(self.machine, self.link.page, self.link.edges)
        return sum(len(rises) for run in played for rises in run.rises)

    def trial(self) -> dict[str, Any]:
        """One cut at a random instant; wrong is empty when all was right."""
        link, client = self.link, self.board.client
        link.look()
        seen = len(runs(self.machine, link.page, link.edges))
        self.stand()
        instant_s = self.random.uniform(0.0, self.length_s + 0.3)
        link.cut = link.chip.now + round(instant_s * 125e6)
        try:
            drive(client, iter(self.windows))
            link.cut_now()
        except LinkError:
            pass
        self._rest()
        link.mend()
        client.connect()
        client.configure()
        status = client.ask()
        link.look()
        played = runs(self.machine, link.page, link.edges)[seen:]
        wrong = self._judge(played, status)
        link.forget()
        pulses = sum(len(rises) for run in played for rises in run.rises)
        return {
            "machine": self.machine.name,
            "instant_s": round(instant_s, 6),
            "ended": f"{status.state} {status.why}".strip(),
            "runs": len(played),
            "pulses": pulses,
            "wrong": wrong,
        }

    def _rest(self) -> None:
        """Let the board live alone until its gate has been shut for long enough."""
        quiet_s = 0.0
        while quiet_s < QUIET_S:
            edges = len(self.link.edges)
            self.link.alone(0.1)
            self.link.look()
            pins = np.concatenate([piece[1] for piece in self.link.edges[edges:]] or [[]])
            moved = np.isin(pins, [step for step, _ in self.link.page.STEP.values()]).any()
            quiet_s = 0.0 if moved else quiet_s + 0.1

    def _twin(self, count: int) -> Twin:
        if count not in self.twins:
            self.twins[count] = twin(self.machine, self.windows[:count])
        return self.twins[count]

    def _judge(self, played: list[Played], status: Any) -> str:
        if status.fault:
            return f"fault {status.fault}"
        if not status.position_trusted:
            return "the position is not trusted"
        if not played:
            began = start_steps(self.windows[0], len(self.machine.motors))
            return "" if list(status.steps.values()) == began else "it moved before the start"
        count = (status.window - self.windows[0].number) % (1 << 30) + 1
        if not 1 <= count <= len(self.windows):
            return f"it tells window {status.window}"
        expected = self._twin(count)
        if tuple(status.steps.values()) != expected.steps:
            return f"it rests at {status.steps}, the twin at {expected.steps}"
        if len(played) != len(expected.played):
            return f"{len(played)} runs, the twin {len(expected.played)}"
        for number, (run, twins) in enumerate(zip(played, expected.played, strict=True)):
            wrong = compare(self.machine, run, twins)
            if wrong:
                return f"run {number}: {wrong}"
        return ""


def compare(machine: Machine, run: Played, twins: list[tuple[Any, Any]]) -> str:
    """The first difference between what a chip and the board in memory did; empty: none."""
    pulse = machine.pulse_ticks()
    for m, motor in enumerate(machine.motors):
        rises, signs = twins[m]
        if len(rises) != len(run.rises[m]):
            return f"{motor.name} made {len(run.rises[m])} pulses, the twin {len(rises)}"
        if not len(rises):
            continue
        if not np.array_equal(run.rises[m], rises + AFTER_GATE):
            k = int(np.flatnonzero(run.rises[m] != rises + AFTER_GATE)[0])
            return f"{motor.name} pulse {k} at {run.rises[m][k]}, the twin at {rises[k]}"
        if not np.array_equal(run.signs[m], signs):
            return f"{motor.name} went the other way"
        if not (run.widths[m] == pulse).all():
            return f"{motor.name} has pulses of {np.unique(run.widths[m])} clocks, not {pulse}"
        least = machine.driver(m).direction_setup_us * 125 - SETTLED
        if run.setups[m].min() < least:
            return f"{motor.name} turns {run.setups[m].min()} clocks before a pulse"
    return ""
