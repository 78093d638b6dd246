"""A job on a card, made once, and boards that play it."""

from __future__ import annotations

import hashlib
import json
import shutil
import struct
from functools import lru_cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from hil.plant import near_home
from hil.rig_virtual import VirtualLink

from mfboard.card_file import JOB
from mfboard.sim_card import SimCard
from mfwire import card as c
from microfactory.card import CardDesk
from microfactory.cardfiles import BUTTON_NAME, write_card
from microfactory.jobfile import compile_job
from microfactory.machine import Machine
from microfactory.motion.gcode import Program, parse

SCENARIOS = Path(__file__).parents[2] / "hil/scenarios"
NAME, MACHINE = "short_board", "circuit-plotter"

USED: list[SimCard] = []  # to be released


@lru_cache(maxsize=4)
def made(name: str = NAME, machine: str = MACHINE) -> Path:
    """A folder with the job file and a card, to be copied."""
    folder = Path(mkdtemp(prefix="card-"))
    compile_job(program(name), Machine.load(machine), folder / "job.mfjob")
    (folder / "card").mkdir()
    write_card(folder / "job.mfjob", folder / "card", journal_mb=1)
    return folder


def program(name: str = NAME) -> Program:
    return parse(SCENARIOS / f"{name}.gcode")


class Bench:
    """A virtual machine with a slot and a card of its own."""

    def __init__(self, folder: Path, name: str = NAME, machine: str = MACHINE, **options: Any):
        self.machine = options.pop("on", None) or Machine.load(machine)
        self.folder = folder / "card"
        shutil.copytree(made(name, machine) / "card", self.folder)
        self.card = SimCard(str(self.folder))
        USED.append(self.card)
        self.link = VirtualLink(
            self.machine,
            capture=True,
            start_mm=near_home(self.machine),
            card=self.card,
            **options,
        )

    @property
    def it(self) -> Any:
        return self.link.board.card

    def desk(self) -> CardDesk:
        """Somebody plugs in."""
        desk = CardDesk.__new__(CardDesk)
        desk.machine, desk.link = self.machine, self.link
        from microfactory.client import Client

        desk.client = Client(self.link, self.machine)
        desk.client.connect()
        return desk

    def bind(self) -> None:
        self.desk().bind()

    def play(self, name: str = BUTTON_NAME, flags: int = 0) -> int:
        return int(self.it.begin(name, flags))

    def end(self, seconds: float = 300.0) -> str:
        """Until it is held or has ended; what it says."""
        until = self.link.now_s() + seconds
        while self.it.state not in (c.HELD, c.ENDED) and self.link.now_s() < until:
            self.link.alone(0.05)
        return str(self.it.words)

    def until_moving(self) -> None:
        """The job's own motion has begun, homing is over."""
        while not (self.it.played > 5 and self.link.board.state == 2):
            self.link.alone(0.01)
            assert self.it.state != c.ENDED, self.it.words


def pulses(bench: Bench) -> int:
    return bench.link.capture().pulses


def changed(path: Path, change) -> None:
    """A job file whose header says something else, with hashes that are right."""
    data = path.read_bytes()
    (length,) = struct.unpack_from("<I", data, len(JOB))
    at = len(JOB) + 4
    header = json.loads(data[at : at + length])
    change(header)
    text = json.dumps(header, sort_keys=True, separators=(",", ":")).encode()
    made_of = JOB + struct.pack("<I", len(text)) + text + data[at + length : -32]
    path.write_bytes(made_of + hashlib.sha256(made_of).digest())


def own(tmp_path, machine: Machine, name: str = "short_board") -> Bench:
    """A bench with a machine of its own, and a job that was compiled for it."""
    bench = Bench(tmp_path, on=machine)
    compile_job(program(name), machine, tmp_path / "job")
    write_card(tmp_path / "job", bench.folder, journal_mb=1)
    bench.bind()
    return bench


def go(bench: Bench) -> str:
    """A hand lets it go on; what it says in the end."""
    bench.it.wants_go = True
    bench.link.alone(0.3)
    return bench.end()
