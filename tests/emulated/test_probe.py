"""The probe's firmware on an emulated chip: what it sees is what its pins were fed."""

from __future__ import annotations

import random
from collections.abc import Iterator

import numpy as np
import pytest
from hil.emulated.chip import CLOCK_HZ
from hil.emulated.pair import ProbeLink, open_lone_probe
from hil.probe import Motor, Probe, Trigger, open_probe
from hil.probe.edges import CHANGE_TICKS, LOOK_TICKS

from mfprobe import state
from microfactory import UsageError

PINS = 16
MS = CLOCK_HZ // 1000
MOTORS = [Motor(2 * m, 2 * m + 1, invert=m == 1) for m in range(5)]
DMA_CTRL = 0x50000010  # without a trigger
CLOCK_EXECUTES = 0x502000F0  # an instruction, at once
NEAR_ITS_WRAP = (
    0xE03F,
    0xA0C3,
    0x4025,
    0x406C,
    0xA026,
)  # x = 31, isr = 0, in x 5, in null 12, x = isr


@pytest.fixture(scope="module")
def link() -> Iterator[ProbeLink]:
    link = open_lone_probe()
    yield link
    link.close()


@pytest.fixture
def probe(link: ProbeLink) -> Probe:
    return open_probe(link)


def changes(draw, begin, number, least, most, pins=PINS, levels=0):
    """(clock, gpio, level) of changes that lie least to most clocks apart."""
    out, at = [], begin
    for _ in range(number):
        gpio = draw.randrange(pins)
        levels ^= 1 << gpio
        out.append((at, gpio, levels >> gpio & 1))
        at += draw.randint(least, most)
    return out


def low_again(link):
    link.chip.feed([(link.chip.now + 100 + 10 * g, g, 0) for g in range(PINS)])
    link.chip.run(0.001)


def captured(link, probe, number, least, most, seed=1, poll=True, **how):
    """Feed changes while it captures: (what was fed, what was seen)."""
    low_again(link)
    probe.start(pins=PINS, **how)
    fed = changes(random.Random(seed), link.chip.now + MS, number, least, most)
    link.chip.feed(fed)
    while link.chip.now < fed[-1][0] + MS:
        link.chip.run(0.002)
        if poll:
            probe.poll()
    return np.array(fed), probe.stop()


def same(fed, edges):
    """Every change with its pin, level and order; its time in the window that the page states."""
    ticks, pins, levels = edges.changes()
    assert edges.lost == ()
    assert np.array_equal(pins, fed[:, 1])
    assert np.array_equal(levels, fed[:, 2])
    ticks = ticks.astype(np.int64)
    late = ticks - fed[:, 0]
    behind = np.diff(ticks, prepend=0) == CHANGE_TICKS
    begin = late[~behind].min()  # the probe's zero
    assert (late[~behind] - begin).max() < LOOK_TICKS
    assert ((late[behind] - begin) >= 0).all()
    assert ((late[behind] - begin) < CHANGE_TICKS).all()


def test_it_says_who_it_is(probe):
    who = probe.identity()
    assert who.version == "mfprobe 2"
    assert who.pins_max == 25
    assert who.count_hz == CLOCK_HZ // 2


@pytest.mark.parametrize(("least", "most"), [(6, 6), (6, 40), (6, 2000)])
def test_what_was_fed_is_what_was_seen(link, probe, least, most):
    fed, edges = captured(link, probe, 2000, least, most)
    same(fed, edges)


def test_counters_are_what_the_edges_say(link, probe):
    fed, edges = captured(link, probe, 6000, 40, 900, motors=MOTORS)
    same(fed, edges)
    lines = edges.lines()
    for motor, counted in zip(MOTORS, probe.counters(), strict=True):
        step, turn = lines[motor.step], lines[motor.direction]
        rise, fall = step[0][step[1] == 1], step[0][step[1] == 0]
        high = turn[1][np.searchsorted(turn[0], rise, side="right") - 1]
        high[rise < turn[0][0]] = 0
        up = int((high != motor.invert).sum())
        assert (counted.up, counted.down) == (up, len(rise) - up)
        gaps = np.diff(rise) // 2
        bits = [int(gap).bit_length() for gap in gaps]
        assert counted.histogram.tolist() == np.bincount(bits, minlength=33).tolist()
        us = [gaps.min() * 0.016, gaps.max() * 0.016]
        assert [counted.interval_least_us, counted.interval_most_us] == pytest.approx(us)
        widths = fall[: len(rise)] - rise[: len(fall)]
        assert counted.width_least_us == pytest.approx(widths.min() * 0.008)
        assert counted.width_most_us == pytest.approx(widths.max() * 0.008)
        turned = np.searchsorted(turn[0], rise, side="right") - 1
        setups = (rise - turn[0][turned])[turned >= 0]
        assert counted.setup_least_us == pytest.approx(setups.min() * 0.008)


