"""A map of heights: what a plate's or bed's surface is off by, measured on a grid.

A TOML file that belongs to one machine's geometry. Whole or not at all; numbers that are none, rows
of another length and maps of another machine are refused with file and line.
"""

from __future__ import annotations

import hashlib
import math
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from microfactory.errors import MachineError
from microfactory.machine import Machine
from microfactory.places import write_whole
from microfactory.tomlfile import TomlFile

SIDE_MAX = 64
HEIGHT_MAX_MM = 100.0
KEYS = [
    "machine", "geometry_sha256", "first_x_mm", "first_y_mm", "pitch_x_mm", "pitch_y_mm",
    "zero_z_mm", "repeat_mm", "heights_mm",
]  # fmt: skip
NUMBERS = KEYS[2:8]


@dataclass(frozen=True, kw_only=True)
class HeightMap:
    """Rows (along Y) of heights (along X), mm above zero_z_mm; the first at (first_x, first_y).

    repeat_mm: the largest difference of a point that was probed twice.
    """

    machine: str
    geometry_sha256: str
    first_x_mm: float
    first_y_mm: float
    pitch_x_mm: float
    pitch_y_mm: float
    zero_z_mm: float
    repeat_mm: float
    heights_mm: tuple[tuple[float, ...], ...]

    @classmethod
    def load(cls, path: str | Path) -> HeightMap:
        """MachineError: it cannot be read, or is no map."""
        return cls.from_file(TomlFile.read(Path(path)))

    @classmethod
    def parse(cls, text: str, name: str = "map.toml") -> HeightMap:
        """From TOML text. MachineError: it is no map."""
        return cls.from_file(TomlFile(text, name))

    @classmethod
    def from_file(cls, file: TomlFile) -> HeightMap:
        """From a parsed file. MachineError: it is no map."""
        file.refuse_unknown((), file.data, ["map"])
        table = file.data.get("map")
        if not isinstance(table, dict):
            raise file.error(
                ("map",), "this table is missing", "make a map: microfactory probe-map"
            )
        file.refuse_unknown(("map",), table, KEYS)
        for key in KEYS:
            if key not in table:
                raise file.error(("map", key), "this key is missing", f"add {key} to it")
        for key in KEYS[:2]:
            if not isinstance(table[key], str):
                raise file.error(("map", key), "a text is missing here", f'write {key} = "..."')
        values = {key: _number(table[key], ("map", key), file, 1e5) for key in NUMBERS}
        for key in ("pitch_x_mm", "pitch_y_mm"):
            if not values[key] >= 0.1:
                raise file.error(("map", key), f"{values[key]:g} is too small", "use 0.1 or more")
        return cls(
            machine=table["machine"],
            geometry_sha256=table["geometry_sha256"],
            **values,
            heights_mm=_rows(table["heights_mm"], file),
        )

    @property
    def columns(self) -> int:
        """Points along X."""
        return len(self.heights_mm[0])

    @property
    def rows(self) -> int:
        """Points along Y."""
        return len(self.heights_mm)

    @property
    def zero(self) -> bool:
        """It corrects nothing."""
        return not any(h for row in self.heights_mm for h in row)

    def dump(self) -> str:
        """TOML text; a row of points on a line. Loading it gives an equal map."""
        lines = ["[map]", f'machine = "{self.machine}"']
        lines.append(f'geometry_sha256 = "{self.geometry_sha256}"')
        lines += [f"{key} = {float(getattr(self, key))!r}" for key in NUMBERS]
        rows = ["  [" + ", ".join(repr(float(h)) for h in row) + "]," for row in self.heights_mm]
        return "\n".join([*lines, "heights_mm = [", *rows, "]", ""])

    @property
    def sha256(self) -> str:
        """Of the dumped text."""
        return hashlib.sha256(self.dump().encode()).hexdigest()

    def save(self, path: Path) -> None:
        """The file is there whole or not at all. UsageError: it cannot be written."""
        write_whole(path, self.dump().encode())


