"""A print with input shapers and pressure advance, whole, judged by its pulses."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hil.verify import verify

import microfactory as mf

TOP = Path(__file__).resolve().parents[2]
LINES = 700


def machine(*, advance_s: float = 0.0, shaper: str = "none", hz: float = 40.0) -> mf.Machine:
    plain = mf.Machine.load("d3d-printer")
    axes = tuple(
        dataclasses.replace(
            axis,
            pressure_advance_s=advance_s if axis.letter == "E" else 0.0,
            shaper=shaper if axis.letter in "XY" else "none",
            shaper_hz=hz,
        )
        for axis in plain.axes
    )
    return dataclasses.replace(plain, axes=axes)


def program(more: str = "") -> str:
    lines = next((TOP / "examples/print").glob("*.gcode")).read_text().splitlines()[:LINES]
    return "\n".join([*lines[:30], more, *lines[30:]])


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """Captures by what the machine has, each played once."""
    known: dict[Any, Any] = {}

    def play(text: str, m: mf.Machine) -> Any:
        key = text, m
        if key not in known:
            with mf.connect("virtual", m, capture=True) as board:
                board.run(mf.parse(text), journal=tmp_path_factory.mktemp("job") / "journal")
                known[key] = board.link.capture()
        return known[key]

    return play


KINDS = {
    "advance": {"advance_s": 0.05},
    "mzv": {"shaper": "mzv"},
    "2hei and advance": {"shaper": "2hei", "advance_s": 0.03},
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_filtered_print_passes_and_ends_to_the_step(kind, played):
    m = machine(**KINDS[kind])
    report = verify(program(), m, played(program(), m))
    assert report.passed, report.text()
    assert report.figures["pieces"] > 500
    if kind == "advance":
        assert report.figures["worst_advance_steps"] < 0.2
        assert report.figures["advance_judged"] > 0.7


@pytest.mark.parametrize(
    ("made", "asked", "what"),
    [
        ({"advance_s": 0.05}, {}, "speed"),
        ({}, {"advance_s": 0.05}, "advance"),
        ({"advance_s": 0.05}, {"advance_s": 0.06}, "advance"),
        ({"shaper": "mzv"}, {}, "path"),
        ({"shaper": "mzv", "hz": 15.0}, {"shaper": "zv", "hz": 60.0}, "path"),
    ],
)
def test_filters_that_were_not_asked_for_are_found(made, asked, what, played):
    report = verify(program(), machine(**asked), played(program(), machine(**made)))
    assert report.first is not None
    assert report.first.kind == what


def test_m900_changes_the_advance_where_the_machine_has_one(played):
    m = machine(advance_s=0.05)
    text = program("M900 K0.02")
    capture = played(text, m)
    assert verify(text, m, capture).passed
    assert verify(program(), m, capture).first.kind == "advance"
    plain = machine()
    with_k, without = played(text, plain), played(program(), plain)
    assert np.array_equal(with_k.motors["e"].rise, without.motors["e"].rise)


def test_an_extruder_that_misses_its_last_steps_is_found(played):
    m = machine(advance_s=0.05)
    capture = played(program(), m)
    e = capture.motors["e"]
    keep = slice(0, len(e.rise) - 3)
    cut = dataclasses.replace(
        e, rise=e.rise[keep], width=e.width[keep], direction=e.direction[keep]
    )
    spoilt = dataclasses.replace(capture, motors={**capture.motors, "e": cut})
    assert verify(program(), m, spoilt).first.kind == "end"


@pytest.mark.parametrize("kind", KINDS)
def test_a_filtered_print_that_is_overridden_on_its_way_passes(kind, tmp_path):
    m = machine(**KINDS[kind])
    paces = [(60, 100), (150, 50), (100, 100)]
    with mf.connect("virtual", m, capture=True) as board:
        played_s = [0.0]

        def watch(now: Any) -> None:
            played_s[0] = now.motion_s

        def wanted() -> tuple[int, int]:
            return paces[int(played_s[0] // 6.0) % 3]

        record = board.run(
            mf.parse(program()), watch=watch, wants_override=wanted, journal=tmp_path / "journal"
        )
        capture = board.link.capture()
    assert len(record.overrides) >= 3
    report = verify(program(), m, capture, overrides=record.overrides)
    assert report.passed, report.text()
    if kind == "advance":
        assert report.figures["worst_advance_steps"] < 0.2
