"""Lists of words: the plain expander, the core's player and the rig's numpy twin give the same."""

from __future__ import annotations

import random
import struct
from array import array

import pytest
from hil.fast_lists import FastLists
from kit import MACHINE, bodies

from mfboard import window
from mfboard.expand import DIRECTION, STEP, expand
from mfboard.sim_engine import PlainLists
from mfwire.messages import put16, u16
from microfactory.motion.core import ffi, lib

TEXT = """M109 S200
G28
M83
G1 X2 Y170 F3000
G2 X6 Y166 J-4 E.2
M106 S99
G1 X5 E-1
G4 P60
G1 X0
"""


def played(words: list[int]) -> list[tuple[int, int, int]]:
    """(ticks, step, direction) of each word, by the core."""
    out = ffi.new("mf_word[]", 200_000)
    count = ffi.new("size_t *")
    segments = ffi.new("uint32_t[]", words)
    assert lib.mf_segments_play(segments, len(words) // 2, out, 200_000, count) == lib.MF_OK
    return [(out[i].ticks, out[i].step, out[i].direction) for i in range(count[0])]


def random_segment(rng: random.Random) -> tuple[int, int]:
    """A segment whose words stay longer than nothing."""
    count, scale = rng.randint(1, 127), rng.randint(0, 3)
    interval = rng.randrange(20_000, 1 << 20)
    reach = interval * 1024 // 2  # half of the interval, in Q.10
    first = rng.randint(-1, 1) * rng.randrange(
        max(1, min(1 << 19, reach // count >> 2 + 3 * scale))
    )
    second = rng.randint(-1, 1) * rng.randrange(
        max(1, min(1 << 11, reach // (count * count) >> 5 * scale))
    )
    w0 = rng.getrandbits(2) | count << 2 | scale << 9 | interval << 11
    return w0, second & 0xFFF | (first & 0xFFFFF) << 12


@pytest.mark.parametrize("seed", range(5))
def test_random_segments_play_the_same_in_python_and_c(seed):
    rng = random.Random(seed)
    words = [w for _ in range(150) for w in random_segment(rng)]
    ticks, kinds = array("I", bytes(4 * 32_768)), bytearray(32_768)
    data = struct.pack(f"<{len(words)}I", *words)
    count = expand(data, 0, len(words) // 2, ticks, kinds, 32_768)
    want = played(words)
    assert count == len(want) > 5_000
    for i, (length, step, way) in enumerate(want):
        assert ticks[i] == length
        assert (kinds[i] & DIRECTION > 0) == (way > 0)
        assert (kinds[i] & STEP > 0) == (step != 0)


def test_the_rigs_twin_gives_the_edges_of_the_plain_one():
    plain, fast = PlainLists(), FastLists()
    motors, base, compared = len(MACHINE.motors), 12_345, 0
    for body in bodies(TEXT):
        slot = bytearray(body.data)
        for tail in (False, True):
            if tail and not body.tail_ticks:
                continue
            slow_lists, fast_lists = (x.expand(slot, tail, motors) for x in (plain, fast))
            for m in range(motors):
                a = plain.edges(slow_lists[m], base, 129, 1)
                b = fast.edges(fast_lists[m], base, 129, 1)
                assert [list(map(int, part)) for part in a[:4]] == [
                    list(map(int, part)) for part in b[:4]
                ]
                assert a[4:] == b[4:]
                assert a[4] - base == (body.tail_ticks if tail else body.length_ticks) - base
                assert plain.total(a[1]) == fast.total(b[1])
                compared += len(a[0])
    assert compared > 3_000


def test_words_without_length_and_too_many_of_them_are_told():
    ticks, kinds = array("I", bytes(400)), bytearray(100)
    none = struct.pack("<2I", 2 | 5 << 2, 0)
    many = struct.pack("<2I", 2 | 127 << 2 | 5000 << 11, 0)
    zero = struct.pack("<2I", 2 | 5000 << 11, 0)
    for data in (none, many, zero):
        assert expand(data, 0, 1, ticks, kinds, 100) == -1


def test_a_motor_plays_the_list_of_the_one_before_where_its_count_says_so():
    shared = 0
    motors, outputs = len(MACHINE.motors), len(MACHINE.outputs) + len(MACHINE.heaters)
    for body in bodies(TEXT):
        data = bytearray(body.data)
        for tail in (False, True):
            for m in range(motors):
                if u16(data, 28 + 8 * m + (6 if tail else 4)) == window.AS_BEFORE:
                    shared += 1
                    assert window.list_of(data, m, tail) == m - 1
                    assert window.list_at(data, m, tail) == window.list_at(data, m - 1, tail)
            assert (
                PlainLists().expand(data, tail, motors)[1]
                == (PlainLists().expand(data, tail, motors)[2])
            )
        put16(data, 28 + 4, window.AS_BEFORE)
        assert not window.sound(data, len(data), motors, outputs)
    assert shared > 10


def test_a_body_is_taken_whole_or_not_at_all():
    motors, outputs = len(MACHINE.motors), len(MACHINE.outputs) + len(MACHINE.heaters)
    rng = random.Random(4)
    kept = 0
    for body in bodies(TEXT):
        data = body.data
        assert window.sound(data, len(data), motors, outputs)
        assert not window.sound(data, len(data), motors + 1, outputs)
        assert not window.sound(data, len(data) - 8, motors, outputs)
        for _ in range(60):
            spoilt = bytearray(data)
            at = rng.randrange(28 + 8 * motors)
            spoilt[at] ^= 1 << rng.randrange(8)
            if window.sound(spoilt, len(spoilt), motors, outputs):
                kept += (
                    1  # a number, a begin or a start within its bounds: the player looks at them
                )
                struck = at == 26 and spoilt[26] ^ data[26] == window.ARC
                assert at < 20 or at >= 28 or struck
        for _ in range(60):
            assert not window.sound(rng.randbytes(300), 300, motors, outputs)
    assert kept > 100
