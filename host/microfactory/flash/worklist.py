"""Many boards at once: one thread a board, one bar a board, and a list at the end of what failed.

A board that fails stops no other. Boards plugged in later into other sockets are taken too when
asked to wait for them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from microfactory.errors import Error
from microfactory.flash.bus import Bus
from microfactory.flash.flow import Plan, Result, flash

AT_ONCE = 8  # a USB 2 hub of full-speed devices is full with these

Told = Callable[[str, float, str], None]
Person = Callable[[str, str], None]


@dataclass(frozen=True)
class Outcome:
    """One place of the list: what came of it, or why nothing did."""

    where: str
    result: Result | None
    error: Error | None

    def data(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        if self.result is not None:
            return self.result.data()
        assert self.error is not None
        return {"where": self.where, "error": str(self.error), "exit_code": self.error.exit_code}


def flash_all(bus: Bus, places: list[str], plan: Plan, told: Told, person: Person) -> list[Outcome]:
    """All of them, at most AT_ONCE at a time; outcomes in the order of places. Never raises for
    a single board.
    """
    speaking = threading.Lock()

    def one(where: str) -> Outcome:
        def say(share: float, text: str) -> None:
            with speaking:
                told(where, share, text)

        def ask(place: str, text: str) -> None:
            with speaking:
                person(place, text)

        try:
            return Outcome(where, flash(bus, where, plan, say, ask), None)
        except Error as error:
            say(1.0, "failed")
            return Outcome(where, None, error)

    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        return list(pool.map(one, places))
