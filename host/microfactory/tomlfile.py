"""TOML with line numbers: where a key stands in a file, and a stable way to write one."""

from __future__ import annotations

import difflib
import math
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from microfactory.errors import MachineError

_HEADER = re.compile(r"^\s*\[\[?\s*([^\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"^\s*([A-Za-z0-9_-]+|\"[^\"]*\")\s*=")
LARGEST_BYTES = 1_000_000


class TomlFile:
    """A parsed file that knows the line of every key."""

    def __init__(self, text: str, name: str) -> None:
        self.name = name
        self.text = text
        self.lines = self._find_lines(text)
        try:
            self.data: dict[str, Any] = tomllib.loads(text)
        except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
            raise MachineError(
                f"{name}: this is not TOML: {error}; nothing was loaded; correct that line"
            ) from None

    @classmethod
    def read(cls, path: Path) -> TomlFile:
        """Read a file. MachineError: missing, not a file, too large, not UTF-8."""
        try:
            if path.stat().st_size > LARGEST_BYTES:
                raise MachineError(
                    f"{path}: {path.stat().st_size} bytes is no machine file (at most "
                    f"{LARGEST_BYTES}); nothing was loaded; name another file"
                )
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            raise MachineError(
                f"{path}: there is no such file; nothing was loaded; "
                "`microfactory machines` lists the machines that come along"
            ) from None
        except UnicodeDecodeError as error:
            raise MachineError(
                f"{path}: byte {error.start} is not UTF-8 text; nothing was loaded; "
                "save the file as UTF-8"
            ) from None
        except OSError as error:
            raise MachineError(
                f"{path}: it cannot be read ({error.strerror}); nothing was loaded"
            ) from None
        return cls(text, str(path))

    @staticmethod
    def _find_lines(text: str) -> dict[tuple[str, ...], int]:
        table: tuple[str, ...] = ()
        counts: dict[tuple[str, ...], int] = {}
        lines: dict[tuple[str, ...], int] = {}
        for number, line in enumerate(text.splitlines(), 1):
            header = _HEADER.match(line)
            if header:
                table = tuple(part.strip().strip('"') for part in header[1].split("."))
                if line.lstrip().startswith("[["):
                    counts[table] = counts.get(table, -1) + 1
                    table = (*table, str(counts[table]))
                lines.setdefault(table, number)
                continue
            key = _KEY.match(line)
            if key:
                lines.setdefault((*table, key[1].strip('"')), number)
        return lines

    def line(self, place: Iterable[str]) -> int:
        """Line of a key, or of the closest table around it."""
        path = tuple(place)
        while path:
            if path in self.lines:
                return self.lines[path]
            path = path[:-1]
        return 1

    def error(self, place: Iterable[str], what: str, todo: str = "") -> MachineError:
        """An error that names file, line and key."""
        path = tuple(place)
        where = f"{self.name}:{self.line(path)}"
        end = f"; {todo}" if todo else ""
        return MachineError(f"{where}: {'.'.join(path)}: {what}; nothing was loaded{end}")

    def refuse_unknown(
        self, place: tuple[str, ...], found: Iterable[str], known: list[str]
    ) -> None:
        """MachineError for the first key that nobody knows, with the nearest right one."""
        for key in found:
            if key not in known:
                near = difflib.get_close_matches(key, known, n=1, cutoff=0.4)
                hint = f"did you mean {near[0]}?" if near else f"known keys: {', '.join(known)}"
                raise self.error((*place, key), "this key is unknown", hint)


def dump(data: Mapping[str, Any]) -> str:
    """TOML text of nested mappings, lists of mappings as [[tables]], in the order given."""
    out: list[str] = []
    _dump_table(data, (), out)
    return "\n".join(out).strip() + "\n"


def _dump_table(data: Mapping[str, Any], place: tuple[str, ...], out: list[str]) -> None:
    plain = {k: v for k, v in data.items() if not _is_table(v) and not _is_tables(v)}
    if place and (plain or not data):
        out.append(f"\n[{'.'.join(map(_key, place))}]")
    out += [f"{_key(k)} = {value_text(v)}" for k, v in plain.items()]
    for key, value in data.items():
        if _is_table(value):
            _dump_table(value, (*place, key), out)
        elif _is_tables(value):
            for item in value:
                out.append(f"\n[[{'.'.join(map(_key, (*place, key)))}]]")
                out.extend(f"{_key(k)} = {value_text(v)}" for k, v in item.items())


def _is_table(value: Any) -> bool:
    return isinstance(value, Mapping)


def _is_tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], Mapping)


def _key(text: str) -> str:
    return text if re.fullmatch(r"[A-Za-z0-9_-]+", text) else value_text(text)


def value_text(value: Any) -> str:
    """A plain value as TOML writes it. TypeError: it has no form there."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        if math.isinf(value):
            return "inf" if value > 0 else "-inf"
        return repr(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        escaped = "".join(_escape(c) for c in value)
        return f'"{escaped}"'
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(value_text(item) for item in value) + "]"
    raise TypeError(f"no TOML form for {type(value).__name__}")


def _escape(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    if ord(character) < 0x20 or ord(character) == 0x7F:
        return f"\\u{ord(character):04x}"
    return character
