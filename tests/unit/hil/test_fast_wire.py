"""The virtual rig's decoder answers as the plain one, whatever comes and in whatever pieces."""

from hil.fast_wire import SliceDecoder
from hypothesis import given
from hypothesis import strategies as st

from mfwire.crc import Crc
from mfwire.frames import FRAME_BYTES, PAYLOAD_BYTES, Decoder, encode_into
from microfactory.checksum import ZlibCrc


def framed(payload: bytes) -> bytes:
    out = bytearray(FRAME_BYTES)
    room = bytearray(payload) + bytearray(4)
    return bytes(out[: encode_into(out, room, len(payload), Crc())])


def heard(decoder: Decoder, pieces: list[bytes]) -> tuple[list[bytes], int]:
    payloads = []
    for piece in pieces:
        at = 0
        while at < len(piece):
            at = decoder.feed(piece, at, len(piece))
            if decoder.length:
                payloads.append(bytes(decoder.payload[: decoder.length]))
    return payloads, decoder.bad


some = st.sampled_from([b"", b"\0", b"\1", b"\xff", b"\0\0", bytes(range(256)), b"ab"])
whole = st.lists(some, max_size=8).map(lambda parts: framed(b"".join(parts)[:PAYLOAD_BYTES]))
noise = st.binary(max_size=12) | st.integers(500, 520).map(lambda n: b"\7" * n + b"\0")


@given(st.lists(whole | noise, max_size=12), st.lists(st.integers(1, 700), min_size=1))
def test_it_hears_what_the_plain_decoder_hears(parts: list[bytes], sizes: list[int]) -> None:
    stream = b"".join(parts)
    pieces = []
    at = 0
    while at < len(stream):
        size = sizes[len(pieces) % len(sizes)]
        pieces.append(stream[at : at + size])
        at += size
    assert heard(SliceDecoder(ZlibCrc()), pieces) == heard(Decoder(ZlibCrc()), pieces)


def test_a_long_payload_passes_and_a_spoilt_one_does_not() -> None:
    frame = framed(bytes(range(1, 251)) * 2)
    spoilt = bytes([frame[0], frame[1] ^ 4]) + frame[2:]
    assert heard(SliceDecoder(ZlibCrc()), [frame + spoilt + frame]) == (
        [bytes(range(1, 251)) * 2] * 2,
        1,
    )
