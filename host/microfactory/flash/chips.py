"""What is known of the chips and of their MicroPython builds: numbers only.

Sources: RP2040 datasheet 2.8, RP2350 datasheet 5.5 and 5.6, MicroPython ports/rp2/boards.
"""

from __future__ import annotations

from dataclasses import dataclass

VENDOR = 0x2E8A  # Raspberry Pi
FLASH_BASE = 0x10000000
SECTOR_BYTES = 4096  # the least that can be erased
PAGE_BYTES = 256  # the most that one program operation writes


@dataclass(frozen=True)
class Chip:
    """One chip. families: of UF2 files that it takes; arch: of mpy-cross."""

    name: str
    bootsel_id: int
    families: tuple[int, ...]
    arch: str


@dataclass(frozen=True)
class Build:
    """One MicroPython build: what its flash holds. fs_bytes: the file system, at flash's end."""

    name: str
    chip: str
    flash_bytes: int
    fs_bytes: int

    @property
    def fs_address(self) -> int:
        """Where the file system begins, as the chip sees it."""
        return FLASH_BASE + self.flash_bytes - self.fs_bytes


RP2040 = Chip("RP2040", 0x0003, (0xE48BFF56,), "armv6m")
RP2350 = Chip("RP2350", 0x000F, (0xE48BFF59,), "armv7emsp")
CHIPS = (RP2040, RP2350)

FAMILIES = {
    0xE48BFF55: "the CYW43 radio's firmware",
    0xE48BFF56: "RP2040",
    0xE48BFF57: "no chip in particular (absolute addresses)",
    0xE48BFF58: "data, not a program",
    0xE48BFF59: "RP2350 (Arm)",
    0xE48BFF5A: "RP2350 (RISC-V)",
    0xE48BFF5B: "RP2350 (Arm, not secure)",
    0xE48BFF5C: "no chip in particular (absolute addresses)",
}

KIB = 1024
BUILDS = (
    Build("RPI_PICO", "RP2040", 2048 * KIB, 1408 * KIB),
    Build("RPI_PICO_W", "RP2040", 2048 * KIB, 848 * KIB),
    Build("RPI_PICO2", "RP2350", 4096 * KIB, 3072 * KIB),
    Build("RPI_PICO2_W", "RP2350", 4096 * KIB, 2560 * KIB),
)

MICROPYTHON_IDS = (0x0005,)
STDIO_IDS = (0x0009, 0x000A)


def chip_named(name: str) -> Chip:
    """The chip of that name. KeyError: unknown."""
    return {chip.name: chip for chip in CHIPS}[name]


def chip_of_bootsel(product: int) -> Chip | None:
    """The chip whose boot loader has that product id."""
    return next((chip for chip in CHIPS if chip.bootsel_id == product), None)
