"""PICOBOOT against a simulated boot ROM behind pyusb's own backend interface.

What must hold whatever happens: after any fault the chip either starts a whole image, the old or
the new one, or it is back in its boot loader and can be flashed again.
"""

import contextlib

import pytest
import usb.core
from hil.flash_twin.bootsel import Bootsel
from hil.flash_twin.images import FAMILY, image, uf2
from hil.flash_twin.nor import Nor
from hil.flash_twin.usb_bus import Bus, Device

from microfactory.errors import FlashError
from microfactory.flash import uf2 as u
from microfactory.flash.burn import burn
from microfactory.flash.chips import FLASH_BASE, chip_named
from microfactory.flash.picoboot import Picoboot

SIZE = 16 * 4096
CHIPS = ("RP2040", "RP2350")
OLD = {chip: image(chip, 4 * 4096, 1) for chip in CHIPS}
NEW = {chip: image(chip, 4 * 4096 + 300, 2) for chip in CHIPS}


def board(chip: str, old: bool = True, size: int = SIZE) -> Device:
    flash = Nor(size)
    if old:
        flash.data[: len(OLD[chip])] = OLD[chip]
    return Device(Bootsel(chip, flash))


def sectors(chip: str) -> dict[int, bytes]:
    return u.read(uf2(NEW[chip], FAMILY[chip]), "new.uf2").sectors()


def opened(device: Device) -> Picoboot:
    found = usb.core.find(backend=Bus(device), idVendor=0x2E8A)
    return Picoboot(found, chip_named(device.chip.chip), "usb 1-2")


def flash(device: Device) -> int:
    with opened(device) as boot:
        changed = burn(boot, sectors(device.chip.chip))
        boot.reboot()
    return changed


def holds(device: Device, data: bytes) -> bool:
    return bytes(device.chip.flash.data[: len(data)]) == data


def whole_or_bootloader(device: Device) -> str:
    """After the power has come back: "old", "new" or "boot loader"; anything else is a failure."""
    chip = device.chip.chip
    if device.plug_in():
        return "boot loader"
    assert holds(device, OLD[chip]) or holds(device, NEW[chip]), "it starts a mixture"
    return "new" if holds(device, NEW[chip]) else "old"


@pytest.mark.parametrize("chip", CHIPS)
@pytest.mark.parametrize("old", [True, False], ids=["used", "blank"])
def test_a_chip_is_flashed_read_back_and_started(chip, old):
    device = board(chip, old)
    told: list[float] = []
    with opened(device) as boot:
        assert burn(boot, sectors(chip), lambda share, text: told.append(share)) == 5
        assert told == sorted(told)
        assert told[-1] == 1.0
        boot.reboot()
    assert not device.plugged  # it runs its image and has left the boot loader
    assert holds(device, NEW[chip])


@pytest.mark.parametrize("chip", CHIPS)
def test_a_chip_that_has_it_already_is_not_written_at_all(chip):
    device = board(chip)
    flash(device)
    device.plug_in(held=True)
    before = device.chip.flash.operations
    assert flash(device) == 0
    assert device.chip.flash.operations == before


def test_only_sectors_that_differ_are_erased():
    device = board("RP2040", old=False)
    flash(device)
    device.plug_in(held=True)
    device.chip.flash.data[3 * 4096 + 5] ^= 1
    before = list(device.chip.flash.erases)
    assert flash(device) == 1
    after = [b - a for a, b in zip(before, device.chip.flash.erases, strict=True)]
    assert after[:5] == [1, 0, 0, 1, 0]
    assert holds(device, NEW["RP2040"])


@pytest.mark.parametrize("chip", CHIPS)
def test_unplugged_at_any_transfer_it_comes_back(chip):
    device = board(chip)
    flash(device)
    transfers = device.transfers
    assert transfers > 80
    seen = set()
    for cut in range(transfers):
        device = board(chip)
        device.fault = lambda number, what, cut=cut: "unplug" if number == cut else ""
        with contextlib.suppress(FlashError):
            flash(device)
        seen.add(whole_or_bootloader(device))
        device.fault = lambda number, what: ""
        device.plug_in(held=True)
        flash(device)
        assert holds(device, NEW[chip])
    assert seen == {"old", "new", "boot loader"}


