"""Every fault that can be drawn into a C source: one token changed, or one statement dropped."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hil.mutation.python_faults import other_float

SWAP = {
    "<=": "<", ">=": ">", "<": "<=", ">": ">=", "==": "!=", "!=": "==", "&&": "||", "||": "&&",
    "+": "-", "-": "+", "*": "+", "/": "*", "+=": "-=", "-=": "+=", "<<": ">>", ">>": "<<",
    "%": "/", "&": "|", "|": "&",
}  # fmt: skip
TURNED = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}
BLANK = re.compile(
    r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|^\s*#[^\n]*', re.S | re.M
)
TOKEN = re.compile(
    r"(?<=[\w)\]] )(<=|>=|==|!=|&&|\|\||<<|>>|\+=|-=|[-+*/%<>&|])(?= [-\w(*&!])"
    r"|(?<![\w.])(\d+\.\d*(?:e-?\d+)?|\d+e-?\d+|\d+)(?![\w.])"
)
STATEMENT = re.compile(r"^[ ]+(?:[\w.>\[\]\-]+ [-+*/|&]?= [^;{}]+;|[a-z_]+\([^;{}]*\);)$", re.M)
RETURNED = re.compile(r"(?<=return )[^;]+(?=;)")


def edits(text: str) -> Iterator[tuple[int, int, str]]:
    """All faults of a source: from, to, what stands there then."""
    code = BLANK.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)
    for found in TOKEN.finditer(code):
        sign, number = found[1], found[2]
        if sign:
            if not _declares(code, found.start()):
                yield found.start(), found.end(), SWAP[sign]
                if sign in TURNED:
                    yield found.start(), found.end(), TURNED[sign]
        elif number.isdigit():
            yield found.start(), found.end(), str(int(number) + 1)
        else:
            yield found.start(), found.end(), repr(other_float(float(number)))
    for found in STATEMENT.finditer(code):
        begin = found.start() + len(found[0]) - len(found[0].lstrip())
        if not _declares(code, begin):
            yield begin, found.end(), ";"
    for found in RETURNED.finditer(code):
        if found[0].strip() in ("true", "false"):
            yield found.start(), found.end(), "false" if found[0].strip() == "true" else "true"


def _declares(code: str, at: int) -> bool:
    """Whether the line of this place declares something: a star there is no product."""
    line = code[code.rfind("\n", 0, at) + 1 : at]
    return bool(re.match(r"\s*(static |const |struct |typedef |void |extern )", line))
