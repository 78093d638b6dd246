"""Small images that the boot ROMs start, and UF2 files of them. For tests; they hold no program."""

import random
import struct

from hil.flash_twin.rom import BASE, crc32_msb

FAMILY = {"RP2040": 0xE48BFF56, "RP2350": 0xE48BFF59}
DEFINITION = struct.pack("<5I", 0xFFFFDED3, 0x10210142, 0x000001FF, 0, 0xAB123579)


def image(chip: str, size: int, seed: int) -> bytes:
    """Random bytes with what that chip's ROM wants at the beginning."""
    data = bytearray(random.Random(seed).randbytes(size))
    if chip == "RP2040":
        struct.pack_into("<I", data, 252, crc32_msb(bytes(data[:252])))
    else:
        data[0x138 : 0x138 + len(DEFINITION)] = DEFINITION
    return bytes(data)


def uf2(data: bytes, family: int, base: int = BASE) -> bytes:
    """A UF2 file of whole pages."""
    pages = [data[at : at + 256].ljust(256, b"\xff") for at in range(0, len(data), 256)]
    out = b""
    for number, page in enumerate(pages):
        head = struct.pack(
            "<8I", 0x0A324655, 0x9E5D5157, 0x2000, base + 256 * number, 256, number, len(pages),
            family,
        )  # fmt: skip
        out += head + page.ljust(476, b"\0") + struct.pack("<I", 0x0AB16F30)
    return out
