"""A chip's flash as `microfactory flash` leaves it: MicroPython, and the firmware in slot a."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

from microfactory import Machine
from microfactory.flash import binaryinfo, payload, uf2
from microfactory.flash.chips import FLASH_BASE, RP2040, SECTOR_BYTES
from microfactory.flash.flow import Plan, drive_of
from microfactory.flash.units import Unit

FLASH_BYTES = 2 << 20
FLASHES = Path(__file__).resolve().parents[2] / "build" / "emulated"


def flash(machine: Machine, micropython: Path, slot: tuple[int, ...] | None = None) -> Path:
    """A file with the whole flash; made once for the same firmware, machine and MicroPython.

    slot: the board's page names this one for a card, as its builder would write it.
    """
    image = uf2.read(micropython.read_bytes(), micropython.name)
    info = binaryinfo.of_pages(image.pages)
    plan = Plan(machine, RP2040, _build(machine, slot), payload.chooser(RP2040), image, info)
    unit = Unit("emulated", "0", machine.name, machine.dump())
    drive = drive_of(plan, unit)
    out = bytearray(b"\xff" * FLASH_BYTES)
    for address, page in image.pages.items():
        out[address - FLASH_BASE : address - FLASH_BASE + len(page)] = page
    out[FLASH_BYTES - len(drive) :] = drive
    assert len(drive) % SECTOR_BYTES == 0
    path = FLASHES / f"{hashlib.sha256(out).hexdigest()[:16]}.bin"
    if not path.exists():
        FLASHES.mkdir(parents=True, exist_ok=True)
        half = path.with_suffix(f".{id(out)}")
        half.write_bytes(out)
        half.replace(path)
    return path


def _build(machine: Machine, slot: tuple[int, ...] | None) -> payload.Payload:
    built = payload.build(machine, RP2040)
    if slot is None:
        return built
    page = machine.board.name.replace("-", "_")
    source = (payload.room_folder("boards") / f"{page}.py").read_bytes()
    source += f"CARD = {slot}  # SPI block, SCK, MOSI, MISO, CS\n".encode()
    compiled = payload.compiled(source, f"boards/{page}.py", RP2040.arch)
    return replace(built, files={**built.files, f"boards/{page}.mpy": compiled})
