"""docs/gcode.md and the core's table of codes say the same, and the reader does as they say."""

from __future__ import annotations

from pathlib import Path

import pytest
from reading import moves_of

from microfactory.errors import GcodeError
from microfactory.machine import Machine
from microfactory.motion.moves import codes

PAGE = Path(__file__).resolve().parents[3] / "docs" / "gcode.md"
MARK = {"does": "yes", "ignored": "read", "refused": "refused"}
DIALECTS = ("printer", "rs274")
KINDS = {"printer": "d3d-printer", "rs274": "cnc-machine-centre"}


def rows() -> list[tuple[str, ...]]:
    table = PAGE.read_text().split("\n| code |")[1].splitlines()[2:]
    return [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in table if line]


def test_the_page_has_the_table_of_the_core():
    wanted = [
        (name, *(MARK[done] if d in dialects else "" for d in DIALECTS), text)
        for name, dialects, done, text in codes()
    ]
    assert rows() == wanted


def outcome(name: str, machine: Machine) -> str:
    """unknown, refused, asks (for a word), nothing, or something."""
    try:
        moves = moves_of(f"{name}\n", machine)
    except GcodeError as error:
        if "knows no such code" in str(error):
            return "unknown"
        return "refused" if "this is refused here" in str(error) else "asks"
    return "nothing" if [move.kind for move in moves] == ["end"] else "something"


OUTCOMES = {
    "": ("unknown",),
    "refused": ("refused",),
    "read": ("nothing",),
    "yes": ("asks", "nothing", "something"),
}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_each_code_is_known_ignored_or_refused_as_the_page_says(dialect):
    machine = Machine.load(KINDS[dialect])
    marks: dict[str, str] = {}
    for name, printer, rs274, _ in rows():
        mark = printer if dialect == "printer" else rs274
        marks[name] = mark or marks.get(name, "")
    assert {"yes", "read", "refused", ""} == set(marks.values())
    for name, mark in marks.items():
        assert outcome(name, machine) in OUTCOMES[mark], name


def test_codes_between_the_rows_are_not_known():
    known = {name for name, *_ in rows()}
    for machine in KINDS.values():
        loaded = Machine.load(machine)
        for number in range(0, 1000, 7):
            for name in (f"G{number}", f"M{number}", f"G{number}.3", f"M{number}.3"):
                assert name in known or outcome(name, loaded) == "unknown", name
