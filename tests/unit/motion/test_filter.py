"""Input shapers and pressure advance: every edge against a slow sum of delayed paths."""

from __future__ import annotations

import dataclasses
import random

import pytest
from plain_edges import Path
from reading import Plain, moves_of
from test_edges import assert_on_path, sections_of, stretches
from test_moves import random_program
from test_plan import polyline

from microfactory.machine import TICK_HZ, Machine
from microfactory.motion.gcode import parse
from microfactory.motion.plan import plan
from microfactory.motion.shapers import impulses
from microfactory.motion.stretch import Window

PRINTER = Machine.load("d3d-printer")


def filtered(
    *, advance_s: float = 0.0, x: str = "none", y: str = "none", hz: float = 40.0, **motion: float
) -> Machine:
    """The printer with filters."""
    shapers = {"X": x, "Y": y}
    axes = tuple(
        dataclasses.replace(
            axis,
            pressure_advance_s=advance_s if axis.unlimited else 0.0,
            shaper=shapers.get(axis.letter, "none"),
            shaper_hz=hz,
        )
        for axis in PRINTER.axes
    )
    return dataclasses.replace(
        PRINTER, axes=axes, motion=dataclasses.replace(PRINTER.motion, **motion)
    )


class Filter:
    """Where the axes are, from where they were planned to be."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.taps = [impulses(a.shaper, a.shaper_hz, a.shaper_damping) for a in machine.axes]
        self.smooth_s = max(a.advance_smooth_s * bool(a.pressure_advance_s) for a in machine.axes)
        means = [sum(w * t for w, t in taps) for taps in self.taps]
        self.delay_s = max(*means, self.smooth_s / 2)
        self.shift_s = [self.delay_s - mean for mean in means]
        lasts = [
            s + max((t for _, t in p), default=0.0)
            for s, p in zip(self.shift_s, self.taps, strict=True)
        ]
        self.span_s = max(*lasts, self.delay_s + self.smooth_s / 2)

    def waits(self, moves: list[Plain]) -> list[Plain]:
        """The moves with the rests that a filter needs."""
        out: list[Plain] = []
        for move in moves:
            still = move._replace(kind="dwell", end=move.start, length=0.0, value=self.span_s)
            if move.kind == "dwell":
                out.append(move._replace(value=move.value + self.span_s))
            elif move.kind == "output" and move.flags & 2:
                out += [still, move, still._replace(value=self.delay_s)]
            else:
                out.append(move)
        last = moves[-1]
        return [*out, last._replace(kind="dwell", start=last.end, length=0.0, value=self.span_s)]


class Filtered:
    """A path, then another from end_s on (the stop), as a filter makes them."""

    def __init__(self, filter_: Filter, path: Path, stop: Path | None, end_s: float) -> None:
        self.filter, self.path, self.stop, self.end_s = filter_, path, stop, end_s
        self._sums = {id(p): self._sum(p) for p in (path, stop) if p is not None}

    def _sum(self, path: Path) -> list[float]:
        out = [0.0]
        for piece in path.pieces:
            out.append(out[-1] + self._part(piece, piece.time_s))
        return out

    def _part(self, piece, dt: float) -> float:
        if not (piece.move.advance and piece.move.length):
            return 0.0
        e = self._e()
        way = piece.v * dt + piece.a * dt * dt / 2
        return (
            piece.move.advance * (piece.move.end[e] - piece.move.start[e]) * way / piece.move.length
        )

    def _e(self) -> int:
        return next(i for i, a in enumerate(self.filter.machine.axes) if a.unlimited)

    def _advanced(self, path: Path, t: float) -> float:
        piece = path._piece(t)
        k = path.pieces.index(piece)
        return self._sums[id(path)][k] + self._part(
            piece, min(max(t - piece.begin_s, 0.0), piece.time_s)
        )

    def _then(self, t: float) -> tuple[list[float], float]:
        """All axes and the advance's sum."""
        if self.stop is None or t < self.end_s:
            return self.path.at(t), self._advanced(self.path, t)
        before = self._advanced(self.path, self.end_s)
        return self.stop.at(t - self.end_s), before + self._advanced(self.stop, t - self.end_s)

    def at(self, t: float) -> list[float]:
        f = self.filter
        out = []
        for a, axis in enumerate(f.machine.axes):
            taps = f.taps[a] or [(1.0, 0.0)]
            place = sum(w * self._then(t - f.shift_s[a] - late)[0][a] for w, late in taps)
            if axis.pressure_advance_s:
                middle = t - f.delay_s
                ahead = (
                    self._then(middle + f.smooth_s / 2)[1] - self._then(middle - f.smooth_s / 2)[1]
                )
                place += ahead / f.smooth_s
            out.append(place)
        return out


KINDS = {
    "advance": {"advance_s": 0.05},
    "zv": {"x": "zv", "y": "zv"},
    "mzv, one axis": {"y": "mzv", "hz": 31.0},
    "ei and mzv": {"x": "ei", "y": "mzv", "hz": 55.0},
    "2hei and advance": {"x": "2hei", "y": "2hei", "advance_s": 0.03},
}


def assert_filtered(windows: list[Window], start, path: Path, f: Filter) -> int:
    counts, seen, m = list(start), 0, f.machine
    whole = Filtered(f, path, None, 0.0)
    from plain_edges import lists

    for window in windows:
        main, tails = lists(window.data, m.pulse_ticks())
        begin_s = window.begin_ticks / TICK_HZ
        end_s = begin_s + window.length_ticks / TICK_HZ
        stop, stop_s = path.stop(end_s)
        both = Filtered(f, path, stop, end_s)
        for motor, edges in enumerate(main):
            axis = m.axis_of_motor(motor)
            counts[motor] = assert_on_path(edges, counts[motor], whole, begin_s, axis, m)
            seen += len(edges)
            if not window.last:
                rest = assert_on_path(tails[motor], counts[motor], both, end_s, axis, m)
                assert rest == window.rest_steps[motor]
                assert abs(rest - stop.at(stop_s)[axis] * m.steps_per_mm(motor)) <= 1.0
        assert window.last or stop_s + f.span_s <= window.tail_ticks / TICK_HZ
    return seen


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(2))
def test_every_edge_is_where_the_sum_of_delayed_paths_crosses_its_step(kind, seed):
    machine = filtered(**KINDS[kind])
    rng = random.Random(seed)
    line = polyline(machine, rng, 60).split("\n")
    line = [
        text + f" E{0.02 * i:.3f}" if i > 5 and i % 20 < 15 else text for i, text in enumerate(line)
    ]
    text = random_program(machine, rng, 12)[0] + "\nM109 S200\nM82\nG92 E0\n" + "\n".join(line)
    f = Filter(machine)
    parts = stretches(moves_of(text, machine))
    planned = sections_of(plan(parse(text), machine))
    assert len(parts) == len(planned)
    seen = 0
    for moves, (start, windows) in zip(parts, planned, strict=True):
        if any(move.kind in ("line", "arc") for move in moves):
            seen += assert_filtered(windows[:16], start, Path(f.waits(moves), machine), f)
    assert seen > 1000
