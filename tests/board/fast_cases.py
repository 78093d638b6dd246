"""Fast twins against the plain versions, on MicroPython: `fast_cases.py FIRMWARE`. Prints ok."""

import sys

sys.path.insert(0, sys.argv[1])

from mfboard.fast_wire import FastCrc, FastDecoder, copy, encode
from mfwire.crc import Crc
from mfwire.frames import Decoder, encode_into

_state = [1]


def draw(n):
    """0 to n - 1, from a fixed seed."""
    _state[0] = (_state[0] * 75 + 74) % 65537
    return _state[0] % n


def data(n, zeros):
    return bytearray([0 if draw(100) < zeros else draw(256) for _ in range(n)])


def same_crc():
    for n in (0, 1, 3, 64, 300):
        some = data(n, 10)
        plain, fast = Crc(), FastCrc()
        for crc in (plain, fast):
            crc.reset()
            crc.feed(some, 0, n // 2)
            crc.feed(some, n // 2, n)
        assert (plain.value_low(), plain.value_high()) == (fast.value_low(), fast.value_high()), n


def same_frames():
    stream = bytearray()
    for i in range(150):
        n = (1, 8, 40, 253, 254, 255, 256, 502)[draw(8)] if i & 1 else 1 + draw(502)
        payload = data(n, (0, 5, 60, 100)[draw(4)])
        payload.extend(bytes(8))
        outs = [bytearray(530), bytearray(530)]
        lengths = [
            encode_into(outs[0], bytearray(payload), n, Crc()),
            encode(outs[1], bytearray(payload), n, FastCrc()),
        ]
        assert (lengths[0], outs[0]) == (lengths[1], outs[1]), (i, n)
        frame = outs[0][: lengths[0]]
        what = draw(8)
        if what == 0:
            frame[draw(len(frame))] ^= 1 << draw(8)
        elif what == 1:
            frame = frame[: draw(len(frame))]
        elif what == 2:
            frame = data(draw(1200), 0) + bytearray(1) + frame
        elif what == 3:
            frame = bytearray(draw(4)) + frame
        stream.extend(frame)
    heard = []
    for decoder in (Decoder(), FastDecoder()):
        _state[0] = 7
        got = []
        at = 0
        while at < len(stream):
            end = min(len(stream), at + 1 + draw(700))
            while at < end:
                at = decoder.feed(stream, at, end)
                if decoder.length:
                    got.append(bytes(decoder.payload[: decoder.length]))
        heard.append((got, decoder.bad))
    assert heard[0] == heard[1]
    assert len(heard[0][0]) > 90
    assert heard[0][1] > 10


def same_copy():
    some = data(50, 10)
    out = bytearray(60)
    copy(out, 7, some, 3, 45)
    assert out == bytes(7) + some[3:45] + bytes(11)


same_crc()
same_frames()
same_copy()
print("ok")
