"""Every fault that can be drawn into a Python source: one node of its tree changed."""

from __future__ import annotations

import ast
from collections.abc import Iterator

SMALL = 1e-4  # a float below it is a slack: a tenth more of it is no fault, a thousand times is
TURNED = {ast.Lt: ">", ast.LtE: ">=", ast.Gt: "<", ast.GtE: "<="}
COMPARE = {
    ast.Lt: "<=", ast.LtE: "<", ast.Gt: ">=", ast.GtE: ">", ast.Eq: "!=", ast.NotEq: "==",
    ast.Is: "is not", ast.IsNot: "is", ast.In: "not in", ast.NotIn: "in",
}  # fmt: skip
BINARY = {
    ast.Add: "-", ast.Sub: "+", ast.Mult: "+", ast.Div: "*", ast.FloorDiv: "*", ast.Mod: "//",
    ast.BitAnd: "|", ast.BitOr: "&", ast.BitXor: "&", ast.LShift: ">>", ast.RShift: "<<",
}  # fmt: skip
Edit = tuple[int, int, str]  # from, to, what stands there then


class Places:
    """Characters of a source by line and column as ast counts them (bytes of UTF-8)."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._lines = text.splitlines(keepends=True)
        self._begins = [0]
        for line in self._lines:
            self._begins.append(self._begins[-1] + len(line))

    def at(self, line: int, column: int) -> int:
        """The character of a line (from 1) and a column in bytes."""
        return self._begins[line - 1] + len(self._lines[line - 1].encode()[:column].decode())

    def span(self, node: ast.AST) -> tuple[int, int]:
        """Where a node stands."""
        begin = self.at(node.lineno, node.col_offset)  # type: ignore[attr-defined]
        return begin, self.at(node.end_lineno, node.end_col_offset)  # type: ignore[attr-defined]


def edits(text: str) -> Iterator[Edit]:
    """All faults of a source."""
    places = Places(text)
    tree = ast.parse(text)
    told = {id(node) for node in ast.walk(tree) if _is_told(node)}
    skipped: set[int] = set()
    for node in ast.walk(tree):
        if id(node) in told:
            skipped |= {id(child) for child in ast.walk(node)}
    for node in ast.walk(tree):
        if id(node) not in skipped:
            yield from _of(node, places)


def _is_told(node: ast.AST) -> bool:
    """Words for people or for type checkers: a change there is no fault of the program."""
    if isinstance(node, ast.Raise | ast.Import | ast.ImportFrom | ast.arg):
        return True
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _of(node: ast.AST, places: Places) -> Iterator[Edit]:
    text = places.text
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        begin, end = places.span(node.left)[1], places.span(node.comparators[0])[0]
        between = text[begin:end]
        sign = COMPARE[type(node.ops[0])]
        yield begin, end, between.replace(_sign(between), sign, 1)
        if type(node.ops[0]) in TURNED:
            yield begin, end, between.replace(_sign(between), TURNED[type(node.ops[0])], 1)
    elif isinstance(node, ast.BinOp) and type(node.op) in BINARY:
        begin, end = places.span(node.left)[1], places.span(node.right)[0]
        old = _sign(text[begin:end])
        yield begin, end, text[begin:end].replace(old, BINARY[type(node.op)], 1)
    elif isinstance(node, ast.BoolOp):
        begin, end = places.span(node.values[0])[1], places.span(node.values[1])[0]
        word = "and" if isinstance(node.op, ast.And) else "or"
        yield begin, end, text[begin:end].replace(word, "or" if word == "and" else "and", 1)
    elif isinstance(node, ast.Constant) and not isinstance(node.value, str | bytes):
        yield from _constant(node, places)
    elif isinstance(node, ast.If | ast.While):
        begin, end = places.span(node.test)
        yield begin, end, f"not ({text[begin:end]})"
    elif isinstance(node, ast.AugAssign | ast.Expr | ast.Return) or (
        isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute | ast.Subscript)
    ):
        if isinstance(node, ast.Return) and _is_nothing(node.value):
            return
        begin, end = places.span(node)
        yield begin, end, "pass"


def _is_nothing(value: ast.expr | None) -> bool:
    """What a function returns that is as false as the None it would return without."""
    if isinstance(value, ast.Name | ast.Attribute):
        return (value.id if isinstance(value, ast.Name) else value.attr) == "OK"
    return value is None or (isinstance(value, ast.Constant) and not value.value)


def _constant(node: ast.Constant, places: Places) -> Iterator[Edit]:
    begin, end = places.span(node)
    if isinstance(node.value, bool):
        yield begin, end, str(not node.value)
    elif isinstance(node.value, int):
        yield begin, end, str(node.value + 1)
    elif isinstance(node.value, float):
        yield begin, end, repr(other_float(node.value))


def other_float(value: float) -> float:
    """Another one, so far off that it is a fault."""
    if not value:
        return 0.1
    return value * 1000 if abs(value) < SMALL else value * 1.1


def _sign(between: str) -> str:
    """The operator between two operands."""
    word = "".join(between.replace("(", " ").replace(")", " ").replace("\\", " ").split("\n"))
    return word.split("#")[0].strip()
