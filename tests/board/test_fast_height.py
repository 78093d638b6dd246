"""The chip's height control and its merging give word for word what the plain ones do."""

from __future__ import annotations

import ctypes
import random
from array import array

import pytest
from test_height import MACHINE, planned, state, words_of
from viper import load

from mfboard import height, merge
from mfboard import height_state as w
from mfboard.config import HEIGHT
from mfboard.expand import STEP
from microfactory.torch import height_config

FAST_HEIGHT = load("fast_height.py")
FAST_MERGE = load("fast_merge.py")
WAIT_CLOCKS = 8


def draw_inputs(rng: random.Random, h: array[int]) -> None:
    """What a service tells: mostly as before, sometimes anything."""
    h[w.RAW] = max(0, min(16380, h[w.RAW] + rng.randrange(-60, 61)))
    if rng.random() < 0.02:
        h[w.RAW] = rng.randrange(16381)
    if rng.random() < 0.003:
        h[w.SPEED] = rng.choice([0, 129_600, 130_000, 160_000, 160_000, 800_000_000])
    if rng.random() < 0.002:
        h[w.ARC] = rng.randrange(4) // 3 ^ 1
    if rng.random() < 0.003:
        h[w.TARGET] = rng.choice([0, 1, 1, 11_000, 65_535])
        h[w.LIMIT] = rng.choice([0, 360, 360, 65_535])
    if rng.random() < 0.003:
        h[w.FROZEN] = rng.randrange(4) // 3
    if rng.random() < 0.1:
        h[w.UPS] = rng.randrange(40)


def test_the_rules_are_the_plain_ones():
    """For the plasma table's settings, and for any that a configuration may have."""
    modes = set()
    for seed in range(20):
        rng = random.Random(seed)
        plain = state()
        plain[w.RAW] = 5500
        if seed & 1:
            plain[: len(HEIGHT)] = array("i", [rng.randint(*bounds) for _, *bounds in HEIGHT])
        for k in range(4000):
            draw_inputs(rng, plain)
            fast = array("i", plain)
            height.control(plain)
            FAST_HEIGHT["control"](fast)
            assert fast == plain, f"seed {seed}, millisecond {k}"
            modes.add(plain[w.MODE])
    assert modes == set(range(len(w.MODES)))


@pytest.mark.parametrize("seed", range(20))
def test_chunks_are_the_plain_ones_word_for_word(seed):
    rng = random.Random(seed)
    plain, fast = state(), state()
    assert height_config(MACHINE) is not None
    for h in (plain, fast):
        h[w.TARGET] = seed & 1
    ticks, kinds = array("i", bytes(64)), bytearray(16)
    out = array("i", bytes(64))
    want, chunks = 0, 0
    lists = [planned(rng) for _ in range(4)]
    for n, data in enumerate(lists):
        slot = ctypes.create_string_buffer(b"12345678" + data)
        for h in (plain, fast):
            merge.load(h, 8, len(data) // 8, words_of(data)[-1][0], int(n == 3))
        while True:
            want = max(-900, min(900, want + rng.randrange(-6, 7)))
            going = 0
            if plain[w.EXTRA]:
                want = max(0, abs(want) - 5)
                going = int(want != 0)
            for h in (plain, fast):
                h[w.WANT] = want << 8
                h[w.GOING] = going
            done = merge.chunk(plain, slot.raw, ticks, kinds)
            assert FAST_MERGE["chunk"](fast, ctypes.addressof(slot), out) == done
            assert fast == plain, f"chunk {chunks}"
            if done != merge.FULL:
                break
            chunks += 1
            words = []
            for clocks, kind in zip(ticks, kinds, strict=True):
                delay = clocks - (plain[w.WORD] if kind & STEP else WAIT_CLOCKS)
                words.append(delay << 2 | kind)
            assert list(out) == words
        assert done == (merge.DONE if n == 3 else merge.MORE)
    assert chunks > 40
    assert plain[w.NET] != 0


def test_a_list_that_is_not_what_its_window_said_is_noticed():
    for words, length in ((16, 48_001), (0, 48_000)):
        h = state()
        data = (3000 << 11 | words << 2 | 1).to_bytes(4, "little") + bytes(4)
        slot = ctypes.create_string_buffer(data)
        merge.load(h, 0, 1, length, 1)
        FAST_MERGE["chunk"](h, ctypes.addressof(slot), array("i", bytes(64)))
        FAST_MERGE["chunk"](h, ctypes.addressof(slot), array("i", bytes(64)))
        assert h[w.BAD] == 1
