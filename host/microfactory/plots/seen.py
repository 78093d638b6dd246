"""A job looked at: planned twice for the pictures, then once more for each limit that is raised."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from microfactory.errors import UsageError
from microfactory.machine import Machine
from microfactory.motion.gcode import Program
from microfactory.motion.motions import motions
from microfactory.plots.columns import COLUMNS, Columns
from microfactory.plots.gains import Bounds, Gain, bounds, gains
from microfactory.plots.path import Path
from microfactory.plots.shares import DOING, Shares, begins, phases_of
from microfactory.plots.stretch import Stretch

Watch = Callable[[str, float], None]


@dataclass(frozen=True)
class Seen:
    """All that the pictures show. Figures are of the whole job; path and columns of the stretch."""

    program: Program
    machine: Machine
    stretch: Stretch
    shares: Shares
    bounds: Bounds
    gains: list[Gain]
    factor: float
    path: Path
    columns: Columns
    moves_shown: int

    def figures(self) -> dict[str, Any]:
        """The same as plain values: `microfactory show plot --json`. The names are a contract."""
        s = self.shares
        return {
            "program": self.program.name,
            "machine": self.machine.name,
            "job_time_s": s.time_s,
            "moves": s.moves,
            "bounds_s": {
                "planned": self.bounds.planned_s,
                "no_jerk": self.bounds.no_jerk_s,
                "no_corners": self.bounds.no_corners_s,
                "top_speed": self.bounds.top_s,
            },
            "doing_s": {name: float(x) for name, x in zip(DOING, s.doing_s, strict=True)},
            "corners": s.corners,
            "raised_by": self.factor - 1.0,
            "limits": [
                {
                    "limit": g.limit.name,
                    "keys": list(g.limit.keys),
                    "binds_alone_s": g.alone_s,
                    "binds_with_others_s": g.shared_s,
                    "corners": g.corners,
                    "saves_s": g.saves_s,
                    "why_not": g.why,
                }
                for g in self.gains
            ],
            "worst_lines": [loss._asdict() for loss in sorted(s.worst, reverse=True)],
            "shown": {
                "stretch": str(self.stretch),
                "from_s": self.columns.from_s,
                "to_s": self.columns.to_s,
                "moves": self.moves_shown,
                "joined_within_mm": self.path.joined_mm,
            },
        }


def look(program: Program, machine: Machine, stretch: Stretch, factor: float, watch: Watch) -> Seen:
    """Plan and look. factor: raised limits are so many times what they are. watch: gets what is
    being done and which share of it is. GcodeError, LimitError: the program must not be run.
    UsageError: there is no motion in the stretch.
    """
    shares, shown = _survey(program, machine, stretch, watch)
    if not shown.moves:
        raise UsageError(
            f"{program.name}: {stretch} has no motion; nothing was drawn; the job has "
            f"{shares.moves:,} moves in {shares.time_s:.1f} s and {program.lines:,} lines"
        )
    path = Path(machine, shown.moves, shown.top_mm_s)
    columns = Columns(shown.from_s, shown.to_s, min(COLUMNS, 200 + 40 * shown.moves))
    at = 0.0
    for batch in motions(program, machine, checked=True):
        begin = begins(batch, at)
        at = float(begin[-1])
        picked = stretch.rows(batch, begin)
        if picked.any():
            rows = batch[picked]
            phases = phases_of(rows, begin[:-1][picked])
            path.add(rows, phases)
            columns.add(rows, phases)
            watch("drawing", at / shares.time_s)
    watch("planning without corners", 0.0)
    least = bounds(program, machine, shares)
    raised = gains(program, machine, shares, factor, watch)
    return Seen(
        program, machine, stretch, shares, least, raised, factor, path, columns, shown.moves
    )


@dataclass
class _Shown:
    """Of the stretch: how many moves, from when to when, how fast."""

    moves: int = 0
    from_s: float = np.inf
    to_s: float = 0.0
    top_mm_s: float = 0.0


def _survey(
    program: Program, machine: Machine, stretch: Stretch, watch: Watch
) -> tuple[Shares, _Shown]:
    shares, shown, at = Shares(), _Shown(), 0.0
    for batch in motions(program, machine):
        begin = begins(batch, at)
        at = float(begin[-1])
        phases = phases_of(batch, begin[:-1])
        shares.add(batch, phases)
        picked = stretch.rows(batch, begin)
        if picked.any():
            shown.moves += int(picked.sum())
            shown.from_s = min(shown.from_s, float(begin[:-1][picked].min()))
            shown.to_s = max(shown.to_s, float(begin[1:][picked].max()))
            fastest = phases.v_mm_s[picked[phases.row]].max(initial=0.0)
            shown.top_mm_s = max(shown.top_mm_s, float(fastest))
        line = int(batch["move"]["line"][-1])
        watch(f"planning, line {line:,}", line / program.lines)
    return shares, shown
