"""TOML tables to frozen parts, driven by the parts' own fields: types, bounds, words."""

from __future__ import annotations

import dataclasses
import math
import typing
from pathlib import Path
from typing import Any, TypeVar

from microfactory import parts
from microfactory.errors import MachineError
from microfactory.parts import Board
from microfactory.tomlfile import TomlFile

P = TypeVar("P")


def build(cls: type[P], table: Any, place: tuple[str, ...], file: TomlFile, name: str = "") -> P:
    """A part from its table. MachineError: unknown or missing key, wrong type, out of bounds."""
    if not isinstance(table, dict):
        raise file.error(place, "this should be a table", f"write [{'.'.join(place)}]")
    hints = typing.get_type_hints(cls, vars(parts))
    fields = {f.name: f for f in dataclasses.fields(cls)}  # type: ignore[arg-type]
    if name:
        hints.pop("name")
        fields.pop("name")
    file.refuse_unknown(place, table, list(fields))
    values: dict[str, Any] = {"name": name} if name else {}
    for key, field in fields.items():
        if key in table:
            values[key] = _value(table[key], hints[key], field.metadata, (*place, key), file)
        elif field.default is dataclasses.MISSING:
            raise file.error((*place, key), "this key is missing", f"add {key} to it")
    return cls(**values)


def named(cls: type[P], data: dict[str, Any], key: str, file: TomlFile) -> tuple[P, ...]:
    """All parts of a table of named tables, in the file's order."""
    table = data.get(key, {})
    if not isinstance(table, dict):
        raise file.error((key,), "this should be a table of tables", f"write [{key}.NAME]")
    return tuple(build(cls, part, (key, name), file, name) for name, part in table.items())


def _value(value: Any, hint: Any, metadata: Any, place: tuple[str, ...], file: TomlFile) -> Any:
    options = typing.get_args(hint)
    if dataclasses.is_dataclass(hint):
        return build(hint, value, place, file)  # type: ignore[arg-type]
    if type(None) in options:  # what may be left out
        return _value(value, options[0], metadata, place, file)
    if typing.get_origin(hint) is tuple:
        return _list(value, options[0], metadata, place, file)
    if str in options:  # keep, off, or a share of full
        return _event(value, place, file)
    if hint is bool:
        if not isinstance(value, bool):
            raise file.error(place, "this should be true or false", "write true or false")
        return value
    if hint is str:
        return _text(value, metadata, place, file)
    if hint is int:
        return _whole(value, metadata, place, file)
    return _number(value, metadata, place, file)


def _list(value: Any, of: Any, metadata: Any, place: tuple[str, ...], file: TomlFile) -> Any:
    if of is float:
        if not isinstance(value, list):
            raise file.error(place, "this should be a list of numbers", "write [1.0, 2.0]")
        return tuple(_number(item, metadata, place, file) for item in value)
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise file.error(place, "this should be a list of texts", 'write ["..."]')
    return tuple(value)


def _event(value: Any, place: tuple[str, ...], file: TomlFile) -> str | float:
    if isinstance(value, str) and value in ("keep", "off"):
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 1:
        return float(value)
    raise file.error(place, f'{value!r} is neither "keep", "off" nor 0 to 1', 'write "off"')


def _text(value: Any, metadata: Any, place: tuple[str, ...], file: TomlFile) -> str:
    choices = metadata.get("choices")
    if not isinstance(value, str):
        raise file.error(place, f"{value!r} should be a text", "put it in quotes")
    if choices and value not in choices:
        raise file.error(place, f"{value!r} is not known here", f"use one of {', '.join(choices)}")
    return value


def _number(value: Any, metadata: Any, place: tuple[str, ...], file: TomlFile) -> float:
    low, high = metadata["low"], metadata["high"]
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise file.error(
            place, f"{value!r} should be a number", f"write a number from {low} to {high}"
        )
    if isinstance(value, float) and math.isinf(value) and value > 0 and metadata["inf"]:
        return value
    if not low <= value <= high:
        also = ", or inf" if metadata["inf"] else ""
        raise file.error(place, f"{value} is out of range", f"use {low} to {high}{also}")
    return float(value)


def _whole(value: Any, metadata: Any, place: tuple[str, ...], file: TomlFile) -> int:
    found = _number(value, metadata, place, file)
    if found != int(found):
        raise file.error(place, f"{value} is no whole number", f"write {int(found)}")
    return int(found)


_BOARD_LISTS = ("step", "inputs", "switches", "pwm", "analog", "wired", "converters")


def board_from(folder: Path, name: str, file: TomlFile) -> Board:
    """The page of a board that comes along. MachineError: there is none of that name."""
    known = sorted(path.stem for path in folder.glob("*.toml"))
    if name not in known:
        raise file.error(
            ("machine", "board"), f"{name!r} is no known board", f"known are {', '.join(known)}"
        )
    return read_board(folder / f"{name}.toml")


def read_board(path: Path) -> Board:
    """A board's page from its file. MachineError: it cannot be used."""
    page = TomlFile.read(path)
    head = page.data.get("board", {})
    pins = page.data.get("pins", {})
    lists = {key: tuple(head.get(key, ())) for key in _BOARD_LISTS}
    for key in _BOARD_LISTS:
        for connector in lists[key]:
            if connector not in pins:
                raise MachineError(f"{path}: connector {connector} has no line under [pins]")
    return Board(
        name=head["name"],
        chip=head["chip"],
        motors_max=head["motors_max"],
        pins=tuple((key, tuple(value)) for key, value in pins.items()),
        **lists,
    )
