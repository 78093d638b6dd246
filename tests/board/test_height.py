"""Torch height control: its rules, and steps of offset merged into planned words."""

from __future__ import annotations

import itertools
import random
import struct
from array import array

import pytest
from kit import Kit

from mfboard import height, merge
from mfboard import height_state as w
from mfboard.expand import STEP, expand
from microfactory.machine import Machine
from microfactory.torch import height_config

MACHINE = Machine.load("cnc-plasma-table")
GAP = 1250
MS = 125_000


def state() -> array[int]:
    """As the plasma table's board begins, with an arc and at full speed."""
    config = height_config(MACHINE)
    assert config is not None
    h = array("i", [0] * w.SIZE)
    h[: len(config["settings"])] = array("i", config["settings"])
    h[w.ARC] = 1
    h[w.SPEED] = 400 * 400
    h[w.LIMIT] = 360
    return h


def read(h: array[int], volts: float) -> None:
    """The arc has these volts now."""
    h[w.RAW] = round(volts * 100 / h[w.FULL] * 16384)


def run(h: array[int], volts: float, ms: int) -> None:
    """So many milliseconds with these volts."""
    for _ in range(ms):
        read(h, volts)
        height.control(h)


def test_the_board_looks_again_when_an_arc_has_been_lost_for_long_enough():
    torch = Kit(MACHINE).board.torch
    now = 1_000_000
    assert torch.due_us(now) == -1
    torch.burning, torch.since_us = True, now
    assert torch.due_us(now) == 100_000
    assert torch.due_us(now + 60_000) == 40_000
    assert torch.due_us(now + 200_000) == 0


def segment(direction: int, step: int, count: int, interval: int) -> bytes:
    """Words of one kind, all as long."""
    return struct.pack("<II", direction | step << 1 | count << 2 | interval << 11, 0)


def planned(rng: random.Random) -> bytes:
    """A list of whole chunks: rests, runs up and down, with set-up time at each turn."""
    rows = []
    words = 0
    while words < 160:
        up = rng.randrange(2)
        rows.append(segment(up, 0, 1, rng.choice([2000, 9000, 700_000])))
        count = rng.randrange(1, 60)
        rows.append(segment(up, 1, count, rng.choice([4200, 6000, 12_000, 90_000])))
        words += count + 1
    rows.append(segment(1, 0, 16 - words % 16, 3000))
    return b"".join(rows)


