"""Outputs, heaters, dwells and waits: each at its place of the path and in order.

A change belongs to a vertex of the path. The machine passed that vertex after one known pulse and
before another; the change must lie there, give or take `slack_s`. At a place of rest the order of
the program counts too: torch on, dwell, then motion.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from hil.capture import Capture, Signal
from hil.verify.asked import Asked, Event
from hil.verify.beams import beams
from hil.verify.match import NEVER
from hil.verify.runs import Stretch

SLACK_S = 0.003  # boards may act on outputs once a millisecond; a window's edge may round it
DUTY_SLACK = 65535 / 255 / 2
LOSS_S = 0.6  # from the last valid frame to rest: lease, a window, its tail
WARM_C = 3.0  # a wait may end this far under its target (a board's own band)


class Passing(NamedTuple):
    """When a vertex was passed: not before one tick, not after another."""

    first: int
    last: int


Found = tuple[str, int, int, str]  # kind, tick, line, text


class Happenings:
    """All checks of one capture; `passings` maps a vertex to when it was passed."""

    def __init__(
        self,
        asked: Asked,
        capture: Capture,
        parts: Sequence[Stretch],
        passings: dict[int, Passing],
        machine: Any,
        slack_s: float = SLACK_S,
    ) -> None:
        self.asked, self.capture, self.parts, self.passings = asked, capture, parts, passings
        self.machine = machine
        self.slack = int(slack_s * capture.tick_hz)
        self.checked = 0
        self.worst_s = 0.0

    def check(self, *, timed: bool) -> list[Found]:
        """timed: the capture has real waits and temperatures (a job file has none)."""
        found: list[Found] = []
        names = sorted(
            {(e.kind, e.name) for e in self.asked.events if e.kind in ("output", "heater")}
        )
        lasers = [o.name for o in self.machine.outputs if o.role == "laser" and self.asked.beams]
        found += beams(self.asked, self.capture, self.machine, self.passings, self._gaps())
        for kind, name in names:
            if name in lasers:
                continue
            group = self.capture.outputs if kind == "output" else self.capture.targets
            events = [e for e in self.asked.events if e.kind == kind and e.name == name]
            found += self._changes(kind, name, events, group.get(name))
            found += self._stands(kind, name, events, group.get(name))
        found += self._rests()
        if timed:
            found += self._waits()
        return found

    def _gaps(self) -> list[tuple[int, int]]:
        """Spans in which the board switches by itself: from a lost link or a hold, which comes
        before the rest on the path, to the way on.
        """
        before = int(LOSS_S * self.capture.tick_hz)
        return [(a - before, b) for part in self.parts for a, b in part.gaps]

    def _own(self, tick: int) -> bool:
        return any(a <= tick <= b for a, b in self._gaps())

    def _changes(
        self, kind: str, name: str, events: list[Event], signal: Signal | None
    ) -> list[Found]:
        """The values asked for, in order, against the changes seen, in order."""
        if not self.passings:
            return []
        slack = DUTY_SLACK if kind == "output" else 0.06
        first = min(p.first for p in self.passings.values())
        ticks, values = self._seen(signal, first - self.slack)
        value = signal.at(first - self.slack) if signal is not None else 0.0
        at = 0
        floor = 0
        for event in events:
            passing = self.passings.get(event.vertex)
            if passing is None:
                continue
            floor = max(floor, passing.first - self.slack)
            while at < len(ticks) and ticks[at] < floor and self._own(ticks[at]):
                value = values[at]
                at += 1
            while abs(event.value - value) > slack:
                if at >= len(ticks):
                    text = f"{name} should become {event.value:g} here and never does"
                    return [(kind, passing.first, event.line, text)]
                tick, seen = ticks[at], values[at]
                late = passing.last != NEVER and tick > passing.last + self.slack
                right = tick >= floor and abs(seen - event.value) <= slack
                if right and (not late or self._own(tick)):
                    self._note(tick, passing if not late else Passing(tick, tick))
                    floor = max(floor, tick)
                elif not self._own(tick):
                    return [self._wrong(kind, name, event, passing, tick, seen)]
                value = seen
                at += 1
            value = event.value
        return self._unasked(kind, name, ticks[at:], values[at:])

    def _wrong(
        self, kind: str, name: str, event: Event, passing: Passing, tick: int, seen: float
    ) -> Found:
        text = f"{name} should become {event.value:g} here; it becomes {seen:g}"
        text += f" at {self.capture.seconds(tick):.6f} s"
        return (kind, min(tick, passing.first), event.line, text)

    @staticmethod
    def _seen(signal: Signal | None, since: int) -> tuple[list[int], list[float]]:
        """Changes from a tick on."""
        ticks: list[int] = []
        values: list[float] = []
        if signal is None:
            return ticks, values
        now = signal.at(since)
        for tick, value in zip(signal.tick.tolist(), signal.value.tolist(), strict=True):
            if tick >= since and value != now:
                ticks.append(tick)
                values.append(value)
                now = value
        return ticks, values

    def _stands(
        self, kind: str, name: str, events: list[Event], signal: Signal | None
    ) -> list[Found]:
        """After a cut or a hold the path goes on with every output as the program left it there."""
        slack = DUTY_SLACK if kind == "output" else 0.06
        for part in self.parts:
            for rest, on in part.gaps:
                known = [
                    e for e in events
                    if e.vertex in self.passings and self.passings[e.vertex].last <= rest
                ]  # fmt: skip
                near = any(
                    e.vertex in self.passings
                    and self.passings[e.vertex].first <= on + self.slack
                    and self.passings[e.vertex].last > rest
                    for e in events
                )
                if not known or near:
                    continue
                seen = signal.at(on + self.slack) if signal is not None else 0.0
                if abs(seen - known[-1].value) > slack:
                    text = (
                        f"{name} is {seen:g} when the path goes on, {known[-1].value:g} was asked"
                    )
                    return [(kind, on, known[-1].line, text)]
        return []

    def _unasked(self, kind: str, name: str, ticks: list[int], values: list[float]) -> list[Found]:
        """Changes that the program did not ask for; after its end, off is always right."""
        last = max(
            (p.first for v, p in self.passings.items() if v == self.asked.pieces), default=NEVER
        )
        for tick, value in zip(ticks, values, strict=True):
            if (tick >= last and value == 0) or self._own(tick):
                continue
            return [
                (kind, tick, 0, f"{name} becomes {value:g}, which the program does not ask for")
            ]
        return []

    def _note(self, tick: int, passing: Passing) -> None:
        off = max(passing.first - tick, tick - passing.last if passing.last != NEVER else 0, 0)
        self.checked += 1
        self.worst_s = max(self.worst_s, off / self.capture.tick_hz)

    def _rests(self) -> list[Found]:
        """Dwells are as long as asked, counted from the output that switched just before."""
        found: list[Found] = []
        since: dict[int, int] = {}
        for event in self.asked.events:
            passing = self.passings.get(event.vertex)
            if passing is None or passing.last == NEVER:
                continue
            begin = since.get(event.vertex, passing.first)
            if event.kind == "output":
                signal = self.capture.outputs.get(event.name)
                if signal is not None:
                    inside = signal.tick[(signal.tick >= begin) & (signal.tick <= passing.last)]
                    if len(inside):
                        since[event.vertex] = int(inside[0])
            elif event.kind == "dwell":
                end = begin + int(event.value * self.capture.tick_hz)
                since[event.vertex] = end
                if passing.last < end - self.slack:
                    short = (end - passing.last) / self.capture.tick_hz
                    text = f"the dwell of {event.value:g} s is {short:.4f} s short"
                    found.append(("dwell", passing.last, event.line, text))
        return found

    def _waits(self) -> list[Found]:
        """When motion goes on after a wait, the heater is warm."""
        found: list[Found] = []
        for event in self.asked.events:
            passing = self.passings.get(event.vertex)
            signal = self.capture.temperatures.get(event.name)
            if event.kind != "wait" or passing is None or passing.last == NEVER or signal is None:
                continue
            warm = signal.at(passing.last, before=float(np.nan))
            if not warm >= event.value - WARM_C:
                text = (
                    f"motion goes on with {event.name} at {warm:.1f} C, asked for {event.value:g}"
                )
                found.append(("wait", passing.last, event.line, text))
        return found
