"""rig.toml: what a probe's pins are wired to, and through what; read and checked.

A channel is one wire between a pin of the probe (a Raspberry Pi Pico) and a line of the board under
test. The check refuses what would hurt a chip or could not be read: file, line and what to do are
in the sentence.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from hil.rigs.rigfile_check import LOOP, check
from microfactory import Machine, MachineError
from microfactory.machine import BOARDS
from microfactory.machine_read import build, named, read_board
from microfactory.parts import Board, choice, number
from microfactory.tomlfile import TomlFile
from microfactory.tomlfile import dump as dump_toml

DIRECTIONS = ("listen", "drive", "pull", "analog")
SHIFTS = ("none", "divider", "buffer", "opto", "transistor", "filter")


@dataclass(frozen=True, kw_only=True)
class Head:
    """The rig itself. machine: a machine that comes along, or a path beside the rig's file."""

    name: str
    board: str
    machine: str
    self_test_h: float = number(0.01, 24 * 366, 24.0)


@dataclass(frozen=True, kw_only=True)
class Channel:
    """One wire. board_v: the line's high level; ohms: of the parts between line and pin.

    direction: listen to the line, drive it, pull it low or let go, or hold a voltage (analog: PWM
    through a filter). min_v, max_v: what may stand on the line at all.
    """

    name: str
    line: str
    gpio: int = number(0, 29)
    direction: str = choice(*DIRECTIONS)
    shift: str = choice(*SHIFTS, default="none")
    board_v: float = number(0.0, 60.0, 3.3)
    series_ohm: float = number(0.0, 1e6, 1000.0)
    ground_ohm: float = number(0.0, 1e6, 0.0)
    pullup_ohm: float = number(0.0, 1e6, 0.0)
    invert: bool = False
    min_v: float = number(-60.0, 60.0, 0.0)
    max_v: float = number(-60.0, 60.0, 3.6)

    @property
    def ratio(self) -> float:
        """Share of the line's voltage that stands at the probe's pin."""
        if self.shift != "divider":
            return 1.0
        return self.ground_ohm / (self.series_ohm + self.ground_ohm)

    @property
    def reach_v(self) -> tuple[float, float]:
        """Lowest and highest voltage that an analog channel makes against the line's pull-up."""
        if not self.pullup_ohm or not self.series_ohm:
            return 0.0, self.board_v
        return self.board_v * self.series_ohm / (self.series_ohm + self.pullup_ohm), self.board_v


@dataclass(frozen=True)
class RigFile:
    """A rig, as its file says. Frozen."""

    head: Head
    board: Board
    channels: tuple[Channel, ...]
    folder: Path

    @classmethod
    def load(cls, path: str | Path) -> RigFile:
        """From a file. MachineError: it is not there, or cannot be used."""
        where = Path(path)
        if not where.is_file():
            raise MachineError(
                f"{where}: there is no such rig file; nothing was loaded; write a first one with "
                f"`microfactory hil scan --machine NAME -o {where}`"
            )
        return cls.from_file(TomlFile.read(where), where.parent)

    @classmethod
    def parse(cls, text: str, name: str = "rig.toml", folder: Path = Path()) -> RigFile:
        """From TOML text. MachineError: it cannot be used."""
        return cls.from_file(TomlFile(text, name), folder)

    @classmethod
    def from_file(cls, file: TomlFile, folder: Path) -> RigFile:
        """From a parsed TOML file. MachineError: it cannot be used."""
        file.refuse_unknown((), file.data, ["rig", "channels"])
        for key in ("rig", "channels"):
            if not isinstance(file.data.get(key), dict):
                raise file.error((key,), "this table is missing", f"add [{key}]")
        head = build(Head, file.data["rig"], ("rig",), file)
        known = sorted(path.stem for path in BOARDS.glob("*.toml"))
        if head.board not in known:
            raise file.error(
                ("rig", "board"),
                f"{head.board!r} is no known board",
                f"known are {', '.join(known)}",
            )
        board = read_board(BOARDS / f"{head.board}.toml")
        rig = cls(head, board, named(Channel, file.data, "channels", file), folder)
        check(rig, file)
        return rig

    @cached_property
    def machine(self) -> Machine:
        """The machine that the board under test is configured for. MachineError."""
        beside = self.folder / self.head.machine
        return Machine.load(beside if beside.suffix == ".toml" else self.head.machine)

    def channel(self, name: str) -> Channel:
        """A channel by its name. MachineError: there is none."""
        for channel in self.channels:
            if channel.name == name:
                return channel
        raise MachineError(
            f"{name}: the rig {self.head.name} has no such channel; nothing was done; it has "
            + ", ".join(channel.name for channel in self.channels)
        )

    def of_line(self, line: str, *directions: str) -> Channel | None:
        """The channel of one of these directions on a line of the board; None: it has none."""
        for channel in self.channels:
            if channel.line == line and channel.direction in directions:
                return channel
        return None

    @property
    def loop(self) -> tuple[Channel, Channel] | None:
        """The wire from the probe back to itself: (driven end, heard end)."""
        ends = self.of_line(LOOP, "drive"), self.of_line(LOOP, "listen")
        return ends if ends[0] and ends[1] else None  # type: ignore[return-value]

    def data(self) -> dict[str, Any]:
        """Nested plain values, as the file has them; what is as by default is left out."""
        return {
            "rig": _plain(self.head),
            "channels": {c.name: _plain(c) for c in self.channels},
        }

    def dump(self) -> str:
        """TOML text; loading it gives an equal rig."""
        return dump_toml(self.data())


def _plain(part: Any) -> dict[str, Any]:
    fields = part.__dataclass_fields__
    skip = "name" if isinstance(part, Channel) else ""
    return {
        key: getattr(part, key)
        for key, field in fields.items()
        if key != skip and getattr(part, key) != field.default
    }
