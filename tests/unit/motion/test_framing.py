"""Frames of the core against those of mfwire, which board and decoder use."""

from __future__ import annotations

import random

import pytest

from mfwire.frames import FRAME_BYTES, PAYLOAD_BYTES, Decoder, encode_into
from mfwire.messages import NUMBER, unpack
from mfwire.session import Sender
from microfactory import Machine, parse, plan, wire_bytes
from microfactory.checksum import ZlibCrc
from microfactory.errors import LimitError
from microfactory.motion.core import lib
from microfactory.motion.framing import Framer


def plain(payload: bytes) -> bytes:
    """One frame by mfwire."""
    out, buffer = bytearray(FRAME_BYTES + 8), bytearray(payload + bytes(8))
    return bytes(out[: encode_into(out, buffer, len(payload), ZlibCrc())])


def payloads() -> list[bytes]:
    rng = random.Random(3)
    some = [bytes(rng.choices(range(rng.choice([2, 256])), k=n)) for n in range(0, 503, 3)]
    edges = [bytes(n) for n in (0, 1, 502)] + [b"\x01" * n for n in range(240, 270)]
    return some + edges + [b"\xff" * PAYLOAD_BYTES, b"\x01" * 249 + b"\x00" + b"\x01" * 252]


def test_every_payload_has_the_frame_that_mfwire_gives_it():
    framer = Framer()
    for payload in payloads():
        assert framer.frame(payload) == plain(payload)


def test_a_frame_that_ends_with_a_full_block_has_nothing_behind_it():
    framer = Framer()
    for seed in range(4000):
        rng = random.Random(seed)
        payload = bytes(rng.choices(range(1, 256), k=250))
        frame = framer.frame(payload)
        assert frame == plain(payload)
        assert frame[-1] == 0
        assert 0 not in frame[:-1]


@pytest.mark.parametrize("length", [1, 479, 480, 481, 960, 4000, 8192, 65535])
def test_a_window_is_its_messages_and_its_commit(length):
    body = bytes(random.Random(length).choices(range(256), k=length))
    framer, sender = Framer(connect=77, sequence=65530), Sender()
    sender.begin(77)
    sender.next = 65530
    want = b""
    for offset in range(0, length, 480):
        values = {"number": 5, "offset": offset, "total": length}
        want += plain(sender.payload("WINDOW", {**values, "data": body[offset : offset + 480]}))
        sender.acknowledged(sender.next)
    want += plain(sender.payload("COMMIT", {"number": 5}))
    assert framer.window(5, body) == want
    assert framer.sequence == sender.next


def test_a_decoder_reads_a_window_back():
    body = bytes(range(256)) * 9
    data = Framer(connect=1).window(123, body)
    decoder, at, got, names = Decoder(ZlibCrc()), 0, b"", []
    while at < len(data):
        at = decoder.feed(data, at, len(data))
        if decoder.length:
            values = unpack(decoder.payload, decoder.length)
            names.append(values["name"])
            got += bytes(values.get("data", b""))
    assert got == body
    assert names == [b"WINDOW"] * 5 + [b"COMMIT"]
    assert decoder.bad == 0


def test_a_plan_goes_over_the_wire_as_its_windows():
    machine = Machine.load("d3d-printer")
    text = "G28\nG1 X50 Y20 F6000\nG2 X60 Y30 R20\nG1 X10\n"
    windows = [w for s in plan(parse(text), machine).sections() for w in s.windows]
    assert len(windows) > 10
    data = b"".join(wire_bytes(plan(parse(text), machine)))
    decoder, at, bodies = Decoder(ZlibCrc()), 0, {}
    while at < len(data):
        at = decoder.feed(data, at, len(data))
        if decoder.length and decoder.payload[0] == NUMBER["WINDOW"]:
            values = unpack(decoder.payload, decoder.length)
            number = int(values["number"])
            bodies[number] = bodies.get(number, b"") + bytes(values["data"])
    assert bodies == {w.number: w.data for w in windows}


def test_what_does_not_fit_is_refused():
    framer = Framer()
    with pytest.raises(LimitError):
        framer.frame(bytes(PAYLOAD_BYTES + 1))
    for number, body in ((0, b""), (0, bytes(65536)), (1 << 30, b"x")):
        with pytest.raises(LimitError):
            framer.window(number, body)
    assert framer.sequence == 0


def test_the_core_has_the_numbers_of_the_table():
    assert NUMBER["WINDOW"] == lib.MF_MESSAGE_WINDOW
    assert NUMBER["COMMIT"] == lib.MF_MESSAGE_COMMIT
    assert lib.MF_FRAME_BYTES == FRAME_BYTES
    assert lib.MF_PAYLOAD_BYTES == PAYLOAD_BYTES
