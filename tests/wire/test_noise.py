"""Two ends of the wire through one that drops, flips, doubles, reorders, splits and stalls.

Whatever it does, the board takes every sequenced message at most once, in the order in which it was
sent, as it was sent; once the wire is clean again all of them arrive.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest
from hil.noise import decode, frame, tried
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from mfwire.frames import Decoder
from mfwire.messages import NUMBER, pack, unpack
from mfwire.session import Receiver, Sender
from microfactory.checksum import ZlibCrc

ROOT = Path(__file__).parents[2]
PLACE = st.integers(0, 100_000)
BODY = st.binary(max_size=60)


class HostEnd:
    """Sends, keeps, resends; hears ACK and NAK."""

    def __init__(self, connect: int) -> None:
        self.sender, self.decoder = Sender(), Decoder(ZlibCrc())
        self.sender.begin(connect)
        self.sent: list[bytes] = []

    def say(self, number: int, body: bytes) -> bytes:
        window = {"number": number, "offset": 0, "total": len(body), "data": body}
        payload = self.sender.payload("WINDOW", window)
        self.sent.append(payload)
        return frame(payload)

    def hear(self, data: bytes) -> list[bytes]:
        """Frames to send again."""
        again: list[bytes] = []
        at = 0
        while at < len(data):
            at = self.decoder.feed(data, at, len(data))
            if self.decoder.length:
                message = unpack(self.decoder.payload, self.decoder.length)
                assert message["name"] in (b"ACK", b"NAK")
                self.sender.acknowledged(int(message["next"]))
                if message["name"] == b"NAK":
                    again += [frame(payload) for payload in self.sender.resend()]
        return again


class BoardEnd:
    """Takes what it may; answers with what it expects next."""

    def __init__(self, connect: int) -> None:
        self.receiver, self.decoder = Receiver(), Decoder(ZlibCrc())
        self.receiver.begin(connect)
        self.connect = connect
        self.taken: list[bytes] = []

    def hear(self, data: bytes) -> list[bytes]:
        at = 0
        while at < len(data):
            at = self.decoder.feed(data, at, len(data))
            payload = bytes(self.decoder.payload[: self.decoder.length])
            if payload and self.receiver.receive(bytearray(payload), len(payload)):
                assert payload[0] == NUMBER["WINDOW"]
                self.taken.append(payload)
        answers = []
        expected = self.receiver.expected
        if self.receiver.nak:
            answers.append(frame(pack("NAK", 0, self.connect, {"next": expected})))
        if self.receiver.ack:
            values = {"next": expected, "free": 1, "whole": 0, "committed": 0}
            answers.append(frame(pack("ACK", 0, self.connect, values)))
        self.receiver.nak = self.receiver.ack = False
        return answers


class Noise(RuleBasedStateMachine):
    """to_board and to_host hold what is on the wire: frames, or what is left of them."""

    @initialize(start=st.sampled_from([0, 65500]), connect=st.integers(1, 2**30 - 1))
    def begin(self, start: int, connect: int) -> None:
        self.host, self.board = HostEnd(connect), BoardEnd(connect)
        self.host.sender.next = self.board.receiver.expected = start
        self.to_board: list[bytes] = []
        self.to_host: list[bytes] = []

    def side(self, which: bool) -> list[bytes]:
        return self.to_board if which else self.to_host

    @rule(body=BODY, count=st.integers(1, 4))
    def say(self, body: bytes, count: int) -> None:
        for _ in range(count):
            self.to_board.append(self.host.say(len(self.host.sent), body))

    @rule()
    def say_again_after_silence(self) -> None:
        self.to_board += [frame(payload) for payload in self.host.sender.resend()]

    @rule(which=st.booleans(), count=st.integers(1, 30))
    def deliver(self, which: bool, count: int) -> None:
        side = self.side(which)
        for _ in range(min(count, len(side))):
            piece = side.pop(0)
            if which:
                self.to_host += self.board.hear(piece)
            else:
                self.to_board += self.host.hear(piece)

    @rule(which=st.booleans(), place=PLACE)
    def drop(self, which: bool, place: int) -> None:
        side = self.side(which)
        if side:
            del side[place % len(side)]

    @rule(which=st.booleans(), place=PLACE, bit=st.integers(0, 5000))
    def flip(self, which: bool, place: int, bit: int) -> None:
        side = self.side(which)
        if side:
            at = place % len(side)
            piece = bytearray(side[at])
            if piece:
                piece[bit // 8 % len(piece)] ^= 1 << bit % 8
            side[at] = bytes(piece)

    @rule(which=st.booleans(), place=PLACE, to=PLACE)
    def double(self, which: bool, place: int, to: int) -> None:
        side = self.side(which)
        if side:
            side.insert(to % (len(side) + 1), side[place % len(side)])

    @rule(which=st.booleans(), place=PLACE, to=PLACE)
    def reorder(self, which: bool, place: int, to: int) -> None:
        side = self.side(which)
        if side:
            piece = side.pop(place % len(side))
            side.insert(to % (len(side) + 1), piece)

    @rule(which=st.booleans(), place=PLACE, at=PLACE)
    def split(self, which: bool, place: int, at: int) -> None:
        side = self.side(which)
        if side:
            i = place % len(side)
            piece = side[i]
            cut = at % (len(piece) + 1)
            side[i : i + 1] = [piece[:cut], piece[cut:]]

    @rule(which=st.booleans(), place=PLACE, cut=PLACE)
    def lose_the_end_of_one(self, which: bool, place: int, cut: int) -> None:
        side = self.side(which)
        if side:
            i = place % len(side)
            side[i] = side[i][: cut % (len(side[i]) + 1)]

    @rule(which=st.booleans(), rubbish=st.binary(min_size=1, max_size=40), place=PLACE)
    def add(self, which: bool, rubbish: bytes, place: int) -> None:
        self.side(which).insert(place % (len(self.side(which)) + 1), rubbish)

    @invariant()
    def what_was_taken_is_what_was_sent_in_order_and_once(self) -> None:
        if hasattr(self, "board"):
            assert self.board.taken == self.host.sent[: len(self.board.taken)]

    def teardown(self) -> None:
        """The wire becomes clean: after a little everything has arrived and is acknowledged."""
        if not hasattr(self, "board"):
            return
        for _ in range(4):
            for piece in self.to_host:
                self.to_board += self.host.hear(piece)
            for piece in [*self.to_board, b"\0"]:
                self.board.hear(piece)
            self.to_board = [frame(payload) for payload in self.host.sender.resend()]
            self.to_host = [b"\0", *self.board.hear(b"".join(self.to_board))]
            self.to_board = []
        assert self.board.taken == self.host.sent
        for piece in self.to_host:
            self.host.hear(piece)
        assert self.host.sender.resend() == []


TestNoise = Noise.TestCase
TestNoise.settings = settings(max_examples=120, stateful_step_count=40)


def spoil(wire: list[bytes], dice: random.Random) -> list[bytes]:
    """One in twenty lost, one in twenty damaged, one in thirty doubled."""
    out = []
    for piece in wire:
        data, fate = bytearray(piece), dice.random()
        if 0.05 <= fate < 0.10:
            data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
        if fate >= 0.05:
            out += [bytes(data)] * (2 if fate > 0.97 else 1)
    return out


def exchange(host: HostEnd, board: BoardEnd, wire: list[bytes], dice: random.Random) -> list[bytes]:
    """Both ends hear once, one answer in ten is lost; what the host then sends again."""
    answers = [answer for piece in wire for answer in board.hear(piece)]
    heard = [answer for answer in answers if dice.random() < 0.9]
    return [again for answer in heard for again in host.hear(answer)]


def test_a_long_run_over_a_bad_wire_arrives_whole():
    dice = random.Random(11)
    host, board = HostEnd(77), BoardEnd(77)
    wire: list[bytes] = []
    for number in range(3000):
        wire.append(host.say(number, dice.randbytes(dice.randrange(200))))
        wire = exchange(host, board, spoil(wire, dice), dice)
        if len(host.sender.waiting) > 40:
            wire = [frame(payload) for payload in host.sender.resend()]
    for _ in range(20):
        exchange(host, board, [frame(payload) for payload in host.sender.resend()], dice)
    assert board.taken == host.sent
    assert host.sender.resend() == []


def test_of_100_000_damaged_frames_none_is_taken_for_another(request):
    many = request.config.getoption("--damaged")
    wrong, whole = tried(20, many)
    assert wrong == 0
    assert whole < many / 100


@pytest.fixture(scope="session")
def noise(tmp_path_factory) -> Path:
    """The program that damages frames for the decoder's twin in C."""
    compiler = os.environ.get("CC", "gcc")
    if not shutil.which(compiler):
        pytest.skip(f"no C compiler ({compiler})")
    made = tmp_path_factory.mktemp("noise") / "noise"
    sources = [ROOT / "csrc/src/frames.c", ROOT / "tests/c/noise_frames.c"]
    subprocess.run(
        [compiler, "-std=c11", "-O1", f"-I{ROOT / 'csrc/include'}", *sources, "-o", made],
        check=True,
    )
    return made


def test_the_twin_in_c_hears_what_the_decoder_hears(noise):
    said = subprocess.run([noise, "4000", "5", "dump"], capture_output=True, text=True, check=True)
    decoder = Decoder(ZlibCrc())
    heard = spoilt = 0
    for line in said.stdout.splitlines():
        wire, *payloads, bad = line.split(" ")
        assert [payload.hex() for payload in decode(decoder, bytes.fromhex(wire))] == payloads
        assert decoder.bad == int(bad)
        heard += len(payloads)
        spoilt += len(payloads) == 1
    assert heard >= 4000
    assert spoilt > 3900


def test_of_300_000_damaged_frames_the_twin_in_c_takes_none_for_another(noise):
    said = subprocess.run([noise, "300000", "2"], capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout
    assert said.stdout.startswith("300000 damaged frames through the C decoder: 0 taken")
