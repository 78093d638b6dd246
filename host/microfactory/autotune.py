"""Tuning a heater on a connected board: a relay warms it and swings about a target, then a fit.

The board regulates by itself all the while (full power below the target, none above), with its
checks on: a broken sensor, no rise, too hot. The host only listens, and can stop at any time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from microfactory.board import Board
from microfactory.errors import LimitError, Stopped, UsageError
from microfactory.machine import Machine
from microfactory.parts import Heater, Pid, Warming
from microfactory.status import HeaterStatus
from microfactory.tuning import fit, pid_for, relay

COLD_C = 45.0  # a warming that begins warmer tells nothing of the room
ROOM_C = 30.0  # a relay may get so far beyond its target: it must stay below max_c
LEAST_C = 50.0
SETTLE_S = 1.0
COLD_S = 3.0  # recorded before it is heated
SWINGS = 3
LEAST_S = 60.0  # of swinging
LONGEST_S = 1800.0
RELAY_DRIFT_C = 60.0


@dataclass(frozen=True)
class Tuned:
    """What a recorded warming says of a heater."""

    heater: str
    target_c: float
    seconds: float
    highest_c: float
    samples: int
    model: Warming
    pid: Pid

    def tables(self, control: str = "") -> dict[str, dict[str, Any]]:
        """What a machine file then has: the tables under heaters.NAME, "" the heater's own."""
        own = {"control": control} if control else {}
        return {"": own, "pid": dict(vars(self.pid)), "model": dict(vars(self.model))}


def part_of(machine: Machine, name: str) -> Heater:
    """A heater by its name. UsageError: there is none."""
    for part in machine.heaters:
        if part.name == name:
            return part
    names = ", ".join(part.name for part in machine.heaters) or "none"
    raise UsageError(f"{name}: {machine.name} has the heaters {names}; nothing was heated")


def relay_machine(machine: Machine, name: str, target_c: float) -> Machine:
    """The same machine with a heater that is a relay. LimitError: no room above the target."""
    part = part_of(machine, name)
    if not LEAST_C <= target_c <= part.max_c - ROOM_C:
        raise LimitError(
            f"{target_c:g} C: tuning swings about its target, so {name} takes {LEAST_C:g} to "
            f"{part.max_c - ROOM_C:g} C ({ROOM_C:g} C below its max_c); nothing was heated"
        )
    swung = replace(part, pid=relay(), model=None, control=None, drift_c=RELAY_DRIFT_C)
    heaters = tuple(swung if each.name == name else each for each in machine.heaters)
    return replace(machine, heaters=heaters)


class Recording:
    """Samples as they come, and how far it is."""

    def __init__(self, begin_s: float, first: HeaterStatus, target_c: float) -> None:
        self.begin_s, self.first_c, self.target_c = begin_s, first.temperature_c, target_c
        self.time_s: list[float] = []
        self.now_c: list[float] = []
        self.duty: list[float] = []
        self.reached_s = 0.0
        self.swings = 0

    def take(self, now_s: float, heater: HeaterStatus) -> None:
        """One status."""
        if self.duty and heater.duty < 0.5 <= self.duty[-1]:
            self.swings += 1
            self.reached_s = self.reached_s or now_s - self.begin_s
        self.time_s.append(now_s - self.begin_s)
        self.now_c.append(heater.temperature_c)
        self.duty.append(heater.duty)

    @property
    def swing_s(self) -> float:
        """How long it has swung: as long as it took to get warm is enough."""
        return self.time_s[-1] - self.reached_s if self.reached_s else 0.0

    @property
    def share(self) -> float:
        """Done, of 1: warming is the first half."""
        if not self.reached_s:
            return 0.5 * min(1.0, (self.now_c[-1] - self.first_c) / (self.target_c - self.first_c))
        wanted_s = max(LEAST_S, self.reached_s)
        return 0.5 + 0.5 * min(1.0, self.swing_s / wanted_s, self.swings / SWINGS)


def tune(
    board: Board,
    name: str,
    target_c: float,
    *,
    watch: Callable[[float, float], None] | None = None,
    wants_stop: Callable[[], bool] | None = None,
) -> Tuned:
    """Tune a heater of a board that was connected with `relay_machine`; its heat is off afterwards.

    watch: told the share that is done and the temperature. Stopped: wants_stop said so.
    UsageError: it is not cold, or nothing can be told. BoardFault: the board found it broken.
    """
    client = board.client
    board.wait(SETTLE_S)  # until its sensor has been read
    first = board.status().heaters[name]
    if first.temperature_c > COLD_C:
        raise UsageError(
            f"{name} is at {first.temperature_c:.1f} C; nothing was heated; let it get cold (below "
            f"{COLD_C:g} C) and tune again"
        )
    record = Recording(client.link.now_s(), first, target_c)
    seen = client.statuses
    heated = False
    try:
        while True:
            if not heated and client.link.now_s() - record.begin_s >= COLD_S:
                heated = True
                board.heat(name, target_c)
            client.pump(0.05)
            client.check_fault()
            if wants_stop and wants_stop():
                raise Stopped(f"tuning {name} was stopped; its heat is off, nothing was changed")
            if client.statuses == seen or client.status is None:
                continue
            seen = client.statuses
            record.take(client.link.now_s(), client.status.heaters[name])
            if watch:
                watch(record.share, record.now_c[-1])
            if record.share >= 1.0:
                break
            if record.time_s[-1] > LONGEST_S:
                raise UsageError(
                    f"{name} did not swing about {target_c:g} C within {LONGEST_S / 60:g} minutes; "
                    "its heat is off, nothing was changed; choose a lower temperature"
                )
    finally:
        if client.status is not None and not client.status.fault:
            board.heat(name, 0.0)
    model = fit(np.array(record.time_s), np.array(record.now_c), np.array(record.duty))
    return Tuned(
        name, target_c, record.time_s[-1], max(record.now_c), len(record.time_s), model,
        pid_for(model),
    )  # fmt: skip