def _number(value: Any, place: tuple[str, ...], file: TomlFile, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise file.error(place, f"{value!r} should be a number", "probe the map again")
    if not math.isfinite(value) or abs(value) > most:
        raise file.error(place, f"{value} is no place in mm", f"use -{most:g} to {most:g}")
    return float(value)


def _rows(value: Any, file: TomlFile) -> tuple[tuple[float, ...], ...]:
    place = ("map", "heights_mm")
    if not isinstance(value, list) or not all(isinstance(row, list) for row in value):
        raise file.error(place, "this should be a list of rows", "write [[0.0, 0.0], [0.0, 0.0]]")
    begin = file.line(place)
    width = len(value[0]) if value else 0
    if not 2 <= len(value) <= SIDE_MAX or not 2 <= width <= SIDE_MAX:
        raise file.error(
            place,
            f"{len(value)} rows of {width} points are too few or too many",
            f"a map has 2 to {SIDE_MAX} each way",
        )
    out = []
    for j, row in enumerate(value):
        at = _line_of_row(file, begin, j)
        if len(row) != width:
            raise MachineError(
                f"{file.name}:{at}: row {j + 1} has {len(row)} points and the first {width}; "
                "nothing was loaded; probe the map again"
            )
        for i, height in enumerate(row):
            good = isinstance(height, (int, float)) and not isinstance(height, bool)
            if not good or not abs(height) <= HEIGHT_MAX_MM:
                raise MachineError(
                    f"{file.name}:{at}: point {i + 1} of row {j + 1} is {height}, no height "
                    f"within {HEIGHT_MAX_MM:g} mm; nothing was loaded; probe the map again"
                )
        out.append(tuple(float(height) for height in row))
    return tuple(out)


def _line_of_row(file: TomlFile, begin: int, row: int) -> int:
    """Line of a row, when each stands on its own; else where the list begins."""
    lines = [
        number
        for number, line in enumerate(file.text.splitlines(), 1)
        if number > begin and re.match(r"\s*\[", line)
    ]
    return lines[row] if row < len(lines) else begin


def geometry_sha256(machine: Machine) -> str:
    """Of all that a map depends on: axes, their switches, skew and backlash. Not of speeds."""
    facts: list[Any] = [machine.kinematics]
    for axis in machine.axes:
        home = axis.home
        where = (home.input, home.toward, home.position_mm, home.pull_off_mm) if home else None
        facts.append((axis.letter, axis.steps_per_mm, axis.unlimited, where))
        if home and home.square:
            facts.append((home.square.inputs, home.square.trim_mm))
    part = machine.compensation
    if part:
        facts.append((part.skew_xy, part.skew_xz, part.skew_yz))
        facts.append(tuple(part.slack_mm(axis.letter) for axis in machine.axes))
    return hashlib.sha256(repr(facts).encode()).hexdigest()


def with_map(machine: Machine, page: HeightMap, name: str) -> Machine:
    """A machine with a map. MachineError: the map was made on another one."""
    if page.geometry_sha256 != geometry_sha256(machine):
        raise MachineError(
            f"{name}: this map was probed on {page.machine} as its machine file was then; "
            f"{machine.name} has other axes, switches, skew or backlash; nothing was loaded; probe "
            "this machine's own map: microfactory probe-map"
        )
    part = machine.compensation
    if part and math.isfinite(part.fade_end_mm):
        most = max(abs(h) for row in page.heights_mm for h in row)
        if part.fade_end_mm - part.fade_begin_mm < 2 * most:
            raise MachineError(
                f"{name}: its heights of up to {most:g} mm do not fade within "
                f"{part.fade_end_mm - part.fade_begin_mm:g} mm; nothing was loaded; let "
                f"fade_end_mm be {part.fade_begin_mm + 2 * most:g} or more"
            )
    return replace(machine, heightmap=page)
