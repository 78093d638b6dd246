"""docs/port.md names what the board asks of its port, no more and no less, and port_sim has it."""

from __future__ import annotations

import re
from pathlib import Path

from kit import Kit

from mfboard import board, port_sim

TOP = Path(__file__).resolve().parents[2]
PAGE = (TOP / "docs" / "port.md").read_text()
FILES = (
    "board", "handle", "answers", "outputs", "player", "inputs", "heaters", "upkeep", "heat",
    "torch", "drivers", "interlock", "converter", "parts", "card", "card_play", "card_feed",
    "card_home", "card_bridge", "card_journal", "card_file", "contactor",
)  # fmt: skip
CODE = "".join((TOP / "firmware" / "mfboard" / f"{name}.py").read_text() for name in FILES)
CODE = re.sub(r"#.*", "", re.sub(r'""".*?"""', "", CODE, flags=re.DOTALL))


def named(section: str) -> set[str]:
    """Names in the first column of a section's table."""
    text = PAGE.split(f"\n## {section}\n")[1].split("\n## ")[0]
    return set(re.findall(r"^\| `(\w+)", text, re.MULTILINE))


def test_the_port_has_the_names_of_the_page_and_no_other_is_used():
    asked = set(re.findall(r"\bport\.(\w+)", CODE))
    assert asked == named("Port")
    assert all(hasattr(Kit().port, name) for name in named("Port"))


def test_the_engine_has_the_names_of_the_page_and_no_other_is_used():
    asked = set(re.findall(r"\bengine\.(\w+)", CODE))
    assert asked == named("Engine")
    assert all(hasattr(Kit().port.engine, name) for name in named("Engine"))


def test_the_bounds_are_those_of_the_code():
    assert f"`LEAD_US` ({port_sim.LEAD_US // 1000} ms)" in PAGE
    for name in ("receive", "turn", "due_us", "input_changed", "timed_output"):
        assert f"{name}(" in PAGE
        assert hasattr(board.Board, name)
