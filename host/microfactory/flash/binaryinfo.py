"""What a program for a Pico says of itself: name, version, board, and where its drive begins.

Format: the Pico SDK's binary_info: a header near the beginning of flash, whose list points at
entries. Every field is bounded, for the file may be anything.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass

from microfactory.flash.chips import FLASH_BASE

START, END = 0x7188EBF2, 0xE71AA390
HEADER_WITHIN = 1280  # bytes: behind the second boot stage, or anywhere in the first kilobyte
ID_AND_STRING, BLOCK_DEVICE = 6, 7
PROGRAM_NAME, PROGRAM_VERSION, PICO_BOARD = 0x02031C86, 0x11A9BC3A, 0xB63CFFBB
MOST_ENTRIES = 256
LONGEST_TEXT = 80


@dataclass(frozen=True)
class BinaryInfo:
    """Empty texts: not told. drive_bytes 0: it has no drive."""

    program: str = ""
    version: str = ""
    board: str = ""
    drive_address: int = 0
    drive_bytes: int = 0


def read(flash: Callable[[int, int], bytes]) -> BinaryInfo:
    """flash: bytes of (address, size), shorter where there is nothing. Never raises."""
    head = flash(FLASH_BASE, HEADER_WITHIN)
    for at in range(0, len(head) - 19, 4):
        start, first, last, _copies, end = struct.unpack_from("<5I", head, at)
        if (start, end) == (START, END) and 0 < last - first <= 4 * MOST_ENTRIES:
            return _entries(flash, first, last)
    return BinaryInfo()


def of_pages(pages: dict[int, bytes]) -> BinaryInfo:
    """Of a UF2's pages."""

    def flash(address: int, size: int) -> bytes:
        out = b""
        while len(out) < size:
            at = address + len(out)
            page = pages.get(at - at % 256)
            if page is None:
                break
            out += page[at % 256 :]
        return out[:size]

    return read(flash)


def _entries(flash: Callable[[int, int], bytes], first: int, last: int) -> BinaryInfo:
    texts: dict[int, str] = {}
    drive = (0, 0)
    for (pointer,) in struct.iter_unpack("<I", flash(first, (last - first) // 4 * 4)):
        entry = flash(pointer, 24)
        if len(entry) < 12:
            continue
        kind, _tag, a, b = struct.unpack_from("<HHII", entry)
        if kind == ID_AND_STRING:
            texts[a] = flash(b, LONGEST_TEXT).split(b"\0")[0].decode("utf-8", "replace")
        elif kind == BLOCK_DEVICE and len(entry) >= 16 and drive == (0, 0):
            drive = (b, struct.unpack_from("<I", entry, 12)[0])
    return BinaryInfo(
        texts.get(PROGRAM_NAME, ""),
        texts.get(PROGRAM_VERSION, ""),
        texts.get(PICO_BOARD, ""),
        *drive,
    )
