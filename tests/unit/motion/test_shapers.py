"""Shapers leave no ringing at their frequency, and machine files that ask for none are refused."""

from __future__ import annotations

import cmath
import math
from pathlib import Path

import pytest

from microfactory.errors import MachineError
from microfactory.machine import Machine
from microfactory.motion.shapers import SHAPERS, impulses

PLAIN = Machine.load("d3d-printer").dump()


def ringing(name: str, hz: float, damping: float, real_hz: float) -> float:
    """What is left of a frame's swing after all impulses, as a share of one impulse's."""
    root = math.sqrt(1 - damping**2)
    found = impulses(name, hz, damping)
    w, end = 2 * math.pi * real_hz, found[-1].delay_s
    swing = sum(
        i.weight * cmath.exp(-(damping * w + 1j * w * root) * (end - i.delay_s)) for i in found
    )
    return abs(swing)


@pytest.mark.parametrize("damping", [0.0, 0.1, 0.2])
@pytest.mark.parametrize(
    ("name", "most"), [("zv", 1e-9), ("mzv", 0.02), ("ei", 0.06), ("2hei", 0.06)]
)
def test_at_its_frequency_next_to_nothing_is_left(name, most, damping):
    assert ringing(name, 40.0, damping, 40.0) < most


def test_the_longer_ones_forgive_a_frequency_that_is_wrong():
    left = {name: max(ringing(name, 40, 0.1, 40 * by) for by in (0.7, 1.3)) for name in SHAPERS}
    assert left["2hei"] < left["ei"] < left["zv"]
    assert left["mzv"] < left["zv"]


@pytest.mark.parametrize("name", SHAPERS)
def test_weights_are_shares_and_delays_rise_from_nothing(name):
    found = impulses(name, 33.0, 0.15)
    assert sum(i.weight for i in found) == pytest.approx(1.0, abs=1e-12)
    assert all(i.weight > 0 for i in found)
    assert found[0].delay_s == 0.0
    assert [i.delay_s for i in found] == sorted({i.delay_s for i in found})


@pytest.mark.parametrize(
    ("axis", "key", "value", "said"),
    [
        (
            "x",
            "shaper",
            '"mvz"',
            "is not known here; nothing was loaded; use one of none, zv, mzv, ei, 2hei",
        ),
        ("x", "shaper", '"mzv"', "mzv needs the frequency at which the axis rings"),
        ("e", "shaper", '"mzv"', "an extruder is not shaped"),
        ("x", "pressure_advance_s", "0.05", "only a printer's extruder has pressure"),
        ("e", "pressure_advance_s", "2.5", "2.5 is out of range"),
        ("e", "advance_smooth_s", "0.0", "0.0 is out of range"),
    ],
)
def test_a_machine_file_that_cannot_be_is_refused_at_its_line(axis, key, value, said, tmp_path):
    head, tail = PLAIN.split(f"[axes.{axis}]\n")
    lines = tail.splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith(f"{key} ="))
    lines[at] = f"{key} = {value}"
    file = Path(tmp_path) / "machine.toml"
    file.write_text(head + f"[axes.{axis}]\n" + "\n".join(lines) + "\n")
    with pytest.raises(MachineError) as refused:
        Machine.load(str(file))
    assert said in str(refused.value)
    assert (
        f"machine.toml:{len(head.splitlines()) + at + 2}" in str(refused.value) or "shaper" in key
    )


def test_a_shaper_that_lasts_too_long_is_refused(tmp_path):
    file = Path(tmp_path) / "machine.toml"
    text = PLAIN.replace('shaper = "none"\nshaper_hz = 0.0', 'shaper = "2hei"\nshaper_hz = 6.0', 1)
    file.write_text(text)
    with pytest.raises(MachineError, match="2hei at 6 Hz lasts"):
        Machine.load(str(file))
