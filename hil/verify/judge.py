"""The verdict over a capture: reads the program, walks its path, checks all the rest."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path as File
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hil.capture import Capture
from hil.verify.asked import Asked
from hil.verify.bends import Bends, track
from hil.verify.bounds import Bounds
from hil.verify.compensated import Corrected, carriages, corrected, is_off, slack_steps
from hil.verify.corners import corner_speeds
from hil.verify.coupled import GROWS, core_of
from hil.verify.filters import Filters, about_s
from hil.verify.geometry import Path
from hil.verify.happenings import SLACK_S, Happenings, Passing
from hil.verify.leap import Leaper
from hil.verify.limits import Highest, Limits
from hil.verify.match import NEVER, Places, Walk
from hil.verify.motors import Motors
from hil.verify.offset import Offset
from hil.verify.paces import Paces
from hil.verify.pins import duals, pins
from hil.verify.reader import read
from hil.verify.runs import Stretch, joined, lead_motors, stretches
from hil.verify.states import States
from hil.verify.told import report
from hil.verify.travel import leaves
from hil.verify.verdict import Report, Violation

ENOUGH = 1_000_000  # pulses that fit: no other beginning is looked for
ROUNDED_MM = 2e-5  # words of an extruder are rounded to half of this
ROUND = 0.01  # steps: places this near to half a step may be rounded either way


def verify(
    program: Any,
    machine: Any,
    capture: Capture | Sequence[Capture],
    *,
    tolerance_mm: float | None = None,
    start_mm: Sequence[float] | None = None,
    timed: bool = True,
    overrides: Sequence[Mapping[str, Any]] = (),
) -> Report:
    """Whether the pulses do what the program asks of the machine.

    program: G-code text, bytes, a path, or anything with `.text`. capture: one, or several of one
    job in order. tolerance_mm: how far the path may leave the program's where the program itself
    (G64 P) says nothing; 0: not at all, half a step is all that rounding may take. None: the
    machine's own tolerance if its corners are blended, else 0.
    start_mm: where the program begins, if not at home. timed: the capture has real waits.
    overrides: those that the job's record tells of (several jobs': all of them, in order).
    ReadError: the program cannot be read.
    """
    began = time.perf_counter()
    seen = joined([capture] if isinstance(capture, Capture) else list(capture))
    asked = read(_text(program), machine, None if start_mm is None else list(start_mm))
    if tolerance_mm is None:
        blends = machine.motion.corner == "blend"
        tolerance_mm = machine.motion.corner_tolerance_mm if blends else 0.0
    judge = _Judge(asked, machine, seen, tolerance_mm, overrides)
    judge.paths()
    judge.pins()
    judge.happenings(timed)
    return report(judge, time.perf_counter() - began)


def _text(program: Any) -> str | bytes:
    text = getattr(program, "text", program)
    if isinstance(text, File) or (
        isinstance(text, str) and "\n" not in text and File(text).exists()
    ):
        return File(text).read_bytes()
    return text if isinstance(text, str) else bytes(text)


class _Judge:
    """Collects violations and figures over the parts of one capture."""

    def __init__(
        self,
        asked: Asked,
        machine: Any,
        capture: Capture,
        tolerance_mm: float,
        overrides: Sequence[Mapping[str, Any]],
    ) -> None:
        self.asked, self.machine, self.capture = asked, machine, capture
        self.spm = np.array([axis.steps_per_mm for axis in machine.axes])
        self.error_s = machine.motion.step_tolerance_us * 1e-6
        self.off: Corrected | None = None
        self.off_steps = np.zeros(len(self.spm))
        if is_off(machine):
            self._make_good()
        asked, capture = self.asked, self.capture
        self.paces = Paces(asked, machine, overrides)
        self.bounds: Bounds = self.paces.bounds
        self.filters = Filters(asked, machine, self.bounds.speed)
        self.wide = tolerance_mm > 0 or self.filters.shaped
        self.core = core_of(machine)
        if self.core:  # pulses are judged where the motors are; nothing bends a path there
            asked = self.core.asked(asked)
            self.wide = self.filters.shaped
            self.filters.steps = self.core.summed(self.filters.steps)
            self.filters.jumps = self.core.summed(self.filters.jumps)
        self.path = Path(asked, self.spm)
        self.tolerance = np.where(asked.tolerance < 0, tolerance_mm, asked.tolerance)
        self.leaper = Leaper(self.path, 2.1 * self.error_s * self.bounds.speed + 1e-5)
        self.parts: list[Stretch] = stretches(asked, machine, capture, self._fit)
        self.passings: dict[int, Passing] = {}
        self.violations: list[Violation] = []
        self.ratios = [0.0, 0.0, 0.0, 0.0, 0.0]
        self.blended = False
        self.most_offset_mm = 0.0
        self.most_bent_mm = 0.0
        self.measured: list[Any] = []
        self.pulses = 0
        self.motion_s = 0.0

    def _make_good(self) -> None:
        """On a machine that is off the path is that of the carriages, and so are the pulses."""
        self.off = corrected(self.asked, self.machine)
        self.raw, self.capture = self.capture, carriages(self.capture, self.machine)
        self.asked = self.off.asked
        for i, m in enumerate(lead_motors(self.machine)):
            if self.machine.axes[i].letter in "XYZ":
                self.off_steps[i] = self.off.off_mm * self.spm[i]
                self.off_steps[i] += 0.5 if slack_steps(self.machine, m) else 0.0

    # the path

    def paths(self) -> None:
        for part in self.parts:
            if not part.spans:
                line = int(self.asked.line[part.first])
                place = self.asked.start[part.first]
                self._add("run", self.capture.end_tick, line, place, "motion never begins here")
                continue
            self._part(part)
        row = self.paces.missing()
        if row is not None:
            line = int(row["line"])
            text = f"the override of window {row['window']} began nowhere as it is told"
            self._add("override", self.capture.end_tick, line, self.asked.start[0], text)

    def _fit(self, part: Stretch) -> tuple[bool, int]:
        """Whether a stretch's pulses lead to its end, and how many do."""
        names = [self.machine.motors[m].name for m in lead_motors(self.machine)]
        edges = [part.edges(self.capture, name) for name in names]
        states = States(edges, part.start_steps, part.spans[0][0])
        offset = Offset(self.asked, self.machine, part.first, part.last)
        reach = offset.widen(self._reach(self.wide), offset.anywhere())
        ends = part.first, part.last
        walk = Walk(self.path, states, reach, ends, self.leaper, self.filters.shaped)
        for _ in walk.batches():
            if states.end > ENOUGH:
                return True, states.end
        return walk.lost is None, states.count if walk.lost is None else walk.lost.state

    def _part(self, part: Stretch) -> None:
        names = [self.machine.motors[m].name for m in lead_motors(self.machine)]
        edges = [part.edges(self.capture, name) for name in names]
        self.paces.locate(part, edges, self.capture.tick_hz)
        offset = Offset(self.asked, self.machine, part.first, part.last)
        loose = offset.anywhere()
        shaped = self.filters.shaped  # nowhere exactly on the path
        walk, found = self._walk(part, edges, offset, loose, tolerant=shaped)
        if walk.lost is None and loose.any():
            loose = offset.loose(walk, self.capture.tick_hz)
            walk, found = self._walk(part, edges, offset, loose, tolerant=False)
        if self.wide and not shaped and (walk.lost is not None or found):
            wide, found_wide = self._walk(part, edges, offset, loose, tolerant=True)
            if self._better(part, wide, found_wide, walk):
                self.blended = True
                walk, found = wide, found_wide
        if walk.lost is None and loose.any():
            z = offset.axis
            plan = self.path.start[:, z], self.path.end[:, z]
            hz = self.capture.tick_hz
            found += offset.check(walk, edges[z], part.start_steps[z], plan, hz)
            self.most_offset_mm = max(self.most_offset_mm, offset.most_mm)
        for kind, tick, piece, text in found:
            self._add(kind, tick, int(self.asked.line[piece]), self._mm(part, tick), text)
        if walk.lost is not None:
            self._lost(part, walk)
        elif self.filters.steps.any() and not self._at_end(part, walk):
            tick = walk.states.tick_of(walk.states.count - 1)
            text = "the filters have not come to rest where the path ends; missing steps: "
            text += self._missing(part.last - 1, walk.states)
            line = int(self.asked.line[part.last - 1])
            self._add("end", tick, line, self._mm(part, tick), text)
        self.pulses += walk.states.count - 1
        self._travel(part, edges)
        for vertex in range(part.first, part.first + walk.reached + 1):
            passing = Passing(
                int(walk.before[vertex - part.first]), int(walk.after[vertex - part.first])
            )
            self.passings.setdefault(vertex, passing)
        # what is asked between two stretches comes before or after the homing that parts them
        before = self.passings.get(part.first)
        first = int(walk.before[0]) if before is None else before.first
        self.passings[part.first] = Passing(first, int(walk.after[0]))
        self.motion_s += (int(walk.states.tick[-1]) - part.spans[0][0]) / self.capture.tick_hz

    def _better(self, part: Stretch, wide: Walk, found: list[Any], walk: Walk) -> bool:
        """Whether a walk within the tolerance explains more than the exact one. A bend of less than
        a step can be walked exactly, but not its speed: places are told along the sharp corner.
        """
        if walk.lost is None:
            return wide.lost is None and not found
        if wide.lost is not None:
            return wide.lost.state > walk.lost.state
        return self._at_end(part, wide)

    def _travel(self, part: Stretch, edges: Any) -> None:
        """No axis leaves its travel by a whole step."""
        for tick, text in leaves(self.machine, self.core, part.start_steps, edges, self.off):
            line, place = self._line_at(tick)
            self._add("travel", tick, line, place, text)

    def _walk(
        self, part: Stretch, edges: Any, offset: Offset, loose: NDArray[np.bool_], *, tolerant: bool
    ) -> tuple[Walk, list[Any]]:
        states = States(edges, part.start_steps, part.spans[0][0])
        reach = offset.widen(self._reach(tolerant), loose)
        walk = Walk(
            self.path, states, reach, (part.first, part.last), self.leaper, self.filters.shaped
        )
        if self.off is not None:
            return self._walk_off(walk)
        limits = Limits(self.asked, self.paces, self.capture.tick_hz, self.machine)
        if self.core:
            limits.axis_accel = self.core.summed(limits.axis_accel)
        bends = self._bends(part, edges, loose)
        found = []
        all_told = []
        for told in walk.batches():
            batch = offset.without(told, loose)
            if self.filters.axis >= 0 and not tolerant:
                batch = self.filters.without(batch)
                e = self.filters.axis
                found += limits.take_axis(batch, e, float(self.filters.jumps[e]))
                all_told.append(batch)
            if tolerant and self.filters.shaped:
                found += limits.take_rounded(batch, self.filters.jumps)
            elif tolerant:
                bends.take(batch.tick, batch.piece)
            else:
                found += limits.take(batch)
        if all_told and walk.lost is None:
            whole = Places(*(np.concatenate(column) for column in zip(*all_told, strict=True)))
            found += self.filters.check(
                whole, self.leaper.base_mm, part.first, part.last, self.capture.tick_hz
            )
        if tolerant and not self.filters.shaped:
            found += self._bent(bends, part)
        self.ratios = [max(a, b) for a, b in zip(self.ratios, limits.ratios, strict=True)]
        self.measured += limits.measured
        return walk, found

    def _walk_off(self, walk: Walk) -> tuple[Walk, list[Any]]:
        assert self.off is not None
        motors = Motors(self.asked, self.bounds, self.off.bends, self.machine, self.capture.tick_hz)
        found = []
        for told in walk.batches():
            found += motors.take(told)
        found += motors.feed(walk, self.bounds, self.off.off_mm)
        self.ratios[0] = max(self.ratios[0], motors.speed)
        self.ratios[1] = max(self.ratios[1], motors.accel)
        return walk, found

    def _bends(self, part: Stretch, edges: Any, loose: NDArray[np.bool_]) -> Bends:
        """What judges a bent path: of the Cartesian axes, save one that height control moves."""
        axes, tracks, hz = [], [], self.capture.tick_hz
        held = Offset(self.asked, self.machine, part.first, part.last)
        for i, axis in enumerate(self.machine.axes):
            if axis.letter in "XYZ" and not (loose.any() and i == held.axis):
                axes.append(i)
                start, spm = part.start_steps[i], axis.steps_per_mm
                tracks.append(
                    track(edges[i], start, spm, axis.max_accel_mm_s2, hz, part.spans[0][0])
                )
        cartesian = np.array([axis.letter in "XYZ" for axis in self.machine.axes])
        tolerance_mm = self.machine.motion.corner_tolerance_mm
        corners = corner_speeds(self.asked, self.bounds, tolerance_mm, cartesian)
        return Bends(self.asked, self.bounds, self.tolerance, axes, tracks, self.error_s, corners)

    def _bent(self, bends: Bends, part: Stretch) -> list[Any]:
        found = bends.check(part.spans[0][0], self.capture.tick_hz, Highest)
        self.most_bent_mm = max(self.most_bent_mm, bends.most_off_mm)
        self.ratios[0] = max(self.ratios[0], bends.speed)
        self.ratios[1] = max(self.ratios[1], bends.accel)
        self.ratios[2] = max(self.ratios[2], bends.timing)
        return found

    def _reach(self, tolerant: bool) -> NDArray[np.float64]:
        """Steps that a state's coordinates may be off the path, for each piece and axis."""
        rate = np.abs(self.path.rate)
        for i, arc in self.asked.arcs.items():
            grows = GROWS if self.core else 1.0
            rate[i, [arc.first, arc.second]] = grows * self.spm[[arc.first, arc.second]]
        reach = 0.5 + ROUND + 1.05 * self.error_s * self.bounds.speed[:, None] * rate
        if tolerant:
            cartesian = np.array([axis.letter in "XYZ" for axis in self.machine.axes])
            near = np.pad(rate, ((1, 1), (0, 0)))  # an extruder's rates change within a bend
            rate = np.maximum(rate, np.maximum(near[:-2], near[2:]))
            rate = np.where(cartesian, self.spm, np.minimum(rate, self.spm))
            wide = self.tolerance[:, None] * rate + np.where(cartesian, 0.0, ROUNDED_MM * self.spm)
            reach = reach + np.where(self.tolerance[:, None] > 0, wide, 0.0)
        return np.asarray(reach + self.filters.steps + self.off_steps)

    def _at_end(self, part: Stretch, walk: Walk) -> bool:
        """All axes stand where the last piece ends, to the step."""
        aim = self.path.end[part.last - 1]
        return bool(np.all(np.abs(walk.states.where[:, -1] - aim) <= 0.5 + ROUND + self.off_steps))

    def _lost(self, part: Stretch, walk: Walk) -> None:
        assert walk.lost is not None
        states, (state, piece) = walk.states, walk.lost
        piece = min(piece, part.last - 1)
        line = int(self.asked.line[piece])
        if state >= states.count:
            tick = states.tick_of(states.count - 1)
            text = "pulses end before this line's end; missing steps: " + self._missing(
                piece, states
            )
            self._add("end", tick, line, self._mm(part, tick), text)
            return
        tick = states.tick_of(state)
        axis = self.machine.axes[int(states.axis[state - states.base])].name
        way = "+" if states.way[state - states.base] > 0 else "-"
        text = f"a pulse of axis {axis} ({way}) leaves the path"
        if piece == part.last - 1 and walk.after[-1] != NEVER:
            text = f"a pulse of axis {axis} ({way}) comes after the path's end"
        self._add("path", tick, line, self._mm(part, tick), text)

    def _missing(self, piece: int, states: States) -> str:
        short = self.path.end[piece] - states.where[:, -1]
        names = [axis.name for axis in self.machine.axes]
        return ", ".join(
            f"{name} {round(x):+d}" for name, x in zip(names, short, strict=True) if abs(x) > 0.51
        )

    def _mm(self, part: Stretch, tick: int) -> NDArray[np.float64]:
        """Where the pulses have brought the axes at a tick."""
        out = []
        for i, m in enumerate(lead_motors(self.machine)):
            edges = part.edges(self.capture, self.machine.motors[m].name)
            n = int(np.searchsorted(edges.tick, tick, side="right"))
            out.append((part.start_steps[i] + int(edges.direction[:n].sum())) / self.spm[i])
        place = np.array(out)
        return self.core.axes(place) if self.core else place

    # the rest

    def pins(self) -> None:
        found, self.margins = pins(self.machine, self.capture)
        found += duals(self.machine, self.capture, self.parts, self.error_s)
        for kind, tick, text in found:
            line, place = self._line_at(tick)
            self._add(kind, tick, line, place, text)

    def _line_at(self, tick: int) -> tuple[int, NDArray[np.float64]]:
        """The program's line under way at a tick, and the place where it begins (0: none)."""
        vertices = sorted(self.passings)
        if not vertices:
            return 0, np.zeros(len(self.spm))
        firsts = np.array([self.passings[v].first for v in vertices])
        i = max(0, int(np.searchsorted(firsts, tick, side="right")) - 1)
        piece = min(vertices[i], self.asked.pieces - 1)
        for part in self.parts:
            if part.first <= piece < part.last and part.spans:
                return int(self.asked.line[piece]), self._mm(part, tick)
        return int(self.asked.line[piece]), self.asked.start[piece]

    def happenings(self, timed: bool) -> None:
        lost = min((v.tick for v in self.violations if v.kind in ("path", "end")), default=NEVER)
        known = {v: p for v, p in self.passings.items() if p.last < lost or lost == NEVER}
        slack_s = SLACK_S + about_s(self.machine)
        happenings = Happenings(self.asked, self.capture, self.parts, known, self.machine, slack_s)
        for kind, tick, line, text in happenings.check(timed=timed):
            if tick < lost:
                _, place = self._line_at(tick)
                self._add(kind, tick, line, place, text)
        self.changes, self.worst_change_s = happenings.checked, happenings.worst_s

    def _add(self, kind: str, tick: int, line: int, place: NDArray[Any], text: str) -> None:
        names = [axis.letter for axis in self.machine.axes]
        where = {name: round(float(x), 4) for name, x in zip(names, place, strict=True)}
        seconds = tick / self.capture.tick_hz
        self.violations.append(Violation(kind, int(tick), seconds, line, where, text))
