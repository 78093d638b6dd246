"""A board that plays from its card, asked over USB: what it does, play, hold, go on, end.

It is only asked, never configured: whatever plays is not disturbed by who comes and goes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from mfwire import card as c
from microfactory.cardfiles import BUTTON_NAME, bond
from microfactory.client import Client
from microfactory.errors import BoardFault, LinkError, Stopped
from microfactory.link import open_link
from microfactory.machine import Machine
from microfactory.status import word

ANSWER_S = 1.5
WHY = (
    "",
    "hold",
    "the card is slow",
    "the card is gone",
    "pause",
    "no arc",
    "end",
    "stop",
    "wrong",
)


@dataclass(frozen=True)
class CardStatus:
    """What a board tells of its card. state: as mfwire.card.STATES; why: in a word."""

    state: str
    why: str
    bound: bool
    position_trusted: bool
    name: str
    words: str
    line: int
    window: int
    windows_played: int
    windows: int

    def data(self) -> dict[str, Any]:
        """Plain values."""
        return dict(vars(self))


class CardDesk:
    """A connection to a board with a slot. Use as a context manager."""

    def __init__(self, port: str, machine: Machine, **options: Any) -> None:
        self.machine = machine
        self.link = open_link(port, machine, **options)
        self.client = Client(self.link, machine)

    def __enter__(self) -> CardDesk:
        try:
            self.client.connect()
        except BaseException:
            self.link.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.link.close()

    def ask(self, act: int, data: bytes = b"") -> CardStatus:
        """One CARD. BoardFault: refused; LinkError: no answer."""
        client = self.client
        client.carded = {}
        client.send("CARD", act=act, data=data)
        client.settle()
        begin = self.link.now_s()
        while not client.carded:
            if self.link.now_s() - begin > ANSWER_S:
                raise LinkError("the board does not tell of its card; look at cable and power")
            client.pump(0.02)
        return self._status()

    def _status(self) -> CardStatus:
        m = self.client.carded
        name, _, words = m["text"].decode("utf-8", "replace").partition("\n")
        return CardStatus(
            state=word(c.STATES, m["state"]),
            why=word(WHY, m["why"]),
            bound=bool(m["bound"]),
            position_trusted=bool(m["homed"]),
            name=name,
            words=words,
            line=m["line"],
            window=m["window"],
            windows_played=m["played"],
            windows=m["windows"],
        )

    def status(self) -> CardStatus:
        """Now."""
        return self.ask(c.ASK)

    def play(self, name: str = BUTTON_NAME, *, trust: bool = False) -> CardStatus:
        """Begin. trust: no homing where the position is known."""
        return self.ask(c.PLAY, bytes([c.TRUST if trust else 0]) + name.encode())

    def hold(self) -> CardStatus:
        """Stop on the path."""
        return self.ask(c.ASK_HOLD)

    def go(self) -> CardStatus:
        """Go on from there."""
        return self.ask(c.GO)

    def stop(self) -> CardStatus:
        """Stop on the path, and end the job."""
        return self.ask(c.ASK_STOP)

    def forget(self) -> CardStatus:
        """The board plays no card any more."""
        return self.ask(c.FORGET)

    def bind(self) -> CardStatus:
        """Tell the board which machine it is; it plays jobs for this one only."""
        self.client.configure()
        return self.ask(c.BIND, bond(self.machine))

    def watch(self, told: Callable[[CardStatus], None]) -> CardStatus:
        """Until the job has ended or is held. Stopped: it is held; BoardFault: it went wrong."""
        while True:
            status = self.status()
            told(status)
            if status.state == "HELD":
                raise Stopped(
                    f"{status.name}: {status.words}; go on with `microfactory card go`, or end it "
                    "with `microfactory card stop`"
                )
            if status.state == "ENDED":
                if status.why != "end":
                    raise BoardFault(f"{status.name}: {status.words}")
                return status
            for _ in range(10):
                self.client.pump(0.05)
