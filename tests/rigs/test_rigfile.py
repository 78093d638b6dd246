"""rig.toml: what is refused, and in which words; the first one that is written; its sheet."""

from __future__ import annotations

import html.parser
import json
import random
import re
from pathlib import Path

import pytest
from hil.rigs.rigfile import DIRECTIONS, SHIFTS, Channel, RigFile
from hil.rigs.rigfile_check import LOOP
from hil.rigs.scan import scan
from hil.rigs.sheet import EDGE, sheet, wires

from microfactory import Machine, MachineError
from microfactory.cli.main import main
from microfactory.machine import names

GOOD = """[rig]
name = "bench"
board = "pico-carrier"
machine = "circuit-plotter"

[channels.x_step]
line = "M1.STEP"
gpio = 0
direction = "listen"

[channels.x_min]
line = "IN1"
gpio = 1
direction = "pull"
"""
# what is changed, by what, the line that is named, and words of the sentence
WRONG = [
    ("gpio = 0", "gpoi = 0", 8, "this key is unknown; nothing was loaded; did you mean gpio?"),
    ("gpio = 0\n", "", 6, "channels.x_step.gpio: this key is missing"),
    ("gpio = 0", "gpio = 0.5", 8, "is no whole number"),
    ("gpio = 0", "gpio = 25", 8, "GPIO 25 has no pin on a Pico"),
    ("gpio = 1", "gpio = 0", 13, "GPIO 0 is used by x_step already"),
    ('"M1.STEP"', '"M1.STP"', 7, "did you mean M1.STEP?"),
    ('"M1.STEP"', '"IN1"\nshift = "divider"', 8, "a divider has two resistors"),
    ('"IN1"', '"M1.STEP"', 14, "the board drives M1.STEP itself"),
    ('"pull"', '"analog"', 14, "IN1 cannot be tried with 'analog'"),
    ('"pull"', '"drive"\nseries_ohm = 0', 15, "without a resistor hurts both chips"),
    (
        '"listen"',
        '"listen"\nmax_v = 5.5',
        6,
        "up to 5.50 V would stand at GPIO 0, which takes 3.6 V",
    ),
    ('"listen"', '"listen"\nboard_v = 5.0', 6, "the line is at 5 V when high, above its own limit"),
    ('"listen"', '"listen"\nmin_v = 4.0', 6, "max_v is not above min_v"),
    (
        '"listen"',
        '"listen"\nshift = "divider"\nseries_ohm = 10000\nground_ohm = 5000',
        12,
        "a high level is 1.10 V at GPIO 0",
    ),
    ('"M1.STEP"', f'"{LOOP}"', 7, "a loop has two ends"),
    ('"pico-carrier"', '"pico-carier"', 3, "known are pico, pico-carrier"),
    ('name = "bench"', 'nam = "bench"', 2, "did you mean name?"),
    ("[rig]", "[rigg]", 1, "did you mean rig?"),
]


@pytest.mark.parametrize(("old", "new", "line", "words"), WRONG, ids=[w[3][:30] for w in WRONG])
def test_what_cannot_be_is_refused_with_its_line(old, new, line, words):
    assert old in GOOD
    with pytest.raises(MachineError) as caught:
        RigFile.parse(GOOD.replace(old, new, 1), "my.toml")
    text = str(caught.value)
    assert words in text
    assert text.startswith(f"my.toml:{line}: ")
    assert "\n" not in text


def test_five_volts_are_taken_through_a_divider_and_seen_as_high():
    text = GOOD.replace(
        '"listen"',
        '"listen"\nshift = "divider"\nboard_v = 5.0\nmax_v = 5.25\nseries_ohm = 10000\n'
        "ground_ohm = 18000",
    )
    channel = RigFile.parse(text).channel("x_step")
    assert channel.ratio * 5.0 == pytest.approx(3.214, abs=0.001)
    assert "10 kΩ in line, 18 kΩ from the pin to GND" in sheet(RigFile.parse(text))


@pytest.mark.parametrize("name", names())
def test_a_first_rig_has_every_line_of_the_machine_and_can_be_loaded(name):
    machine = Machine.load(name)
    rig, left_out = scan(machine)
    assert not left_out
    assert RigFile.parse(rig.dump()).channels == rig.channels
    assert rig.machine == machine
    assert rig.loop is not None
    for motor in machine.motors:
        assert rig.of_line(f"{motor.connector}.STEP", "listen")
        assert rig.of_line(f"{motor.connector}.DIR", "listen")
    for part in machine.inputs:
        assert rig.of_line(part.connector, "pull", "drive")
    for part in machine.heaters:
        low, high = rig.of_line(part.sensor.connector, "analog").reach_v
        assert low < 0.35
        assert high == 3.3


