"""The board's file system as bytes: made on the host, and read back from a board's flash.

littlefs with the sizes of MicroPython's builds for these chips (ports/rp2/modules/_boot.py). Made
with disk version 2.0, which every MicroPython of the last years mounts; read whatever it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from littlefs import LittleFS
from littlefs.errors import LittleFSError

from microfactory.errors import FlashError
from microfactory.flash.chips import PAGE_BYTES, SECTOR_BYTES

_SIZES: dict[str, Any] = {
    "block_size": SECTOR_BYTES,
    "read_size": 32,
    "prog_size": PAGE_BYTES,
    "cache_size": 4 * PAGE_BYTES,
    "lookahead_size": 32,
    "block_cycles": 100,
}
_VERSION = 0x00020000


def make(files: Mapping[str, bytes], size: int) -> bytes:
    """A file system of that size with these files (path to bytes). FlashError: too small."""
    fs = LittleFS(block_count=size // SECTOR_BYTES, mount=False, disk_version=_VERSION, **_SIZES)
    fs.format()
    fs.mount()
    try:
        for path, data in sorted(files.items()):
            folder = path.rpartition("/")[0]
            if folder:
                fs.makedirs(folder, exist_ok=True)
            with fs.open(path, "wb") as file:
                file.write(data)
    except LittleFSError:
        raise FlashError(
            f"{sum(map(len, files.values()))} bytes of files do not fit into a file system of "
            f"{size} bytes; the board was not touched; it needs a board with more flash"
        ) from None
    fs.unmount()
    return bytes(fs.context.buffer)


def sectors(image: bytes, address: int) -> dict[int, bytes]:
    """All sectors by address; those that stay erased too, so that nothing old is left."""
    return {
        address + at: image[at : at + SECTOR_BYTES] for at in range(0, len(image), SECTOR_BYTES)
    }


def read(image: bytes, largest: int = 65536) -> dict[str, bytes] | None:
    """Files (path to bytes) of a file system; one that cannot be read is left out. None: it is no
    file system, or is damaged.
    """
    fs = LittleFS(block_count=len(image) // SECTOR_BYTES, mount=False, **_SIZES)
    fs.context.buffer[:] = image
    out: dict[str, bytes] = {}
    try:
        fs.mount()
        for folder, _folders, names in fs.walk("/"):
            for name in names:
                path = f"{folder.rstrip('/')}/{name}"
                with suppress(LittleFSError):
                    if fs.stat(path).size <= largest:
                        with fs.open(path, "rb") as file:
                            out[path] = bytes(file.read())
    except (LittleFSError, OSError, ValueError):
        return None
    return out
