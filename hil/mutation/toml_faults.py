"""Every fault that can be drawn into a machine file: a value changed, or its line dropped."""

from __future__ import annotations

import re
from collections.abc import Iterator

LINE = re.compile(r"^(\w+) = ([^#\n]+?)[ ]*(?:#.*)?$", re.M)
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
WORDS = (("true", "false"), ('"min"', '"max"'), ('"low"', '"high"'), ('"up"', '"down"'))


def edits(text: str) -> Iterator[tuple[int, int, str]]:
    """All faults of a file: from, to, what stands there then."""
    for found in LINE.finditer(text):
        begin, end = found.span(2)
        yield found.start(), found.end(), f"# {found[0]}"
        value = found[2]
        if NUMBER.fullmatch(value):
            number = float(value)
            scaled = number * 1.1 if number else 1.0
            yield begin, end, f"{scaled:.6g}" if "." in value else str(int(number) + 1)
            if number:
                yield begin, end, value[1:] if value[0] == "-" else f"-{value}"
        for one, other in WORDS:
            if value in (one, other):
                yield begin, end, other if value == one else one
        if value.startswith('["') and value.count('"') == 4:
            first, second = re.findall(r'"[^"]*"', value)
            yield begin, end, f"[{second}, {first}]"
