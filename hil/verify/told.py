"""A judge's findings and figures as a report."""

from __future__ import annotations

from typing import Any

import numpy as np

from hil.verify.verdict import Measured, Played, Report


def report(judge: Any, wall_s: float) -> Report:
    """All that a judge has found, in order of time, with its figures."""
    order = sorted(judge.violations, key=lambda v: v.tick)
    figures = {
        "lines": judge.asked.lines,
        "pieces": judge.asked.pieces,
        "arcs": len(judge.asked.arcs),
        "pulses": judge.pulses,
        "motion_s": judge.motion_s,
        "changes": judge.changes,
        "max_speed_ratio": judge.ratios[0],
        "max_accel_ratio": judge.ratios[1],
        "max_timing_ratio": judge.ratios[2],
        "max_corner_ratio": judge.ratios[3],
        "max_jerk_ratio": judge.ratios[4],
        "worst_change_ms": judge.worst_change_s * 1e3,
        "least_pulse_us": {n: m.pulse_us for n, m in judge.margins.items()},
        "least_setup_us": {n: m.setup_us for n, m in judge.margins.items()},
        "wall_s": wall_s,
    }
    if judge.filters.axis >= 0:
        figures["worst_advance_steps"] = judge.filters.worst_steps
        figures["advance_judged"] = judge.filters.judged / max(1, judge.filters.seen)
    if judge.filters.shaped:
        most = judge.filters.steps / judge.spm
        figures["shaper_tolerance_mm"] = {
            axis.name: float(x) for axis, x in zip(judge.machine.axes, most, strict=True)
        }
    if judge.blended:
        figures["most_bent_um"] = judge.most_bent_mm * 1e3
    if judge.machine.height is not None:
        figures["most_offset_mm"] = judge.most_offset_mm
    notes = ["judged at the pins: that the motors followed is not known"]
    if judge.filters.shaped:
        notes.append("shaped axes were judged within what their shapers may be off")
    if judge.blended:
        notes.append("corners were rounded within the tolerance")
    ticks = np.full(judge.asked.pieces + 1, -1, np.int64)
    for vertex, passing in judge.passings.items():
        ticks[vertex] = passing.first
    return Report(tuple(order), figures, tuple(notes), Played(judge.asked, ticks, _motion(judge)))


def _motion(judge: Any) -> Measured:
    """Speed and acceleration over the whole capture, in order of time."""
    columns = [np.concatenate([m[i] for m in judge.measured] or [np.zeros(0)]) for i in range(3)]
    ticks, first = np.unique(columns[0].astype(np.int64), return_index=True)
    return Measured(ticks, columns[1][first], columns[2][first])
