"""What a program asks of the motors of a machine that is off: map of heights, skew and slack.

Written apart from the host and the core, from docs/compensation.md. The path of the tool becomes
straight pieces so short that a tenth of the tolerance is not reached; slack is taken out of what
was captured instead: pulses that only take it up move no carriage.
"""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hil.capture import Capture, MotorTrace, Run
from hil.verify.asked import FREE, Asked

FINE = 0.1  # of the tolerance
SAME = 1e-9  # shares of a piece nearer than this are one
Floats = NDArray[np.float64]


class Corrected(NamedTuple):
    """Pieces for the carriages. bends: vertices where the program or the map has a corner; off_mm:
    how far the carriages may be off these pieces.
    """

    asked: Asked
    bends: NDArray[np.bool_]
    off_mm: float


def is_off(machine: Any) -> bool:
    """The machine has anything to be made good."""
    part = machine.compensation
    if machine.heightmap is not None and np.any(np.array(machine.heightmap.heights_mm)):
        return True
    return part is not None and any(
        (part.skew_xy, part.skew_xz, part.skew_yz, part.x_slack_mm, part.y_slack_mm,
         part.z_slack_mm)
    )  # fmt: skip


class Frame:
    """From the tool to the carriages of one machine."""

    def __init__(self, machine: Any) -> None:
        self.part = machine.compensation
        self.page = machine.heightmap
        self.axes = {axis.letter: i for i, axis in enumerate(machine.axes)}
        self.tolerance = self.part.tolerance_mm if self.part else 0.005
        self.grid = None if self.page is None else np.array(self.page.heights_mm, float)

    def height(self, x: Floats, y: Floats) -> Floats:
        """Of the plate, bilinear, the edge's outside."""
        assert self.grid is not None
        rows, columns = self.grid.shape
        u = np.clip((x - self.page.first_x_mm) / self.page.pitch_x_mm, 0, columns - 1)
        v = np.clip((y - self.page.first_y_mm) / self.page.pitch_y_mm, 0, rows - 1)
        i, j = np.minimum(u.astype(int), columns - 2), np.minimum(v.astype(int), rows - 2)
        u, v = u - i, v - j
        g = self.grid
        near = g[j, i] + u * (g[j, i + 1] - g[j, i])
        far = g[j + 1, i] + u * (g[j + 1, i + 1] - g[j + 1, i])
        return np.asarray(near + v * (far - near))

    def carriages(self, tool: Floats) -> Floats:
        """Rows of places."""
        out = np.array(tool, float)
        if self.grid is not None:
            z = tool[:, self.axes["Z"]]
            share = np.ones(len(z))
            if self.part and math.isfinite(self.part.fade_end_mm):
                begin, end = self.part.fade_begin_mm, self.part.fade_end_mm
                share = np.clip((end - z) / (end - begin), 0.0, 1.0)
            out[:, self.axes["Z"]] += share * self.height(
                tool[:, self.axes["X"]], tool[:, self.axes["Y"]]
            )
        if self.part and any((self.part.skew_xy, self.part.skew_xz, self.part.skew_yz)):
            zs = out[:, self.axes["Z"]] if "Z" in self.axes else np.zeros(len(out))
            ys = out[:, self.axes["Y"]] - self.part.skew_yz * zs
            out[:, self.axes["Y"]] = ys
            out[:, self.axes["X"]] -= self.part.skew_xy * ys + self.part.skew_xz * zs
        return out

    def spacing(self, radius: float) -> float:
        """Mm along the tool's path between vertices."""
        fine = FINE * self.tolerance
        bend = 1.0 / radius if radius else 0.0  # of the plane
        if self.grid is not None:
            g, p = self.grid, (self.page.pitch_x_mm, self.page.pitch_y_mm)
            twist = np.abs(g[1:, 1:] - g[1:, :-1] - g[:-1, 1:] + g[:-1, :-1]).max()
            slope = (
                np.abs(np.diff(g, axis=1)).max() / p[0] + np.abs(np.diff(g, axis=0)).max() / p[1]
            )
            bend += twist / (p[0] * p[1])
            if self.part and math.isfinite(self.part.fade_end_mm):
                bend += 2 * slope / (self.part.fade_end_mm - self.part.fade_begin_mm)
        return math.sqrt(8 * fine / bend) if bend > 0 else math.inf

    def creases(self, tool: Floats) -> Floats:
        """Shares of a straight way between two rows where it crosses a line of the grid or an end
        of the fading.
        """
        found: list[float] = []
        lines: list[tuple[str, Floats]] = []
        if self.grid is not None:
            rows, columns = self.grid.shape
            lines.append(("X", self.page.first_x_mm + self.page.pitch_x_mm * np.arange(columns)))
            lines.append(("Y", self.page.first_y_mm + self.page.pitch_y_mm * np.arange(rows)))
            if self.part and math.isfinite(self.part.fade_end_mm):
                ends = [self.part.fade_begin_mm, self.part.fade_end_mm]
                lines.append(("Z", np.array(ends)))
        for letter, at in lines:
            a, b = tool[:, self.axes[letter]]
            if a != b:
                share = (at - a) / (b - a)
                found += list(share[(share > 1e-9) & (share < 1 - 1e-9)])
        return np.unique(found)