def test_a_ring_that_goes_round_unread_is_told(link, probe):
    _fed, edges = captured(link, probe, 9000, 100, 200, poll=False)
    assert len(edges.ticks) == 8191  # and the levels before them
    with pytest.raises(UsageError, match=r"missed edges: its first edges were overwritten"):
        edges.lines()
    assert edges.lines(lossy=True)


def test_a_storm_that_the_scanner_cannot_follow_is_told(link, probe):
    _fed, edges = captured(link, probe, 30_000, 6, 6, poll=False)
    assert "its ring went round before it was read" in edges.lost
    with pytest.raises(UsageError, match="judges nothing"):
        edges.lines()


def test_a_memory_that_takes_no_more_edges_is_told(link, probe):
    low_again(link)
    probe.start(pins=PINS)
    fed = changes(random.Random(5), link.chip.now + MS, 200, 50, 60)
    link.chip.feed(fed)
    link.chip.run(0.00105)
    link.chip.poke(DMA_CTRL, 0)  # the words of the first channel stay where they are
    link.chip.run(0.004)
    edges = probe.stop()
    assert "edges came faster than its memory takes them" in edges.lost
    with pytest.raises(UsageError, match="judges nothing"):
        edges.lines()


def test_a_trigger_keeps_what_was_before_and_after(link, probe):
    low_again(link)
    probe.start(Trigger(1 << 15, 1 << 15, after=3000), pins=PINS)
    draw = random.Random(6)
    fed = changes(draw, link.chip.now + MS, 9000, 150, 250, pins=15)
    at = fed[-1][0] + 500
    levels = 0
    for _at, gpio, _level in fed:
        levels ^= 1 << gpio
    fed += [(at, 15, 1), *changes(draw, at + 500, 6000, 150, 250, pins=15, levels=levels)]
    link.chip.feed(fed)
    link.chip.run((fed[-1][0] + MS - link.chip.now) / CLOCK_HZ)
    edges = probe.stop()
    assert edges.lost == ()
    assert len(edges.ticks) == 8191  # and the levels before them
    ticks, pins, _levels = edges.changes()
    fired = int(np.flatnonzero(ticks == edges.fired_tick)[0])
    assert pins[fired] == 15
    assert len(ticks) - fired > 3000
    assert fired > 4000  # a millisecond of edges may be gone before the scanner has looked
    first = [row[1] for row in fed].index(15) - fired
    seen = np.array(fed)[first : first + len(ticks)]
    assert np.array_equal(pins, seen[:, 1])
    late = ticks.astype(np.int64) - seen[:, 0]
    assert late.max() - late.min() < LOOK_TICKS


def test_a_capture_that_begins_again_begins_at_nothing(link, probe):
    for seed in range(3):
        fed, edges = captured(link, probe, 200, 6, 300, seed=seed)
        same(fed, edges)


def test_pins_that_are_high_already_are_seen_at_the_start(link, probe):
    low_again(link)
    link.chip.feed([(link.chip.now + 100, 3, 1), (link.chip.now + 200, 9, 1)])
    link.chip.run(0.001)
    probe.start(pins=PINS)
    link.chip.run(0.002)
    edges = probe.stop()
    assert edges.states.tolist() == [1 << 3 | 1 << 9]
    assert edges.ticks[0] < 8


def test_counts_go_on_behind_32_bits(link, probe):
    low_again(link)
    probe.start(pins=PINS, motors=MOTORS)
    link.chip.run(0.002)
    ram = np.frombuffer(link.chip.memory(0x20000000, 264 * 1024), "<u4")
    words = int(np.flatnonzero(ram == state.MARKED)[0]) - state.MARK
    motor = int(ram[words + state.COUNTED])
    link.chip.poke(motor + 4 * state.UP, 0xFFFFFFFD)
    link.chip.poke(motor + 4 * (state.BINS + 2 * 16), 0xFFFFFFFE)
    for instruction in NEAR_ITS_WRAP:  # 31 * 2^12 counts before it
        link.chip.poke(CLOCK_EXECUTES, instruction)
    begin, period = link.chip.now + 1000, 80_000  # clocks
    rises = [begin + period * i for i in range(12)]
    fed = [(begin - 500, 1, 1)]
    fed += [change for at in rises for change in ((at, 0, 1), (at + 400, 0, 0))]
    link.chip.feed(fed)
    link.chip.run(0.01)
    status = probe.poll()
    assert status.last >> 32 == 1
    seen = probe.stop().lines()[0]
    assert set(np.diff(seen[0][seen[1] == 1]).tolist()) == {period}
    counted = probe.counters()[0]
    assert counted.up == 0xFFFFFFFD + len(rises)
    assert counted.histogram[16] == 0xFFFFFFFE + len(rises) - 1
    assert counted.interval_least_us == counted.interval_most_us == period * 0.008
    assert counted.setup_least_us == pytest.approx(500 * 0.008, abs=0.032)
