"""Job time with blended corners against bounds, and what blending costs in planning.

Bounds: `bound_s`, an independent path and two-pass optimum (blended_bound.py), which makes no
curves of short lines; `path_s`, the same optimum over the very path that the core drives: what its
arcs lose by being cut into pieces. `capped_s` is the job without blending: its corners stay sharp,
and acceleration is broken in each. Jerk is not limited. Prints one JSON object a line.
"""

from __future__ import annotations

import json
import math
import time
from typing import Any

import numpy as np
from blended_bound import Span, blended_s, time_of
from programs import PROGRAMS

from microfactory.machine import Machine
from microfactory.motion.bent import Bent
from microfactory.motion.core import lib
from microfactory.motion.framing import wire_bytes
from microfactory.motion.gcode import parse
from microfactory.motion.moves import Moves
from microfactory.motion.plan import plan

MOVES = {"sliced": 50_000, "layers": 20_000, "chords": 60_000, "arcs": 6_000}


def job(text: str, machine: Machine) -> tuple[float, float, int]:
    """Seconds of motion, of CPU from text to frames, and bytes."""
    began = time.process_time()
    whole = plan(parse(text), machine)
    size = sum(len(data) for data in wire_bytes(whole))
    cpu_s = time.process_time() - began
    return sum(stretch.figures().time_s for stretch in whole.stretches), cpu_s, size


class Path:
    """Spans of the moves that are driven, limits and corner caps as docs/planner.md has them."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.parts: list[list[Span]] = [[]]
        self.still_s = 0.0
        self._last: tuple[Any, float, float] | None = None  # direction, A, highest u

    def rest(self, dwell_s: float) -> None:
        self.still_s += dwell_s
        self._last = None
        if self.parts[-1]:
            self.parts.append([])

    def add(self, m: Any) -> None:
        """A line or an arc."""
        axes = self.machine.axes
        way = np.array([m.end_mm[i] - m.start_mm[i] for i in range(len(axes))]) / m.length_mm
        first, last = way.copy(), way.copy()
        round_mm = 0.0
        if m.kind == lib.MF_MOVE_ARC:
            plane, turn = [m.plane_first, m.plane_second], m.radius_mm * m.sweep_rad / m.length_mm
            for out, angle in ((first, m.angle_rad), (last, m.angle_rad + m.sweep_rad)):
                out[plane] = np.array([-math.sin(angle), math.cos(angle)]) * turn
            way[plane] = abs(turn)
            round_mm = m.radius_mm / abs(turn)
        motion = self.machine.motion
        accel = min([motion.max_accel_mm_s2, *([m.accel_mm_s2] if m.accel_mm_s2 > 0 else [])])
        speed = min(m.speed_mm_s, motion.max_speed_mm_s)
        for share, axis in zip(np.abs(way), axes, strict=True):
            if share > 0:
                speed = min(speed, axis.max_speed_mm_s / share)
                accel = min(accel, axis.max_accel_mm_s2 / share)
        top = min(speed**2, accel * round_mm) if round_mm else speed**2
        cap = 0.0
        if self._last is not None:
            before, least, most = self._last
            cap = min(most, top, self._corner(before, first, min(least, accel)))
        self.parts[-1].append(Span(m.length_mm, accel, top, accel * round_mm, cap))
        self._last = None if m.flags & lib.MF_FLAG_STOP else (last, accel, top)

    def _corner(self, one: Any, other: Any, accel: float) -> float:
        cap, tolerance = math.inf, self.machine.motion.corner_tolerance_mm
        for jump, axis in zip(np.abs(other - one), self.machine.axes, strict=True):
            if jump > 1e-6:
                cap = min(cap, 8 * axis.max_accel_mm_s2 * tolerance / jump**2)
        path = [i for i, axis in enumerate(self.machine.axes) if not axis.unlimited]
        sizes = float(one[path] @ one[path]), float(other[path] @ other[path])
        if min(sizes) < 1e-9:
            return cap
        cosine = float(one[path] @ other[path]) / math.sqrt(sizes[0] * sizes[1])
        half = math.sqrt((1 + min(1.0, max(-1.0, cosine))) / 2)
        return cap if half > 0.9999999 else min(cap, accel * tolerance * half / (1 - half))


def path_s(text: str, machine: Machine) -> float:
    """The optimum over the path as driven."""
    path = Path(machine)
    for batch, count in Bent(Moves(parse(text), machine)):
        for i in range(count):
            m = batch[i]
            if m.kind <= lib.MF_MOVE_ARC:
                path.add(m)
            elif m.kind != lib.MF_MOVE_OUTPUT or m.flags & lib.MF_FLAG_STOP:
                path.rest(m.value if m.kind == lib.MF_MOVE_DWELL else 0.0)
    return sum(time_of(part) for part in path.parts if part) + path.still_s


def row(name: str, machine: Machine) -> dict[str, object]:
    """One line of figures."""
    text = "".join(PROGRAMS[name](MOVES[name]))
    blending = machine.with_settings({"motion.corner": "blend"})
    capped_s, capped_cpu_s, capped_bytes = job(text, machine)
    ours_s, cpu_s, size = job(text, blending)
    bound_s, own_s = blended_s(text, machine), path_s(text, blending)
    moves = Bent(Moves(parse(text), blending))
    made = sum(count for _, count in moves)
    return {
        "bench": "blended",
        "program": name,
        "bound_s": round(bound_s, 2),
        "ours_s": round(ours_s, 2),
        "longer_by": float(f"{ours_s / bound_s - 1:.2g}"),
        "path_s": round(own_s, 2),
        "longer_than_path_by": float(f"{ours_s / own_s - 1:.2g}"),
        "capped_s": round(capped_s, 2),
        "moves_made": made,
        **moves.counts(),
        "cpu_ratio": round(cpu_s / capped_cpu_s, 2),
        "bytes_ratio": round(size / capped_bytes, 3),
    }


def main() -> None:
    machine = Machine.load("d3d-printer")
    for name in PROGRAMS:
        print(json.dumps(row(name, machine)), flush=True)


if __name__ == "__main__":
    main()
