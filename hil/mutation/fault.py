"""One fault: a piece of a source replaced by another."""

from __future__ import annotations

import re
from dataclasses import dataclass

EDGES = {("<", "<="), ("<=", "<"), (">", ">="), (">=", ">")}
WHOLE = r"(?:(?<![\w.])\d+(?![\w.])|len\([^()]*\))"  # a number that is counted, not measured


@dataclass(frozen=True)
class Fault:
    """In file, from character `begin` to `end`: `after` instead of `before`. line counts from 1."""

    room: str
    file: str
    line: int
    begin: int
    end: int
    before: str
    after: str

    @property
    def name(self) -> str:
        """A name for this fault, the same on every run."""
        return f"{self.file}:{self.line}:{self.begin}:{self.after.strip()[:20]}"

    def apply(self, text: str) -> str:
        """The spoilt source. ValueError: it is not the one that the fault was drawn for."""
        if text[self.begin : self.end] != self.before:
            raise ValueError(f"{self.file} has changed since this fault was drawn")
        return text[: self.begin] + self.after + text[self.end :]


def only_an_edge(text: str, fault: Fault) -> bool:
    """A comparison of measured values that differs where they are equal: nobody could see that."""
    if (fault.before.strip(), fault.after.strip()) not in EDGES:
        return False
    before, after = text[: fault.begin], text[fault.end :]
    return not (re.search(WHOLE + r"\s*$", before) or re.match(r"\s*" + WHOLE, after))


def line_of(text: str, at: int) -> int:
    """The line, from 1, of a character."""
    return text.count("\n", 0, at) + 1
