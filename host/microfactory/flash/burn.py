"""Whole sectors into a chip so that a cut at any instant leaves it in its boot loader.

What makes a chip start is in one page of sector 0: the second boot stage with its checksum (RP2040)
or the image definition (RP2350). That page is overwritten with zeros first, which flash allows
without an erase, and written last. In between the ROM finds nothing to start and waits for USB.
"""

from __future__ import annotations

from collections.abc import Callable

from microfactory.errors import FlashError
from microfactory.flash.chips import FLASH_BASE, PAGE_BYTES, RP2040, SECTOR_BYTES, Chip
from microfactory.flash.picoboot import Picoboot

BLOCK_START = (0xFFFFDED3).to_bytes(4, "little")  # of an RP2350's metadata, datasheet 5.9.1
READ_BYTES = 16 * SECTOR_BYTES

Told = Callable[[float, str], None]


def starting_pages(sector: bytes, chip: Chip) -> list[int]:
    """Offsets of the pages of sector 0 without which the ROM starts nothing."""
    if chip is RP2040:
        return [0]
    marks = [at for at in range(0, SECTOR_BYTES, 4) if sector[at : at + 4] == BLOCK_START]
    return sorted({at - at % PAGE_BYTES for at in marks}) or [0]


def burn(boot: Picoboot, sectors: dict[int, bytes], told: Told = lambda share, text: None) -> int:
    """Write sectors (address to 4096 bytes), read every byte back; how many were changed.

    FlashError: refused, gone, or read back otherwise; the board then is in its boot loader.
    """
    if FLASH_BASE not in sectors:
        raise FlashError("nothing for the beginning of flash; the board was not touched; report it")
    before = _read(boot, sectors, _Work(told, 0.0, 0.25, len(sectors), "looking"))
    changed = [address for address in sectors if before[address] != sectors[address]]
    if not changed:
        told(1.0, "nothing to write")
        return 0
    for page in starting_pages(before[FLASH_BASE], boot.chip):
        boot.write(FLASH_BASE + page, bytes(PAGE_BYTES))
    boot.erase(FLASH_BASE, SECTOR_BYTES)
    work = _Work(told, 0.25, 0.75, len(changed), "writing")
    for address in changed:
        if address != FLASH_BASE:
            boot.erase(address, SECTOR_BYTES)
            _write(boot, address, sectors[address])
        work.done()
    work = _Work(told, 0.75, 1.0, len(sectors), "reading back")
    rest = {address: data for address, data in sectors.items() if address != FLASH_BASE}
    _same(boot, rest, _read(boot, rest, work))
    _begin(boot, sectors[FLASH_BASE])
    first = {FLASH_BASE: sectors[FLASH_BASE]}
    _same(boot, first, _read(boot, first, work))
    return len(changed)


def _begin(boot: Picoboot, sector: bytes) -> None:
    """Sector 0, the page that makes it start last of all."""
    last = starting_pages(sector, boot.chip)
    for at in range(0, SECTOR_BYTES, PAGE_BYTES):
        if at not in last:
            _write(boot, FLASH_BASE + at, sector[at : at + PAGE_BYTES])
    for at in reversed(last):
        boot.write(FLASH_BASE + at, sector[at : at + PAGE_BYTES])


def _write(boot: Picoboot, address: int, data: bytes) -> None:
    """Pages that are to stay erased are left out at the end."""
    length = len(data.rstrip(b"\xff"))
    if length:
        boot.write(address, data[: -(-length // PAGE_BYTES) * PAGE_BYTES])


def _read(boot: Picoboot, sectors: dict[int, bytes], work: _Work) -> dict[int, bytes]:
    """The same addresses as they are in the chip, in reads of at most READ_BYTES."""
    out: dict[int, bytes] = {}
    wanted = sorted(sectors)
    while wanted:
        run = [wanted[0]]
        while len(run) < len(wanted) and wanted[len(run)] == run[-1] + SECTOR_BYTES:
            if len(run) * SECTOR_BYTES >= READ_BYTES:
                break
            run.append(wanted[len(run)])
        data = boot.read(run[0], len(run) * SECTOR_BYTES)
        for number, address in enumerate(run):
            out[address] = data[number * SECTOR_BYTES : (number + 1) * SECTOR_BYTES]
            work.done()
        wanted = wanted[len(run) :]
    return out


def _same(boot: Picoboot, wanted: dict[int, bytes], found: dict[int, bytes]) -> None:
    for address, data in wanted.items():
        if found[address] != data:
            at = next(i for i in range(SECTOR_BYTES) if found[address][i] != data[i])
            boot.erase(FLASH_BASE, SECTOR_BYTES)
            raise FlashError(
                f"{boot.where}: address {address + at:#x} reads back as {found[address][at]:#04x} "
                f"instead of {data[at]:#04x}; the board stays in its boot loader; flash it again, "
                "and if it stays so its flash is worn or smaller than this image"
            )


class _Work:
    """How far one part of the work is, told after every sector."""

    def __init__(self, told: Told, begin: float, end: float, total: int, text: str) -> None:
        self._told, self._begin, self._end, self._text = told, begin, end, text
        self._total, self._done = max(1, total), 0

    def done(self) -> None:
        self._done += 1
        share = self._begin + (self._end - self._begin) * min(1.0, self._done / self._total)
        self._told(share, self._text)
