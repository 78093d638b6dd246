"""The pins of a board in memory as a simulated probe is wired to them, and what it plays there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hil.rigs.rigfile import Channel, RigFile
from mfprobe import words

PWM_TICKS = 125_000  # 1 kHz
FULL = 65535
Change = tuple[int, int, int]  # tick, GPIO of the probe, level


class Pins:
    """board: a VirtualLink with a capture."""

    def __init__(self, board: Any, rig: RigFile) -> None:
        self.board = board
        self.rig = rig
        self._listened = {c.line: c for c in rig.channels if c.direction == "listen"}
        self._looped: list[Change] = []
        self._off = False  # in reset or without power
        self._modes: dict[int, int] = {}  # GPIO to what the probe does with it
        self._pulled = {p.connector for p in (*rig.machine.outputs, *rig.machine.heaters)}

    def changes(self, since: int, until: int, *, first: bool) -> list[Change]:
        """What the listened lines do in [since, until), in order; first: and how they stood."""
        found = [
            (tick, channel.gpio, level ^ int(channel.invert))
            for line, channel in self._listened.items()
            for tick, level in self._line(line)
        ]
        known = sorted([*found, *self._looped])
        now = [row for row in known if since <= row[0] < until]
        if not first:
            return now
        stood = {channel.gpio: int(channel.invert) for channel in self._listened.values()}
        stood |= {gpio: level for tick, gpio, level in known if tick < since}
        return [(since, gpio, level) for gpio, level in stood.items() if level] + now

    def levels(self) -> int:
        """All pins now; bit g is GPIO g. In reset the board drives none."""
        if self._off:
            return sum(self._held(channel) << channel.gpio for channel in self.rig.channels)
        rows = self.changes(0, self.board.port.tick, first=True)
        levels = {gpio: level for _tick, gpio, level in rows}
        return sum(level << gpio for gpio, level in levels.items())

    def _held(self, channel: Channel) -> int:
        """The level that the probe gives to a pin; a gate's own resistor beats a weak pull."""
        mode = self._modes.get(channel.gpio, words.RELEASE)
        weak = mode == words.PULL_UP and channel.line not in self._pulled
        return int(mode == words.HIGH or weak)

    def _line(self, line: str) -> Iterator[tuple[int, int]]:
        """Changes of a line of the board."""
        machine, capture = self.board.machine, self.board.capture()
        connector, _, pin = line.partition(".")
        for m, motor in enumerate(machine.motors):
            if motor.connector != connector:
                continue
            trace = capture.motors[motor.name]
            # of what is being played the engine has told nothing yet
            engine = self.board.port.engine
            playing = [batch.motors[m] for batch in engine.batches + engine.late]
            if pin == "STEP":
                pulse = engine.pulse
                for rise in np.concatenate([trace.rise, *(part[0] for part in playing)]).tolist():
                    yield int(rise), 1
                    yield int(rise) + pulse, 0
            else:
                ticks = np.concatenate([[0], trace.turn_tick, *(part[2] for part in playing)])
                ways = np.concatenate([[1], trace.turn_direction, *(part[3] for part in playing)])
                # the simulation's pin stands for + from the start
                for tick, way in zip(ticks.tolist(), ways.tolist(), strict=True):
                    yield int(tick), int((way > 0) != motor.invert)
        for output in machine.outputs:
            if output.connector == connector and output.name in capture.outputs:
                signal = capture.outputs[output.name]
                rows = zip(signal.tick.tolist(), signal.value.tolist(), strict=True)
                yield from _waves(list(rows), self.board.port.tick)

        for i, heater in enumerate(machine.heaters):
            if heater.connector == connector:
                yield from _waves(self.board.plant.duties[i], self.board.port.tick)

    def loop(self, gpio: int, ticks: NDArray[Any]) -> None:
        """These edges come back on a pin."""
        self._looped += [(int(tick), gpio, 1 - i % 2) for i, tick in enumerate(ticks)]

    def play(self, channel: Channel, mode: int, volts: float) -> None:
        """The probe sets a pin: what that does to the board."""
        machine, plant = self.board.machine, self.board.plant
        self._modes[channel.gpio] = mode
        if channel.line in ("RUN", "VBUS"):
            if self._off and mode != words.LOW:
                self.board.restart()
            self._off = mode == words.LOW
            return
        for part in machine.inputs:
            if part.connector == channel.line:
                level = {words.LOW: 0, words.HIGH: 1}.get(mode, int(part.pull == "up"))
                plant.stuck[part.name] = int(level == int(part.active == "high"))
                self._level(part.name)
        for i, heater in enumerate(machine.heaters):
            if heater.sensor.connector == channel.line:
                plant.held[i] = _share(channel, volts) if mode == words.DUTY else 1.0
        if machine.height and machine.height.connector == channel.line:
            plant.held_arc = _share(channel, volts) if mode == words.DUTY else None

    def _level(self, name: str) -> None:
        """The board's port hears an input."""
        port, number = self.board.port, self.board.machine.input_id(name)
        if port.config is not None:  # else it reads its inputs when it gets one
            port.at(port.tick, "level", number, port.level(number))


def _share(channel: Channel, volts: float) -> float:
    """What the probe's voltage leaves of the converter's range, through its filter's resistor."""
    share = channel.series_ohm / channel.pullup_ohm if channel.pullup_ohm else 0.0
    return (volts / channel.board_v + share) / (1 + share)


def _waves(rows: Sequence[tuple[int, float]], now: int) -> Iterator[tuple[int, int]]:
    """An output's values as levels: all, nothing, or a pulse each millisecond."""
    for (tick, value), following in zip(rows, [t for t, _ in [*rows, (now, 0)]][1:], strict=True):
        if value in (0, FULL):
            yield tick, int(value > 0)
            continue
        for begin in range(tick, following, PWM_TICKS):
            yield begin, 1
            end = begin + round(PWM_TICKS * value / FULL)
            if end < following:
                yield end, 0
