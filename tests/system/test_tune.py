"""`microfactory heat --tune`: on the virtual board, to the machine file, and stopped."""

from __future__ import annotations

import json

import pytest
from hil.rig_virtual import VirtualLink

from microfactory import Machine
from microfactory.autotune import relay_machine, tune
from microfactory.board import Board
from microfactory.cli.main import main
from microfactory.errors import BoardFault, Stopped
from microfactory.machine import MACHINES

PRINTER = (MACHINES / "d3d-printer.toml").read_text()


def command(path: object, *words: str) -> list[str]:
    return ["heat", "hotend", "180", "--machine", str(path), "--port", "virtual", *words]


def test_what_was_found_is_the_virtual_heater_and_goes_into_the_file(tmp_path, capsys):
    path = tmp_path / "mine.toml"
    path.write_text(PRINTER)
    assert main(command(path, "--tune", "--write", "--control", "model", "--json")) == 0
    said = json.loads(capsys.readouterr().out)
    # hil.plant: 398 C above the room, 110 s, a second behind
    assert said["model"]["rate_c_s"] == pytest.approx(398 / 110, rel=0.02)
    assert said["model"]["time_s"] == pytest.approx(110, rel=0.03)
    assert said["model"]["dead_s"] + said["model"]["lag_s"] == pytest.approx(1.1, abs=0.25)
    assert said["written"] == str(path)
    machine = Machine.load(path)
    part = machine.heaters[0]
    assert (part.pid.kp, part.model.lag_s) == (said["pid"]["kp"], said["model"]["lag_s"])
    assert part.control == "model"
    assert machine.heaters[1] == Machine.load("d3d-printer").heaters[1]
    kept = [line for line in PRINTER.splitlines() if line.startswith("#")]
    assert [line for line in path.read_text().splitlines() if line.startswith("#")] == kept
    with Board(VirtualLink(machine), machine) as board:  # and it regulates with that
        board.heat("hotend", 205.0)
        board.wait(120)
        for _ in range(60):
            board.wait(1)
            assert abs(board.status().heaters["hotend"].temperature_c - 205) < 1.0


def test_a_copy_of_a_machine_that_comes_along_can_be_written(tmp_path, capsys):
    path = tmp_path / "copy.toml"
    assert main(command("d3d-printer", "--tune", "-o", str(path))) == 0
    assert "[heaters.hotend.pid]" in capsys.readouterr().out
    assert Machine.load(path).heaters[0].model.lag_s is not None


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["--write"], 2, "--write belongs to --tune"),
        (["--tune", "--write", "-o", "x.toml"], 2, "two places"),
        (["--tune", "-o", "x.txt"], 2, "ends in .toml"),
    ],
)
def test_what_cannot_be_asked_is_refused_before_anything_is_hot(
    tmp_path, capsys, words, code, says
):
    path = tmp_path / "mine.toml"
    path.write_text(PRINTER)
    assert main(command(path, *words)) == code
    assert says in capsys.readouterr().err
    assert path.read_text() == PRINTER


def test_a_machine_that_comes_along_is_not_changed(capsys):
    assert main(command("d3d-printer", "--tune", "--write")) == 2
    assert "comes along" in capsys.readouterr().err


def test_values_that_stand_there_in_another_form_are_left_alone(tmp_path, capsys):
    path = tmp_path / "mine.toml"
    block = "[heaters.hotend.pid]\nkp = 0.087\nki = 0.0042\nkd = 0.447\n"
    text = PRINTER.replace(block, "")
    text = text.replace(
        'role = "hotend"\n', 'role = "hotend"\npid = {kp = 0.087, ki = 0.0042, kd = 0.447}\n', 1
    )
    path.write_text(text)
    Machine.load(path)
    assert main(command(path, "--tune", "--write")) == 3
    assert "nothing was written" in capsys.readouterr().err
    assert path.read_text() == text


@pytest.mark.parametrize(("celsius", "says"), [("260", "swings about"), ("20", "swings about")])
def test_a_target_without_room_is_refused(capsys, celsius, says):
    words = ["heat", "hotend", celsius, "--tune", "--machine", "d3d-printer", "--port", "virtual"]
    assert main(words) == 5
    assert says in capsys.readouterr().err


def tuning(fault: str = "") -> tuple[VirtualLink, Board]:
    machine = relay_machine(Machine.load("d3d-printer"), "hotend", 180.0)
    link = VirtualLink(machine)
    if fault:
        link.plant.warm[0].fault = fault
    return link, Board(link, machine).open()


def test_it_is_stopped_and_its_heat_is_off():
    link, board = tuning()
    with pytest.raises(Stopped, match="its heat is off"):
        tune(board, "hotend", 180.0, wants_stop=lambda: link.plant.warm[0].temperature_c > 90)
    assert link.board.heaters[0].target_dc == 0
    assert link.board.heaters[0].duty == 0


@pytest.mark.parametrize("fault", ["open", "short", "detached"])
def test_a_broken_sensor_ends_it_with_the_boards_fault(fault):
    link, board = tuning(fault)
    with pytest.raises(BoardFault):
        tune(board, "hotend", 180.0)
    assert link.board.heaters[0].duty == 0
    assert link.plant.warm[0].temperature_c < 120


def test_a_warm_heater_is_not_tuned(capsys):
    link, board = tuning()
    link.plant.warm[0].temperature_c = 90.0
    with pytest.raises(Exception, match="let it get cold"):
        tune(board, "hotend", 180.0)
    assert link.board.heaters[0].target_dc == 0
