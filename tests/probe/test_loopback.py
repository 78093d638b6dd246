"""The probe's loop-back: what it plays is known, and whatever is missing or moved is told."""

from __future__ import annotations

import numpy as np
import pytest
from hil.probe.edges import CHANGE_TICKS, LOOK_TICKS
from hil.probe.loopback import compare, played


def test_what_was_played_is_right_within_the_probes_looks():
    dice = np.random.default_rng(1)
    ticks = played(50) + 12_345 + dice.integers(0, LOOK_TICKS, 400)
    assert compare(ticks, 50, 200, ()).right


@pytest.mark.parametrize(
    ("spoil", "counted", "missed"),
    [
        (lambda t: np.delete(t, 33), 200, ()),  # an edge is missing
        (lambda t: np.insert(t, 40, t[40] - 3), 200, ()),  # one is there twice
        (lambda t: np.delete(t, slice(64, 66)), 199, ()),  # a pulse is missing
        (lambda t: t + (np.arange(len(t)) > 20) * (CHANGE_TICKS + 1), 200, ()),  # time jumps
        (lambda t: t * 1.001, 200, ()),  # its clock is another
        (lambda t: t, 199, ()),  # the counters lost one
        (lambda t: t, 200, ("its ring went round before it was read",)),
        (lambda t: t[:0], 0, ()),  # the wire is not there
    ],
)
def test_whatever_is_missing_or_moved_is_not_right(spoil, counted, missed):
    assert compare(played(50), 50, 200, ()).right
    assert not compare(np.asarray(spoil(played(50)), np.int64), 50, counted, missed).right
