"""Each board has a drawing that is its page's, and a machine on it homes and draws its wires."""

from __future__ import annotations

import importlib.util
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from hil.pages import PAGES

import microfactory as mf
from microfactory.errors import FlashError
from microfactory.flash.over_repl import pins
from microfactory.flash.payload import application, for_board
from microfactory.machine import MACHINES
from microfactory.wiring import page, wires

DOCS = Path(__file__).resolve().parents[2] / "docs"
PLOTTER = (MACHINES / "circuit-plotter.toml").read_text()


def _script():
    spec = importlib.util.spec_from_file_location("draw_boards", DOCS / "draw_boards.py")
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def plotter_on(name: str) -> str:
    """The circuit plotter's file with the connectors of another board, in their order."""
    chip = PAGES[name]
    text = PLOTTER.replace('"pico-carrier"', f'"{name}"')
    for old, known in (("M", chip.STEP), ("IN", chip.INPUTS), ("OUT", chip.OUTPUTS)):
        for i, connector in enumerate(known, 1):
            text = text.replace(f'connector = "{old}{i}"', f'connector = "{connector}"')
    return text


@pytest.mark.parametrize("name", PAGES)
def test_the_drawing_in_the_docs_is_what_would_be_drawn(name):
    drawn = _script().drawing(name)
    assert (DOCS / "pictures" / f"board-{name}.svg").read_text() == drawn
    ElementTree.fromstring(drawn)
    chip = PAGES[name]
    connectors = [*chip.STEP, *chip.INPUTS, *chip.OUTPUTS, *chip.ANALOG, "ENABLE", "GATE"]
    assert all(f'font-weight="600">{connector}</text>' in drawn for connector in connectors)
    assert ("8.2 k" in drawn) == (chip.CHIP == "RP2350")
    text = (DOCS / f"wiring-{name}.md").read_text()
    assert f"pictures/board-{name}.svg" in text
    assert f"firmware/boards/{name.replace('-', '_')}.py" in text


@pytest.mark.parametrize("name", PAGES)
def test_a_machine_on_each_board_homes_and_has_its_wires(name):
    machine = mf.Machine.parse(plotter_on(name), "plotter.toml")
    with mf.connect("virtual", machine) as board:
        assert board.home().position_trusted
    found = {wire.connector.split(" ")[0] for wire in wires(machine)}
    assert {motor.connector for motor in machine.motors} <= found
    assert {part.connector for part in machine.inputs} <= found
    assert f"docs/wiring-{name}.md" in page(machine)
    high = pins(machine).decode().split('"high": ')[1]
    assert high == f"{list(PAGES[name].ENABLE)}}}"


def test_no_input_of_an_rp2350_has_its_own_pull_down():
    text = plotter_on("pico2")
    line = text.splitlines().index('pull = "up"') + 1
    with pytest.raises(mf.MachineError, match=f"^p.toml:{line}: .*erratum RP2350-E9"):
        mf.Machine.parse(text.replace('pull = "up"', 'pull = "down"', 1), "p.toml")


def test_the_main_program_is_made_for_the_machines_board():
    source = application().read_bytes()
    assert for_board(source, "pico-carrier") == source
    assert b"from boards import skr_pico as page" in for_board(source, "skr-pico")
    with pytest.raises(FlashError, match="0 lines name a board's page"):
        for_board(b"import machine\n", "pico")
