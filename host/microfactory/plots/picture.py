"""A job as one picture, PNG or SVG, with matplotlib: for a page of paper or of documentation."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap, ListedColormap
from matplotlib.figure import Figure
from numpy.typing import NDArray

from microfactory.plots.path import speed_of
from microfactory.plots.seen import Seen
from microfactory.plots.shares import DOING
from microfactory.plots.words import (
    COLOURS,
    RAMP,
    clock,
    frame,
    parts,
    share,
    speed_scale,
)

INK, FAINT = "#1c2430", "#b8c0cc"
MOST_VECTORS = 4000  # pieces that an SVG has as lines; more are put in as pixels
STYLE: Any = {
    "font.size": 9, "axes.edgecolor": FAINT, "axes.labelcolor": INK, "xtick.color": INK,
    "ytick.color": INK, "axes.titlesize": 10, "axes.titleweight": "bold",
    "axes.titlelocation": "left", "axes.spines.top": False, "axes.spines.right": False,
    "svg.fonttype": "none", "svg.hashsalt": "microfactory",
}  # fmt: skip


def picture(seen: Seen, form: str) -> bytes:
    """PNG or SVG bytes."""
    with rc_context(STYLE):
        jerks = bool((seen.columns.high[2] > 0).any())
        figure = Figure(figsize=(11, 10.2 if jerks else 8.4), layout="constrained")
        figure.suptitle(
            f"{seen.program.name} on {seen.machine.name}: {clock(seen.shares.time_s)} of motion",
            fontsize=12, fontweight="bold", x=0.01, ha="left",
        )  # fmt: skip
        heights = [5, 2.4, 1.7, 1.7, 0.35] if jerks else [5, 2.4, 1.7, 0.35]
        grid = figure.add_gridspec(len(heights), 2, height_ratios=heights)
        _path(figure, figure.add_subplot(grid[0, 0]), seen)
        bars = grid[0, 1].subgridspec(2, 1, height_ratios=[1, 2.6])
        _parts(figure.add_subplot(bars[0]), seen)
        _gains(figure.add_subplot(bars[1]), seen)
        rows = [0, 1, 2] if jerks else [0, 1]
        first: Any = None
        for k in rows:
            axes = figure.add_subplot(grid[1 + k, :], sharex=first)
            first = first or axes
            _value(axes, seen, k)
            axes.tick_params(labelbottom=False)
        _doing(figure.add_subplot(grid[1 + len(rows), :], sharex=first), seen)
        out = io.BytesIO()
        extra: dict[str, Any] = {"metadata": {"Date": None}} if form == "svg" else {"dpi": 110}
        figure.savefig(out, format=form, facecolor="white", **extra)
    return out.getvalue()


def _path(figure: Figure, axes: Any, seen: Seen) -> None:
    pieces = seen.path.pieces()
    lines = np.stack([pieces["start"][:, :2], pieces["end"][:, :2]], axis=1)
    works = pieces["works"]
    width = 0.5 if len(pieces) > 5000 else 1.4
    flat = len(pieces) > MOST_VECTORS
    axes.add_collection(
        LineCollection(lines[~works], colors=FAINT, linewidths=0.5 * width, rasterized=flat)
    )
    drawn = LineCollection(
        lines[works], cmap=LinearSegmentedColormap.from_list("speed", RAMP), linewidths=width,
        rasterized=flat, capstyle="round",
    )  # fmt: skip
    drawn.set_array(speed_of(pieces)[works])
    drawn.set_clim(0, speed_scale(pieces))
    axes.add_collection(drawn)
    low, high = frame(pieces)
    room = 0.04 * max(float((high - low)[:2].max()), 1e-3)
    axes.set_xlim(low[0] - room, high[0] + room)
    axes.set_ylim(low[1] - room, high[1] + room)
    axes.set_aspect("equal")
    axes.set_title(f"Path from above: {seen.stretch}")
    bar = figure.colorbar(drawn, ax=axes, shrink=0.7, pad=0.01)
    bar.set_label("mm/s")
    bar.outline.set_visible(False)


def _parts(axes: Any, seen: Seen) -> None:
    left = 0.0
    whole = seen.shares.time_s
    for name, seconds, colour in parts(seen):
        if seconds > 1e-9 * whole:
            label = f"{name}: {clock(seconds)} ({share(seconds, whole)})"
            axes.barh(0, seconds, left=left, color=colour, label=label, height=0.5)
            left += seconds
    axes.set_title("Where the time of the whole job goes")
    axes.axis("off")
    axes.legend(loc="upper left", bbox_to_anchor=(0, 0.1), frameon=False, fontsize=8)
    axes.margins(x=0)


def _gains(axes: Any, seen: Seen) -> None:
    some = [g for g in seen.gains if g.saves_s and g.saves_s > 5e-4][:7]
    names = [gain.limit.name for gain in some]
    saved = [gain.saves_s or 0.0 for gain in some]
    axes.barh(range(len(some)), saved, color="#2b6cb0", height=0.28)
    for i, (name, seconds) in enumerate(zip(names, saved, strict=True)):
        words = f"{name}: {clock(seconds)} ({share(seconds, seen.shares.time_s)})"
        axes.text(0, i - 0.22, words, fontsize=8, va="bottom")
    axes.set_ylim(max(len(some), 1) - 0.4, -0.9)
    axes.set_xlim(0, (max(saved, default=0.0) or 1.0) * 1.02)
    axes.axis("off")
    axes.set_title(f"What {100 * (seen.factor - 1):g} % more would save of it")


_NAMES = ("speed, mm/s", "acceleration, mm/s²", "jerk, mm/s³")
_INKS = (("#2b6cb0", "#a9c8e8"), ("#c05621", "#f0c3a4"), ("#6b46c1", "#cbbcf0"))


def _value(axes: Any, seen: Seen, k: int) -> None:
    c = seen.columns
    crowded = seen.moves_shown > c.count / 8
    some = np.isfinite(c.high[k])
    at, low, high = c.mid_s, np.where(some, c.low[k], np.nan), np.where(some, c.high[k], np.nan)
    ink, light = _INKS[k]
    axes.fill_between(
        at, low, high, color=light if crowded else ink, linewidth=0.8, step="mid",
        edgecolor=light if crowded else ink, rasterized=crowded,
    )  # fmt: skip
    if k == 0 and crowded:
        axes.plot(at, c.mean_mm_s, color="#1a4a7f", linewidth=0.7, rasterized=crowded)
    _limit(axes, at, np.where(some & np.isfinite(c.top[k]), c.top[k], np.nan), k, crowded)
    room = 1.15 * max(float(np.nanmax(high)), 1e-9)
    axes.set_ylim(0 if k == 0 else -room, room)
    axes.set_title(_NAMES[k])
    axes.margins(x=0)


def _limit(axes: Any, at: NDArray[Any], top: NDArray[Any], k: int, crowded: bool) -> None:
    """Dashes where the moves' own limits are, if they can be told apart."""
    if crowded:
        return
    top = np.where(top > 0, top, np.nan)
    for sign in (1,) if k == 0 else (1, -1):
        axes.plot(at, sign * top, color="#8a94a3", linewidth=0.7, linestyle=(0, (3, 3)))


def _doing(axes: Any, seen: Seen) -> None:
    c = seen.columns
    row = np.where(c.doing >= 0, c.doing, len(DOING))[None, :]
    axes.imshow(
        row, aspect="auto", cmap=ListedColormap([*COLOURS, "#ffffff"]), vmin=0, vmax=len(DOING),
        extent=(c.from_s, c.to_s, 0, 1), interpolation="nearest",
    )  # fmt: skip
    axes.set_yticks([])
    axes.set_title("what binds, over seconds of motion")
    for k, (name, colour) in enumerate(zip(DOING, COLOURS, strict=True)):
        if (c.doing == k).any():
            axes.plot([], [], color=colour, linewidth=5, label=name)
    axes.legend(loc="upper left", bbox_to_anchor=(0, -0.9), ncols=3, frameon=False, fontsize=8)
