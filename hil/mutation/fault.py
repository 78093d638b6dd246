"""One fault: a piece of a source replaced by another."""

from __future__ import annotations

from dataclasses import dataclass


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


def line_of(text: str, at: int) -> int:
    """The line, from 1, of a character."""
    return text.count("\n", 0, at) + 1
