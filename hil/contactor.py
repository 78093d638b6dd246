"""A contactor in the simulated world: its coil hangs on the charge pump and the emergency stop."""

from __future__ import annotations

from dataclasses import dataclass

CLOSES_S = 0.04
OPENS_S = 0.025


@dataclass
class Contactor:
    """pumped: the board's pump runs; supplied: the emergency stop lets the coil have current.

    welded: it stays in. dead: it never closes (coil, fuse, wire).
    """

    pumped: bool = False
    supplied: bool = True
    welded: bool = False
    dead: bool = False
    held: bool = False
    since_tick: int = 0

    def update(self, tick: int, tick_hz: int) -> int | None:
        """What holds it may have changed; the tick at which its contact follows, if it does."""
        held = self.pumped and self.supplied and not self.dead
        if held == self.held:
            return None
        self.held = held
        self.since_tick = tick + int((CLOSES_S if held else OPENS_S) * tick_hz)
        return self.since_tick

    def closed(self, tick: int) -> bool:
        """Its mirror contact tells that it is in."""
        return self.welded or (self.held if tick >= self.since_tick else not self.held)
