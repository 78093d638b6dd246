"""Which START a stretch of pulses answers, where nobody sees the gate."""

from __future__ import annotations

import numpy as np
from hil.rigs.starts import of_silences, silence
from hil.rigs.told import Start

STARTS = [Start(1.0, False, 3), Start(2.0, True, 9)]


def found(rises, unsure):
    place = silence(np.array(rises), lambda seconds: (round(seconds * 1000), unsure))
    return [(begun.tick, begun.kind, begun.window) for begun in of_silences(STARTS, place)]


def test_a_start_lies_where_its_time_says_when_nothing_moves_there():
    assert found([500, 1500, 2500], 100) == [(1000, "motion", 3), (2000, "guarded", 9)]


def test_a_start_lies_in_the_widest_silence_that_it_may_lie_in():
    rises = [700, 910, 930, 950, 1090, 1099, 1950, 1960, 2040, 2050]
    ticks = [tick for tick, _kind, _window in found(rises, 100)]
    assert ticks == [1020, 2000]


def test_without_pulses_there_are_starts_all_the_same():
    assert [row[0] for row in found([], 5)] == [1000, 2000]
    assert found([], 3000)[0][0] == 1000