def test_lines_that_no_pin_is_left_for_are_told(tmp_path, capsys):
    text = Machine.load("d3d-printer").dump()
    extra = (
        f'[inputs.more{i}]\nconnector = "OUT{i}"\nrole = "probe"\nactive = "high"\n'
        for i in (1, 2, 3)
    )
    crowded = text + "".join(extra)
    path = tmp_path / "crowded.toml"
    path.write_text(crowded)
    with pytest.raises(MachineError, match="no connector 'OUT1' for this"):
        Machine.load(path)
    outputs = "".join(f'[outputs.o{i}]\nconnector = "OUT{i}"\nrole = "relay"\n' for i in (1, 2, 3))
    path.write_text(text + outputs)
    assert main(["hil", "scan", "--machine", str(path), "-o", str(tmp_path / "rig.toml")]) == 0
    said = capsys.readouterr().out
    assert "no pin was left for" in said
    rig = RigFile.load(tmp_path / "rig.toml")
    assert len(rig.channels) == 26
    assert rig.machine.name == "d3d-printer"  # found beside the file


def test_the_drawing_in_the_docs_is_what_would_be_drawn():
    drawn = wires(scan(Machine.load("circuit-plotter")).rig)
    path = Path(__file__).resolve().parents[2] / "docs/pictures/wiring-circuit-plotter.svg"
    assert path.read_text() == drawn


def test_a_spoilt_rig_file_is_refused_in_a_sentence_or_can_be_used():
    rng = random.Random(11)
    good = scan(Machine.load("d3d-printer")).rig.dump()
    words = re.findall(r"[\w.]+|\W", good)
    junk = ["-1", "1e999", "nan", "[", "]", '"', "=", "true", "[[rig]]", "é", "0x10", "{}", "''"]
    refused: list[str] = []
    for _ in range(400):
        spoilt = list(words)
        for _ in range(rng.randrange(1, 4)):
            i = rng.randrange(len(spoilt))
            spoilt[i] = rng.choice([rng.choice(junk), rng.choice(words), "", spoilt[i] * 2])
        try:
            RigFile.parse("".join(spoilt), "my.toml")
        except MachineError as error:
            refused.append(str(error))
    assert len(refused) > 200
    assert not [t for t in refused if not t.startswith("my.toml") or "nothing was loaded" not in t]


def test_what_the_page_says_can_be_done(tmp_path, monkeypatch, capsys):
    """The page's commands in their order, and its channel in a rig's file."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MICROFACTORY_STATE", str(tmp_path))
    page = (Path(__file__).resolve().parents[2] / "docs/build-a-rig.md").read_text()
    commands = re.findall(r"^    microfactory ([^#\n]+)", page, re.MULTILINE)
    assert len(commands) >= 4
    for command in commands:
        if "/dev/" in command:  # of a real board
            continue
        assert main(command.split()) == 0, capsys.readouterr()
    (channel,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    text = GOOD.split("[channels.x_step]")[0] + channel
    assert RigFile.parse(text).channel("x1_step").ratio == pytest.approx(18 / 28)
    for word in (*DIRECTIONS, *SHIFTS, *(f for f in Channel.__dataclass_fields__ if f != "name")):
        assert f"`{word}`" in page


class Texts(html.parser.HTMLParser):
    """All texts of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_the_sheet_has_each_wire_from_the_right_pin_to_the_right_pin():
    rig = scan(Machine.load("d3d-printer")).rig
    page = sheet(rig)
    assert "src=" not in page  # nothing is fetched
    assert "href=" not in page
    texts = Texts()
    texts.feed(page)
    pins = dict(rig.board.pins)
    for channel in rig.channels:
        assert channel.name in texts.texts
        if channel.line == LOOP:
            continue
        assert f"pin {EDGE[channel.gpio]} (GP{channel.gpio})" in texts.texts
        connector, _, which = channel.line.partition(".")
        if connector in pins:
            gpio = pins[connector][1 if which == "DIR" else 0]
            assert f"{channel.line.replace('.', ' ')}: pin {EDGE[gpio]}" in texts.texts
    assert len(set(EDGE.values())) == 26
    assert page.count('width="14" height="14"') == len(rig.channels)  # a box for each, and ground


def test_the_commands_write_check_and_draw(tmp_path, capsys):
    rig, page = tmp_path / "rig.toml", tmp_path / "wiring.html"
    assert main(["hil", "scan", "--machine", "circuit-plotter", "-o", str(rig), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["channels"] == 20
    assert main(["hil", "scan", "--machine", "circuit-plotter", "-o", str(rig)]) == 2
    assert "there is a file already" in capsys.readouterr().err
    assert main(["hil", "check", str(rig)]) == 0
    assert "nothing is wrong with it" in capsys.readouterr().out
    assert main(["hil", "sheet", str(rig), "-o", str(page)]) == 0
    assert re.search(r"<svg.*</svg>", page.read_text(), re.DOTALL)
    assert main(["hil", "check", str(tmp_path / "no.toml")]) == 3
    assert "hil scan" in capsys.readouterr().err
