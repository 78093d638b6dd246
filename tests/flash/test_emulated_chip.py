"""The whole way on an emulated RP2040: its own boot ROM, the real MicroPython, our firmware.

Needs the emulated rig (hil/emulated: node, rp2040js, MF_UF2, MF_BOOTROM); skipped by name without.
What PICOBOOT writes here is what `microfactory flash` writes; then the chip is started with it.
"""

import os
from pathlib import Path

import pytest
from hil.flash_twin.lfs import LfsFiles
from hil.flash_twin.nor import Nor

from microfactory import Machine
from microfactory.client import Client
from microfactory.errors import LinkError
from microfactory.flash import image, over_repl, uf2
from microfactory.flash.chips import FLASH_BASE, RP2040
from microfactory.flash.flow import Plan, drive_of, planned
from microfactory.flash.payload import build
from microfactory.flash.repl import Repl
from microfactory.flash.units import Unit, from_board

emulated = pytest.importorskip("hil.emulated.chip")
rig = pytest.importorskip("hil.emulated.link")
REASON = emulated.missing()
pytestmark = pytest.mark.skipif(bool(REASON), reason=REASON)

MACHINE = Machine.load("d3d-printer")
SIZE = 2 << 20
CLOCK_HZ = 125_000_000


class ReplStream:
    """The REPL's port of the emulated chip; time passes while it is read."""

    name = "emulated"

    def __init__(self, chip) -> None:
        self.chip = chip

    def write(self, data: bytes) -> None:
        self.chip.write(emulated.REPL, data)

    def read(self, timeout_s: float) -> bytes:
        end = self.chip.now + int(max(timeout_s, 0.001) * CLOCK_HZ)
        while self.chip.now < end:
            self.chip.run(0.002, listen=True)
            data = self.chip.read(emulated.REPL)
            if data:
                return data
        return b""

    def close(self) -> None: ...


def whole_flash(plan: Plan) -> bytes:
    """What a blank chip holds after `microfactory flash --uf2`."""
    unit = Unit("printer-1", "00", MACHINE.name, MACHINE.dump())
    flash = bytearray(b"\xff" * SIZE)
    drive = image.sectors(drive_of(plan, unit), plan.info.drive_address)
    for address, data in {**plan.uf2.sectors(), **drive}.items():
        flash[address - FLASH_BASE : address - FLASH_BASE + len(data)] = data
    return bytes(flash)


def wait_ports(chip, count: int) -> None:
    end = chip.now + 15 * CLOCK_HZ
    while chip.ports != count:
        assert chip.now < end, f"{chip.ports} ports and not {count}"
        chip.run(0.02)


def proved(link) -> Client:
    """Connect, configure, and stay for as long as a program needs to prove itself."""
    client = Client(link, MACHINE)
    client.connect()
    if client.ask().fault == 12:
        client.send("CLEAR")
        client.settle()
    client.configure()
    begin = link.now_s()
    while link.now_s() - begin < 0.8:
        client.pump(0.05)
    assert client.ask().state == "READY"
    return client


def test_a_flashed_chip_starts_its_program_and_takes_an_update_on_trial(tmp_path, monkeypatch):
    path = Path(os.environ["MF_UF2"])
    plan = planned(MACHINE, uf2.read(path.read_bytes(), path.name))
    file = tmp_path / "flash.bin"
    file.write_bytes(whole_flash(plan))
    monkeypatch.setattr(rig, "flash", lambda *asked: file)
    link = rig.EmulatedLink(MACHINE)
    chip = link.chip
    try:
        client = proved(link)  # its own boot.py, chooser, slot a, firmware
        client.send("MAINTAIN")
        with pytest.raises(LinkError):
            client.settle()
        wait_ports(chip, 1)
        chip.run(0.5)
        repl = Repl(ReplStream(chip))
        facts = over_repl.identify(repl)
        assert facts.chip == "RP2040"
        unit = from_board(facts.files)
        assert unit is not None
        newer = planned(MACHINE, None, build(MACHINE, RP2040, 2))
        over_repl.install(repl, newer, unit, lambda share, text: None)
        chip.run(0.2)
        wait_ports(chip, 2)
        proved(link)
        flash = chip.memory(FLASH_BASE, SIZE)
    finally:
        chip.close()
    nor = Nor(SIZE)
    nor.data[:] = flash
    files = LfsFiles(nor, plan.info.drive_address - FLASH_BASE, plan.info.drive_bytes)
    assert files.read("/sel") == b'{"good": "b"}'  # it proved itself, and is no longer on trial
    for name, data in newer.payload.files.items():
        assert files.read(f"/b/{name}") == data
