"""Blended corners together with input shapers and pressure advance, judged on the emitted steps."""

from __future__ import annotations

import dataclasses
import random

import pytest
from hil.verify.windows import verify_job
from test_blend import bent_moves, blended, curves
from test_jerk import SCENARIOS, windows_of

from microfactory.machine import Machine

KINDS = {
    "advance": {"advance_s": 0.05},
    "mzv": {"shaper": "mzv"},
    "2hei and advance": {"shaper": "2hei", "advance_s": 0.03},
}


def filtered(machine: Machine, *, advance_s: float = 0.0, shaper: str = "none") -> Machine:
    axes = tuple(
        dataclasses.replace(
            axis,
            pressure_advance_s=advance_s if axis.letter == "E" else 0.0,
            shaper=shaper if axis.letter in "XY" else "none",
            shaper_hz=43.0,
        )
        for axis in machine.axes
    )
    return dataclasses.replace(machine, axes=axes)


@pytest.mark.parametrize("jerk", [float("inf"), 5e6])
@pytest.mark.parametrize("kind", KINDS)
def test_curves_and_prints_pass(kind, jerk):
    machine = filtered(blended("d3d-printer", max_jerk_mm_s3=jerk), **KINDS[kind])
    for text in (
        curves(machine, random.Random(3), 400),
        (SCENARIOS / "short_print.gcode").read_text(),
    ):
        windows = [w for part in windows_of(text, machine) for w in part]
        report = verify_job(text, machine, windows)
        assert report.passed, report.text()


def test_an_advance_that_changes_on_the_way_parts_a_curve():
    machine = filtered(blended("d3d-printer"), advance_s=0.05)
    text = curves(machine, random.Random(5), 60)
    lines = text.splitlines()
    for at in range(40, len(lines), 7):
        lines[at] = f"M900 K0.0{at % 9}\n{lines[at]}"
    assert len(bent_moves("\n".join(lines), machine)) > len(bent_moves(text, machine))
    changed = "\n".join(lines)
    windows = [w for part in windows_of(changed, machine) for w in part]
    report = verify_job(changed, machine, windows)
    assert report.passed, report.text()


@pytest.mark.parametrize(
    ("made", "asked"),
    [
        ({"shaper": "mzv"}, {}),  # a shaper that was not asked for
        ({"advance_s": 0.05, "corner_tolerance_mm": 0.4}, {"advance_s": 0.05}),  # bent too far
    ],
)
def test_what_was_not_asked_for_is_found(made, asked):
    def machine(*, corner_tolerance_mm: float = 0.01, **filters: float) -> Machine:
        return filtered(blended("d3d-printer", corner_tolerance_mm=corner_tolerance_mm), **filters)

    text = (SCENARIOS / "short_print.gcode").read_text()
    windows = [w for part in windows_of(text, machine(**made)) for w in part]
    assert not verify_job(text, machine(**asked), windows).passed
