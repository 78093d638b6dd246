"""Files of viper code under CPython: pointers into real memory, words that are signed 32 bits.

What viper does not have fails here only by chance; that the chip's compiler takes the files is
another test (test_micropython.py). A word that would not fit 32 bits raises OverflowError.
"""

from __future__ import annotations

import ctypes
import re
from pathlib import Path
from typing import Any

FIRMWARE = Path(__file__).resolve().parents[2] / "firmware" / "mfboard"
WORD = 1 << 31


class Pointer:
    """ptr8, ptr16 or ptr32: indexed by its items."""

    kind: Any = ctypes.c_uint8

    def __init__(self, at: Any) -> None:
        self.at = at.at if isinstance(at, Pointer) else at
        if isinstance(self.at, bytearray):
            self.at = ctypes.addressof(ctypes.c_char.from_buffer(self.at))
        elif not isinstance(self.at, int):
            self.at = self.at.buffer_info()[0]
        self.items = ctypes.cast(self.at, ctypes.POINTER(self.kind))

    def __getitem__(self, i: int) -> int:
        return int(self.items[i])

    def __setitem__(self, i: int, value: int) -> None:
        if not -WORD <= value < WORD:
            raise OverflowError(f"word {i} would be {value}")
        self.items[i] = value


class ptr16(Pointer):  # noqa: N801
    """Unsigned 16 bits an item."""

    kind = ctypes.c_uint16


class ptr32(Pointer):  # noqa: N801
    """Signed 32 bits an item, as viper's int takes them on a 32-bit chip."""

    kind = ctypes.c_int32


class Viper:
    """The decorator: arguments become what the function's signature says."""

    @staticmethod
    def viper(function: Any) -> Any:
        casts = [{"ptr32": ptr32, "ptr16": ptr16}.get(k) for k in function.__annotations__.values()]

        def call(*given: Any) -> Any:
            kinds = zip(given, casts[: len(given)], strict=True)
            return function(*(cast(value) if cast else value for value, cast in kinds))

        return call


def load(name: str) -> dict[str, Any]:
    """The names of a file of mfboard that needs nothing of its neighbours."""
    source = (FIRMWARE / name).read_text()
    source = re.sub(r"^(import micropython|from micropython import const)$", "", source, flags=re.M)
    names = {"micropython": Viper, "const": int, "ptr16": ptr16, "ptr32": ptr32}
    code = compile("from __future__ import annotations\n" + source.split('"""', 2)[2], name, "exec")
    exec(code, names)
    return names
