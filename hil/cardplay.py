"""A virtual machine that plays a job from a simulated card, and what must hold of it at rest."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import microfactory as mf
from hil.cuts import SCENARIOS, Kind
from hil.plant import near_home
from hil.rig_virtual import VirtualLink
from hil.verify import verify
from mfboard.sim_card import SimCard
from mfwire import card as c
from mfwire import session as s
from microfactory.cardfiles import BUTTON_NAME, bond, write_card
from microfactory.client import Client
from microfactory.jobfile import JobFile, compile_job

LONG_S = 900.0


class WrongError(Exception):
    """What a trial found."""


class Play:
    """A virtual machine that plays one job from a card."""

    def __init__(self, kind: Kind, folder: Path) -> None:
        self.kind = kind
        self.machine = mf.Machine.load(kind.machine)
        self.program = mf.parse(SCENARIOS / f"{kind.name}.gcode")
        job = folder / "job"
        compile_job(self.program, self.machine, job)
        self.folder = folder / "card"
        self.folder.mkdir()
        write_card(job, self.folder, journal_mb=1)
        self.file = JobFile.load(job)
        self.places = _places(self.file)
        self.card = SimCard(str(self.folder))
        self.link = VirtualLink(
            self.machine, capture=True, start_mm=near_home(self.machine), card=self.card
        )
        client = self.client()
        client.configure()
        client.send("CARD", act=c.BIND, data=bond(self.machine))
        client.settle()
        client.send("BYE")

    def client(self) -> Client:
        """A host that plugs in."""
        client = Client(self.link, self.machine)
        client.connect()
        return client

    @property
    def it(self) -> Any:
        """The board's card."""
        return self.link.board.card

    def begin(self) -> None:
        """The button's way."""
        assert self.it.begin(BUTTON_NAME, 0) == s.OK

    def live(self, seconds: float) -> None:
        """Let the machine live."""
        self.link.alone(seconds)

    def until(self, what: Callable[[], bool], seconds: float) -> bool:
        """Until something holds."""
        end = self.link.now_s() + seconds
        while not what():
            if self.link.now_s() > end:
                return False
            self.live(0.05)
        return True

    def positions(self) -> tuple[int, ...]:
        engine = self.link.port.engine
        return tuple(engine.position(m) for m in range(len(self.machine.motors)))

    def still(self) -> bool:
        """At rest, or ended."""
        return self.it.state in (c.HELD, c.ENDED)

    # ---- what must hold

    def on_path(self) -> None:
        """Held: at rest where a tail ends, position known, no heat above its standby."""
        board = self.link.board
        if board.state == s.RESTED:
            if not board.trusted:
                raise WrongError("at rest, and the position is not trusted")
            if self.positions() not in self.places:
                raise WrongError(f"it rests at {self.positions()}, where no tail ends")
        for heater, part in zip(board.heaters, self.machine.heaters, strict=True):
            if heater.target_dc > part.standby_c * 10:
                raise WrongError(f"held, and {part.name} is to have {heater.target_dc / 10} C")

    def off(self) -> None:
        """Ended: no output is on, nothing is to be warm."""
        board = self.link.board
        if any(board.outputs.value) or any(heater.target_dc for heater in board.heaters):
            raise WrongError(f"ended ({self.it.words}), and something is on: {board.outputs.value}")

    def ended(self) -> None:
        """Played to its end, and every pulse where the program wants it."""
        if not self.until(lambda: self.it.state in (c.ENDED, c.HELD), LONG_S):
            raise WrongError(f"it does not end: {self.it.words}, board {self.link.board.state}")
        if self.it.state != c.ENDED or self.it.why != c.END:
            raise WrongError(f"it did not play to its end: {self.it.words}")
        self.live(0.2)
        self.off()
        report = verify(self.program, self.machine, self.link.capture())
        if report.verdict != "PASS":
            raise WrongError(f"{report.verdict}: {report.violations[:1]}")


def _places(file: JobFile) -> set[tuple[int, ...]]:
    """Counts at which a tail of the job ends."""
    found: set[tuple[int, ...]] = set()
    for section in file.sections():
        for window in section.windows:
            found.add(tuple(window.rest_steps))
    return found
