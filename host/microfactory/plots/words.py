"""Words and colours that the page and the picture share."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from microfactory.plots.limits import TOGETHER
from microfactory.plots.path import speed_of
from microfactory.plots.seen import Seen
from microfactory.plots.shares import REST

RAMP = ["#440154", "#46327e", "#365c8d", "#277f8e", "#1fa187", "#4ac16d", "#a0da39", "#fde725"]
# of shares.DOING, in its order
COLOURS = ["#2f855a", "#2b6cb0", "#319795", "#dd6b20", "#805ad5", "#b7791f", "#cbd5e0"]


def clock(seconds: float) -> str:
    """1 h 02 min, 3 min 20 s, 14.2 s, 0.031 s."""
    if seconds >= 3600:
        return f"{int(seconds // 3600)} h {int(seconds % 3600 // 60):02d} min"
    if seconds >= 100:
        return f"{int(seconds // 60)} min {int(seconds % 60):02d} s"
    if seconds <= 0:
        return "0 s"
    return f"{seconds:.1f} s" if seconds >= 10 else f"{seconds:.3f} s"


def share(seconds: float, whole: float) -> str:
    """In percent."""
    return f"{100 * seconds / whole:.1f} %" if whole > 0 else "0 %"


def parts(seen: Seen) -> list[tuple[str, float, str]]:
    """The job's time as what is added by each thing that binds: name, seconds, colour."""
    bounds, rest_s = seen.bounds, float(seen.shares.doing_s[REST])
    return [
        ("every move at its top speed", bounds.top_s - rest_s, "#2f855a"),
        ("speeding up and slowing down", bounds.accel_s, "#dd6b20"),
        ("slower at corners", bounds.corners_s, "#c53030"),
        ("limits of jerk", bounds.jerk_s, "#805ad5"),
        ("resting (the program's own stops)", rest_s, "#cbd5e0"),
    ]


class Row(NamedTuple):
    """Cells of a limit's row; why it cannot be raised, in place of the last two."""

    cells: tuple[str, ...]
    why: str


def gain_rows(seen: Seen) -> list[Row]:
    """The table of what to change, the most useful first."""
    whole = seen.shares.time_s
    rows = []
    for gain in seen.gains:
        cells: tuple[str, ...] = (
            gain.limit.name,
            gain.limit.value(seen.machine),
            share(gain.alone_s, whole) if gain.alone_s else "",
            share(gain.shared_s, whole) if gain.shared_s else "",
            f"{gain.corners:,}" if gain.corners else "",
        )
        if gain.saves_s is not None:
            saved = 0.0 if abs(gain.saves_s) < 5e-4 else gain.saves_s
            text = f"-{clock(-saved)}" if saved < 0 else clock(saved)
            cells = (*cells, text if saved else "nothing", share(saved, whole))
        rows.append(Row(cells, gain.why))
    return rows


def headline(seen: Seen) -> str:
    """Which one limit would gain most, in a sentence."""
    alone = [g for g in seen.gains if not g.limit.name.startswith(TOGETHER)]
    best = next((g for g in alone if g.saves_s and g.saves_s > 5e-4), None)
    if best is None or best.saves_s is None:
        return "No limit that is raised by itself makes this job faster."
    return (
        f"Raising {best.limit.name} by {100 * (seen.factor - 1):g} % would save "
        f"{clock(best.saves_s)} of {clock(seen.shares.time_s)} "
        f"({share(best.saves_s, seen.shares.time_s)}): planned again, not estimated."
    )


def speed_scale(pieces: NDArray[Any]) -> float:
    """The speed that the brightest colour stands for: nearly the highest at work, mm/s."""
    speed = speed_of(pieces)
    shown = speed[pieces["works"]] if pieces["works"].any() else speed
    return float(np.quantile(shown, 0.995)) if len(shown) else 1.0


def frame(pieces: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lowest and highest corner of what is looked at: where work is done, if any is."""
    shown = pieces[pieces["works"]] if pieces["works"].any() else pieces
    both = np.concatenate([shown["start"], shown["end"]])
    return both.min(axis=0), both.max(axis=0)
