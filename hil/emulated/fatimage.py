"""A FAT16 image of some files, as a computer would format a small card, and the files of one.

After Microsoft's FAT specification (fatgen103): one partition-less volume, long names where a name
is no short one, each file in one piece.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping

SECTOR = 512
CLUSTER = 4  # sectors
FATS = 2
ROOT_ENTRIES = 512
LONG_CHARACTERS = 13


def image(files: Mapping[str, bytes], clusters: int = 24_000) -> bytes:
    """The image. ValueError: they do not fit, or it would be no FAT16."""
    if not 4085 <= clusters < 65525:
        raise ValueError(f"{clusters} clusters are no FAT16")
    size = CLUSTER * SECTOR
    table = [0xFFF8, 0xFFFF]
    root, data = bytearray(), bytearray()
    for number, (name, content) in enumerate(files.items()):
        count = -(-len(content) // size)
        first = len(table) if count else 0
        table += [len(table) + k + 1 for k in range(count - 1)] + [0xFFFF] * (count > 0)
        root += _entry(name, number, first, len(content))
        data += content + bytes(count * size - len(content))
    if len(table) > clusters + 2 or len(root) > ROOT_ENTRIES * 32:
        raise ValueError(f"{len(data)} bytes in {len(files)} files do not fit")
    fat_sectors = -(-2 * (clusters + 2) // SECTOR)
    fat = struct.pack(f"<{len(table)}H", *table).ljust(fat_sectors * SECTOR, b"\0")
    sectors = 1 + FATS * fat_sectors + ROOT_ENTRIES * 32 // SECTOR + clusters * CLUSTER
    sectors = -(-sectors // 1024) * 1024  # as a card's own size is told
    boot = struct.pack(
        "<3s8sHBHBHHBHHHIIBBBI11s8s", b"\xeb\x3c\x90", b"MSDOS5.0", SECTOR, CLUSTER, 1, FATS,
        ROOT_ENTRIES, 0, 0xF8, fat_sectors, 63, 255, 0, sectors, 0x80, 0, 0x29, 0x12345678,
        b"CARD       ", b"FAT16   ",
    )  # fmt: skip
    boot = boot.ljust(510, b"\0") + b"\x55\xaa"
    whole = boot + fat * FATS + bytes(root).ljust(ROOT_ENTRIES * 32, b"\0") + data
    return whole.ljust(sectors * SECTOR, b"\0")


def _entry(name: str, number: int, first: int, length: int) -> bytes:
    """A file's rows of the root folder."""
    stem, _, kind = name.upper().partition(".")
    fits = len(stem) <= 8 and len(kind) <= 3
    short = (stem if fits else f"{stem[:5]}~{number + 1}").ljust(8) + kind[:3].ljust(3)
    row = struct.pack(
        "<11sBBBHHHHHHHI", short.encode(), 0x20, 0, 0, 0, 0, 0, 0, 0, 0x5A21, first, length
    )
    rows = b""
    check = 0
    for byte in row[:11]:
        check = ((check & 1) << 7) + (check >> 1) + byte & 255
    text = name.encode("utf-16-le") + b"\0\0"
    pieces = -(-len(name) // LONG_CHARACTERS)
    text = text.ljust(pieces * LONG_CHARACTERS * 2, b"\xff")[: pieces * LONG_CHARACTERS * 2]
    for k in range(pieces, 0, -1):
        part = text[(k - 1) * 26 : k * 26]
        order = k | (0x40 if k == pieces else 0)
        rows += struct.pack(
            "<B10sBBB12sH4s", order, part[:10], 0x0F, 0, check, part[10:22], 0, part[22:]
        )
    return rows + row


def contents(whole: bytes) -> dict[str, bytes]:
    """The files of such an image, by name."""
    _jump, _maker, sector, cluster, reserved, fats, entries, _s, _m, per_fat = struct.unpack_from(
        "<3s8sHBHBHHBH", whole
    )
    root = (reserved + fats * per_fat) * sector
    data = root + entries * 32
    table = struct.unpack_from(f"<{per_fat * sector // 2}H", whole, reserved * sector)
    files, long = {}, b""
    for at in range(root, data, 32):
        row = whole[at : at + 32]
        if not row[0] or row[0] == 0xE5:
            continue
        if row[11] == 0x0F:
            long = row[1:11] + row[14:26] + row[28:32] + long
            continue
        name = long.decode("utf-16-le").split("\0")[0] if long else ""
        short = row[:8].decode("latin1").strip() + "." + row[8:11].decode("latin1").strip()
        long = b""
        first, length = struct.unpack_from("<HI", row, 26)
        content = b""
        size = cluster * sector
        while 2 <= first < 0xFFF0 and len(content) < length:
            content += whole[data + (first - 2) * size : data + (first - 1) * size]
            first = table[first]
        files[name or short.lower()] = content[:length]
    return files