def corrected(asked: Asked, machine: Any) -> Corrected:
    """Pieces for the carriages, events at their vertices."""
    frame = Frame(machine)
    rows: list[tuple[Floats, Floats, int, Floats, bool]] = []
    vertex = np.zeros(asked.pieces + 1, np.int64)
    homes = {e.vertex: int(e.value) for e in asked.events if e.kind == "home"}
    at = np.array([axis.home.position_mm if axis.home else 0.0 for axis in machine.axes])
    placed = False
    count = 0
    for i in range(asked.pieces):
        vertex[i] = count
        if i in homes:
            placed = False
            for a, axis in enumerate(machine.axes):
                if homes[i] >> a & 1 and axis.home:
                    at[a] = axis.home.position_mm
        shares, tool, bends = _places(frame, asked, i)
        places = frame.carriages(tool)
        if not placed and np.abs(places[0] - at).max() > 1e-9:
            rows.append((np.array([at, places[0]]), np.zeros(0), i, np.array([True]), True))
            count += 1
        placed = True
        rows.append((places, np.diff(shares), i, bends, False))
        count += len(places) - 1
        at = places[-1].copy()
    vertex[asked.pieces] = count
    return _build(asked, machine, frame, rows, vertex)


def _places(frame: Frame, asked: Asked, i: int) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Shares of a piece, the tool's places there, and whether each (the last not) is a corner."""
    arc = asked.arcs.get(i)
    ends = np.array([asked.start[i], asked.end[i]])
    length = float(asked.length[i])
    pieces = max(1, math.ceil(length / frame.spacing(arc.radius if arc else 0.0)))
    if arc:
        pieces = max(pieces, math.ceil(abs(arc.sweep) / 0.2))
    shares = np.linspace(0.0, 1.0, pieces + 1)
    creases = np.zeros(0)
    if arc is None:
        creases = frame.creases(ends)
        shares = np.unique(np.concatenate([shares, creases]))
        shares = shares[np.append(np.diff(shares) > SAME, True)]
    tool = ends[0] + shares[:, None] * (ends[1] - ends[0])
    if arc is not None:
        angle = arc.angle + shares * arc.sweep
        tool[:, arc.first] = arc.centre[0] + arc.radius * np.cos(angle)
        tool[:, arc.second] = arc.centre[1] + arc.radius * np.sin(angle)
        tool[0], tool[-1] = ends
    return (
        shares,
        tool,
        np.isclose(shares[:-1, None], [0.0, *creases], rtol=0, atol=2 * SAME).any(axis=1),
    )


