"""`microfactory devices` and `microfactory flash` as people and scripts meet them."""

import json

import pytest
from desk import UF2, blank, flashed, micropython, plan
from hil.flash_twin.pico import Desk, Pico

import microfactory as mf
from microfactory import Machine
from microfactory.cli.main import main
from microfactory.client import Client
from microfactory.flash import devices, units
from microfactory.flash.bus import UsbBus
from microfactory.flash.chips import RP2040
from microfactory.flash.flow import planned
from microfactory.flash.payload import build
from microfactory.flash.worklist import flash_all

MACHINE = ("--machine", "circuit-plotter")


@pytest.fixture
def uf2(tmp_path):
    path = tmp_path / "RPI_PICO.uf2"
    path.write_bytes(UF2)
    return path


def run(capsys, *words: object) -> tuple[int, str, str]:
    code = main([str(word) for word in words])
    out, err = capsys.readouterr()
    return code, out, err


def test_devices_lists_every_kind_of_board_once(capsys):
    code, out, _ = run(capsys, "devices", "--bus", "twin:blank,micropython,rp2350", "--json")
    assert code == 0
    value = json.loads(out)
    rows = [(board["where"], board["kind"], board["chip"]) for board in value["boards"]]
    assert rows == [
        ("1-1", "boot loader", "RP2040"),
        ("1-2", "MicroPython", ""),
        ("1-3", "boot loader", "RP2350"),
    ]
    assert value["boards"][0]["number"] == "e660c0d1c7000001"
    assert value["boards"][1]["number"] == "e660c0d1c7000002"
    assert value["boards"][2]["number"] == "e660c0d1c7000003"
    assert "virtual" in value["rigs"]
    code, out, _ = run(capsys, "devices", "--bus", "twin:blank")
    assert code == 0
    assert "boot loader" in out
    assert "e660c0d1c7000001" in out  # whole, however narrow the terminal is


def test_devices_knows_a_board_of_ours_by_its_name_and_asks_it_how_it_is():
    pico = micropython()
    flashed(pico, plan(with_uf2=False))
    (board,) = devices.find(Desk(pico))
    assert board.kind == "microfactory"
    assert (board.name, board.machine) == ("circuit-plotter-1", "circuit-plotter")
    assert board.state.startswith(("READY", "DONE", "RESTED", "IDLE"))
    assert board.firmware.startswith("microfactory")
    assert board.note == "one board with 2 ports"


def test_a_board_seen_twice_is_named_as_such():
    first, second = micropython(1), micropython(2)
    second.number = first.number
    boards = devices.find(Desk(first, second))
    assert [board.note for board in boards] == [
        "seen twice: the same number at 1-2",
        "seen twice: the same number at 1-1",
    ]


def test_looking_never_ends_a_granted_standby():
    pico = micropython()
    printer = Machine.load("d3d-printer")
    the_plan = planned(printer, None, build(printer, RP2040))
    flashed(pico, the_plan)
    client = Client(pico.link, printer)
    client.connect()
    client.configure()
    bed = printer.output_id("bed")
    client.send("OUTPUT", output=bed, value=600)
    client.send("STANDBY", heater=bed - len(printer.outputs), max_dc=600, seconds=600)
    client.settle()
    pico.link.alone(3.0)  # the host is gone, and what was granted goes on
    assert pico.link.board.heat.standing_by()
    (board,) = devices.find(Desk(pico))
    assert board.state
    pico.link.alone(3.0)
    assert pico.link.board.heat.standing_by()
    assert pico.link.board.heaters[bed - len(printer.outputs)].target_dc == 600


def test_many_boards_are_flashed_at_the_same_time_and_one_that_fails_stops_no_other():
    picos = [blank(number) for number in range(1, 6)]
    picos.append(Pico("RP2350", (1, 6), 6).plug_in())
    told: dict[str, list[float]] = {}
    outcomes = flash_all(
        Desk(*picos),
        [pico.where for pico in picos],
        plan(),
        lambda where, share, text: told.setdefault(where, []).append(share),
        lambda where, picture: None,
    )
    assert [outcome.error is None for outcome in outcomes] == [True] * 5 + [False]
    assert "has an RP2350" in str(outcomes[5].error)
    names = {outcome.result.unit.name for outcome in outcomes if outcome.result}
    assert names == {f"circuit-plotter-{number}" for number in range(1, 6)}
    assert all(shares[-1] == 1.0 for shares in told.values())
    assert [pico.presses for pico in picos] == [0] * 6


def test_flash_tells_what_was_done_in_json_and_in_words(capsys, uf2):
    words = ("flash", *MACHINE, "--uf2", uf2)
    code, out, _ = run(capsys, *words, "--all", "--bus", "twin:blank,blank", "--json")
    assert code == 0
    boards = json.loads(out)["boards"]
    assert [board["verdict"] for board in boards] == ["PASS", "PASS"]
    assert {board["name"] for board in boards} == {"circuit-plotter-1", "circuit-plotter-2"}
    code, out, _ = run(capsys, *words, "--bus", "twin:blank", "--name", "spare")
    assert code == 11
    code, out, _ = run(capsys, *words, "--bus", "twin:blank", "--new", "--name", "spare")
    assert code == 0
    assert "spare is ready" in out


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("--uf2", "none.uf2"), 2, "no such file"),
        (("--sha256", "00"), 2, "add --uf2"),
        (("--bus", "twin:blank,blank"), 2, "2 boards are on the USB"),
        (("--bus", "twin:blank", "--port", "1-9"), 2, "no board is there"),
        (("--bus", "twin:blank"), 11, "no MicroPython"),
        (("--bus", "none"), 2, "no such bus"),
        (("--replace", "gone"), 2, "knows no board"),
        (("--all", "--name", "x"), 2, "for one board"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(capsys, words, code, told):
    got, _, err = run(capsys, "flash", *MACHINE, *words)
    assert got == code, err
    assert told in err
    assert len(err.strip().splitlines()) == 1


def test_a_file_that_is_not_the_one_meant_touches_no_board(capsys, uf2):
    got, _, err = run(capsys, "flash", *MACHINE, "--uf2", uf2, "--sha256", "0" * 64)
    assert got == 11
    assert "no board was touched" in err


def test_a_debug_probe_is_shown_and_never_flashed_with_all():
    pico = Pico("RP2040", (1, 5), 5)
    pico.state = "probe"
    pico.device.pull_out()  # it is in no boot loader
    desk = Desk(pico)
    (board,) = devices.find(desk)
    assert "none of the boards known here" in board.note
    assert not board.ours_to_flash
    from argparse import Namespace

    from microfactory.cli.flash import _places
    from microfactory.errors import UsageError

    with pytest.raises(UsageError, match="no board is on the USB"):
        _places(Namespace(all=True, port=None), desk)


def test_a_command_of_the_workshop_presses_the_button(tmp_path):
    told = tmp_path / "told"
    command = f"sh -c 'echo {{where}} > {told}'"
    assert UsbBus(command).force("1-2.3")
    assert told.read_text() == "1-2.3\n"
    assert not UsbBus("false").force("1-2")
    assert not UsbBus().force("1-2")
    with pytest.raises(mf.UsageError, match="no board was touched"):
        UsbBus("/no/such/relay").force("1-2")


@pytest.mark.parametrize("name", ["..", ".", "../../x", "a/b", ""])
def test_a_name_from_a_board_never_leads_out_of_the_folder(state, name):
    unit = units.Unit(units._plain(name), "1", "m", "x = 1\n")
    units.keep(unit)
    found = [path.parent.parent for path in state.rglob("unit.json")]
    assert found == [state / "boards"]
