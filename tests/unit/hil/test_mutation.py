"""Faults drawn into our own sources: what is drawn, where, and the same again for a seed."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from hil.mutation import c_faults, python_faults, toml_faults
from hil.mutation.fault import Fault, only_an_edge
from hil.mutation.sources import ROOMS, TOP, draw, files

PYTHON = '''"""Words."""
def f(a, b):
    if a < b and a:
        return a + 1
    raise ValueError("no")
'''
C = """int f(int a)
{
    // a < b
    if (a <= 3) {
        a = 2.5;
    }
    return true;
}
"""
TOML = 'speed = 20.0 # mm\nmotors = ["a", "b"]\ninvert = true\n'


def made(edits, text: str) -> set[str]:
    return {text[:begin] + after + text[end:] for begin, end, after in edits(text)}


def test_python_faults_are_one_node_each_and_leave_words_alone():
    found = made(python_faults.edits, PYTHON)
    assert PYTHON.replace("a < b", "a <= b") in found
    assert PYTHON.replace(" and ", " or ") in found
    assert PYTHON.replace("a + 1", "a - 1") in found
    assert PYTHON.replace("+ 1", "+ 2") in found
    assert PYTHON.replace("return a + 1", "pass") in found
    assert PYTHON.replace("a < b and a", "not (a < b and a)") in found
    assert PYTHON.replace("a < b", "a > b") in found
    assert len(found) == 7
    assert all(ast.parse(text) for text in found)


def test_a_fault_is_one_that_somebody_could_see():
    assert python_faults.other_float(1e-9) == pytest.approx(1e-6)  # a slack
    assert python_faults.other_float(0.5) == pytest.approx(0.55)
    assert python_faults.other_float(0.0) == 0.1
    for nothing in ("return OK", "return s.OK", "return 0", "return False", "return"):
        text = f"def f(x):\n    {nothing}\n"
        assert text.replace(nothing, "pass") not in made(python_faults.edits, text)


@pytest.mark.parametrize(
    ("text", "sign", "after", "edge"),
    [
        ("if (a_mm < 1e-9)", "<", "<=", True),
        ("if (x <= y)", "<=", "<", True),
        ("if (count < 3)", "<", "<=", False),
        ("if 3 >= n", ">=", ">", False),
        ("if n < len(found)", "<", "<=", False),
        ("if (x < y)", "<", ">", False),
    ],
)
def test_where_measured_values_are_equal_nobody_sees_a_difference(text, sign, after, edge):
    at = text.index(sign)
    assert only_an_edge(text, Fault("", "", 1, at, at + len(sign), sign, after)) is edge


def test_c_faults_are_one_token_or_statement_and_leave_comments_alone():
    found = made(c_faults.edits, C)
    assert found == {
        C.replace("<= 3", "< 3"),
        C.replace("<= 3", ">= 3"),
        C.replace("<= 3", "<= 4"),
        C.replace("2.5", "2.75"),
        C.replace("a = 2.5;", ";"),
        C.replace("true", "false"),
    }


def test_machine_faults_are_one_value_or_line():
    found = made(toml_faults.edits, TOML)
    assert TOML.replace("20.0", "22") in found
    assert TOML.replace("20.0", "-20.0") in found
    assert TOML.replace("true", "false") in found
    assert TOML.replace('["a", "b"]', '["b", "a"]') in found
    assert TOML.replace("speed", "# speed") in found


def test_the_same_seed_draws_the_same_faults_a_quarter_in_each_room():
    drawn = draw(12, 5)
    assert drawn == draw(12, 5)
    assert [fault.room for fault in drawn] == [*ROOMS] * 3
    for fault in drawn:
        assert fault.file in files(fault.room)
        text = (TOP / fault.file).read_text()
        assert fault.apply(text) != text
        assert text.splitlines()[fault.line - 1] in text[: fault.end + 200]


def test_a_fault_of_another_text_is_not_put_in():
    fault = Fault("firmware", "x.py", 1, 0, 3, "abc", "abd")
    assert fault.apply("abcdef") == "abddef"
    with pytest.raises(ValueError, match=r"x\.py has changed"):
        fault.apply("zbcdef")


def test_nothing_of_a_rig_or_of_the_chip_alone_is_drawn_from():
    names = {Path(file).name for room in ROOMS for file in files(room)}
    assert "board.py" in names
    assert not {name for name in names if name.startswith(("fast_", "port_"))}