def _build(
    asked: Asked, machine: Any, frame: Frame, rows: list[Any], vertex: NDArray[np.int64]
) -> Corrected:
    cartesian = np.array([axis.letter in "XYZ" for axis in machine.axes])
    start = np.concatenate([places[:-1] for places, *_ in rows])
    end = np.concatenate([places[1:] for places, *_ in rows])
    way = end - start
    flat = np.sqrt((way[:, cartesian] ** 2).sum(axis=1))
    length = np.where(flat > 0, flat, np.abs(way).max(axis=1, initial=0.0))
    speed, accel, tolerance, line, bends = [], [], [], [], []
    joint = max(frame.tolerance, machine.motion.corner_tolerance_mm)
    at = 0
    for places, shares, i, bent, approach in rows:
        n = len(places) - 1
        part = length[at : at + n]
        speed.append(
            np.full(n, FREE) if approach else asked.speed[i] * part / (shares * asked.length[i])
        )
        accel.append(np.full(n, asked.accel[i]))
        own = float(asked.tolerance[i])
        within = np.full(n, max(own, joint if own < 0 else frame.tolerance))
        within[0] = own
        tolerance.append(within)
        line.append(np.full(n, asked.line[i]))
        bends.append(bent)
        at += n
    events = tuple(e._replace(vertex=int(vertex[e.vertex])) for e in asked.events)
    held = {k for i in asked.held for k in range(int(vertex[i]), int(vertex[i + 1]))}
    out = replace(
        asked,
        start=start,
        end=end,
        line=np.concatenate(line),
        speed=np.concatenate(speed),
        accel=np.concatenate(accel),
        tolerance=np.concatenate(tolerance),
        length=np.maximum(length, 1e-12),
        arcs={},
        events=events,
        held=frozenset(held),
    )
    return Corrected(out, np.concatenate(bends), frame.tolerance * (1 + FINE))


def slack_steps(machine: Any, motor: int) -> int:
    """Whole steps that a motor turns after a reversal."""
    axis = machine.axes[machine.axis_of_motor(motor)]
    part = machine.compensation
    slack = getattr(part, f"{axis.letter.lower()}_slack_mm", 0.0) if part else 0.0
    return round(slack * axis.steps_per_mm)


def carriages(capture: Capture, machine: Any) -> Capture:
    """The capture with the pulses of carriages: those that take up slack are left out."""
    motors = dict(capture.motors)
    starts = [list(run.start_steps) for run in capture.runs]
    for m, motor in enumerate(machine.motors):
        slack = slack_steps(machine, m)
        if slack:
            trace = capture.motors[motor.name]
            kept, gaps = _taken_up(trace, capture.runs, m, machine, slack)
            motors[motor.name] = _rows(trace, kept)
            for k, run in enumerate(capture.runs):
                if run.start_steps:
                    starts[k][m] += gaps[k]
    runs = tuple(
        run._replace(start_steps=tuple(start))
        for run, start in zip(capture.runs, starts, strict=True)
    )
    return replace(capture, motors=motors, runs=runs)


def _rows(trace: MotorTrace, kept: NDArray[np.bool_]) -> MotorTrace:
    return replace(
        trace, rise=trace.rise[kept], width=trace.width[kept], direction=trace.direction[kept]
    )


def _taken_up(
    trace: MotorTrace, runs: tuple[Run, ...], m: int, machine: Any, slack: int
) -> tuple[NDArray[np.bool_], list[int]]:
    """Which pulses move the carriage, and how far it is above its motor when each run begins. A
    count that jumped was set by homing, which leaves the slack taken up on a known side.
    """
    axis = machine.axes[machine.axis_of_motor(m)]
    home = slack if axis.home and axis.home.toward == "max" else 0
    cuts = np.searchsorted(trace.rise, [run.tick for run in runs])
    kept = np.ones(len(trace.rise), bool)
    gaps: list[int] = []
    gap, count = home, None
    begin = 0
    for k, run in enumerate(runs):
        gap = _play(trace.direction, begin, int(cuts[k]), kept, gap, slack)
        if count is not None:
            count += int(trace.direction[begin : cuts[k]].sum(dtype=np.int64))
        begin = int(cuts[k])
        if run.start_steps:
            told = run.start_steps[m]
            if run.kind == "motion" and count is not None and told != count:
                gap = home if runs[k - 1].kind != "guarded" else gap
            count = told
        gaps.append(gap)
    _play(trace.direction, begin, len(kept), kept, gap, slack)
    return kept, gaps


def _play(
    way: NDArray[np.int8], begin: int, end: int, kept: NDArray[np.bool_], gap: int, slack: int
) -> int:
    """Marks the pulses of [begin, end) that only turn the motor; the gap behind them."""
    part = way[begin:end]
    turns = [0, *(np.flatnonzero(part[1:] != part[:-1]) + 1), len(part)]
    for a, b in pairwise(turns):
        if b > a:
            free = gap if part[a] > 0 else slack - gap
            idle = min(free, b - a)
            kept[begin + a : begin + a + idle] = False
            gap += -idle if part[a] > 0 else idle
    return gap
