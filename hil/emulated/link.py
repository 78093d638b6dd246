"""The emulated rig as a link: the real firmware on an emulated chip, a simulated world around it.

The same names as the virtual rig's link, so that the same tests play on both. Time passes in
`read`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hil.emulated.arc_world import ArcWorld
from hil.emulated.around import Around
from hil.emulated.chip import CLOCK_HZ, WIRE, Chip
from hil.emulated.firmware import flash
from hil.pages import PAGES
from hil.plant import Plant
from microfactory import Machine
from microfactory.errors import LinkError

SLICE = CLOCK_HZ // 200
ARC_SLICE = CLOCK_HZ // 2000  # an arc is read once a millisecond
WORLD_S = 0.05
SLOT = (1, 10, 11, 28, 1)  # of a board with a card: SPI block, SCK, MOSI, MISO, CS (docs/card.md)
SLOT_PINS = ("spi", "sck", "mosi", "miso", "cs")
# words of mfboard.fast_state.S
DEADLINE = 11
MARK = 47
MARKED = 0x1EA7F00D


class EmulatedLink:
    """A link to the firmware on an emulated chip. cut: the clock from which on no byte passes.

    chip: one that has the firmware already; None: a new one. world: False where somebody else
    plays its switches and sensors. card: the image of an SD card; its board has a slot, SLOT.
    """

    def __init__(
        self,
        machine: Machine,
        *,
        start_mm: dict[str, float] | None = None,
        begin: int = 0,
        chip: Chip | None = None,
        world: bool = True,
        card: Path | None = None,
    ) -> None:
        self.machine = machine
        self.page = PAGES[machine.board.name]
        self.plant = Plant(machine, start_mm)
        slot = SLOT if card else None
        self.chip = chip or Chip(flash(machine, Path(os.environ["MF_UF2"]), slot), begin)
        if card:
            self.chip.card(image=card, slot=dict(zip(SLOT_PINS, SLOT, strict=True)))
        self.cut: int | None = None  # clock
        self.edges: list[tuple[Any, Any, Any]] = []
        self._state: int | None = None
        self._world_s = self.chip.now / CLOCK_HZ
        self._high: dict[int, float] = {}
        self._has_world = world
        arc = world and machine.arc is not None
        self.arc = ArcWorld(machine, self.page, self.chip, self.plant.fire) if arc else None
        self.around = Around(machine, self.page, self.plant, self.chip)
        self._slice = ARC_SLICE if arc else SLICE
        self._after_s = 0.0 if arc else WORLD_S
        if world:
            for part in machine.inputs:
                idle = 0 if part.active == "high" else 1
                self.chip.set_pin(self.page.INPUTS[part.connector], idle)
            self.place(self.plant.offset)
            self._sensors()
        self.chip.boot(2)

    def place(self, steps: Sequence[int]) -> None:
        """Carriages stand at these counts of their motors, with switches at their places."""
        machine = self.machine
        for m, motor in enumerate(machine.motors):
            step, direction = self.page.STEP[motor.connector]
            switches: list[dict[str, int]] = []
            stop = None
            for position, number, below in self.plant._switches[m]:
                part = machine.inputs[number]
                if part.role == "stall":
                    stop = self.around.stop(m, position, number, below)
                    continue
                switches.append(
                    {
                        "gpio": self.page.INPUTS[part.connector],
                        "active": int(part.active == "high"),
                        "at": position + (1 if below else 0),
                        "below": below,
                    }
                )
            up = -1 if motor.invert else 1
            self.chip.motor(step, direction, up, steps[m], switches, stop)

    def _sensors(self) -> None:
        self.around.turn()
        for i, heater in enumerate(self.machine.heaters):
            if i in self.plant.converters:
                continue
            pin = self.page.ANALOG[heater.sensor.connector]
            self.chip.set_adc(pin - 26, self.plant.sensor(i, self.chip.now))

    def look(self) -> None:
        """Take in what the pins did until now."""
        self._world(0.0)

    def _world(self, after_s: float) -> None:
        """What the pins did since, and what the world makes of it."""
        seconds = self.now_s() - self._world_s
        if seconds <= after_s:
            return
        self._world_s = self.now_s()
        clocks, pins, levels = self.chip.edges()
        self.edges.append((clocks, pins, levels))
        if not self._has_world:
            return
        if self.arc:
            self.arc.turn(pins, levels)
        for i, heater in enumerate(self.machine.heaters):
            pin = self.page.OUTPUTS[heater.connector]
            share = self._share(pin, clocks[pins == pin], levels[pins == pin], seconds)
            self.plant.heater(i, round(share * 65535), self.chip.now)
        self._sensors()

    def _share(self, pin: int, clocks: Any, levels: Any, seconds: float) -> float:
        """The share of the last stretch of time in which a pin was high."""
        level = self._high.get(pin, 0)
        end = self.chip.now
        at = np.concatenate(([end - seconds * CLOCK_HZ], clocks, [end]))
        value = np.concatenate(([level], levels))
        self._high[pin] = int(value[-1])
        return float((np.diff(at) * value).sum() / (seconds * CLOCK_HZ))

    # ---- a link

    def write(self, data: bytes) -> None:
        """Bytes for the board; one more delimiter where a host's packet would not end."""
        self._check()
        self.chip.write(WIRE, data if len(data) % 64 else data + b"\0")

    def read(self, timeout_s: float) -> bytes:
        """Let time pass until the board says something, at most timeout_s."""
        self._check()
        end = self.chip.now + max(1, round(timeout_s * CLOCK_HZ))
        while True:
            until = min(end, self.chip.now + self._slice)
            if self.cut is not None:
                until = min(until, self.cut)
            self.chip.run_to(until, listen=True)
            self._world(self._after_s)
            self._check()
            data = self.chip.read(WIRE)
            if data or self.chip.now >= end:
                return data

    def _check(self) -> None:
        if self.cut is not None and self.chip.now >= self.cut:
            self.chip.cut()
            self.chip.read(WIRE)
            raise LinkError(
                "emulated: the link is cut; the board stops on its path by itself; plug it in "
                "again and resume"
            )

    def alone(self, seconds: float) -> None:
        """Let the board live without a host."""
        end = self.chip.now + round(seconds * CLOCK_HZ)
        while self.chip.now < end:
            self.chip.run_to(min(end, self.chip.now + self._slice))
            self._world(self._after_s)

    def cut_now(self) -> None:
        """The cable is pulled."""
        self.cut = self.chip.now
        self.chip.cut()

    def state(self) -> Any:
        """The words of the firmware's engine (mfboard.fast_state.S)."""
        if self._state is None:
            ram = np.frombuffer(self.chip.memory(0x20000000, 264 * 1024), dtype="<i4")
            places = [int(i) for i in np.flatnonzero(ram == MARKED) if ram[i - MARK + DEADLINE]]
            self._state = 0x20000000 + 4 * (places[0] - MARK)
        return np.frombuffer(self.chip.memory(self._state, 4 * (MARK + 1)), dtype="<i4")

    def clear(self, word: int) -> None:
        """A word of the firmware's engine begins again at 0."""
        self.state()
        assert self._state is not None
        self.chip.poke(self._state + 4 * word, 0)

    def forget(self) -> None:
        """Forget the edges seen so far, but for the level that each pin has."""
        clocks, pins, levels = (np.concatenate(part) for part in zip(*self.edges, strict=True))
        last = sorted({int(pin): i for i, pin in enumerate(pins)}.values())
        self.edges = [(clocks[last], pins[last], levels[last])]

    def mend(self) -> None:
        """Plug the cable in again."""
        self.cut = None
        self.chip.read(WIRE)
        self.chip.cut(False)

    def now_s(self) -> float:
        return self.chip.now / CLOCK_HZ

    def close(self) -> None:
        self.chip.close()


def open_link(machine: Machine, **options: Any) -> EmulatedLink:
    """An emulated board for this machine (entry point `emulated`)."""
    return EmulatedLink(machine, **options)