def words_of(data: bytes) -> list[tuple[int, int]]:
    """The plain expansion: each word's end and kind."""
    ticks, kinds = array("i", bytes(4 * 8192)), bytearray(8192)
    n = expand(data, 0, len(data) // 8, ticks, kinds, 8192)
    out, now = [], 0
    for i in range(n):
        now += ticks[i]
        out.append((now, kinds[i]))
    return out


def edges(words: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """(tick at which a step's word ends, +1 or -1)."""
    return [(end, 1 if kind & 1 else -1) for end, kind in words if kind & STEP]


def played(h: array[int], lists: list[bytes], wants: list[int]) -> list[tuple[int, int]]:
    """All words of these lists with the offset going where it is wanted, chunk by chunk."""
    ticks, kinds = array("i", bytes(64)), bytearray(16)
    out, now, chunks = [], 0, 0
    for n, data in enumerate(lists):
        length = words_of(data)[-1][0]
        merge.load(h, 0, len(data) // 8, length, int(n == len(lists) - 1))
        while True:
            h[w.WANT] = wants[min(chunks, len(wants) - 1)] << 8
            done = merge.chunk(h, data, ticks, kinds)
            if done != merge.FULL:
                break
            chunks += 1
            for i in range(16):
                now += ticks[i]
                out.append((now, kinds[i]))
    return out


@pytest.mark.parametrize("seed", range(40))
def test_every_planned_step_keeps_its_tick_and_none_is_lost(seed):
    rng = random.Random(seed)
    h = state()
    h[w.TARGET] = 1
    lists = [planned(rng) for _ in range(3)]
    made = played(h, lists, [0])
    plan, begin = [], 0
    for data in lists:
        plan += [(begin + end, sign) for end, sign in edges(words_of(data))]
        begin += words_of(data)[-1][0]
    assert edges(made) == plan
    assert not h[w.BAD]


@pytest.mark.parametrize("seed", range(40))
def test_an_offset_is_added_step_by_step_with_room_between(seed):
    """Planned steps stay where they are, but those that an offset against them has taken out."""
    rng = random.Random(seed)
    h = state()
    h[w.TARGET] = 1
    lists = [planned(rng) for _ in range(3)]
    wants, at = [], 0
    for _ in range(4000):
        at = max(-900, min(900, at + rng.randrange(-6, 7)))
        wants.append(at)
    made = edges(played(h, lists, wants))
    plan, begin = [], 0
    for data in lists:
        plan += [(begin + end, sign) for end, sign in edges(words_of(data))]
        begin += words_of(data)[-1][0]
    assert sum(sign for _, sign in made) == sum(sign for _, sign in plan) + h[w.MADE]
    ends = {end for end, _ in plan}
    planned_at = dict(plan)
    assert all(sign == planned_at[end] for end, sign in made if end in ends)
    extra = [sign for end, sign in made if end not in ends]
    lost = [sign for end, sign in plan if end not in dict(made)]
    assert sum(extra) - sum(lost) == h[w.MADE]
    assert extra
    times = [end for end, _ in made]
    apart = [b - a for a, b in itertools.pairwise(times)]
    own = [b - a for a, b in itertools.pairwise(times) if not {a, b} <= ends]
    assert min(apart) >= GAP
    assert min(own) >= GAP


def test_a_planned_step_against_the_offset_becomes_a_wait():
    h = state()
    h[w.TARGET] = 1
    data = segment(1, 1, 32, 20_000)
    made = edges(played(h, [data], [-7]))
    assert len(made) == 25
    assert all(sign == 1 for _, sign in made)
    assert h[w.MADE] == -7


def test_a_run_that_ends_takes_its_offset_back_first():
    """Its last list has ended, and words go on until the motor is where its plan says."""
    h = state()
    ticks, kinds = array("i", bytes(64)), bytearray(16)
    h[w.MADE], h[w.WANT] = -500, -500 << 8
    data = segment(1, 0, 16, 10_000)
    merge.load(h, 0, 1, 160_000, 1)
    steps = []
    for _ in range(2000):
        height.control(h)
        done = merge.chunk(h, data, ticks, kinds)
        if done == merge.DONE:
            break
        steps += [1 if kind & 1 else -1 for kind in kinds if kind & STEP]
    assert done == merge.DONE
    assert steps == [1] * 500
    assert h[w.MADE] == h[w.WANT] == h[w.GOING] == 0


def test_an_offset_downwards_waits_for_a_plan_that_goes_up():
    """A torch that has just gone out is not driven into the sheet."""
    h = state()
    h[w.MADE], h[w.WANT] = 300, 300 << 8
    for _ in range(400):
        height.control(h)
    assert h[w.WANT] == 300 << 8
    h[w.UPS] = 6
    for _ in range(20):
        height.control(h)
        h[w.UPS] = 6
    assert -(3 << 8) <= h[w.GOING] < 0


def test_it_goes_where_the_arc_has_its_voltage():
    """A height of 4 mm that should be 1.5, 5 V a millimetre: it comes down, not too far."""
    h = state()
    h[w.TARGET] = round((105 + 7.5) * 100)
    mm = [4.0]
    for _ in range(2000):
        read(h, 105 + 5 * mm[-1])
        height.control(h)
        mm.append(4.0 + h[w.WANT] / 256 / 320)
    assert abs(mm[-1] - 1.5) < 0.12
    assert min(mm) > 1.35
    speed = max(abs(b - a) for a, b in itertools.pairwise(mm)) * 1000
    assert speed <= 10.01
    bend = max(abs(c - 2 * b + a) for a, b, c in zip(mm, mm[1:], mm[2:], strict=False))
    assert bend * 1e6 <= 501


def test_it_stays_within_its_bounds():
    h = state()
    h[w.TARGET] = 8000
    run(h, 200.0, 5000)
    assert h[w.WANT] == -h[w.MOST]


def test_it_waits_for_arc_and_speed_and_then_samples():
    h = state()
    h[w.TARGET] = 1
    h[w.ARC] = 0
    run(h, 120.0, 500)
    assert h[w.MODE] == w.WAITS
    h[w.ARC] = 1
    h[w.SPEED] = 0
    run(h, 120.0, 500)
    assert h[w.MODE] == w.WAITS
    assert h[w.WAITED] == 0
    h[w.SPEED] = 400 * 400
    run(h, 110.0, h[w.DELAY] + 1)
    assert h[w.MODE] == w.SAMPLES
    run(h, 110.0, h[w.SAMPLE])
    assert h[w.MODE] == w.HOLDS
    assert abs(h[w.AIM] - 11_000) <= 3
    assert h[w.WANT] == 0


@pytest.mark.parametrize(("speed", "mode"), [(401, w.HOLDS), (361, w.HOLDS), (359, w.SLOW)])
def test_a_path_that_is_slow_is_not_followed_down(speed, mode):
    """In a corner the arc gets longer by itself: nothing is done about it."""
    h = state()
    h[w.TARGET] = 11_000
    run(h, 110.0, 600)
    h[w.SPEED] = speed * speed
    run(h, 113.0, 200)
    assert h[w.MODE] == mode
    assert (h[w.WANT] == 0) == (mode == w.SLOW)


def test_a_jump_of_the_voltage_is_no_height():
    """A slot, 25 V more for 100 ms; then it holds again. A jump that stays is believed."""
    h = state()
    h[w.TARGET] = 11_000
    run(h, 110.0, 600)
    run(h, 135.0, 100)
    assert h[w.MODE] == w.SPIKES
    assert h[w.WANT] == 0
    run(h, 110.0, 100)
    assert h[w.MODE] == w.HOLDS
    run(h, 135.0, h[w.LOCK_MOST] + 400)
    assert h[w.WANT] < -256 * 320


def test_frozen_it_slows_down_and_stays():
    h = state()
    h[w.TARGET] = 11_000
    run(h, 110.0, 400)
    run(h, 114.0, 300)
    assert h[w.GOING] < 0
    h[w.FROZEN] = 1
    run(h, 150.0, 100)
    kept = h[w.WANT]
    run(h, 80.0, 100)
    assert h[w.WANT] == kept
    assert h[w.GOING] == 0
