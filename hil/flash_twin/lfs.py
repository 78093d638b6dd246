"""littlefs itself on a simulated flash chip, with the sizes of MicroPython's builds.

Sizes: MicroPython extmod/vfs_lfsx.c and ports/rp2/modules/_boot.py (read 32, program 256,
cache 4 x 256, lookahead 32, block cycles 100).
"""

import hashlib
from typing import Any

from littlefs import LittleFS, UserContext, lfs
from littlefs.errors import LittleFSError

from hil.flash_twin.nor import PAGE, SECTOR, Nor, PowerCutError

SIZES = {
    "block_size": SECTOR, "read_size": 32, "prog_size": PAGE, "cache_size": 4 * PAGE,
    "lookahead_size": 32, "block_cycles": 100,
}  # fmt: skip
LFS_ERR_IO = -5


class _Context(UserContext):
    """littlefs's calls to a Nor. After a cut everything fails, as it does without power."""

    def __init__(self, nor: Nor, base: int) -> None:
        self.nor, self.base, self.dead = nor, base, False

    def read(self, cfg: Any, block: int, off: int, size: int) -> bytearray:
        return bytearray(self.nor.read(self.base + block * SECTOR + off, size))

    def prog(self, cfg: Any, block: int, off: int, data: bytes) -> int:
        at = self.base + block * SECTOR + off
        for i in range(0, len(data), PAGE):
            if not self._done(lambda i=i: self.nor.program(at + i, bytes(data[i : i + PAGE]))):
                return LFS_ERR_IO
        return 0

    def erase(self, cfg: Any, block: int) -> int:
        done = self._done(lambda: self.nor.erase(self.base + block * SECTOR))
        return 0 if done else LFS_ERR_IO

    def sync(self, cfg: Any) -> int:
        return LFS_ERR_IO if self.dead else 0

    def _done(self, change: Any) -> bool:
        if self.dead:
            return False
        try:
            change()
        except PowerCutError:
            self.dead = True
        return not self.dead


class LfsFiles:
    """The file system on a chip, mounted as it is after a start; names as in mfboot.files.Files.

    fresh: format it first. A cut raises PowerCutError from whatever was going on.
    """

    def __init__(self, nor: Nor, base: int = 0, size: int | None = None, fresh: bool = False):
        self.context = _Context(nor, base)
        blocks = (size or len(nor.data) - base) // SECTOR
        self.fs = LittleFS(context=self.context, mount=False, block_count=blocks, **SIZES)
        if fresh:
            self.fs.format()
        self.fs.mount()

    def _try(self, action: Any, missing: Any = None) -> Any:
        try:
            return action()
        except LittleFSError as error:
            if self.context.dead:
                raise PowerCutError from None
            if error.code in (-2, -17, -20):  # no such entry; it exists; no folder
                return missing
            raise
        except FileNotFoundError:
            return missing

    def read(self, path: str) -> bytes | None:
        def action() -> bytes:
            file = lfs.file_open(self.fs.fs, path, "rb")
            data = lfs.file_read(self.fs.fs, file, lfs.file_size(self.fs.fs, file))
            lfs.file_close(self.fs.fs, file)
            return bytes(data)

        data: bytes | None = self._try(action)
        return data

    def write(self, path: str, data: bytes) -> None:
        def action() -> None:
            # plain calls: a handle whose close failed would be closed again when it is forgotten
            file = lfs.file_open(self.fs.fs, path, "wb")
            lfs.file_write(self.fs.fs, file, data)
            lfs.file_close(self.fs.fs, file)

        self._try(action)

    def digest(self, path: str) -> list[Any] | None:
        data = self.read(path)
        return None if data is None else [len(data), hashlib.sha256(data).hexdigest()]

    def rename(self, old: str, new: str) -> None:
        self._try(lambda: self.fs.rename(old, new))

    def remove(self, path: str) -> None:
        for name in self._try(lambda: self.fs.listdir(path), []):
            self.remove(f"{path}/{name}")
        self._try(lambda: self.fs.remove(path))

    def folder(self, path: str) -> None:
        self._try(lambda: self.fs.makedirs(path, exist_ok=True))
