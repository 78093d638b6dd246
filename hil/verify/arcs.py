"""G2 and G3 for the verifier: from words to circles (NIST RS274NGC 3.5.3; docs/gcode.md, Arcs)."""

from __future__ import annotations

import math

from hil.verify.asked import Arc

FULL = 2 * math.pi
SAME_MM = 1e-6  # an end this near to the start is a full turn
UNEVEN_MM = 1e-9  # radii that differ by more do differ
ONE_ARC = 0.75 * FULL  # of a longer way between two radii the centre cannot give way
Point = tuple[float, float]


def arcs(
    plane: tuple[int, int],
    start: list[float],
    end: list[float],
    *,
    clockwise: bool,
    centre: Point | None,
    radius: float | None,
    turns: int,
) -> list[tuple[list[float], Arc]]:
    """The circles from start to end, each with the place where it ends. Centre absolute in the
    plane, or a radius (negative: the longer way). ValueError: no such circle.
    """
    a, b = plane
    ends = (start[a], start[b]), (end[a], end[b])
    if centre is None:
        if radius is None:
            raise ValueError("an arc needs its centre (I J K) or its radius (R)")
        centre = _centre(*ends[0], *ends[1], radius, clockwise)
    extra = (-FULL if clockwise else FULL) * (turns - 1)
    sweep = _sweep(*ends, centre, clockwise)
    radii = [math.dist(point, centre) for point in ends]
    if min(radii) <= 0:
        raise ValueError("an arc of radius 0")
    if abs(radii[0] - radii[1]) <= UNEVEN_MM or ends[0] == ends[1]:
        return [(end, _about(plane, ends[0], centre, sweep + extra))]
    if abs(sweep) <= ONE_ARC:
        centre = _midway(*ends, centre)
        return [(end, _about(plane, ends[0], centre, _sweep(*ends, centre, clockwise) + extra))]
    # up to the point opposite the end, then half a turn that ends on it
    half = -math.pi if clockwise else math.pi
    share = radii[0] / radii[1]
    opposite = tuple(centre[i] - share * (ends[1][i] - centre[i]) for i in (0, 1))
    middle = ((opposite[0] + ends[1][0]) / 2, (opposite[1] + ends[1][1]) / 2)
    first = sweep + extra - half
    join = [x + (y - x) * first / (sweep + extra) for x, y in zip(start, end, strict=True)]
    join[a], join[b] = opposite
    return [
        (join, _about(plane, ends[0], centre, first)),
        (end, _about(plane, (join[a], join[b]), middle, half)),
    ]


def _about(plane: tuple[int, int], start: Point, centre: Point, sweep: float) -> Arc:
    angle = math.atan2(start[1] - centre[1], start[0] - centre[0])
    return Arc(*plane, centre, math.dist(start, centre), angle, sweep)


def _sweep(start: Point, end: Point, centre: Point, clockwise: bool) -> float:
    """From start to end about a centre; the whole turn when they are the same place."""
    sweep = math.atan2(end[1] - centre[1], end[0] - centre[0])
    sweep -= math.atan2(start[1] - centre[1], start[0] - centre[0])
    if math.dist(start, end) < SAME_MM:
        return -FULL if clockwise else FULL
    if clockwise and sweep >= 0:
        return sweep - FULL
    return sweep + FULL if not clockwise and sweep <= 0 else sweep


def _midway(start: Point, end: Point, centre: Point) -> Point:
    """The centre, moved along the chord until both ends are equally far from it."""
    chord = math.dist(start, end)
    x, y = (end[0] - start[0]) / chord, (end[1] - start[1]) / chord
    along = (centre[0] - (start[0] + end[0]) / 2) * x + (centre[1] - (start[1] + end[1]) / 2) * y
    return centre[0] - along * x, centre[1] - along * y


def _centre(x0: float, y0: float, x1: float, y1: float, radius: float, clockwise: bool) -> Point:
    chord = math.hypot(x1 - x0, y1 - y0)
    if chord == 0:
        raise ValueError("an arc by radius cannot end where it starts")
    high = math.sqrt(max(0.0, radius * radius - chord * chord / 4))
    side = 1 if (radius > 0) != clockwise else -1
    return (
        (x0 + x1) / 2 - side * high * (y1 - y0) / chord,
        (y0 + y1) / 2 + side * high * (x1 - x0) / chord,
    )
