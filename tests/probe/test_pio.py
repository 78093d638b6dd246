"""The probe's PIO programs: every change is kept, in order, with its time, down to six clocks."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from hil.emulated.chip import Chip, missing
from hil.probe.loopback import played
from pio_run import BEGIN_COUNT, count, play, programs, watch

PINS = 16


def wave(draw, changes, least, most):
    """Levels at each clock, and (clock, levels) of each change."""
    at, value, told, out = 12, 0, [], [0] * 12
    for _ in range(changes):
        value ^= 1 << draw.randrange(PINS)
        told.append((at, value))
        gap = draw.randint(least, most)
        out += [value] * gap
        at += gap
    return out + [value] * 24, told


def captured(module, watcher, clock, levels):
    words, mark = watch(watcher, levels)
    counts = count(clock, mark, module.CLOCK_BEGIN)
    ticks = [BEGIN_COUNT - each for each in counts]
    return words, ticks, mark


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("most", [6, 9, 40])
def test_changes_six_clocks_apart_are_all_kept_with_their_times(seed, most):
    module, watcher, clock = programs(PINS)
    levels, told = wave(random.Random(seed), 120, module.CHANGE_CLOCKS, most)
    words, ticks, _mark = captured(module, watcher, clock, levels)
    assert words[0] == 0  # where it starts
    assert words[1:] == [value for _at, value in told]
    assert len(ticks) == len(words)
    looks = [module.COUNT_CLOCKS * tick - module.SEEN_CLOCKS for tick in ticks]
    for (at, _value), look, before in zip(told, looks[1:], looks[:-1], strict=True):
        most = module.CHANGE_CLOCKS if look - before == module.CHANGE_CLOCKS else 4
        assert 0 <= look - at < most


def test_pins_that_change_together_are_one_word():
    module, watcher, clock = programs(PINS)
    levels = [0] * 11 + [0b1010] * 20 + [0b0101] * 20
    words, ticks, _mark = captured(module, watcher, clock, levels)
    assert words == [0, 0b1010, 0b0101]
    assert len(ticks) == 3


def test_nearer_changes_are_lost_but_words_and_times_stay_together():
    module, watcher, clock = programs(PINS)
    levels, told = wave(random.Random(1), 200, 2, 5)
    words, ticks, _mark = captured(module, watcher, clock, levels)
    assert len(words) == len(ticks)
    assert len(words) < len(told)
    assert words[-1] == told[-1][1]  # what rests is always right


def test_a_pin_outside_the_block_is_nothing():
    module, watcher, clock = programs(PINS)
    levels = [0] * 20 + [1 << PINS] * 20 + [1 << other for other in (25, 20)] * 10
    words, _ticks, _mark = captured(module, watcher, clock, levels)
    assert words == [0]


def test_a_count_that_wraps_keeps_its_pace():
    module, watcher, clock = programs(PINS)
    levels, told = wave(random.Random(3), 40, 6, 8)
    _words, mark = watch(watcher, levels)
    counts = count(clock, mark, module.CLOCK_BEGIN)
    for begin in range(12):  # the count passes 0 in every instruction of the program
        wrapped = count(clock, mark, module.CLOCK_BEGIN, begin)
        assert [(begin - each) & 0xFFFFFFFF for each in wrapped] == [
            BEGIN_COUNT - each for each in counts
        ]
    assert len(counts) == len(told) + 1


def test_a_full_fifo_keeps_its_first_words():
    module, watcher, clock = programs(PINS)
    levels, told = wave(random.Random(4), 40, 6, 6)
    _words, mark = watch(watcher, levels)
    kept = count(clock, mark, module.CLOCK_BEGIN, read=False)
    assert kept == count(clock, mark, module.CLOCK_BEGIN)[: len(kept)]
    assert len(kept) < len(told)


@pytest.mark.parametrize("bursts", [1, 2, 7])
def test_the_loop_plays_the_edges_that_its_judge_expects(bursts):
    module, _watcher, _clock = programs(PINS)
    edges = play(module.bursts(), bursts - 1, 1200 * bursts)
    assert [edge - edges[0] for edge in edges] == played(bursts).tolist()


@pytest.mark.skipif(bool(missing()), reason=missing() or "-")
def test_the_chips_own_assembler_gives_the_same_words():
    module, watcher, clock = programs(PINS)
    chip = Chip()
    chip.boot()
    chip.run(0.5)
    chip.enter()
    source = Path(module.__file__).read_text()
    told = f"print(list(watcher({PINS})[0]), '/', list(clock()[0]), '/', list(bursts()[0]))"
    ours = [json.loads(words) for words in chip.execute(f"{source}\n{told}\n").split("/")]
    chip.close()
    assert ours == [watcher.words, clock.words, module.bursts().words]
