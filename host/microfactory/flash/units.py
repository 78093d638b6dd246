"""The boards of this workshop, remembered on the host: who each is, so that a dead one is replaced.

A unit is one machine's controller: its name and id stay when the board inside is another. In
state/boards/NAME: unit.json, machine.toml, calibration.json.
"""

from __future__ import annotations

import json
import re
import secrets
import threading
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from microfactory.errors import UsageError
from microfactory.machine import Machine
from microfactory.places import state_dir, write_whole

IDENTITY = "/me/identity.json"
MACHINE = "/me/machine.toml"
CALIBRATION = "/me/calibration.json"
_naming = threading.Lock()


@dataclass(frozen=True)
class Unit:
    """One controller. id: drawn once; number: of the chip that is in it now, hex."""

    name: str
    id: str
    machine: str
    machine_toml: str
    number: str = ""
    calibration: str = ""

    def files(self) -> dict[str, bytes]:
        """What of it lives on the board."""
        identity = {"id": self.id, "name": self.name, "machine": self.machine}
        files = {
            IDENTITY: json.dumps(identity, sort_keys=True).encode(),
            MACHINE: self.machine_toml.encode(),
        }
        if self.calibration:
            files[CALIBRATION] = self.calibration.encode()
        return files


def folder() -> Path:
    """Where units are kept."""
    return state_dir() / "boards"


def known() -> list[Unit]:
    """All of them by name; a file that cannot be read is left out."""
    units = (_read(path) for path in sorted(folder().glob("*/unit.json")))
    return [unit for unit in units if unit is not None]


def load(name: str) -> Unit:
    """By name. UsageError: nobody knows it."""
    unit = _read(folder() / _plain(name) / "unit.json")
    if unit is None:
        names = ", ".join(unit.name for unit in known()) or "none yet"
        raise UsageError(
            f"{name}: this computer knows no board of that name; no board was touched; known are "
            f"{names}"
        )
    return unit


def of_number(number: str) -> Unit | None:
    """The unit that this chip was last part of."""
    return next((unit for unit in known() if number and unit.number == number), None)


def keep(unit: Unit) -> None:
    """On the disk before this returns. UsageError: it cannot be written."""
    place = folder() / _plain(unit.name)
    if unit.calibration:
        write_whole(place / "calibration.json", unit.calibration.encode())
    write_whole(place / "machine.toml", unit.machine_toml.encode())
    head = {key: asdict(unit)[key] for key in ("name", "id", "machine", "number")}
    write_whole(place / "unit.json", json.dumps(head, indent=1).encode())


def new(machine: Machine, name: str = "") -> Unit:
    """A unit that nobody had before; without a name the next free one. UsageError: name taken."""
    with _naming:
        taken = {unit.name for unit in known()}
        if name and name in taken:
            raise UsageError(
                f"{name}: there is a board of that name already; no board was touched; take "
                "another name, or --replace it"
            )
        if not name:
            number = 1
            while f"{machine.name}-{number}" in taken:
                number += 1
            name = f"{machine.name}-{number}"
        unit = Unit(_plain(name), secrets.token_hex(8), machine.name, machine.dump())
        keep(unit)
        return unit


def from_board(files: dict[str, bytes]) -> Unit | None:
    """The unit that a board says it is; None: it does not say."""
    try:
        identity = json.loads(files[IDENTITY])
        return Unit(
            _plain(str(identity["name"])),
            str(identity["id"]),
            str(identity["machine"]),
            files[MACHINE].decode(),
            calibration=files.get(CALIBRATION, b"").decode(),
        )
    except (KeyError, ValueError, TypeError):
        return None


def with_machine(unit: Unit, machine: Machine) -> Unit:
    """The same unit with the machine file as it is now."""
    return replace(unit, machine=machine.name, machine_toml=machine.dump())


def _plain(name: str) -> str:
    return re.sub(r"^\.+|[^A-Za-z0-9._-]", "_", name)[:60] or "_"


def _read(path: Path) -> Unit | None:
    try:
        head = json.loads(path.read_text())
        calibration = path.with_name("calibration.json")
        return Unit(
            str(head["name"]),
            str(head["id"]),
            str(head["machine"]),
            path.with_name("machine.toml").read_text(),
            str(head["number"]),
            calibration.read_text() if calibration.is_file() else "",
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
