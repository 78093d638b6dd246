"""PICOBOOT against the RP2040's own boot ROM on the emulated chip, where a boot ROM is given.

MF_BOOTROM names the ROM's file and MF_RP2040JS the emulator's module; else these are skipped.
"""

import contextlib

import pytest
import usb.core
from hil.flash_twin import boot_rom
from hil.flash_twin.bootsel import Bootsel
from hil.flash_twin.images import FAMILY, image, uf2
from hil.flash_twin.nor import Nor
from hil.flash_twin.rom import starts
from hil.flash_twin.usb_bus import Bus, Device

from microfactory.errors import FlashError
from microfactory.flash import uf2 as u
from microfactory.flash.burn import burn
from microfactory.flash.chips import FLASH_BASE, RP2040
from microfactory.flash.picoboot import Picoboot

pytestmark = pytest.mark.skipif(bool(boot_rom.missing()), reason=boot_rom.missing())

SIZE = 64 * 4096
OLD = image("RP2040", 2 * 4096, 1)
NEW = image("RP2040", 2 * 4096 + 300, 2)
SECTORS = u.read(uf2(NEW, FAMILY["RP2040"]), "new.uf2").sectors()


@pytest.fixture
def chip():
    made = boot_rom.RomChip(b"\xff" * SIZE)
    yield made
    made.close()


def opened(device: object, bus: type[Bus] = boot_rom.RomBus) -> Picoboot:
    found = usb.core.find(backend=bus(device), idVendor=0x2E8A)
    return Picoboot(found, RP2040, "usb 1-2")


def test_the_rom_shows_the_descriptors_that_the_twin_shows(chip):
    (device,) = list(
        usb.core.find(find_all=True, backend=boot_rom.RomBus(boot_rom.RomDevice(chip)))
    )
    told = bytes(device.ctrl_transfer(0x80, 6, 0x0100, 0, 18))
    assert told[8:12] == bytes.fromhex("8a2e0300")
    configuration = bytes(device.ctrl_transfer(0x80, 6, 0x0200, 0, 255))
    ends = [end.bEndpointAddress for interface in device[0] for end in interface]
    assert ends == [configuration[at] for at in (20, 27, 43, 50)]
    kinds = [interface.bInterfaceClass for interface in device[0]]
    assert kinds == [configuration[14], configuration[37]]


def test_a_blank_chip_is_written_and_read_back_by_its_own_rom(chip):
    with opened(boot_rom.RomDevice(chip)) as boot:
        assert burn(boot, SECTORS) == 3
        boot.reboot()
    assert chip.flash()[: len(NEW)] == NEW


def test_the_number_of_the_flash_is_read_by_a_program_in_ram(chip):
    with opened(boot_rom.RomDevice(chip)) as boot:
        assert boot.number() == "1011121314151617"
        assert boot.number() == "1011121314151617"
        assert burn(boot, SECTORS) == 3  # the ROM goes on after it
    assert chip.flash()[: len(NEW)] == NEW


def test_a_refusal_of_the_rom_is_told_and_it_goes_on(chip):
    with opened(boot_rom.RomDevice(chip)) as boot:
        with pytest.raises(FlashError, match="unknown command"):
            boot._run(0x0A, bytes(16))
        with pytest.raises(FlashError, match="refused READ: wrong address"):
            boot._run(0x84, bytes((0, 0, 0, 0x40, 0, 1, 0, 0)), size=256)
        with pytest.raises(FlashError, match="refused READ: wrong alignment"):
            boot._run(0x84, (FLASH_BASE + 4).to_bytes(4, "little") + bytes((0, 1, 0, 0)), size=256)
        assert boot.read(FLASH_BASE, 256) == b"\xff" * 256


def test_the_rom_acknowledges_an_erase_that_it_did_not_make_as_the_twin_does(chip):
    twin = Device(Bootsel("RP2040", Nor(SIZE)))
    for device, bus in ((boot_rom.RomDevice(chip), boot_rom.RomBus), (twin, Bus)):
        with opened(device, bus) as boot:
            boot.write(FLASH_BASE, bytes(range(256)))
            boot._run(0x03, (FLASH_BASE + 1).to_bytes(4, "little") + bytes((0, 16, 0, 0)))
            assert boot.read(FLASH_BASE, 256) == bytes(range(256))


def test_unplugged_anywhere_the_rom_comes_back_or_starts_a_whole_image(chip):
    """Sampled; the twin is unplugged at every transfer."""
    with opened(boot_rom.RomDevice(chip)) as boot:
        burn(boot, u.read(uf2(OLD, FAMILY["RP2040"]), "old.uf2").sectors())
    for cut in range(14, 70, 5):
        chip.plug_in()
        device = boot_rom.RomDevice(chip)
        device.fault = lambda number, cut=cut: number == cut
        with contextlib.suppress(FlashError), opened(device) as boot:
            burn(boot, SECTORS)
        flash = chip.flash()
        state = chip.plug_in(held=False)
        assert state == ("other" if starts("RP2040", flash) else "boot loader")
        if state == "other":
            assert flash.startswith((OLD, NEW))
            assert chip.plug_in(held=True) == "boot loader"
        with opened(boot_rom.RomDevice(chip)) as boot:
            burn(boot, SECTORS)
        assert chip.flash().startswith(NEW)


@pytest.mark.parametrize("share", [5, 128, 250])
def test_the_power_cut_within_a_flash_operation_of_the_rom_never_leaves_a_mixture(chip, share):
    with opened(boot_rom.RomDevice(chip)) as boot:
        burn(boot, u.read(uf2(OLD, FAMILY["RP2040"]), "old.uf2").sectors())
    seen = set()
    for cut in range(0, 40, 3):
        chip.plug_in()
        with opened(boot_rom.RomDevice(chip)) as boot:
            burn(boot, u.read(uf2(OLD, FAMILY["RP2040"]), "old.uf2").sectors())
        chip.ask("cut", left=cut, share=share, seed=cut + 1)
        with contextlib.suppress(FlashError), opened(boot_rom.RomDevice(chip)) as boot:
            burn(boot, SECTORS)
        chip.ask("cut", left=-1, share=0, seed=1)
        flash = chip.flash()
        state = chip.plug_in(held=False)
        seen.add(state)
        assert state == "boot loader" or flash.startswith((OLD, NEW)), f"cut {cut}: a mixture"
        chip.plug_in(held=True)
    assert "boot loader" in seen
