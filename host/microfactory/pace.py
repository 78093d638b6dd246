"""Overrides: percentages of the feed and of rapids, asked for while a job runs."""

from __future__ import annotations

from typing import Any, NamedTuple

from microfactory.errors import UsageError

LEAST, FEED_MOST, RAPID_MOST = 10.0, 200.0, 100.0


class Pace(NamedTuple):
    """Percent of the feed that the program asks for, and of the machine's speed of rapids."""

    feed: float = 100.0
    rapid: float = 100.0

    def __str__(self) -> str:
        return f"feed {self.feed:g} %, rapids {self.rapid:g} %"


PLAIN = Pace()


class Change(NamedTuple):
    """A pace that took effect: with which window, where in the program, motors' counts there."""

    pace: Pace
    window: int
    begin_ticks: int
    line: int
    steps: tuple[int, ...]

    def data(self) -> dict[str, Any]:
        """Plain values, for records."""
        return {
            "feed_percent": self.pace.feed,
            "rapid_percent": self.pace.rapid,
            "window": self.window,
            "begin_ticks": self.begin_ticks,
            "line": self.line,
            "steps": list(self.steps),
        }


def checked(feed: float, rapid: float) -> Pace:
    """A pace that may be asked for. UsageError: out of range."""
    for name, value, most in (("feed", feed, FEED_MOST), ("rapids", rapid, RAPID_MOST)):
        if not LEAST <= value <= most:
            raise UsageError(
                f"{value:g} % of the {name} is outside {LEAST:g} to {most:g} %; the job goes on as "
                "it was; ask for a percentage in that range"
            )
    return Pace(float(feed), float(rapid))
