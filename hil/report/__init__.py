"""Reports of a run: pictures, one HTML page, a VCD for logic analysers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from hil.capture import Capture
from hil.report import pictures
from hil.report.motion import segments, trace
from hil.report.page import (
    Section,
    cards,
    machine_rows,
    page,
    picture,
    seconds_text,
    table,
    verdict,
)
from hil.report.vcd import write_vcd
from hil.report.viewer import viewer
from hil.verify import Report

__all__ = ["Written", "write_report", "write_vcd"]
NEAR_S = 2.0  # stretch of the close look at speed and acceleration
VCD_S = 0.5


class Written(NamedTuple):
    """Files of a report."""

    html: Path
    png: Path
    vcd: Path


def write_report(
    out: Path,
    title: str,
    lead: str,
    report: Report,
    capture: Capture,
    machine: Any,
    figures: Mapping[str, str],
    hashes: Mapping[str, str],
) -> Written:
    """Write report.html, toolpath.png and pulses.vcd into a directory."""
    out.mkdir(parents=True, exist_ok=True)
    files = Written(out / "report.html", out / "toolpath.png", out / "pulses.vcd")
    parts = segments(report, capture, machine)
    path_png = pictures.png(pictures.path_picture(parts, title), dpi=130)
    files.png.write_bytes(path_png)
    first_s, end_s = _span(report, capture)
    near_s = _busy(report, capture)
    write_vcd(capture, files.vcd, near_s, VCD_S)
    whole = trace(report, capture, first_s, end_s - first_s, 20_000)
    near = trace(report, capture, near_s, NEAR_S, 4000)
    motion_png = pictures.png(pictures.motion_picture(whole, near, machine))
    switched = pictures.switched_picture(capture)
    axes = ("axis", "motors", "steps/mm", "travel, mm", "most mm/s", "most mm/s²")
    sections = [
        Section("In short", cards([(value, name) for name, value in figures.items()])),
        Section("The verdict", verdict(report) + _notes(report)),
        Section("The path, layer by layer", viewer(parts)),
        Section("The path in views", picture(path_png, "the path, coloured by speed")),
        Section("Motion", picture(motion_png, "speed and acceleration over time")),
        Section(
            "Heat and outputs",
            "" if switched is None else picture(pictures.png(switched), "heat and outputs"),
        ),
        Section(f"Machine: {machine.name}", table(machine_rows(machine), axes)),
        Section("What exactly", table([(k, v) for k, v in hashes.items()])),
    ]
    why = "" if report.passed else str(report.first)
    files.html.write_text(page(title, lead, report.verdict, why, sections), encoding="utf-8")
    return files


def _notes(report: Report) -> str:
    return "<p>" + "; ".join(report.notes) + ".</p>" if report.notes else ""


def _span(report: Report, capture: Capture) -> tuple[float, float]:
    """Seconds of the program's first and last pulse."""
    assert report.played is not None
    known = report.played.tick[report.played.tick >= 0]
    if not len(known):
        return 0.0, capture.seconds(capture.end_tick)
    return capture.seconds(int(known[0])), capture.seconds(int(known[-1])) + 0.1


def _busy(report: Report, capture: Capture) -> float:
    """Where a close look is worth most: the two seconds with the most moves in them, away from
    the ends.
    """
    first, end = _span(report, capture)
    assert report.played is not None
    seconds = report.played.tick[report.played.tick >= 0] / capture.tick_hz
    inside = seconds[(seconds > first + (end - first) / 5) & (seconds < end - NEAR_S)]
    if not len(inside):
        return first
    moves = np.searchsorted(seconds, inside + NEAR_S) - np.searchsorted(seconds, inside)
    return float(inside[np.argmax(np.minimum(moves, 60))])


def span_text(report: Report, capture: Capture) -> str:
    """How long the program's motion took, in words."""
    first, end = _span(report, capture)
    return seconds_text(end - first)
