"""What the boot ROMs do with flash at a reset: start it, or wait for USB.

RP2040 datasheet 2.8.1: the first 252 bytes must have the CRC-32 that stands behind them. RP2350
datasheet 5.1.5, 5.9: a loop of metadata blocks that begins in the first 4 kB and has an image.
"""

import struct

BASE = 0x10000000
START, END = 0xFFFFDED3, 0xAB123579
IMAGE_TYPE, LAST = 0x42, 0xFF
EXECUTABLE, CHIP_RP2350 = 1, 1


def crc32_msb(data: bytes) -> int:
    """Polynomial 04C11DB7, most significant bit first, begun at all ones, not inverted."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ 0x04C11DB7 if crc & 0x80000000 else crc << 1) & 0xFFFFFFFF
    return crc


def starts(chip: str, flash: bytes) -> bool:
    """Whether the ROM of that chip starts what is in flash."""
    if chip == "RP2040":
        return crc32_msb(flash[:252]) == struct.unpack_from("<I", flash, 252)[0]
    return any(_image_loop(flash, at) for at in range(0, 4096, 4))


def _image_loop(flash: bytes, first: int) -> bool:
    """A closed loop of sound blocks from there, one of them an RP2350 program."""
    at, image = first, False
    for _ in range(16):
        block = _block(flash, at)
        if block is None:
            return False
        link, is_image = block
        image = image or is_image
        at += link
        if link == 0 or at == first:
            return image
        if not 0 <= at < len(flash):
            return False
    return False


def _block(flash: bytes, at: int) -> tuple[int, bool] | None:
    """Its link to the next and whether it defines an image; None: no sound block is there."""
    if flash[at : at + 4] != START.to_bytes(4, "little"):
        return None
    words, image, here = 0, False, at + 4
    while here + 12 <= len(flash) and words < 160:
        kind = flash[here]
        if kind == LAST:
            (size,) = struct.unpack_from("<H", flash, here + 1)
            link, end = struct.unpack_from("<iI", flash, here + 4)
            return (link, image) if size == words and end == END else None
        if kind & 0x80:
            (size,) = struct.unpack_from("<H", flash, here + 1)
        else:
            size = flash[here + 1]
        if kind == IMAGE_TYPE:
            (flags,) = struct.unpack_from("<H", flash, here + 2)
            image = flags & 15 == EXECUTABLE and flags >> 12 & 7 == CHIP_RP2350
        if size == 0:
            return None
        words += size
        here += 4 * size
    return None
