"""The short way in for pieces of windows: whatever comes, a board with it ends as one without."""

from __future__ import annotations

import random

import pytest
import viper
from kit import Kit, bodies

from mfwire.frames import FRAME_BYTES, encode_into
from mfwire.messages import pack
from microfactory.checksum import ZlibCrc

WINDOWS = bodies("G1 X40 Y30 F3000\nG3 X36 Y34 I-4\nG1 X20 Y60")
PIECE = 40


def frame(payload: bytes) -> bytes:
    out = bytearray(FRAME_BYTES)
    length = encode_into(out, bytearray(payload) + bytearray(4), len(payload), ZlibCrc())
    return bytes(out[:length])


def stream(connect: int, rng: random.Random) -> list[bytes]:
    """Frames of some windows; now and then one is lost, comes twice, is spoilt or is foreign."""
    out: list[bytes] = []
    sequence = 0
    for window in WINDOWS:
        data = window.data
        for offset in range(0, len(data), PIECE):
            values = {
                "number": window.number,
                "offset": offset,
                "total": len(data),
                "data": data[offset : offset + PIECE],
            }
            what = rng.randrange(24)
            if what == 0:
                values["offset"] = offset + 4
            elif what == 1:
                values["number"] = window.number + 1
            elif what == 2:
                values["total"] = rng.choice((0, offset, len(data) - 4, 8193, 65535))
            elif what == 3:
                values["data"] = b""
            foreign = connect ^ (what == 4)
            some = frame(pack("WINDOW", sequence + 5 * (what == 5), foreign, values))
            out += [some] * (1 + (what == 6))
            if what in (0, 1, 2, 3) or what > 5:
                sequence += 1
            if what < 6:  # what was wanted, too
                values |= {"number": window.number, "offset": offset, "total": len(data)}
                values["data"] = data[offset : offset + PIECE]
                out.append(frame(pack("WINDOW", sequence, connect, values)))
                sequence += 1
        if rng.randrange(3) == 0:
            out.append(frame(pack("COMMIT", sequence, connect, {"number": window.number})))
            sequence += 1
    return out


def state(kit: Kit) -> tuple[object, ...]:
    """Everything that pieces change."""
    board = kit.board
    player, receiver = board.player, board.receiver
    said = [m for m in kit.heard if m["name"] in (b"REFUSED", b"NAK")]
    return (
        player.whole, player.got, player.committed, [bytes(slot) for slot in player.memory],
        receiver.expected, receiver.foreign, receiver._told, board.heard_us, board.state, said,
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(40))
def test_a_board_with_the_short_way_ends_as_one_without(seed):
    intake = viper.load("fast_intake.py")["Intake"]
    plain, short = Kit(), Kit()
    short.board.intake = intake(short.board)
    taken = 0
    rng = random.Random(seed)
    for kit in (plain, short):
        kit.sender.begin(kit.board.receiver.connect)
        kit.board.receiver.begin(kit.board.receiver.connect)
        kit.heard.clear()
    assert plain.board.receiver.connect == short.board.receiver.connect
    takes = short.board.intake.takes

    def counted():
        nonlocal taken
        done = takes()
        taken += done
        return done

    short.board.intake.takes = counted
    for data in stream(plain.board.receiver.connect, rng):
        cut = rng.randrange(len(data))
        for piece in (data[:cut], data[cut:]):
            plain.raw(piece)
            short.raw(piece)
        assert state(plain) == state(short)
    assert taken > 10
    assert plain.board.player.whole > 1
