"""The virtual link with faults on it, and a world that breaks at its times."""

from __future__ import annotations

import random
from typing import Any

from hil.faults.fault import HOST, LINK, Case, Fault
from hil.faults.world import World
from hil.rig_virtual import VirtualLink

SLICE_S = 0.01


class Killed(BaseException):
    """The host's process ends here, and does nothing more."""


class FaultyLink:
    """A link to a board in memory, under the faults of a case. Other names are the inner link's."""

    def __init__(self, inner: VirtualLink, case: Case) -> None:
        self.inner = inner
        self.dice = random.Random(case.seed)
        self.world = World(inner, case.faults, random.Random(case.seed + 1))
        self._faults = [fault for fault in case.faults if fault.kind in LINK]
        self._ends = [fault for fault in case.faults if fault.kind in HOST]
        clock = [fault.amount for fault in case.faults if fault.kind == "clock"]
        self._rate = 1.0 + sum(clock) / 1e6
        self._way: dict[str, list[tuple[float, bytes]]] = {"to board": [], "from board": []}
        self._held: dict[str, bytes] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def now_s(self) -> float:
        """The host's clock: the board's, faster or slower."""
        return self.inner.now_s() * self._rate

    def write(self, data: bytes) -> None:
        """Bytes for the board, as the faults of this moment leave them."""
        self.inner.write(b"")
        self._send("to board", data)
        self._deliver()

    def read(self, timeout_s: float) -> bytes:
        """Let time pass in slices; things break and mend on the way."""
        end = self.inner.now_s() + timeout_s / self._rate
        while True:
            now = self.inner.now_s()
            self._host(now)
            self.world.advance(now)
            self._deliver()
            heard = self.inner.read(min(SLICE_S, max(0.0, end - now)))
            if heard:
                self._send("from board", heard)
            data = self._arrived("from board")
            if data or self.inner.now_s() >= end:
                return data

    def _host(self, now: float) -> None:
        """The host is killed, or does not run for a while; its ears are full meanwhile."""
        for fault in self._ends:
            if fault.at_s <= now:
                self._ends.remove(fault)
                if fault.kind == "host killed":
                    raise Killed
                self.inner.port.run_until(self.inner.port.tick + round(fault.for_s * 125e6))
                return

    def _deliver(self) -> None:
        data = self._arrived("to board")
        if data:
            self.inner.write(data)

    def _arrived(self, way: str) -> bytes:
        now = self.inner.now_s()
        due = [data for at, data in self._way[way] if at <= now]
        self._way[way] = [(at, data) for at, data in self._way[way] if at > now]
        return b"".join(due)

    def _send(self, way: str, data: bytes) -> None:
        now = self.inner.now_s()
        pieces = [(now, data)]
        for fault in self._faults:
            if fault.at_s <= now < fault.at_s + fault.for_s and fault.where in (way, "both"):
                bent = [self._bent(fault, way, at, piece) for at, piece in pieces]
                pieces = [each for some in bent for each in some]
        self._way[way] += pieces
        self._way[way].sort(key=lambda each: each[0])

    def _bent(self, fault: Fault, way: str, at: float, data: bytes) -> list[tuple[float, bytes]]:
        """What a fault makes of a piece: pieces, and when each arrives."""
        dice, kind = self.dice, fault.kind
        if kind == "delay":
            return [(at + fault.amount, data)]
        if kind == "stall":
            return [(fault.at_s + fault.for_s, data)]
        if kind in ("garbage", "babble"):
            noise = dice.randbytes(max(1, int(fault.amount)))
            middle = dice.randint(0, len(data)) if kind == "garbage" else 0
            return [(at, data[:middle] + noise + data[middle:])]
        if dice.random() >= fault.amount or not data:
            return [(at, data)]
        if kind == "drop":
            return []
        if kind == "truncate":
            return [(at, data[: dice.randrange(len(data))])]
        if kind == "duplicate":
            return [(at, data), (at, data)]
        if kind == "flip":
            where = dice.randrange(len(data))
            bit = data[where] ^ 1 << dice.randrange(8)
            return [(at, data[:where] + bytes([bit]) + data[where + 1 :])]
        held = self._held.pop(way, None)  # reorder: the next one goes first
        if held is None:
            self._held[way] = data
            return []
        return [(at, data), (at, held)]
