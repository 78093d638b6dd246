"""The wiring check as a bench has it: the probe pulls, plays and listens, the same diagnosis reads.

Miswired benches are played by a probe whose rig file says otherwise than its pins are wired.
"""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hil.probe.twin import ProbeTwin
from hil.rigs.rig import make
from hil.rigs.scan import scan
from hil.wiring.diagnose import diagnose
from hil.wiring.probed import observe

from microfactory import Machine, UsageError
from microfactory.cli.main import main
from microfactory.machine import names

PLOTTER = Machine.load("circuit-plotter")


@pytest.fixture(autouse=True)
def kept(tmp_path, monkeypatch):
    monkeypatch.setenv("MICROFACTORY_STATE", str(tmp_path))


def miswired(file, one, other=None):
    """The same file with two channels' lines swapped, or one that goes nowhere."""
    a = file.channel(one)
    b = file.channel(other) if other else None
    changed = {one: replace(a, line=b.line if b else "ENABLE")}
    if b:
        changed[other] = replace(b, line=a.line)
    kept = [c for c in file.channels if c.line != "ENABLE"]
    return replace(file, channels=tuple(changed.get(c.name, c) for c in kept))


def told(file, wired, monkeypatch):
    monkeypatch.setattr("hil.rigs.rig.ProbeTwin", lambda board, _file: ProbeTwin(board, wired))
    observed = observe(make("virtual", file, "", "simulated"))
    return [f.sentence for f in diagnose(file.machine, observed)], observed


@pytest.mark.parametrize("name", names())
def test_a_board_that_is_wired_right_passes_within_a_second(name, monkeypatch):
    file = scan(Machine.load(name)).rig
    sentences, observed = told(file, file, monkeypatch)
    assert sentences == []
    assert len(observed.pulls) >= 12
    assert observed.rig_s < 1.0


@pytest.mark.parametrize(
    ("one", "other", "sentence"),
    [
        ("x1_step", "x1_dir", "X1 DIR and X1 STEP are swapped"),
        ("y_step", "z_step", "Y STEP and Z STEP are swapped"),
        ("x_min", "z_max", "x-min switch and z-max switch are swapped"),
        ("y_dir", None, "Y DIR is open: its wire, its plug or its pin"),
    ],
)
def test_a_mistake_is_told_in_plain_words(one, other, sentence, monkeypatch):
    file = scan(PLOTTER).rig
    sentences, _ = told(file, miswired(file, one, other), monkeypatch)
    assert sentences == [sentence]


def test_two_mistakes_are_both_told(monkeypatch):
    file = scan(Machine.load("d3d-printer")).rig
    wired = miswired(miswired(file, "x_step", "z_step"), "hotend_sensor", "bed_sensor")
    sentences, _ = told(file, wired, monkeypatch)
    assert "X STEP and Z STEP are swapped" in sentences
    assert "bed thermistor and hotend thermistor are swapped" in sentences


def test_the_command_says_it_and_ends_with_its_code(tmp_path, monkeypatch, capsys):
    path = tmp_path / "rig.toml"
    file = scan(PLOTTER).rig
    path.write_text(file.dump())
    words = ["hil", "wiring", "--rig", "virtual", "--rig-file", str(path)]
    assert main(words) == 0
    assert "lines are where they belong, in 0." in capsys.readouterr().out
    wired = miswired(file, "x1_step", "x1_dir")
    monkeypatch.setattr("hil.rigs.rig.ProbeTwin", lambda board, _file: ProbeTwin(board, wired))
    assert main([*words, "--json"]) == 10
    found = json.loads(capsys.readouterr().out)
    assert [row["kind"] for row in found["wrong"]] == ["swap"]


def test_a_line_that_nobody_listens_to_is_not_passed_over():
    file = scan(PLOTTER).rig
    bare = replace(file, channels=tuple(c for c in file.channels if c.name != "z_dir"))
    with pytest.raises(UsageError, match=r"not wired to M4.DIR \(Z DIR\); nothing was tried"):
        observe(make("virtual", bare, "", "simulated"))
