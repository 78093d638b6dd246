"""The shortest time of a program whose corners are blended, on its own: nothing of the core.

The program is read by the verifier's reader. Geometry: native arcs; every corner of two lines gets
the circle that touches both, no further from the corner than its tolerance, with no more than half
of the shorter of them; other corners keep the speed of that circle. No curves are made of lines.
Speed: two passes over u = v^2, on a circle of radius r by what total acceleration A allows,
u = A r sin(2 s / r + c), in closed form. Acceleration may jump, so no motion along that path within
those limits is faster.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from hil.verify.bounds import bounds
from hil.verify.corners import tangents
from hil.verify.reader import read

STRAIGHT = 1e-9


class Span(NamedTuple):
    """A stretch of path: length, A, highest u, A r (0: straight), highest u where it begins."""

    length_mm: float
    accel: float
    peak_u: float
    round_u: float
    enter_u: float


def gained(u: float, span: Span) -> float:
    """Squared speed at one end of a span that the other end's allows."""
    if span.round_u <= 0:
        return u + 2 * span.accel * span.length_mm
    w = min(1.0, u / span.round_u)
    angle = math.asin(w) + 2 * span.length_mm * span.accel / span.round_u
    return span.round_u * (1.0 if angle >= math.pi / 2 else math.sin(angle))


def passes(spans: list[Span]) -> list[float]:
    """Squared speed where each span begins, and 0 at the end."""
    u = [span.enter_u for span in spans] + [0.0]
    u[0] = 0.0
    for i, span in enumerate(spans):
        u[i] = min(u[i], span.peak_u)
        if i + 1 < len(spans):
            u[i + 1] = min(u[i + 1], span.peak_u, gained(u[i], span))
    for i in range(len(spans) - 1, -1, -1):
        u[i] = min(u[i], gained(u[i + 1], spans[i]))
    return u


def straight_time(span: Span, enter: float, leave: float) -> float:
    a = span.accel
    top = max(enter, leave, min(span.peak_u, (enter + leave) / 2 + a * span.length_mm))
    ways = (top - enter) / (2 * a), (top - leave) / (2 * a)
    cruise = max(0.0, span.length_mm - sum(ways)) / math.sqrt(top)
    return (2 * math.sqrt(top) - math.sqrt(enter) - math.sqrt(leave)) / a + cruise


def round_time(span: Span, enter: float, leave: float, cells: int = 64) -> float:
    """By the mean of 1/v over cells that are fine at both ends."""
    turn = 2 * span.accel / span.round_u
    s = span.length_mm * (1 - np.cos(np.linspace(0, math.pi, cells + 1))) / 2
    up = np.minimum(math.asin(min(1.0, enter / span.round_u)) + turn * s, math.pi / 2)
    down = math.asin(min(1.0, leave / span.round_u)) + turn * (span.length_mm - s)
    w = np.minimum(np.sin(up), np.sin(np.minimum(down, math.pi / 2)))
    v = np.sqrt(np.minimum(span.round_u * w, span.peak_u))
    return float((2 * np.diff(s) / np.maximum(v[1:] + v[:-1], 1e-9)).sum())


def time_of(spans: list[Span]) -> float:
    """Seconds from rest to rest."""
    u = passes(spans)
    out = 0.0
    for i, span in enumerate(spans):
        time = straight_time if span.round_u <= 0 else round_time
        out += time(span, u[i], u[i + 1])
    return out


def stretches(asked: Any, machine: Any) -> list[list[Span]]:
    """The program from rest to rest, blended."""
    limits = bounds(asked, machine)
    first, last = tangents(asked)
    cartesian = np.array([axis.letter in "XYZ" for axis in machine.axes])
    axis_accel = np.array([axis.max_accel_mm_s2 for axis in machine.axes])
    tolerance = np.where(asked.tolerance < 0, machine.motion.corner_tolerance_mm, asked.tolerance)
    rests = {e.vertex for e in asked.events if e.rest or e.kind in ("dwell", "wait", "home")}
    happens = {e.vertex for e in asked.events}
    flat = np.linalg.norm((asked.end - asked.start)[:, cartesian], axis=1)
    bend = [(0.0, 0.0, 0.0)] * (asked.pieces + 1)  # trim, radius, turn where piece i begins
    caps = np.full(asked.pieces + 1, np.inf)
    for i in range(1, asked.pieces):
        a, b = last[i - 1], first[i]
        jump = np.abs(b - a)
        d = min(tolerance[i - 1], tolerance[i])
        accel = min(limits.accel[i - 1], limits.accel[i])
        one, other = a[cartesian], b[cartesian]
        size = float(np.linalg.norm(one) * np.linalg.norm(other))
        others = ~cartesian if size > 1e-9 else np.ones(len(jump), bool)
        rows = others & (jump > 1e-6)
        if rows.any():
            caps[i] = float((8 * axis_accel[rows] * tolerance[i] / jump[rows] ** 2).min())
        if size < 1e-9:
            continue
        cosine = min(1.0, max(-1.0, float(one @ other) / size))
        half = math.sqrt((1 + cosine) / 2)
        if 1 - half < STRAIGHT:
            continue
        radius = d * half / (1 - half)
        rest = math.sqrt((1 - cosine) / 2)
        room = min(asked.length[i - 1], asked.length[i]) / 2
        lines = i - 1 not in asked.arcs and i not in asked.arcs and i not in happens
        if lines and min(flat[i - 1], flat[i]) > 0 and half > 1e-6 and radius > 0:
            radius = min(radius, room * half / rest)
            bend[i] = (radius * rest / half, radius, 2 * math.asin(rest))
        else:
            caps[i] = min(caps[i], accel * radius)
    out: list[list[Span]] = [[]]
    for i in range(asked.pieces):
        if i in rests and out[-1]:
            out.append([])
        accel, peak = float(limits.accel[i]), float(limits.speed[i]) ** 2
        trim, radius, turn = bend[i]
        if radius > 0:
            least = min(accel, float(limits.accel[i - 1]))
            most = min(peak, float(limits.speed[i - 1]) ** 2, least * radius)
            out[-1].append(Span(radius * turn, least, most, least * radius, float(caps[i])))
        arc = asked.arcs.get(i)
        length = float(asked.length[i]) - trim - bend[i + 1][0]
        if length > 1e-9:
            enter = peak if radius > 0 else float(caps[i])
            out[-1].append(Span(length, accel, peak, accel * arc.radius if arc else 0.0, enter))
    return [part for part in out if part]


def blended_s(text: str, machine: Any) -> float:
    """Seconds of motion of a program."""
    asked = read(text, machine, None)
    dwells = sum(e.value for e in asked.events if e.kind == "dwell")
    return sum(time_of(part) for part in stretches(asked, machine)) + dwells
