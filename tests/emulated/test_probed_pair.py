"""Board and probe, both emulated, as one rig: the same self-test, verdict and tests as others."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hil.emulated.pair import open_lone_probe, open_pair
from hil.probe import open_probe
from hil.rigs import selftest
from hil.rigs.rig import make
from hil.rigs.scan import scan
from hil.rigs.watch import Watch
from hil.wiring.diagnose import diagnose
from hil.wiring.probed import observe

from microfactory import Board, Machine, VerdictError, parse

ANY_RIG = Path(__file__).parents[1] / "rigs/any_rig.py"
CUT = """G21 G90
G0 X40 Y40
M3
G1 X60 F3000
G3 X66 Y46 I0 J6
G1 Y60
M5
M2
"""


@pytest.fixture(autouse=True)
def kept(tmp_path, monkeypatch):
    monkeypatch.setenv("MICROFACTORY_STATE", str(tmp_path / "state"))


def test_a_program_is_judged_by_what_the_probe_saw():
    machine = Machine.load("cnc-torch-table")
    rig = make("emulated", scan(machine).rig, "", "simulated")
    link = rig.open(machine)
    watch = Watch(rig, link, machine)
    program = parse(CUT)
    with Board(link, machine) as board:
        board.set_position(**{axis.name: axis.home.position_mm for axis in machine.axes})
        board.run(program, home=False)
        report = watch.judge(program)
        assert report.figures["pulses"] > 5000
        assert report.figures["changes"] == 2
        seen = rig.seen(link)
        counted = [c.up + c.down for c in rig.probe(link).counters()]
        assert counted == [len(seen.motors[motor.name].rise) for motor in machine.motors]
        spoilt = {
            **seen.motors,
            "x": replace(seen.motors["x"], rise=seen.motors["x"].rise + 40_000),
        }
        rig.seen = lambda _link: replace(seen, motors=spoilt)
        with pytest.raises(VerdictError):
            watch.judge(program)


def test_the_rig_tests_itself_and_fails_without_its_loop(monkeypatch):
    machine = Machine.load("circuit-plotter")
    file = scan(machine).rig
    record = selftest.run(make("emulated", file, "", "simulated"), machine)
    assert record.verdict == "PASS", record.why
    taken = {m.name: m.value for m in record.measurements}
    assert taken["loop_edges"] == 1600
    assert taken["pulses"] == 2560
    unlooped = replace(file, channels=tuple(c for c in file.channels if c.line != "LOOP"))
    monkeypatch.setattr(
        "hil.rigs.rig.open_pair", lambda machine, _file: open_pair(machine, unlooped)
    )
    record = selftest.run(make("emulated", file, "", "simulated"), machine)
    assert record.verdict == "FAIL"
    assert "loop_lost" in record.why


def test_the_same_tests_run_there(tmp_path):
    (tmp_path / "rig.toml").write_text(scan(Machine.load("circuit-plotter")).rig.dump())
    shutil.copy(ANY_RIG, tmp_path / "test_board.py")
    words = ["--rig", "emulated", "--rig-file", "rig.toml", "--probe", "simulated"]
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rs", *words, "."]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=tmp_path, timeout=300
    )
    assert "4 passed" in done.stdout, done.stdout


def test_bootsel_is_held_while_the_board_leaves_its_reset():
    rig = scan(Machine.load("circuit-plotter")).rig
    link = open_lone_probe()
    probe = open_probe(link, rig)
    run, bootsel, power = (
        rig.of_line(line, "pull", "drive").gpio for line in ("RUN", "BOOTSEL", "VBUS")
    )
    link.chip.edges()
    probe.reset_board(boot_loader=True)
    order = [(pin, level) for _at, pin, level in zip(*link.chip.edges(), strict=True)]
    assert order.index((bootsel, 0)) < order.index((run, 0))
    link.chip.edges()
    probe.power_board(True)
    probe.power_board(False)
    _clocks, pins, levels = link.chip.edges()
    assert levels[pins == power].tolist() == [1, 0]
    link.close()


def test_the_wiring_check_finds_what_is_swapped_between_two_chips(monkeypatch):
    file = scan(Machine.load("circuit-plotter")).rig
    observed = observe(make("emulated", file, "", "simulated"))
    assert diagnose(file.machine, observed) == []
    assert observed.rig_s < 1.0
    step, other = file.channel("x1_step"), file.channel("y_dir")
    moved = {"x1_step": replace(step, line=other.line), "y_dir": replace(other, line=step.line)}
    wired = replace(file, channels=tuple(moved.get(c.name, c) for c in file.channels))
    monkeypatch.setattr("hil.rigs.rig.open_pair", lambda machine, _file: open_pair(machine, wired))
    found = diagnose(file.machine, observe(make("emulated", file, "", "simulated")))
    assert [f.sentence for f in found] == ["X1 STEP and Y DIR are swapped"]
