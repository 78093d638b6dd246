"""Values put into the text of a TOML file: comments, order and everything else stay as they are.

The file is never half-written: the new text is written beside it, brought to the disk, and takes
the file's place in one step.
"""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from microfactory.tomlfile import value_text

_HEADER = re.compile(r"^\s*\[(\[?)\s*([^\]]+?)\s*\]\]?\s*(?:#.*)?$")


def put(text: str, table: str, values: Mapping[str, Any]) -> str:
    """The text with these keys of [table] set. A table that is not there is added behind the last
    one below the same parent. Tables written in one line (a = {...}) are not understood: compare
    what the text then says.
    """
    if not values:
        return text
    lines = text.splitlines()
    begin = _find(lines, table)
    if begin < 0:
        at = _behind(lines, table.rpartition(".")[0])
        new = ["", f"[{table}]", *(f"{key} = {value_text(v)}" for key, v in values.items())]
        if at < len(lines) and lines[at].strip():
            new.append("")
        return "\n".join([*lines[:at], *new, *lines[at:]]) + "\n"
    end = _end(lines, begin)
    for key, value in values.items():
        for i in range(begin + 1, end):
            found = re.match(rf"^(\s*{re.escape(key)}\s*=\s*)[^#]*?(\s*#.*)?$", lines[i])
            if found:
                lines[i] = f"{found[1]}{value_text(value)}{found[2] or ''}"
                break
        else:
            last = max(i for i in range(begin, end) if lines[i].strip() or i == begin)
            lines.insert(last + 1, f"{key} = {value_text(value)}")
            end += 1
    return "\n".join(lines) + "\n"


def _header(line: str) -> str:
    found = _HEADER.match(line)
    return ".".join(p.strip().strip('"') for p in found[2].split(".")) if found else ""


def _find(lines: list[str], table: str) -> int:
    return next((i for i, line in enumerate(lines) if _header(line) == table), -1)


def _end(lines: list[str], begin: int) -> int:
    """Where the next table begins; the comment above it belongs to it."""
    end = next((i for i in range(begin + 1, len(lines)) if _header(lines[i])), len(lines))
    while end < len(lines) and end - 1 > begin and lines[end - 1].lstrip().startswith("#"):
        end -= 1
    return end


def _behind(lines: list[str], parent: str) -> int:
    """The line behind the last table that is the parent or lies in it."""
    last = -1
    for i, line in enumerate(lines):
        name = _header(line)
        if name == parent or name.startswith(parent + "."):
            last = i
    if last < 0:
        return len(lines)
    end = _end(lines, last)
    while end > last + 1 and not lines[end - 1].strip():
        end -= 1
    return end


def replace_file(path: Path, text: str) -> None:
    """The file has this text afterwards, or what it had: never a part. Keeps its mode; OSError."""
    target = path.resolve()
    mode = target.stat().st_mode & 0o777 if target.exists() else 0o644
    number, beside = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(number, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(beside, mode)
        os.replace(beside, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(beside)
        raise
    with contextlib.suppress(OSError):  # some file systems cannot bring a folder to the disk
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
