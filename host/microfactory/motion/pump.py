"""Moves pushed into a stretch as its windows are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from microfactory.motion.feed import Feed
from microfactory.motion.stretch import Stretch, Window
from microfactory.pace import PLAIN, Pace
from microfactory.torch import struck

MASK30 = 2**30 - 1


class Wants(Protocol):
    """Who says how fast the motion shall be."""

    wanted: Pace

    def keep_pace(self, pump: Pump) -> None: ...


class Pump:
    """One stretch with the moves that go into it, and how far it has come."""

    def __init__(
        self,
        plan: Wants,
        stretch: Stretch,
        feed: Feed,
        steps: Sequence[int],
        number: int,
        line: int,
        strikes: bool,
    ) -> None:
        self.plan = plan
        self.stretch = stretch
        self.feed = feed
        self.steps = tuple(steps)
        self.number = number  # of the next window
        self.ticks = 0
        self.line = line
        self.pace = PLAIN
        self.strikes = strikes  # the first window waits for the arc
        self.ended = False

    def windows(self) -> Iterator[Window]:
        """Windows one by one; speeds that are wanted take effect with the next one."""
        while self._fill():
            for window in self.stretch.windows():
                if self.feed.sides.any:
                    sides = self.feed.sides
                    low = sides.at(window.end.move), sides.at(window.rest.move)
                    window = window._replace(low=low)
                self._note(window)
                if self.strikes:
                    self.strikes = False
                    window = window._replace(data=struck(window.data))
                yield window
                if window.last:
                    break
                while self.plan.wanted != self.pace and not self.ended:  # it looks far enough ahead
                    taken, self.ended = self.feed.push_to(self.stretch)
                    if taken == 0:
                        break
                self.plan.keep_pace(self)

    def framed(self, framer: Any) -> Iterator[bytes]:
        """Frames of many windows at a time (`framing.Framer`); wanted speeds wait until then."""
        while self._fill():
            if self.strikes:
                for window in self.stretch.windows():
                    self.strikes = False
                    self._note(window)
                    yield framer.window(window.number, struck(window.data))
                    break
            if not self.strikes:
                for data, window in framer.stream(self.stretch):
                    self._note(window)
                    yield data
            self.plan.keep_pace(self)

    def _fill(self) -> bool:
        if self.ended:
            return False
        if self.ticks == 0:
            self.plan.keep_pace(self)
        self.ended = self.feed.push_to(self.stretch)[1]
        return True

    def _note(self, window: Window) -> None:
        self.steps = window.end_steps
        self.number = (window.number + 1) & MASK30
        self.ticks = window.begin_ticks + window.length_ticks
        self.line = window.end.line
