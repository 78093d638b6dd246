"""A whole board in memory with somebody to talk to it, for the tests of the board."""

from __future__ import annotations

from typing import Any

from boards import pico_carrier
from mfboard.board import Board
from mfboard.port_sim import TICKS_PER_US, Port
from mfwire.frames import FRAME_BYTES, Decoder, encode_into
from mfwire.messages import PROTOCOL, SCHEMA_HIGH, SCHEMA_LOW, unpack
from mfwire.session import STATES, WHY, Sender
from microfactory.checksum import ZlibCrc
from microfactory.machine import Machine
from microfactory.motion.gcode import parse
from microfactory.motion.plan import plan
from microfactory.motion.stretch import Window

MACHINE = Machine.load("d3d-printer")


def bodies(text: str, machine: Machine = MACHINE) -> list[Window]:
    """The windows of a program's last stretch of motion, numbered from 0 and begun at home."""
    found: list[Window] = []
    for section in plan(parse(text), machine).sections():
        windows = list(section.windows)
        found = windows or found
    return found


class Sink:
    """What the pins did: edges of each motor as (tick, sign), output changes as (tick, value)."""

    def __init__(self) -> None:
        self.edges: dict[int, list[tuple[int, int]]] = {}
        self.changes: list[tuple[str, int, int]] = []
        self.runs: list[tuple[int, str, tuple[int, ...]]] = []

    def steps(self, motor: int, rises: Any, pulse: int, signs: Any) -> None:
        pairs = zip(rises, signs, strict=True)
        self.edges.setdefault(motor, []).extend((int(t), int(s)) for t, s in pairs)

    def turns(self, motor: int, ticks: Any, directions: Any) -> None:
        self.edges.setdefault(motor, [])

    def output(self, name: str, tick: int, value: int) -> None:
        self.changes.append((name, tick, value))

    def run(self, tick: int, kind: str, positions: list[int], number: int) -> None:
        self.runs.append((tick, kind, tuple(positions)))

    def target(self, name: str, tick: int, celsius: float) -> None:
        self.changes.append((name, tick, round(celsius * 10)))

    def temperature(self, name: str, tick: int, celsius: float) -> None:
        return

    def input(self, name: str, tick: int, active: int) -> None:
        self.changes.append((name, tick, active))


class Kit:
    """The board, and a host that says what it is told to say."""

    def __init__(self, machine: Machine = MACHINE, *, configure: bool = True) -> None:
        self.machine = machine
        self.sink = Sink()
        self.port = Port(pico_carrier, None, self.sink)
        self.board = Board(self.port, Decoder(ZlibCrc()), ZlibCrc(), ZlibCrc())
        self.sender = Sender()
        self.decoder = Decoder(ZlibCrc())
        self.heard: list[dict[str, Any]] = []
        if configure:
            self.hello()
            self.configure()

    def raw(self, data: bytes) -> None:
        """Bytes to the board, and its answers."""
        self.board.receive(data, len(data))
        self.listen()

    def listen(self) -> None:
        for data in self.port.sent:
            at = 0
            while at < len(data):
                at = self.decoder.feed(data, at, len(data))
                if self.decoder.length:
                    self.heard.append(unpack(self.decoder.payload, self.decoder.length))
        self.port.sent.clear()

    def payload(self, payload: bytes) -> None:
        out = bytearray(FRAME_BYTES + 8)
        length = encode_into(out, bytearray(payload) + bytearray(8), len(payload), ZlibCrc())
        self.raw(bytes(out[:length]))

    def say(self, name: str, **values: Any) -> int:
        """One message; the reason it was refused for, or 0."""
        before = len(self.heard)
        self.payload(self.sender.payload(name, values))
        self.sender.acknowledged(self.sender.next)
        refused = [m for m in self.heard[before:] if m["name"] == b"REFUSED"]
        return int(refused[0]["reason"]) if refused else 0

    def hello(self) -> None:
        self.sender.begin(0)
        values = {"protocol": PROTOCOL, "schema_low": SCHEMA_LOW, "schema_high": SCHEMA_HIGH}
        self.payload(self.sender.payload("HELLO", {**values, "nonce": 3}))
        self.sender.begin(self.board.receiver.connect)

    def configure(self) -> None:
        data = self.machine.board_config()
        for at in range(0, len(data), 480):
            self.say("CONFIG", offset=at, total=len(data), data=data[at : at + 480])

    def stand(self, steps: tuple[int, ...]) -> None:
        """Drivers on, motors at these counts."""
        self.say("ENABLE", motors=31)
        for motor, count in enumerate(steps):
            self.say("POSITION", motor=motor, steps=count)

    def window(self, data: bytes, number: int) -> int:
        """All pieces of a window; the first reason for which one was refused, or 0."""
        for at in range(0, len(data), 480):
            piece = data[at : at + 480]
            values = {"number": number, "offset": at, "total": len(data), "data": piece}
            reason = self.say("WINDOW", **values)
            if reason:
                return reason
        return 0

    def run(self, us: int, *, ping: bool = True) -> None:
        """Let time pass, 10 ms at a time; ping keeps the lease."""
        end = self.port.tick + us * TICKS_PER_US
        while self.port.tick < end:
            self.port.run_until(min(end, self.port.tick + 10_000 * TICKS_PER_US))
            self.listen()
            if ping and self.sender.connect:
                self.payload(self.sender.payload("PING", {"ms": 0}))

    def feed(self, windows: list[Window], *, start: bool = True, most: int = 10_000) -> int:
        """Send, commit and play as a host does, until done or `most` windows went; how many."""
        sent = 0
        for window in windows[:most]:
            while self.board.player.free() < 1:
                self.run(5_000)
            if self.window(window.data, window.number) or self.state not in ("READY", "RUNNING"):
                return sent
            while self.say("COMMIT", number=window.number) == 5:  # too far ahead
                self.run(5_000)
            if sent == 0 and start:
                assert self.say("START", number=window.number) == 0
            sent += 1
        return sent

    @property
    def state(self) -> str:
        return STATES[self.board.state]

    @property
    def why(self) -> str:
        return WHY[self.board.why]

    def positions(self) -> tuple[int, ...]:
        return tuple(self.board.port.engine.position(m) for m in range(len(self.machine.motors)))
