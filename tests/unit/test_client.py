"""The host's end of a session against boards that are old, other, or noisy."""

from __future__ import annotations

import pytest

from mfwire.frames import FRAME_BYTES, Decoder, encode_into
from mfwire.messages import FIELDS, NUMBER, PROTOCOL, SCHEMA_HIGH, SCHEMA_LOW, pack, unpack
from microfactory.board import Board
from microfactory.checksum import ZlibCrc
from microfactory.client import Client
from microfactory.errors import BoardFault, LinkError
from microfactory.machine import Machine

MACHINE = Machine.load("d3d-printer")
WELCOME = {
    "protocol": PROTOCOL,
    "schema_low": SCHEMA_LOW,
    "schema_high": SCHEMA_HIGH,
    "tick_hz": 125_000_000,
    "slots": 8,
    "slot_bytes": 8192,
    "motors_max": 5,
    "lead_ticks": 625_000,
    "horizon_ms": 310,
    "lease_ms": 250,
    "uid0": 1,
    "uid1": 2,
    "uid2": 3,
    "uid3": 4,
    "firmware": b"test",
}


def frame(payload: bytes) -> bytes:
    out = bytearray(FRAME_BYTES + 8)
    buffer = bytearray(payload) + bytearray(4)
    return bytes(out[: encode_into(out, buffer, len(payload), ZlibCrc())])


class OddBoard:
    """A link to a board that answers HELLO with WELCOME, changed; its clock is the reading."""

    def __init__(self, connect: int = 5, cut: int = 0, **changed: int) -> None:
        self.connect, self.cut, self.changed = connect, cut, changed
        self.time_s, self.decoder = 0.0, Decoder()
        self.to_host = b""

    def write(self, data: bytes) -> None:
        at = 0
        while at < len(data):
            at = self.decoder.feed(data, at, len(data))
            if self.decoder.length and self.decoder.payload[0] == 1:
                hello = unpack(self.decoder.payload, self.decoder.length)
                values = {**WELCOME, "nonce": hello["nonce"], **self.changed}
                payload = pack("WELCOME", 0, self.connect, values)
                self.to_host += frame(payload[: len(payload) - self.cut])

    def read(self, timeout_s: float) -> bytes:
        self.time_s += timeout_s
        data, self.to_host = self.to_host, b""
        return data

    def now_s(self) -> float:
        return self.time_s

    def close(self) -> None:
        self.to_host = b""


def ack(connect: int, following: int) -> bytes:
    values = {"next": following, "free": 3, "whole": 0, "committed": 0}
    return frame(pack("ACK", 0, connect, values))


@pytest.mark.parametrize(
    "board",
    [
        OddBoard(protocol=PROTOCOL + 1),
        OddBoard(schema_low=SCHEMA_LOW ^ 1),
        OddBoard(schema_high=SCHEMA_HIGH ^ 1, cut=12),  # with fewer fields than ours
    ],
    ids=["protocol", "schema", "shorter"],
)
def test_a_board_with_another_firmware_is_refused_in_words(board):
    with pytest.raises(LinkError, match=r"another firmware .*nothing moved; flash"):
        Client(board, MACHINE).connect()


def test_a_port_where_nobody_answers_is_told_after_a_while():
    board = OddBoard(nonce=1)  # answers somebody else
    with pytest.raises(LinkError, match="no board answers"):
        Client(board, MACHINE).connect()
    assert 4.0 < board.time_s < 8.0  # the chip takes four seconds to begin


def test_acknowledgements_of_an_older_connection_are_not_believed():
    board = OddBoard(connect=9)
    client = Client(board, MACHINE)
    client.connect()
    client.send("HOLD")
    board.to_host = ack(8, 1)
    client.pump(0.01)
    assert len(client.sender.waiting) == 1
    assert client.foreign == 1
    board.to_host = ack(9, 1)
    client.pump(0.01)
    assert client.sender.waiting == []
    assert client.free == 3


def test_frames_that_are_no_message_are_dropped():
    board = OddBoard(connect=9)
    client = Client(board, MACHINE)
    client.connect()
    rubbish = [b"\x05", bytes(9), bytes([200]) + bytes(20), bytes([69, 0, 0, 0, 9, 0, 0, 0, 1])]
    board.to_host = b"".join(frame(payload) for payload in rubbish) + b"\x07noise\0"
    client.pump(0.01)
    assert client.foreign == 4
    assert client.status is None


def status(connect: int, **changed: int | bytes) -> bytes:
    """A STATUS with nothing in its lists."""
    values = dict.fromkeys((name for name, _form in FIELDS[NUMBER["STATUS"]]), 0)
    return frame(pack("STATUS", 0, connect, {**values, "lists": b"", **changed}))


class DeafBoard(OddBoard):
    """Tells its status all the time and takes nothing but HELLO."""

    def read(self, timeout_s: float) -> bytes:
        return super().read(timeout_s) + status(self.connect)


@pytest.mark.parametrize("count", [1, 200])
def test_a_board_that_is_heard_but_takes_nothing_is_told_after_a_while(count):
    board = DeafBoard(connect=9)
    client = Client(board, MACHINE)
    client.connect()
    begin = board.time_s

    def say() -> None:
        for _ in range(count):
            client.send("HOLD")
        client.settle()

    with pytest.raises(LinkError, match="takes nothing that is sent"):
        say()
    assert client.resent > 3
    assert 2.0 < board.time_s - begin < 5.0


def test_the_status_of_another_machine_names_nothing_and_breaks_nothing():
    board = OddBoard(connect=9)
    client = Client(board, MACHINE)
    client.connect()
    nine = {"motors": 9, "inputs": 9, "outputs": 9, "heaters": 9}
    for lists in (b"", bytes(9 * 18)):
        board.to_host = status(9, **nine, state=2, lists=lists)
        client.pump(0.01)
        assert client.status is not None
        assert client.status.state == "RUNNING"
        assert client.status.steps == client.status.inputs == client.status.heaters == {}


def test_numbers_that_this_host_does_not_know_are_told_as_such():
    board = OddBoard(connect=9)
    client = Client(board, MACHINE)
    client.connect()
    board.to_host = status(9, state=77, why=88, fault=99)
    refused = {"sequence": 0, "reason": 99, "detail": 6}
    board.to_host += frame(pack("REFUSED", 0, 9, refused))
    client.pump(0.01)
    assert client.status is not None
    assert client.status.state == "unknown (77)"
    with pytest.raises(BoardFault, match=r"refused HOLD: unknown \(99\)"):
        client.check_refused()


class MovingBoard(OddBoard):
    """Runs until it has heard ABORT; the wire loses the first ones."""

    def __init__(self, lost: int) -> None:
        super().__init__(connect=9)
        self.lost, self.aborts = lost, 0

    def write(self, data: bytes) -> None:
        reader = Decoder()
        reader.feed(data, 0, len(data))
        self.aborts += reader.payload[0] == NUMBER["ABORT"]
        super().write(data)

    def read(self, timeout_s: float) -> bytes:
        moving = self.aborts <= self.lost
        return super().read(timeout_s) + status(self.connect, state=2 if moving else 7)


def test_a_stop_is_said_again_until_the_board_stands():
    link = MovingBoard(lost=3)
    board = Board(link, MACHINE)
    board.client.connect()
    assert board.stop().state == "ABORTED"
    assert link.aborts == 4


def test_a_board_that_does_not_stop_is_told_in_words():
    link = MovingBoard(lost=10_000)
    board = Board(link, MACHINE)
    board.client.connect()
    with pytest.raises(LinkError, match="does not stop; use the emergency stop now"):
        board.stop()
    assert link.time_s < 5
