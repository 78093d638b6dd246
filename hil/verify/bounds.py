"""What each piece may do at most: speed, acceleration and jerk along the path, from the machine
file and the program's own words.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hil.verify.asked import Asked
from hil.verify.coupled import core_of


class Bounds(NamedTuple):
    """Per piece: mm/s, mm/s2 and mm/s3 (inf: no limit) along the path; `shortest_s`: the time it
    takes at least.
    """

    speed: NDArray[np.float64]
    accel: NDArray[np.float64]
    jerk: NDArray[np.float64]
    shortest_s: NDArray[np.float64]


def bounds(asked: Asked, machine: Any) -> Bounds:
    """Axis limits count by the axis's share in the piece; an arc's plane axes count in full, and
    an arc's speed is bound by the acceleration towards its centre too.
    """
    way = np.abs(asked.end - asked.start) / np.maximum(asked.length, 1e-12)[:, None]
    for i, arc in asked.arcs.items():
        flat = abs(arc.sweep) * arc.radius / asked.length[i]
        way[i, [arc.first, arc.second]] = flat
    speed = np.minimum(asked.speed, machine.motion.max_speed_mm_s)
    accel = np.minimum(asked.accel, machine.motion.max_accel_mm_s2)
    jerk = np.full(asked.pieces, machine.motion.max_jerk_mm_s3)
    with np.errstate(divide="ignore"):
        for i, axis in enumerate(machine.axes):
            speed = np.minimum(speed, axis.max_speed_mm_s / way[:, i])
            accel = np.minimum(accel, axis.max_accel_mm_s2 / way[:, i])
            jerk = np.minimum(jerk, axis.max_jerk_mm_s3 / way[:, i])
        if core := core_of(machine):
            share = core.shares(asked)
            for k, motor in enumerate(core.own):
                speed = np.minimum(speed, (motor.max_speed_mm_s or np.inf) / share[:, k])
                accel = np.minimum(accel, (motor.max_accel_mm_s2 or np.inf) / share[:, k])
    for i, arc in asked.arcs.items():
        plane = min(machine.axes[a].max_accel_mm_s2 for a in (arc.first, arc.second))
        flat = way[i, arc.first]
        towards = min(plane, machine.motion.max_accel_mm_s2, asked.accel[i], accel[i] * flat)
        speed[i] = min(speed[i], np.sqrt(towards * arc.radius) / flat)
    return Bounds(speed, accel, jerk, asked.length / speed)
