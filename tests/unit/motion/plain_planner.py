"""A slow planner in plain Python: caps at every joint, then one pass back and one forward.

The rules are those of the core's headers; the core plans in a ring, move by move, with a
look-ahead of 2,048: this one sees the whole stretch at once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from reading import Plain

from microfactory.machine import Machine

ACROSS, ALONG = 0.8, 0.6  # shares of the acceleration on an arc
STOP_STEPS = 8192  # of one motor in a stop, at most


@dataclass
class Joint:
    """One move with its limits; u is speed squared where it begins."""

    move: Plain
    accel: float
    peak_u: float
    cap_u: float
    enter_u: float = 0.0
    leave_u: float = 0.0

    @property
    def time_s(self) -> float:
        a, length = self.accel, self.move.length
        top_u = min(self.peak_u, (self.enter_u + self.leave_u) / 2 + a * length)
        top_u = max(top_u, self.enter_u, self.leave_u)
        enter, leave, top = (math.sqrt(u) for u in (self.enter_u, self.leave_u, top_u))
        cruise = length - (top_u - self.enter_u) / (2 * a) - (top_u - self.leave_u) / (2 * a)
        return (2 * top - enter - leave) / a + (max(0.0, cruise) / top if top > 0 else 0.0)


def tangent(move: Plain, axes: int, at_end: bool) -> list[float]:
    """Change of every axis for a millimetre of the move, at its start or end."""
    out = [(move.end[a] - move.start[a]) / move.length for a in range(axes)]
    if move.kind == "arc":
        angle = move.angle + (move.sweep if at_end else 0.0)
        rate = move.radius * move.sweep / move.length
        out[move.plane[0]], out[move.plane[1]] = -math.sin(angle) * rate, math.cos(angle) * rate
    return out


def limits(move: Plain, machine: Machine) -> tuple[float, float]:
    """(acceleration along the move, highest speed squared)."""
    speed, along, steps = min(move.speed, machine.motion.max_speed_mm_s), 1.0, 0.0
    accel = min(machine.motion.max_accel_mm_s2, move.accel or math.inf)
    for a, axis in enumerate(machine.axes):
        share = abs(move.end[a] - move.start[a]) / move.length
        if move.kind == "arc" and a in move.plane:
            along = share = move.radius * abs(move.sweep) / move.length
        if share > 0:
            smooth_s = axis.advance_smooth_s
            ahead = move.advance / smooth_s if axis.pressure_advance_s else 0.0
            speed = min(speed, axis.max_speed_mm_s / (share * (1 + ahead)))
            accel = min(accel, axis.max_accel_mm_s2 / (share * (1 + 2 * ahead)))
            steps = max(steps, axis.steps_per_mm * share)
    peak_u = min(speed * speed, 2 * accel * STOP_STEPS / steps)
    if move.kind == "arc":
        return ALONG * accel, min(peak_u, ACROSS * accel * move.radius / along)
    return accel, peak_u


def corner(a: Joint, b: Joint, tolerance: float, machine: Machine) -> float:
    """Highest speed squared through the joint of two moves."""
    count = len(machine.axes)
    into, out = tangent(a.move, count, True), tangent(b.move, count, False)
    cap = math.inf
    for i, axis in enumerate(machine.axes):
        jump = abs(out[i] - into[i])
        if axis.pressure_advance_s:
            jump *= 1 + 2 * max(a.move.advance, b.move.advance) / axis.advance_smooth_s
        if jump > 1e-6:
            cap = min(cap, 8 * axis.max_accel_mm_s2 * tolerance / jump**2)
    path = [i for i, axis in enumerate(machine.axes) if not axis.unlimited]
    in2, out2 = (sum(v[i] ** 2 for i in path) for v in (into, out))
    if math.sqrt(in2 * out2) < 1e-9:
        return cap
    cosine = sum(into[i] * out[i] for i in path) / math.sqrt(in2 * out2)
    half = math.sqrt((1 + max(-1.0, min(1.0, cosine))) / 2)
    if half > 0.9999999:
        return cap
    radius = tolerance * half / (1 - half)
    return min(cap, min(a.accel, b.accel) * radius / max(in2, out2))


def planned(moves: list[Plain], machine: Machine) -> list[Joint]:
    """Joints of one stretch of motion."""
    joints: list[Joint] = []
    rests = True
    for move in moves:
        if move.kind == "dwell" or (move.kind == "output" and move.flags & 2):
            rests = True
        if move.kind not in ("line", "arc"):
            continue
        accel, peak_u = limits(move, machine)
        joint = Joint(move, accel, peak_u, 0.0)
        if not rests:
            own, common = move.tolerance, machine.motion.corner_tolerance_mm
            cap = corner(joints[-1], joint, common if own < 0 else own, machine)
            joint.cap_u = min(cap, peak_u, joints[-1].peak_u)
        joints.append(joint)
        rests = bool(move.flags & 2)
    leave_u = 0.0
    for joint in reversed(joints):
        joint.enter_u = min(joint.cap_u, leave_u + 2 * joint.accel * joint.move.length)
        leave_u = joint.enter_u
    for joint, after in zip(joints, [*joints[1:], None], strict=True):
        if after is None:
            joint.leave_u = 0.0
            continue
        reach = joint.enter_u + 2 * joint.accel * joint.move.length
        after.enter_u = min(after.enter_u, reach)
        joint.leave_u = after.enter_u
    return joints
