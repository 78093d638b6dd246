"""Every stage's text of four small programs. `make golden` writes them anew: look at the change."""

from __future__ import annotations

from pathlib import Path

import pytest

from microfactory.machine import Machine, names
from microfactory.motion.gcode import parse
from microfactory.show import NOUNS, show

HERE = Path(__file__).parent
CASES = {
    "printer": ("d3d-printer", tuple(NOUNS)),
    "corexy": ("d3d-corexy", ("moves", "profile", "steps")),
    "torch": ("cnc-torch-table", ("program", "moves", "profile")),
    "mill": ("cnc-machine-centre", ("program", "moves", "profile")),
    "plotter": ("circuit-plotter", ("program", "moves", "profile")),
}


@pytest.mark.parametrize(
    ("name", "noun"), [(name, noun) for name, (_, nouns) in CASES.items() for noun in nouns]
)
def test_the_text_of_a_stage_is_the_golden_one(name, noun, request):
    machine = Machine.load(CASES[name][0])
    file = HERE / f"{name}.{noun}.txt"
    text = "".join(line + "\n" for line in show(noun, parse(HERE / f"{name}.gcode"), machine))
    if request.config.getoption("--rewrite-golden"):
        file.write_text(text)
    assert text == file.read_text()


@pytest.mark.parametrize("name", names())
def test_a_machine_that_comes_along_is_the_golden_one(name, request):
    """No figure of a machine changes without somebody looking at it."""
    file = HERE / f"{name}.toml"
    text = Machine.load(name).dump()
    if request.config.getoption("--rewrite-golden"):
        file.write_text(text)
    assert text == file.read_text()
