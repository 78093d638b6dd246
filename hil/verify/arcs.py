"""G2 and G3 for the verifier: from words to a circle (NIST RS274NGC 3.5.3)."""

from __future__ import annotations

import math

from hil.verify.asked import Arc

FULL = 2 * math.pi
SAME_MM = 1e-6  # an end this near to the start is a full turn


def arc(
    plane: tuple[int, int],
    start: list[float],
    end: list[float],
    *,
    clockwise: bool,
    centre: tuple[float, float] | None,
    radius: float | None,
    turns: int,
) -> Arc:
    """The circle from start to end. Centre absolute in the plane, or a radius (negative: the
    longer way). ValueError: no such circle.
    """
    a, b = plane
    if centre is None:
        if radius is None:
            raise ValueError("an arc needs its centre (I J K) or its radius (R)")
        centre = _centre(start[a], start[b], end[a], end[b], radius, clockwise)
    from_x, from_y = start[a] - centre[0], start[b] - centre[1]
    to_x, to_y = end[a] - centre[0], end[b] - centre[1]
    first = math.atan2(from_y, from_x)
    sweep = math.atan2(to_y, to_x) - first
    if math.hypot(end[a] - start[a], end[b] - start[b]) < SAME_MM:
        sweep = -FULL if clockwise else FULL
    elif clockwise and sweep >= 0:
        sweep -= FULL
    elif not clockwise and sweep <= 0:
        sweep += FULL
    sweep += (-FULL if clockwise else FULL) * (turns - 1)
    radii = math.hypot(from_x, from_y), math.hypot(to_x, to_y)
    if min(radii) <= 0:
        raise ValueError("an arc of radius 0")
    return Arc(a, b, centre, radii[0], radii[1], first, sweep)


def _centre(
    x0: float, y0: float, x1: float, y1: float, radius: float, clockwise: bool
) -> tuple[float, float]:
    chord = math.hypot(x1 - x0, y1 - y0)
    if chord == 0:
        raise ValueError("an arc by radius cannot end where it starts")
    high = math.sqrt(max(0.0, radius * radius - chord * chord / 4))
    side = 1 if (radius > 0) != clockwise else -1
    return (
        (x0 + x1) / 2 - side * high * (y1 - y0) / chord,
        (y0 + y1) / 2 + side * high * (x1 - x0) / chord,
    )
