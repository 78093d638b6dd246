"""A program: its text as written, its name and its hash. Read whole, changed never."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO

from microfactory.errors import UsageError

LARGEST_BYTES = 2_000_000_000


@dataclass(frozen=True)
class Program:
    """G-code as it was written. data is the file's bytes."""

    name: str
    data: bytes

    @cached_property
    def sha256(self) -> str:
        """Of the bytes."""
        return hashlib.sha256(self.data).hexdigest()

    @cached_property
    def lines(self) -> int:
        """Number of lines."""
        return self.data.count(b"\n") + (not self.data.endswith(b"\n") and bool(self.data))

    @cached_property
    def text(self) -> str:
        """The bytes as UTF-8; bytes that are none show as a replacement mark."""
        return self.data.decode("utf-8", "replace")

    def line(self, number: int) -> str:
        """Text of a line, from 1; empty when there is none."""
        lines = self._split
        return lines[number - 1].decode("utf-8", "replace") if 0 < number <= len(lines) else ""

    @cached_property
    def _split(self) -> list[bytes]:
        return self.data.splitlines()


def parse(source: str | Path | bytes | IO[str] | IO[bytes], name: str = "") -> Program:
    """A program from a path, from text or bytes with a line end in it, or from an open file.

    UsageError: the file is not there, is empty, or is no text.
    """
    if isinstance(source, Path) or (isinstance(source, str) and "\n" not in source):
        return _from_file(Path(source), name)
    if isinstance(source, bytes):
        data = source
    elif isinstance(source, str):
        data = source.encode()
    else:
        read = source.read()
        data = read.encode() if isinstance(read, str) else read
        name = name or str(getattr(source, "name", ""))
    return _checked(data, name or "program")


def _from_file(path: Path, name: str) -> Program:
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise UsageError(
                f"{path}: this file is too large for a program (2 GB are the most); nothing was "
                "moved; split it"
            )
        data = path.read_bytes()
    except FileNotFoundError:
        raise UsageError(
            f"{path}: there is no such file; nothing was moved; give the path of a .gcode file, "
            "or text with a line end"
        ) from None
    except OSError as error:
        raise UsageError(
            f"{path}: it cannot be read ({error.strerror}); nothing was moved; give the path of "
            "a .gcode file"
        ) from None
    return _checked(data, name or path.name)


def _checked(data: bytes, name: str) -> Program:
    if not data.strip():
        raise UsageError(f"{name}: this program is empty; nothing was moved; was it cut short?")
    zero = data.find(b"\0")
    if zero >= 0:
        line = data.count(b"\n", 0, zero) + 1
        raise UsageError(
            f"{name}:{line}: a zero byte, so this is no G-code text; nothing was moved; "
            "name the .gcode file"
        )
    return Program(name, data)
