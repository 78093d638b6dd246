"""Pictures of pulses without a program: rates over time, widths, how evenly they come."""

from __future__ import annotations

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from hil.capture import Capture
from hil.jitter import REST_S, histogram, jitter_us, spread_us
from hil.report.pictures import STYLE

MOST_POINTS = 4000


def pulses_picture(capture: Capture) -> Figure | None:
    """Step rates, pulse widths and the jitter histogram of each motor; None: no motor moved."""
    moved = {name: m for name, m in capture.motors.items() if len(m.rise) > 1}
    if not moved:
        return None
    hz = capture.tick_hz
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(11, 5.2), layout="constrained")
        grid = figure.add_gridspec(2, 2)
        rate = figure.add_subplot(grid[0, :])
        width, jitter = figure.add_subplot(grid[1, 0]), figure.add_subplot(grid[1, 1])
        for k, (name, m) in enumerate(moved.items()):
            gap = np.diff(m.rise)
            speed = np.where(gap < REST_S * hz, m.direction[1:] * (hz / gap), 0.0)
            few = slice(None, None, max(1, len(gap) // MOST_POINTS))
            colour = f"C{k}"
            rate.plot(m.rise[1:][few] / hz, speed[few], color=colour, linewidth=0.9, label=name)
            widths, counts = np.unique(m.width, return_counts=True)
            width.bar(widths * 1e6 / hz, counts, width=0.02, color=colour, alpha=0.6)
            bars = histogram(jitter_us(m, hz))
            jitter.stairs(bars.counts, bars.edges_us, color=colour, linewidth=1)
        rate.set(title="Steps per second, signed by direction", xlabel="s", ylabel="1/s")
        rate.legend(frameon=False, ncols=5)
        rate.margins(x=0)
        width.set(title="Pulse widths", xlabel="µs", ylabel="pulses")
        width.set_xlim(0)
        jitter.set(title="Jitter: off the curve of its neighbours", xlabel="µs", ylabel="pulses")
        jitter.set_yscale("symlog", linthresh=1)
    return figure


def pulses_rows(capture: Capture) -> list[tuple[str, ...]]:
    """Of each motor: pulses, signed steps, widths and jitter, us."""
    rows = []
    for name, m in capture.motors.items():
        if not len(m.rise):
            continue
        us = m.width * 1e6 / capture.tick_hz
        median, rare, most = spread_us(jitter_us(m, capture.tick_hz))
        rows.append(
            (
                name,
                f"{len(m.rise):,}",
                f"{int(m.direction.sum(dtype=np.int64)):+,}",
                f"{us.min():.3f} to {us.max():.3f}",
                f"{median:.3f}",
                f"{rare:.3f}",
                f"{most:.3f}",
            )
        )
    return rows


PULSES_HEAD = (
    "motor", "pulses", "steps", "width, µs", "jitter, µs: median", "99.9 %", "most",
)  # fmt: skip
