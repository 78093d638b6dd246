"""UF2 files: read and checked whole before any board is touched. Bytes in, pieces out, no I/O.

Format: 512-byte blocks of at most 476 bytes each (github.com/microsoft/uf2).
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass

from microfactory.errors import FlashError
from microfactory.flash.chips import FAMILIES, FLASH_BASE, PAGE_BYTES, SECTOR_BYTES, Chip

BLOCK_BYTES = 512
MAGIC = (0x0A324655, 0x9E5D5157, 0x0AB16F30)
HEAD = struct.Struct("<8I")
NOT_MAIN_FLASH = 0x0001
HAS_FAMILY = 0x2000
FLASH_END = FLASH_BASE + 16 * 1024 * 1024
WORKAROUND = (0xE48BFF57, FLASH_END - PAGE_BYTES)  # RP2350-E10: one absolute block before the file


@dataclass(frozen=True)
class Uf2:
    """A whole UF2 file. pages: address to 256 bytes, in order of address."""

    name: str
    sha256: str
    family: int
    pages: dict[int, bytes]

    @property
    def size(self) -> int:
        """Bytes from the beginning of flash to the end of the last page."""
        return max(self.pages) + PAGE_BYTES - FLASH_BASE

    def sectors(self) -> dict[int, bytes]:
        """Whole sectors by address; what the file does not name is 0xFF."""
        out: dict[int, bytearray] = {}
        for address, data in self.pages.items():
            start = address - address % SECTOR_BYTES
            sector = out.setdefault(start, bytearray(b"\xff" * SECTOR_BYTES))
            sector[address - start : address - start + PAGE_BYTES] = data
        return {start: bytes(out[start]) for start in sorted(out)}


def read(data: bytes, name: str) -> Uf2:
    """Parse a file. FlashError: it is no UF2 file, is damaged, or cut short."""
    if len(data) < BLOCK_BYTES or len(data) % BLOCK_BYTES:
        raise _bad(name, f"{len(data)} bytes are no whole number of 512-byte blocks")
    families: set[int] = set()
    pages: dict[int, bytes] = {}
    seen: set[int] = set()
    total = -1
    for at in range(0, len(data), BLOCK_BYTES):
        family, address, number, count, payload = _block(data[at : at + BLOCK_BYTES], at, name)
        if address < 0 or (family, address) == WORKAROUND:
            continue
        if total not in (-1, count):
            raise _bad(name, f"block {at // BLOCK_BYTES} counts {count} blocks, others {total}")
        total = count if total == -1 else total
        seen.add(number)
        families.add(family)
        if pages.setdefault(address, payload) != payload:
            raise _bad(name, f"address {address:#x} is in it twice with different contents")
    if len(families) != 1:
        raise _bad(name, "it holds no program, or programs for several chips")
    if seen != set(range(total)):
        raise _bad(name, f"it has {len(seen)} of {total} blocks")
    if FLASH_BASE not in pages:
        raise _bad(name, "it has nothing at the beginning of flash, so no chip could start it")
    digest = hashlib.sha256(data).hexdigest()
    return Uf2(name, digest, families.pop(), dict(sorted(pages.items())))


def _block(block: bytes, at: int, name: str) -> tuple[int, int, int, int, bytes]:
    """family, address (-1: not for flash), number, count, payload."""
    first, second, flags, address, size, number, count, family = HEAD.unpack_from(block)
    (last,) = struct.unpack_from("<I", block, 508)
    where = f"block {at // BLOCK_BYTES}"
    if (first, second, last) != MAGIC:
        raise _bad(name, f"{where} has not the marks of a UF2 block")
    if flags & NOT_MAIN_FLASH:
        return 0, -1, 0, 0, b""
    if not flags & HAS_FAMILY:
        raise _bad(name, f"{where} does not say for which chip it is")
    if size != PAGE_BYTES or address % PAGE_BYTES:
        raise _bad(name, f"{where} is {size} bytes at {address:#x}, not a page of {PAGE_BYTES}")
    if not FLASH_BASE <= address < FLASH_END:
        raise _bad(name, f"{where} is for {address:#x}, which is not flash")
    return family, address, number, count, block[32 : 32 + size]


def check_for(uf2: Uf2, chip: Chip) -> None:
    """FlashError: the file is for another chip."""
    if uf2.family not in chip.families:
        what = FAMILIES.get(uf2.family, f"an unknown chip (family {uf2.family:08x})")
        raise FlashError(
            f"{uf2.name}: this file is for {what} and the board has an {chip.name}; the board was "
            "not touched; take the file of that board's build"
        )


def check_hash(uf2: Uf2, wanted: str) -> None:
    """FlashError: the file in hand is not the one that was meant."""
    if uf2.sha256 != wanted.lower():
        raise FlashError(
            f"{uf2.name}: its SHA-256 is {uf2.sha256} and not {wanted.lower()}; no board was "
            "touched; fetch the file again from where that hash was published"
        )


def _bad(name: str, what: str) -> FlashError:
    return FlashError(
        f"{name}: {what}; no board was touched; fetch the UF2 file again from whoever publishes it"
    )
