"""Which part of a job is looked at: all of it, seconds, or lines of the program."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from microfactory.errors import UsageError

PLACE = re.compile(r"(?:[lL](\d{1,9}))|(\d+(?:\.\d*)?|\.\d+)s?")


@dataclass(frozen=True)
class Stretch:
    """From one place to another: seconds since the beginning of motion, or lines, both included."""

    from_s: float = 0.0
    to_s: float = math.inf
    first_line: int = 0
    last_line: int = 1 << 31

    @property
    def whole(self) -> bool:
        """The whole job."""
        return self == Stretch()

    def rows(self, batch: NDArray[Any], begin_s: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which motions of a batch are at least in part within it; begin_s as of `begins()`."""
        line = batch["move"]["line"]
        inside = (begin_s[1:] > self.from_s) & (begin_s[:-1] < self.to_s)
        return np.asarray(inside & (line >= self.first_line) & (line <= self.last_line))

    def __str__(self) -> str:
        if self.whole:
            return "the whole job"
        if self.first_line or self.last_line < 1 << 31:
            last = f"{self.last_line:,}" if self.last_line < 1 << 31 else "the last"
            return f"lines {self.first_line:,} to {last}"
        end = "the end" if math.isinf(self.to_s) else f"{self.to_s:g} s"
        return f"{self.from_s:g} s to {end}"


def stretch(begin: str | None, end: str | None) -> Stretch:
    """From the words of --from and --to: 12.5 (seconds) or L340 (a line). UsageError."""
    values: dict[str, Any] = {}
    kinds = set()
    for word, option, names in (
        (begin, "--from", ("first_line", "from_s")),
        (end, "--to", ("last_line", "to_s")),
    ):
        if word is None:
            continue
        match = PLACE.fullmatch(word)
        if not match:
            raise UsageError(
                f"{option} {word}: this is neither seconds nor a line; nothing was drawn; write "
                f"{option} 12.5 for seconds or {option} L340 for a line"
            )
        kinds.add(match[1] is not None)
        values[names[match[1] is None]] = float(match[2]) if match[1] is None else int(match[1])
    if len(kinds) > 1:
        raise UsageError(
            f"--from {begin} --to {end}: one is a line, the other seconds; nothing was drawn; "
            "write both the same way"
        )
    found = Stretch(**values)
    if found.from_s >= found.to_s or found.first_line > found.last_line:
        raise UsageError(
            f"--from {begin} --to {end}: it ends before it begins; nothing was drawn; "
            "write the lower one first"
        )
    return found
