"""Boards watched by a probe: the same tests on a virtual board and over two serial ports."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hil.probe import twin
from hil.rigs import selftest
from hil.rigs.rig import make
from hil.rigs.scan import scan
from served import ServedPair

from mfboard import faults
from microfactory import Board, Machine, UsageError
from microfactory.machine import names

PLOTTER = Machine.load("circuit-plotter")
TESTS = Path(__file__).parent / "any_rig.py"


@pytest.fixture(autouse=True)
def kept(tmp_path, monkeypatch):
    monkeypatch.setenv("MICROFACTORY_STATE", str(tmp_path / "state"))


@pytest.fixture
def rig_file(tmp_path):
    path = tmp_path / "rig.toml"
    path.write_text(scan(PLOTTER).rig.dump())
    return path


def pytest_with(tmp_path, *words):
    shutil.copy(TESTS, tmp_path / "test_board.py")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rs", *words]
    done = subprocess.run(
        [*command, str(tmp_path)], capture_output=True, text=True, check=False, cwd=tmp_path,
        timeout=120,
    )  # fmt: skip
    return done.stdout


def probed(machine=PLOTTER, kind="virtual"):
    return make(kind, scan(machine).rig, "", "simulated")


def test_the_same_tests_run_on_a_virtual_board_and_on_two_serial_ports(tmp_path, rig_file):
    words = ["--rig-file", str(rig_file), "--rig-out", str(tmp_path)]
    found = pytest_with(tmp_path, "--rig", "virtual", "--probe", "simulated", *words)
    assert "4 passed" in found, found
    with ServedPair(scan(PLOTTER).rig) as served:
        ports = ["--port", served.board, "--probe", served.probe]
        found = pytest_with(tmp_path, "--rig", "real", *ports, *words)
    assert "4 passed" in found, found


def test_a_unit_is_certified_only_behind_a_rig_that_heard_itself(tmp_path, rig_file):
    words = ["--rig-file", str(rig_file), "--rig-out", str(tmp_path), "--rig-unit", "SN1"]
    words += ["--rig", "virtual", "--probe", "simulated"]
    assert "has never been tested" in pytest_with(tmp_path, *words)
    selftest.run(probed(), PLOTTER)
    found = pytest_with(tmp_path, *words)
    assert "unit test SN1 on circuit-plotter: PASS" in found, found
    record = json.loads((tmp_path / "records.jsonl").read_text().splitlines()[-1])["predicate"]
    assert record["board"]["probe"] == twin.UID.hex()
    assert abs(record["board"]["probe_clock_ppm"]) < 200


@pytest.mark.parametrize("name", names())
def test_a_probed_rig_tests_itself(name):
    record = selftest.run(probed(Machine.load(name)), Machine.load(name))
    assert record.verdict == "PASS", record.why
    taken = {m.name: m.value for m in record.measurements}
    assert taken["loop_edges"] == 1600
    assert taken["pulses"] > 100
    assert 0 < taken["edge_error_ticks"] <= 6


class Deaf(twin.ProbeTwin):
    """A probe that loses one change in so many."""

    every = 500

    def _see(self):
        known = len(self._ticks)
        super()._see()
        lost = [i for i in range(known, len(self._ticks)) if i % self.every == self.every - 1]
        self._ticks = list(np.delete(self._ticks, lost))
        self._states = list(np.delete(self._states, lost))


class Slow(twin.ProbeTwin):
    """A probe whose crystal is a cheap one's worst."""

    def __init__(self, board, rig):
        super().__init__(board, rig, ppm=400.0)


@pytest.mark.parametrize(
    ("broken", "named"), [(Deaf, "loop_lost"), (Slow, "probe_clock_ppm")], ids=["deaf", "slow"]
)
def test_a_rig_that_sees_wrongly_fails_and_certifies_nothing(broken, named, monkeypatch):
    monkeypatch.setattr("hil.rigs.rig.ProbeTwin", broken)
    record = selftest.run(probed(), PLOTTER)
    assert record.verdict == "FAIL"
    assert named in record.why
    assert "failed its self-test" in selftest.refusal(probed())


def test_a_clock_of_its_own_is_measured_against_the_board_and_borne(monkeypatch):
    monkeypatch.setattr(
        "hil.rigs.rig.ProbeTwin", lambda board, rig: twin.ProbeTwin(board, rig, ppm=37.0)
    )
    record = selftest.run(probed(), PLOTTER)
    assert record.verdict == "PASS", record.why
    taken = {m.name: m.value for m in record.measurements}
    assert taken["probe_against_board_ppm"] == pytest.approx(37.0, abs=0.5)
    assert taken["probe_clock_ppm"] == pytest.approx(37.0, abs=1.0)


def test_a_heaters_sensor_is_held_let_go_and_never_said_to_be_short():
    machine = Machine.load("d3d-printer")
    rig = probed(machine)
    link = rig.open(machine)
    with Board(link, machine) as board:
        link.alone(1.0)
        heaters = board.status().heaters
        assert all(abs(h.temperature_c - 25) < 1 for h in heaters.values())
        assert board.status().state != "FAULT"
        with pytest.raises(UsageError, match=r"hotend 'short': .* bridge the sensor by hand"):
            rig.sensor(link, "hotend", "short")
        rig.sensor(link, "hotend", "open")
        board.heat("hotend", 60)
        until_s = link.now_s() + 1.0
        while link.now_s() < until_s:
            board.client.pump(0.02)
        assert board.status().fault == faults.SENSOR_OPEN


def test_what_a_probe_is_not_wired_to_is_not_promised():
    file = scan(PLOTTER).rig
    bare = type(file)(file.head, file.board, file.channels[:2], file.folder)
    rig = make("virtual", bare, "", "simulated")
    assert rig.abilities == {"link_faults", "virtual_time"}
    with pytest.raises(UsageError, match="sees no edges, so it cannot test itself"):
        selftest.run(rig, PLOTTER)
    with pytest.raises(UsageError, match="a probe needs a rig file"):
        make("virtual", None, "", "simulated")
    with pytest.raises(UsageError, match="is wired for circuit-plotter, and the test wants d3d"):
        probed().open(Machine.load("d3d-printer"))


def test_an_arcs_voltage_is_played():
    machine = Machine.load("cnc-plasma-table")
    rig = probed(machine)
    link = rig.open(machine)
    for volts in (0.0, 90.0, 140.0):
        rig.arc(link, volts)
        share = link.inner.board.port.arc() / 16380  # what the board's converter reads
        assert share * 3.3 * machine.height.volts_per_volt == pytest.approx(volts, abs=0.1)
    link.close()
    with pytest.raises(UsageError, match="reads no arc's voltage"):
        probed().arc(None, 100.0)
