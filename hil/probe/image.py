"""The probe's flash: MicroPython and the probe's firmware, as a whole flash or as one UF2.

A probe keeps no slots and no keys: drag the UF2 onto the drive of a Pico in BOOTSEL.
"""

from __future__ import annotations

from pathlib import Path

from microfactory.flash import binaryinfo, image, payload, uf2
from microfactory.flash.chips import FLASH_BASE, RP2040

FLASH_BYTES = 2 << 20
FILES = {
    "mfprobe": None,  # all of it
    "mfboard": ("__init__", "fast_wire", "port_rp2_usb"),
    "mfwire": ("__init__", "crc", "frames", "messages"),
}
MAIN = b"import mfprobe.start\n"


def files() -> dict[str, bytes]:
    """What stands in the probe's file system."""
    out = {"main.py": MAIN}
    for room, names in FILES.items():
        for path in sorted(payload.room_folder(room).glob("*.py")):
            if names is None or path.stem in names:
                out[f"{room}/{path.stem}.mpy"] = payload.compiled(
                    path.read_bytes(), f"{room}/{path.name}", RP2040.arch
                )
    return out


def flash(micropython: Path) -> bytes:
    """All bytes of a Pico's flash. FlashError: no image of MicroPython for this chip."""
    found = uf2.read(micropython.read_bytes(), micropython.name)
    drive = image.make(files(), binaryinfo.of_pages(found.pages).drive_bytes)
    out = bytearray(b"\xff" * FLASH_BYTES)
    for address, page in found.pages.items():
        out[address - FLASH_BASE : address - FLASH_BASE + len(page)] = page
    out[FLASH_BYTES - len(drive) :] = drive
    return bytes(out)
