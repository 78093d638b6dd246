"""Pictures of a run, with matplotlib: the path in views, motion over time, what was switched."""

from __future__ import annotations

import io
from typing import Any

import matplotlib
import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from numpy.typing import NDArray

from hil.capture import Capture
from hil.report.motion import Segments, Trace

matplotlib.use("Agg")
INK = "#1c2430"
FAINT = "#b8c0cc"
MAP = "viridis"
STYLE = {
    "font.size": 9,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def png(figure: Figure, dpi: int = 110) -> bytes:
    """A figure as PNG bytes."""
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=dpi, facecolor="white")
    return out.getvalue()


def path_picture(parts: Segments, title: str) -> Figure:
    """The whole path from an angle, and flat views of a few heights, coloured by speed."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(12, 6.4), layout="constrained")
        top = float(np.quantile(parts.speed_mm_s, 0.995)) if len(parts.speed_mm_s) else 1.0
        heights = _heights(parts)
        grid = figure.add_gridspec(2, 4)
        whole = figure.add_subplot(grid[:, :2])
        collection = _whole(whole, parts, top)
        whole.set_title(title)
        for k, (low, high, name) in enumerate(heights):
            axes = figure.add_subplot(grid[_PLACES[len(heights)][k]])
            _flat(axes, parts, (low, high), top)
            axes.set_title(name)
        bar = figure.colorbar(collection, ax=whole, shrink=0.5, location="left", pad=0.02)
        bar.set_label("speed, mm/s (from the pulses)")
        bar.outline.set_visible(False)  # type: ignore[operator]
    return figure


_ALL = slice(None)
_RIGHT = slice(2, 4)
_PLACES: dict[int, list[Any]] = {
    1: [(_ALL, _RIGHT)],
    2: [(0, _RIGHT), (1, _RIGHT)],
    3: [(0, 2), (0, 3), (1, _RIGHT)],
    4: [(0, 2), (0, 3), (1, 2), (1, 3)],
}


def _heights(parts: Segments) -> list[tuple[float, float, str]]:
    """Up to four heights at which work is done, evenly spread: low, high, words."""
    z = parts.end[parts.works][:, 2] if parts.end.shape[1] > 2 else np.zeros(1)
    levels, counts = np.unique(np.round(z, 3), return_counts=True)
    levels = levels[counts >= max(3, counts.max() // 50)] if len(counts) else levels
    if len(levels) > 8:
        picked = levels[[0, len(levels) // 3, 2 * len(levels) // 3, -1]]
    else:
        picked = levels[:4]
    return [(h - 0.011, h + 0.011, f"Z = {h:g} mm") for h in picked.tolist()]


def _whole(axes: Any, parts: Segments, top: float) -> LineCollection:
    """Isometric view, nearest last."""
    a, b = np.radians(45), np.radians(28)
    turn = np.array(
        [
            [np.cos(a), -np.sin(a), 0.0],
            [np.sin(a) * np.sin(b), np.cos(a) * np.sin(b), np.cos(b)],
        ]
    )
    lines = np.stack([parts.start @ turn.T, parts.end @ turn.T], axis=1)
    works = parts.works
    axes.add_collection(LineCollection(lines[~works], colors=FAINT, linewidths=0.25, alpha=0.5))
    drawn = _coloured(lines[works], parts.speed_mm_s[works], top, 0.55)
    axes.add_collection(drawn)
    shown = lines[works] if works.any() else lines
    _frame(axes, shown.reshape(-1, 2))
    axes.axis("off")
    return drawn


def _flat(axes: Any, parts: Segments, height: tuple[float, float], top: float) -> None:
    z0, z1 = parts.start[:, 2], parts.end[:, 2]
    inside = (np.maximum(z0, z1) >= height[0]) & (np.minimum(z0, z1) <= height[1])
    lines = np.stack([parts.start[:, :2], parts.end[:, :2]], axis=1)
    idle, work = inside & ~parts.works, inside & parts.works
    axes.add_collection(LineCollection(lines[idle], colors=FAINT, linewidths=0.5))
    axes.add_collection(_coloured(lines[work], parts.speed_mm_s[work], top, 0.9))
    _frame(axes, lines[work if work.any() else inside].reshape(-1, 2))
    axes.tick_params(labelsize=7)


def _coloured(lines: NDArray[Any], speed: NDArray[Any], top: float, width: float) -> LineCollection:
    drawn = LineCollection(lines, cmap=MAP, linewidths=width)
    drawn.set_array(speed)
    drawn.set_clim(0, top)
    return drawn


def _frame(axes: Any, points: NDArray[Any]) -> None:
    if len(points):
        low, high = points.min(axis=0), points.max(axis=0)
        room = 0.04 * max(float((high - low).max()), 1.0)
        axes.set_xlim(low[0] - room, high[0] + room)
        axes.set_ylim(low[1] - room, high[1] + room)
    axes.set_aspect("equal")


def _unit(seconds: float) -> tuple[float, str]:
    """Seconds for short jobs, minutes for others."""
    return (60.0, "minutes") if seconds > 180 else (1.0, "s")


def motion_picture(whole: Trace, near: Trace, machine: Any) -> Figure:
    """Speed of the whole job; speed and acceleration of a short stretch with their limits."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(12, 5.6), layout="constrained")
        grid = figure.add_gridspec(2, 2)
        axes = figure.add_subplot(grid[0, :])
        unit, name = _unit(float(whole.time_s.max(initial=0)))
        axes.plot(whole.time_s / unit, whole.speed_mm_s, color="#2b6cb0", linewidth=0.35)
        axes.set(title="Speed along the path, whole job", xlabel=name, ylabel="mm/s")
        axes.margins(x=0)
        axes.set_ylim(0)
        speed = figure.add_subplot(grid[1, 0])
        speed.plot(near.time_s, near.speed_mm_s, color="#2b6cb0", linewidth=1)
        speed.set(title="Speed, a stretch of it", xlabel="s", ylabel="mm/s")
        speed.margins(x=0)
        speed.set_ylim(0, max(1.0, 1.1 * float(near.speed_mm_s.max(initial=0))))
        accel = figure.add_subplot(grid[1, 1])
        accel.plot(near.time_s, near.accel_mm_s2, color="#c05621", linewidth=0.8)
        most = machine.motion.max_accel_mm_s2
        for level in (most, -most):
            accel.axhline(level, color=INK, linewidth=0.8, linestyle="--")
        accel.set(title="Acceleration along the path; dashed: limit", xlabel="s", ylabel="mm/s²")
        accel.margins(x=0)
        accel.set_ylim(-1.4 * most, 1.4 * most)
    return figure


