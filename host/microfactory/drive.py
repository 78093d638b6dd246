"""Driving one stretch of motion: windows out, journal before commit, until the board rests.

The horizon is what the board may play without us: 250 ms are kept committed, so that a host that
stalls costs nothing and a cut cable stops the machine soon. No more than one window is made ahead
of that, so that an override takes effect with the window behind it.
"""

from __future__ import annotations

import zlib
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from microfactory.client import Client
from microfactory.errors import BoardFault
from microfactory.motion.stretch import Place, Window

HORIZON_S = 0.25
SLACK_S = 0.05  # the board takes HORIZON_S and a window of 60 ms
STILL = ("DONE", "RESTED", "ABORTED", "FAULT")
KEPT = 32
ASKED = ("hold", "door", "float")  # somebody, or an interlock, stopped it on its path


@dataclass(frozen=True)
class Driven:
    """How a stretch ended: kind as the board's state, why, and where."""

    state: str
    why: str
    window: Window | None
    steps: tuple[int, ...]

    @property
    def place(self) -> Place | None:
        """Where in the program it rests, when a tail was played."""
        return self.window.rest if self.window and self.state == "RESTED" else None


class Driver:
    """One stretch. `hold` may be set by whoever watches (a signal, a second terminal)."""

    def __init__(
        self,
        client: Client,
        windows: Iterator[Window],
        *,
        journal: Callable[[Window], None] | None = None,
        watch: Callable[[float, Window | None], None] | None = None,
        wants_hold: Callable[[], bool] | None = None,
        guards: tuple[tuple[int, int], ...] = (),
    ) -> None:
        self.client = client
        self.windows = windows
        self.journal = journal
        self.watch = watch
        self.wants_hold = wants_hold
        self.guards = guards
        self.recent: deque[Window] = deque(maxlen=KEPT)
        self.waiting: deque[Window] = deque()  # sent, not committed
        self.committed_s = 0.0
        self.begin_s: float | None = None
        self.first: Window | None = None
        self.ended = False  # no more windows to send
        self.holding = False
        self.hash = client.hash
        self.hashes: dict[int, int] = {}

    def run(self) -> Driven:
        """Until the board rests. LinkError, BoardFault."""
        client = self.client
        self.first = next(self.windows, None)
        if self.first is None:
            return self._result()
        self._prepare(self.first)
        pending: Window | None = self.first
        while True:
            pending = self._send(pending)
            self._commit()
            client.pump(0.004 if not self.waiting and not self.ended and client.free > 1 else 0.02)
            status = client.status
            if client.refused and not self._late():
                client.check_refused()
            if self.watch and status:
                self.watch(self.played_s(), self._window(status.window))
            if self.wants_hold and not self.holding and self.wants_hold():
                self.holding = True
                client.send("HOLD")
            if status and self.begin_s is not None:
                if status.state == "STRIKING":
                    self.begin_s = client.link.now_s()  # the path has not begun
                elif status.state in STILL or status.state == "READY":
                    return self._result()

    def _late(self) -> bool:
        """A refusal that only says that the board has begun to stop."""
        refused = self.client.refused
        if refused and refused[0] in ("WINDOW", "COMMIT", "HOLD") and self.begin_s is not None:
            status = self.client.ask()
            if status.state not in ("RUNNING", "STRIKING") or self.holding or refused[1] == 7:
                self.client.refused = None
                self.ended = True
                self.waiting.clear()
                return True
        return False

    def _prepare(self, first: Window) -> None:
        client = self.client
        client.send("RESET", number=first.number)
        for number, mask in self.guards:
            client.send("GUARD", input=number, motors=mask, edge=1)
        client.settle()
        client.ask()
        client.whole = client.committed = first.number

    def _send(self, pending: Window | None) -> Window | None:
        client = self.client
        while not self.ended and not self.waiting:
            pending = pending or next(self.windows, None)
            if (
                pending is None
                or client.free - self._unheard() <= 0
                or len(client.sender.waiting) > 24
            ):
                break
            client.send_window(pending.number, pending.data)
            self.waiting.append(pending)
            self.recent.append(pending)
            if pending.last:
                self.ended = True
            pending = None
        return pending

    def _unheard(self) -> int:
        """Windows sent that the board has not counted yet."""
        last = self.recent[-1].number + 1 if self.recent else self.client.whole
        return (last - self.client.whole) & 0x3FFFFFFF

    def played_s(self) -> float:
        """How long the stretch has been playing."""
        return 0.0 if self.begin_s is None else self.client.link.now_s() - self.begin_s

    def _commit(self) -> None:
        client = self.client
        tick_hz = client.info.tick_hz if client.info else 125_000_000
        newest: Window | None = None
        while self.waiting:
            length_s = self.waiting[0].length_ticks / tick_hz
            if self.committed_s - self.played_s() + length_s > HORIZON_S + SLACK_S:
                break
            window = self.waiting.popleft()
            if self.journal:
                self.journal(window)
            self.committed_s += length_s
            self.hash = zlib.crc32(window.data, self.hash)
            self.hashes[window.number] = self.hash
            newest = window
        if newest is not None:
            client.send("COMMIT", number=newest.number)
        full = self.committed_s >= HORIZON_S - SLACK_S or (self.ended and not self.waiting)
        if not full and not self.waiting and client.free - self._unheard() <= 0:
            full = True  # every slot holds a short window: more cannot come before it moves
        if self.begin_s is None and full and self.first is not None:
            self._settle()  # a START is never on its way together with what it starts
            client.send("START", number=self.first.number)
            self._settle()
            self.begin_s = client.link.now_s()
            client.ask()

    def _settle(self) -> None:
        """All that was sent has arrived. What was refused is looked at in `run`."""
        while self.client.sender.waiting:
            self.client.pump(0.01)

    def _compare(self, told: int) -> None:
        """What the board committed must be what was sent: the last commits may have come late."""
        if told not in (*self.hashes.values(), self.client.hash):
            raise BoardFault(
                f"the board committed other windows than were sent (its hash {told:08x}, ours "
                f"{self.hash:08x}); the machine stands; home before moving, and report this"
            )
        self.client.hash = told

    def _window(self, number: int) -> Window | None:
        for window in self.recent:
            if window.number == number:
                return window
        return None

    def _result(self) -> Driven:
        client = self.client
        self._settle()  # what is still on its way may be refused: it came late
        status = client.ask()
        client.refused = None
        self._compare(status.hash)
        if status.state == "FAULT":
            client.check_fault()
        steps = tuple(status.steps.values())
        window = self._window(status.window)
        planned = window.rest_steps if window and status.state == "RESTED" else steps
        if planned != steps:
            raise BoardFault(
                f"the board rests at {steps} where {planned} was planned; the position is not to "
                "be trusted; home before moving, and report this"
            )
        return Driven(status.state, status.why, window, steps)


def drive(client: Client, windows: Iterator[Window], **options: object) -> Driven:
    """One stretch, until the board rests."""
    return Driver(client, windows, **options).run()  # type: ignore[arg-type]
