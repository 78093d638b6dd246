"""The virtual rig: the board's own program in memory, a simulated world around it, virtual time.

Time passes only in `read`. Faults are parameters: when the link is cut, what is flipped.
"""

from __future__ import annotations

import math
import zlib
from typing import Any

from hil.capture import Capture, CaptureBuilder
from hil.crooked import Crooked, example
from hil.fast_lists import FastLists
from hil.fast_wire import SliceDecoder
from hil.pages import PAGES, with_card
from hil.plant import Plant
from mfboard import identity
from mfboard.board import Board
from mfboard.port_sim import TICK_HZ, Port
from mfboard.sim_card import SimCard
from microfactory import Machine
from microfactory.errors import LinkError
from microfactory.flash import payload


class ZlibCrc:
    """The checksum of mfwire.crc, computed by zlib."""

    def __init__(self) -> None:
        self.value = 0

    def reset(self) -> None:
        self.value = 0

    def feed(self, data: Any, begin: int, end: int) -> None:
        self.value = zlib.crc32(memoryview(data)[begin:end], self.value)

    def value_low(self) -> int:
        return self.value & 0xFFFF

    def value_high(self) -> int:
        return self.value >> 16


class VirtualLink:
    """A link to a board in memory. cut_tick: from then on no byte passes, either way.

    firmware: the identity that the board tells instead of its own. card: the board has a slot, and
    this card, or this folder, is in it. crooked: how frame, slack and
    plate are off; True: an example of it. racked: by motor, how many mm higher its side stands.
    contactor: welded, dead, or stopped (by the emergency stop).
    """

    def __init__(
        self,
        machine: Machine,
        *,
        capture: bool = False,
        seed: int = 1,
        cut_tick: int | None = None,
        start_mm: dict[str, float] | None = None,
        plain: bool = False,
        firmware: str = "",
        card: SimCard | str | None = None,
        crooked: Crooked | bool | None = None,
        racked: dict[str, float] | None = None,
        contactor: str = "",
    ) -> None:
        self.machine = machine
        if isinstance(crooked, bool):
            crooked = example(machine) if crooked else None
        self.plant = Plant(machine, start_mm, crooked)
        for motor, by_mm in (racked or {}).items():
            self.plant.rack(motor, by_mm)
        self.plant.contactor.welded = contactor == "welded"
        self.plant.contactor.dead = contactor == "dead"
        self.plant.contactor.supplied = contactor != "stopped"
        names = [motor.name for motor in machine.motors]
        self.sink = CaptureBuilder(TICK_HZ, names) if capture else None
        page = PAGES[machine.board.name]
        card = SimCard(card) if isinstance(card, str) else card
        self.port = Port(
            with_card(page) if card else page,
            plant=self.plant,
            sink=self.sink,
            lists=None if plain else FastLists(),
            seed=seed,
            card=card,
        )
        self._plain, self._firmware = plain, firmware
        self._boot()
        self.cut_tick = cut_tick
        self.damage: Any = None  # called with bytes on the way to the board, returns bytes

    def _boot(self) -> None:
        if self._plain:
            self.board = Board(self.port)
        else:
            self.board = Board(self.port, SliceDecoder(ZlibCrc()), ZlibCrc(), ZlibCrc())
        self.board.answers.firmware = identity.text(self._firmware or payload.identity())

    def restart(self) -> None:
        """The board loses its power for a moment: pins let go, and it knows nothing any more."""
        port = self.port
        if port.config is not None:
            port.engine.abort()
            for i in range(len(port.outputs)):
                port.set_output(i, 0)
            for i in range(len(port.duties)):
                port.set_heater(i, 0)
            for m in range(len(self.machine.motors)):
                self.plant.recount(m, port.engine.position(m), 0)
        if port.card:
            script = (self.board.card._script if self.board.card else None) or []
            if not any(part.gi_running for part in script):
                for part in reversed(script):
                    part.close()  # what it had open is gone now, not when somebody tidies up
            port.card.release()
        port.events.clear()
        port.sent.clear()
        port.enabled = 0
        port.power(False)
        port.config = None
        self._boot()

    def write(self, data: bytes) -> None:
        """Bytes arrive at once. LinkError: the link is cut."""
        self._check()
        if self.damage:
            data = self.damage(data)
        self.board.receive(data, len(data))

    def read(self, timeout_s: float) -> bytes:
        """Let the board live until it says something, at most timeout_s."""
        self._check()
        port = self.port
        until = port.tick + max(0, math.ceil(timeout_s * TICK_HZ))
        while not port.sent:
            step = min(until, port.tick + TICK_HZ // 200)
            if self.cut_tick is not None and step >= self.cut_tick:
                port.run_until(max(port.tick, self.cut_tick))
                self._check()
            port.run_until(step)
            if port.tick >= until:
                break
        data = b"".join(port.sent)
        port.sent.clear()
        return data

    def _check(self) -> None:
        if self.cut_tick is not None and self.port.tick >= self.cut_tick:
            self.port.sent.clear()
            raise LinkError(
                "virtual: the link is cut; the board stops on its path by itself; plug it in "
                "again and resume"
            )

    def alone(self, seconds: float) -> None:
        """Let the board live without a host."""
        self.port.run_until(self.port.tick + int(seconds * TICK_HZ))
        self.port.sent.clear()

    def mend(self) -> None:
        """Plug the cable in again."""
        self.cut_tick = None
        self.port.sent.clear()

    def now_s(self) -> float:
        return self.port.tick / TICK_HZ

    def close(self) -> None:
        """Unplug."""

    def capture(self) -> Capture:
        """What the pins did so far. Only of a link that was opened with capture=True."""
        assert self.sink is not None
        self.sink.end(self.port.tick)
        return self.sink.build()


def open_link(machine: Machine, **options: Any) -> VirtualLink:
    """A board in memory for this machine (entry point `virtual`)."""
    return VirtualLink(machine, **options)