def switched_picture(capture: Capture) -> Figure | None:
    """Temperatures with their targets, and outputs, over time; None if there is nothing to show."""
    rows = [bool(capture.temperatures or capture.targets), bool(capture.outputs)]
    if not any(rows):
        return None
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(12, 2.4 * sum(rows) + 0.4), layout="constrained")
        unit, name_of_unit = _unit(capture.end_tick / capture.tick_hz)
        per = capture.tick_hz * unit
        end = capture.end_tick / per
        row = 0
        if rows[0]:
            row += 1
            axes = figure.add_subplot(sum(rows), 1, row)
            names = sorted({*capture.temperatures, *capture.targets})
            for name, colour in zip(names, ("#c53030", "#2b6cb0", "#2f855a"), strict=False):
                _steps(axes, per, capture.targets.get(name), colour, "--", f"{name} target", end)
                signal = capture.temperatures.get(name)
                if signal is not None:
                    at = signal.tick / per
                    axes.plot(at, signal.value, color=colour, linewidth=1, label=name)
            axes.set(title="Temperatures", xlabel=name_of_unit, ylabel="°C")
            axes.legend(frameon=False, ncols=4, loc="lower right")
            axes.margins(x=0)
        if rows[1]:
            axes = figure.add_subplot(sum(rows), 1, row + 1)
            for k, (name, signal) in enumerate(sorted(capture.outputs.items())):
                colour = f"C{k}"
                scaled = signal._replace(value=signal.value / 655.35)
                _steps(axes, per, scaled, colour, "-", name, end)
            axes.set(title="Outputs", xlabel=name_of_unit, ylabel="% of full")
            axes.legend(frameon=False, ncols=4, loc="lower right")
            axes.set_ylim(-4, 108)
            axes.margins(x=0)
    return figure


def _steps(
    axes: Any, per: float, signal: Any, colour: str, style: str, name: str, end: float
) -> None:
    if signal is None or not len(signal.tick):
        return
    at = np.concatenate([[0.0], signal.tick / per, [end]])
    value = np.concatenate([[0.0], signal.value, signal.value[-1:]])
    axes.step(at, value, where="post", color=colour, linestyle=style, linewidth=1, label=name)
