"""The reference that limited jerk is measured against gives what closed forms give."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

pytest.importorskip("cvxpy", reason="the extra `reference` is not installed (cvxpy, clarabel)")
sys.path.insert(0, str(Path(__file__).parents[3] / "bench"))
from jerk_reference import Piece, shortest


def test_a_line_that_cruises_takes_its_seven_phases():
    speed, accel, jerk, length = 100.0, 3000.0, 1e5, 20.0
    ramp_s = speed / accel + accel / jerk
    exact_s = 2 * ramp_s + (length - speed * ramp_s) / speed
    assert shortest([Piece(length, speed, accel, jerk, 0.0)], 200) == pytest.approx(
        exact_s, rel=5e-4
    )


def test_a_line_too_short_for_its_acceleration_is_jerk_alone():
    length, jerk = 0.5, 1e5
    exact_s = 4 * (length / 2 / jerk) ** (1 / 3)
    assert shortest([Piece(length, 20.0, 1e4, jerk, 0.0)], 200) == pytest.approx(exact_s, rel=5e-4)
