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


def micropython_image(chip: str, version: str = "v1.29.0", size: int = 24 * 1024) -> bytes:
    """An image that says of itself what MicroPython's do; the twin then runs the real one."""
    flash_bytes, fs_bytes = {"RP2040": (2 << 20, 1408 << 10), "RP2350": (4 << 20, 3 << 20)}[chip]
    data = bytearray(image(chip, size, 7))
    texts = {0x02031C86: b"MicroPython", 0x11A9BC3A: version.encode(), 0xB63CFFBB: b"pico"}
    at, entries = 0x1000, []
    for key, text in texts.items():
        data[at : at + len(text) + 1] = text + b"\0"
        struct.pack_into("<HHII", data, at + 32, 6, 0x5052, key, BASE + at)
        entries.append(BASE + at + 32)
        at += 64
    drive = (7, 0x504D, BASE + 0x1000, BASE + flash_bytes - fs_bytes, fs_bytes, 0, 0)
    struct.pack_into("<HHIIIIH", data, at, *drive)
    entries.append(BASE + at)
    first = BASE + 0x1400
    struct.pack_into(f"<{len(entries)}I", data, 0x1400, *entries)
    header = (0x7188EBF2, first, first + 4 * len(entries), 0, 0xE71AA390)
    struct.pack_into("<5I", data, 0x110 if chip == "RP2040" else 0x180, *header)
    if chip == "RP2040":
        struct.pack_into("<I", data, 252, crc32_msb(bytes(data[:252])))
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
