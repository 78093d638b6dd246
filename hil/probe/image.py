"""The probe's flash: MicroPython and the probe's firmware, as a whole flash or as one UF2.

`python -m hil.probe.image RPI_PICO.uf2 -o probe.uf2`, then drag that onto the drive of a Pico in
BOOTSEL. A probe keeps no slots and no keys.
"""

from __future__ import annotations

import argparse
import struct
from pathlib import Path

from microfactory.flash import binaryinfo, image, payload, uf2
from microfactory.flash.chips import FAMILIES, FLASH_BASE, PAGE_BYTES, RP2040, SECTOR_BYTES

FLASH_BYTES = 2 << 20
FILES = {
    "mfprobe": None,  # all of it
    "mfboard": ("__init__", "fast_bytes", "fast_wire", "port_rp2_usb"),
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


def to_uf2(data: bytes) -> bytes:
    """A UF2 of all sectors of a flash that are not erased (github.com/microsoft/uf2)."""
    erased = b"\xff" * SECTOR_BYTES
    sectors = range(0, len(data), SECTOR_BYTES)
    used = [at for at in sectors if data[at : at + SECTOR_BYTES] != erased]
    pages = [at for sector in used for at in range(sector, sector + SECTOR_BYTES, PAGE_BYTES)]
    family = next(number for number, chip in FAMILIES.items() if chip == RP2040.name)
    blocks = []
    for number, at in enumerate(pages):
        place = (uf2.HAS_FAMILY, FLASH_BASE + at, PAGE_BYTES, number, len(pages), family)
        head = uf2.HEAD.pack(*uf2.MAGIC[:2], *place)
        body = data[at : at + PAGE_BYTES].ljust(uf2.BLOCK_BYTES - len(head) - 4, b"\0")
        blocks.append(head + body + struct.pack("<I", uf2.MAGIC[2]))
    return b"".join(blocks)


def main() -> None:
    """Write the probe's UF2."""
    parser = argparse.ArgumentParser(prog="python -m hil.probe.image", description=__doc__)
    parser.add_argument(
        "micropython", type=Path, help="MicroPython's UF2 for the Raspberry Pi Pico"
    )
    parser.add_argument("-o", "--output", type=Path, default=Path("probe.uf2"))
    options = parser.parse_args()
    options.output.write_bytes(to_uf2(flash(options.micropython)))
    print(
        f"{options.output}: drag it onto the drive of a Pico that was plugged in with BOOTSEL held"
    )


if __name__ == "__main__":
    main()
