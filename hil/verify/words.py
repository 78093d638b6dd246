"""Lines of a program into words, for the verifier: letter and number, nothing interpreted."""

from __future__ import annotations

import re
from collections.abc import Iterator

COMMENT = re.compile(r"\([^)]*\)|;.*$|%.*$|\*\d+\s*$")
WORD = re.compile(r"([A-Z])\s*([-+]?(?:\d+\.?\d*|\.\d+))?")
FREE_TEXT = re.compile(r"^\s*(?:N\d+\s*)?M(?:117|118|23|28|29|30\s+\S*\.\S*|486|862\.\d)\b")

Words = list[tuple[str, float | None]]


def words(text: str) -> Iterator[tuple[int, Words]]:
    """(line number from 1, words) of each line that has any. A letter may stand alone (G28 X)."""
    for number, raw in enumerate(text.splitlines(), 1):
        line = COMMENT.sub("", raw).upper()
        if FREE_TEXT.match(line):
            continue
        found: Words = [
            (letter, float(value) if value else None) for letter, value in WORD.findall(line)
        ]
        if found:
            yield number, [word for word in found if word[0] != "N"]