@pytest.mark.parametrize("chip", CHIPS)
@pytest.mark.parametrize("torn", [None, 0.02, 0.5, 0.98])
def test_a_power_cut_before_or_inside_any_flash_operation_never_leaves_a_mixture(chip, torn):
    device = board(chip)
    flash(device)
    operations = device.chip.flash.operations
    seen = set()
    for cut in range(operations):
        device = board(chip)
        device.chip.flash.plan_cut(cut, torn)
        with pytest.raises(FlashError, match="the board is gone"):
            flash(device)
        seen.add(whole_or_bootloader(device))
        if cut % 7 == 0:
            device.plug_in(held=True)
            flash(device)
            assert holds(device, NEW[chip])
    assert "boot loader" in seen
    assert seen <= {"boot loader", "old"}


@pytest.mark.parametrize("fault", ["stall", "short", "timeout"])
@pytest.mark.parametrize("chip", CHIPS)
def test_a_bad_transfer_is_told_and_never_leaves_a_mixture(chip, fault):
    device = board(chip)
    flash(device)
    for at in range(0, device.transfers, 5):
        device = board(chip)
        device.fault = lambda number, what, at=at: fault if number == at else ""
        with contextlib.suppress(FlashError):
            flash(device)
        whole_or_bootloader(device)
        device.fault = lambda number, what: ""
        device.plug_in(held=True)
        flash(device)
        assert holds(device, NEW[chip])


@pytest.mark.parametrize("chip", CHIPS)
def test_a_refusal_is_told_in_the_words_of_the_status(chip):
    device = board(chip)
    with opened(device) as boot:
        with pytest.raises(FlashError, match="refused READ: wrong address"):
            boot._run(0x84, bytes((0, 0, 0, 0x40, 0, 1, 0, 0)), size=256)
        assert boot.read(FLASH_BASE, 256) == OLD[chip][:256]  # and it goes on after that
        with pytest.raises(FlashError, match="unknown command"):
            boot._run(0x0D, b"")
        assert boot.read(FLASH_BASE, 256) == OLD[chip][:256]


def test_addresses_that_the_rom_would_acknowledge_without_doing_anything_are_never_sent():
    device = board("RP2040")
    with opened(device) as boot:
        sent = device.transfers
        for address, size in (
            (FLASH_BASE + 1, 4096),
            (FLASH_BASE, 100),
            (0, 4096),
            (FLASH_BASE, 0),
        ):
            with pytest.raises(FlashError, match="nothing was sent"):
                boot.erase(address, size)
        assert device.transfers == sent
        boot._run(0x03, (FLASH_BASE + 1).to_bytes(4, "little") + (4096).to_bytes(4, "little"))
        assert holds(device, OLD["RP2040"])  # this is why: acknowledged, and nothing was erased


def test_a_flash_smaller_than_the_image_is_found_when_it_is_read_back():
    device = board("RP2040", old=False, size=4 * 4096)
    with pytest.raises(FlashError, match="smaller than this image"):
        flash(device)
    assert device.plug_in()


def test_a_worn_cell_is_found_and_the_board_stays_in_its_boot_loader():
    device = board("RP2040")
    device.chip.flash.stuck[9000] = 0xFF & ~NEW["RP2040"][9000] & 0xFF
    with pytest.raises(FlashError, match=hex(FLASH_BASE + 9000)):
        flash(device)
    assert device.plug_in()


@pytest.mark.parametrize("chip", CHIPS)
def test_the_number_is_the_one_that_micropython_tells(chip):
    with opened(board(chip)) as boot:
        assert boot.number() == "1122334455667788"
        assert boot.read(FLASH_BASE, 256) == OLD[chip][:256]
