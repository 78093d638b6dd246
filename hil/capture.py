"""A capture: what a rig saw at the pins of a board, in ticks of the board's clock.

Frozen once built. It says what was seen and judges nothing; hil.verify judges. Ticks are counted
from the board's start and never wrap. Directions are the machine's (+1 = towards larger
positions): the rig undoes a motor's `invert` before it writes them down.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

FORMAT = "microfactory capture 1"
RUN_KINDS = ("motion", "guarded", "retreat", "boot")


@dataclass(frozen=True)
class MotorTrace:
    """One motor's pins. `rise`, `width` and `direction` have one entry a pulse; `turn_tick` and
    `turn_direction` have one entry for each level change of the direction pin.
    """

    rise: NDArray[np.int64]
    width: NDArray[np.int32]
    direction: NDArray[np.int8]
    turn_tick: NDArray[np.int64]
    turn_direction: NDArray[np.int8]

    def steps_between(self, first_tick: int, end_tick: int) -> int:
        """Signed steps whose rising edge lies in [first_tick, end_tick)."""
        a, b = np.searchsorted(self.rise, (first_tick, end_tick))
        return int(self.direction[a:b].sum(dtype=np.int64))


class Signal(NamedTuple):
    """Changes of one pin or value: it is `value[i]` from `tick[i]` on."""

    tick: NDArray[np.int64]
    value: NDArray[np.float64]

    def at(self, tick: int, before: float = 0.0) -> float:
        """Value in force at a tick; `before` when nothing was seen yet."""
        i = int(np.searchsorted(self.tick, tick, side="right")) - 1
        return before if i < 0 else float(self.value[i])


class Run(NamedTuple):
    """A start of motion: its tick, its kind (motion, guarded, retreat; boot: the board
    was started anew), the board's step counts
    (one a motor, in the machine's order) and the number of its first window (-1: none).
    """

    tick: int
    kind: str
    start_steps: tuple[int, ...]
    window: int = -1


@dataclass(frozen=True)
class Capture:
    """Everything seen. `outputs` are duties 0..65535, `targets` the heaters' targets in C,
    `temperatures` in C, `inputs` levels 0 or 1 (1 = active). error_ticks: how far the time between
    two edges may be off; 0 where the rig sees each on its tick.
    """

    tick_hz: int
    motors: Mapping[str, MotorTrace]
    outputs: Mapping[str, Signal] = field(default_factory=dict)
    targets: Mapping[str, Signal] = field(default_factory=dict)
    temperatures: Mapping[str, Signal] = field(default_factory=dict)
    inputs: Mapping[str, Signal] = field(default_factory=dict)
    runs: Sequence[Run] = ()
    end_tick: int = 0
    error_ticks: int = 0

    @property
    def pulses(self) -> int:
        return sum(len(motor.rise) for motor in self.motors.values())

    def seconds(self, tick: int) -> float:
        return tick / self.tick_hz

    def save(self, path: str | Path) -> None:
        """Write one file (zip of numpy arrays); `Capture.load` gives it back equal."""
        arrays: dict[str, NDArray[Any]] = {}
        for name, motor in self.motors.items():
            for key in MotorTrace.__dataclass_fields__:
                arrays[f"motor/{name}/{key}"] = getattr(motor, key)
        for group in ("outputs", "targets", "temperatures", "inputs"):
            for name, signal in getattr(self, group).items():
                arrays[f"{group}/{name}/tick"] = signal.tick
                arrays[f"{group}/{name}/value"] = signal.value
        head = {
            "format": FORMAT,
            "tick_hz": self.tick_hz,
            "end_tick": self.end_tick,
            "error_ticks": self.error_ticks,
            "runs": [list(run) for run in self.runs],
        }
        with open(path, "wb") as file:
            np.savez_compressed(file, allow_pickle=False, head=np.array(json.dumps(head)), **arrays)

    @staticmethod
    def load(path: str | Path) -> Capture:
        """Read what `save` wrote. ValueError: not a capture, or another format."""
        with np.load(path, allow_pickle=False) as store:
            head = json.loads(str(store["head"])) if "head" in store else {}
            if head.get("format") != FORMAT:
                raise ValueError(f"{path}: not a capture of format '{FORMAT}'")
            groups: dict[str, dict[str, dict[str, NDArray[Any]]]] = {}
            for key in store.files:
                if key != "head":
                    group, name, part = key.split("/")
                    groups.setdefault(group, {}).setdefault(name, {})[part] = store[key]
        signals = {
            group: {name: Signal(**parts) for name, parts in groups.get(group, {}).items()}
            for group in ("outputs", "targets", "temperatures", "inputs")
        }
        return Capture(
            tick_hz=head["tick_hz"],
            motors={name: MotorTrace(**parts) for name, parts in groups.get("motor", {}).items()},
            runs=tuple(Run(t, kind, tuple(steps), n) for t, kind, steps, n in head["runs"]),
            end_tick=head["end_tick"],
            error_ticks=head.get("error_ticks", 0),
            **signals,
        )

    def text(self, first_tick: int = 0, end_tick: int | None = None) -> str:
        """One line an event, in order of time: what a person reads and a bug report attaches."""
        rows: list[tuple[int, int, str]] = []
        for name, motor in self.motors.items():
            rows += [
                (int(t), 1, f"turn {name} {d:+d}")
                for t, d in zip(motor.turn_tick, motor.turn_direction, strict=True)
            ]
            steps = zip(motor.rise, motor.direction, motor.width, strict=True)
            rows += [(int(t), 2, f"step {name} {d:+d} width {w}") for t, d, w in steps]
        for group in ("outputs", "targets", "temperatures", "inputs"):
            for name, signal in getattr(self, group).items():
                rows += [
                    (int(t), 3, f"{group.rstrip('s')} {name} {value:g}")
                    for t, value in zip(signal.tick, signal.value, strict=True)
                ]
        for run in self.runs:
            steps_text = " ".join(str(n) for n in run.start_steps)
            rows.append((run.tick, 0, f"run {run.kind} window {run.window} at {steps_text}"))
        last = self.end_tick if end_tick is None else end_tick
        kept = [row for row in sorted(rows) if first_tick <= row[0] <= last]
        return "\n".join([f"tick_hz {self.tick_hz}"] + [f"{t} {what}" for t, _, what in kept])


class CaptureBuilder:
    """Collects events in the order of time, batch by batch, and freezes them into a Capture.

    Motors are named once; batches name them by their number. Every batch of one motor must begin
    after the one before it ended.
    """

    def __init__(self, tick_hz: int, motors: Sequence[str], error_ticks: int = 0) -> None:
        self.tick_hz = tick_hz
        self.error_ticks = error_ticks
        self._names = tuple(motors)
        self._pulses: list[list[tuple[NDArray[Any], NDArray[Any], NDArray[Any]]]] = [
            [] for _ in motors
        ]
        self._turns: list[list[tuple[int, int]]] = [[] for _ in motors]
        self._signals: dict[str, dict[str, list[tuple[int, float]]]] = {}
        self._runs: list[Run] = []
        self._end_tick = 0

    def steps(self, motor: int, rise: Any, width: Any, direction: Any) -> None:
        """Pulses of one motor: rising edges (ticks, ascending), widths and directions (+1, -1).

        width and direction may be one number for the whole batch.
        """
        edges = np.array(rise, dtype=np.int64)
        if not len(edges):
            return
        widths = np.empty(len(edges), np.int32)
        widths[:] = width
        directions = np.empty(len(edges), np.int8)
        directions[:] = direction
        self._pulses[motor].append((edges, widths, directions))
        self._end_tick = max(self._end_tick, int(edges[-1]) + int(widths[-1]))

    def turn(self, motor: int, tick: int, direction: int) -> None:
        """The direction pin of a motor changes to a direction (+1, -1) at a tick."""
        self._turns[motor].append((tick, direction))

    def turns(self, motor: int, ticks: Any, directions: Any) -> None:
        """Many changes of one direction pin."""
        ways = np.broadcast_to(np.asarray(directions), len(ticks))
        self._turns[motor] += [(int(t), int(d)) for t, d in zip(ticks, ways, strict=True)]

    def output(self, name: str, tick: int, value: float) -> None:
        self._note("outputs", name, tick, value)

    def target(self, heater: str, tick: int, celsius: float) -> None:
        self._note("targets", heater, tick, celsius)

    def temperature(self, heater: str, tick: int, celsius: float) -> None:
        self._note("temperatures", heater, tick, celsius)

    def input(self, name: str, tick: int, active: int) -> None:
        self._note("inputs", name, tick, active)

    def run(self, tick: int, kind: str, start_steps: Sequence[int], window: int = -1) -> None:
        """A start: motion, guarded (an input may stop motors) or retreat."""
        if kind not in RUN_KINDS:
            raise ValueError(f"run kind '{kind}' is none of {', '.join(RUN_KINDS)}")
        self._runs.append(Run(int(tick), kind, tuple(int(n) for n in start_steps), int(window)))
        self._end_tick = max(self._end_tick, int(tick))

    def end(self, tick: int) -> None:
        """The rig looked until this tick at least."""
        self._end_tick = max(self._end_tick, int(tick))

    def _note(self, group: str, name: str, tick: int, value: float) -> None:
        self._signals.setdefault(group, {}).setdefault(name, []).append((int(tick), float(value)))
        self._end_tick = max(self._end_tick, int(tick))

    def build(self) -> Capture:
        """Freeze. ValueError: a motor's edges do not ascend."""
        motors = {
            name: _trace(name, pulses, turns)
            for name, pulses, turns in zip(self._names, self._pulses, self._turns, strict=True)
        }
        groups = {
            group: {name: _signal(rows) for name, rows in signals.items()}
            for group, signals in self._signals.items()
        }
        return Capture(
            tick_hz=self.tick_hz,
            motors=motors,
            runs=tuple(self._runs),
            end_tick=self._end_tick,
            error_ticks=self.error_ticks,
            **groups,
        )


def _trace(
    name: str,
    pulses: Sequence[tuple[NDArray[Any], NDArray[Any], NDArray[Any]]],
    turns: Sequence[tuple[int, int]],
) -> MotorTrace:
    kinds = (np.int64, np.int32, np.int8)
    rise, width, direction = (
        _frozen(np.concatenate([batch[i] for batch in pulses]) if pulses else (), kind)
        for i, kind in enumerate(kinds)
    )
    if len(rise) > 1 and int(np.diff(rise).min()) <= 0:
        i = int(np.argmin(np.diff(rise) > 0))
        raise ValueError(
            f"motor {name}: pulse {i + 1} at tick {rise[i + 1]} is not after {rise[i]}"
        )
    return MotorTrace(
        rise,
        width,
        direction,
        _frozen([t for t, _ in turns], np.int64),
        _frozen([d for _, d in turns], np.int8),
    )


def _signal(rows: Sequence[tuple[int, float]]) -> Signal:
    ordered = sorted(rows, key=lambda row: row[0])
    ticks, values = [t for t, _ in ordered], [v for _, v in ordered]
    return Signal(_frozen(ticks, np.int64), _frozen(values, np.float64))


def _frozen(values: Any, kind: Any) -> NDArray[Any]:
    array = np.array(values, dtype=kind)
    array.setflags(write=False)
    return array
