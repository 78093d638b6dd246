"""Windows read from their bytes alone, and a planned path as position over time: both slow, plain.

The path comes from plain_planner's joints; nothing here knows how the core makes steps.
"""

from __future__ import annotations

import bisect
import math
import struct
from dataclasses import dataclass

from plain_planner import Joint, planned
from reading import Plain

from microfactory.machine import Machine

Edge = tuple[int, int]  # rising tick from the list's begin, direction


def played(words: bytes, pulse: int) -> tuple[list[Edge], int, int]:
    """(edges, ticks, words) of one list of segments (docs/protocol.md, "Segment")."""
    edges, now, count = [], 0, 0
    for w0, w1 in struct.iter_unpack("<2I", words):
        scale = w0 >> 9 & 3
        iv = ((w0 >> 11) << 10) + 512
        d = ((w1 >> 12 ^ 0x80000) - 0x80000) << 2 + 3 * scale
        dd = ((w1 & 0xFFF ^ 0x800) - 0x800) << 5 * scale
        for _ in range(w0 >> 2 & 127):
            assert iv >> 10 >= (2 * pulse if w0 & 2 and w0 >> 2 & 127 > 1 else 8)
            now += iv >> 10
            count += 1
            if w0 & 2:
                edges.append((now - pulse, 1 if w0 & 1 else -1))
            iv, d = iv + d, d + dd
    return edges, now, count


def lists(data: bytes, pulse: int) -> tuple[list[list[Edge]], list[list[Edge]]]:
    """Edges of every motor in the window and in its tail; lists are whole chunks, full length."""
    length, tail, motors, changes, tail_changes = struct.unpack_from("<2I3H", data, 12)
    heads = [struct.unpack_from("<i2H", data, 28 + 8 * m) for m in range(motors)]
    at = 28 + 8 * motors + 8 * (changes + tail_changes)
    out: tuple[list[list[Edge]], list[list[Edge]]] = ([], [])
    for which, ticks in ((0, length), (1, tail)):
        for head in heads:
            if head[1 + which] == 65535:  # as the motor before
                out[which].append(out[which][-1])
                continue
            size = 8 * head[1 + which]
            edges, now, words = played(data[at : at + size], pulse)
            assert words % 16 == 0
            assert now == ticks
            out[which].append(edges)
            at += size
    assert at == len(data)
    return out


@dataclass
class Piece:
    """A phase of constant acceleration along one move, or a rest (accel and speed 0)."""

    begin_s: float
    time_s: float
    move: Plain
    joint: int  # number of the joint, or of the next one
    s0: float
    v: float
    a: float


def point(move: Plain, s: float) -> list[float]:
    """Where the axes are after s mm of a move."""
    share = min(max(s / move.length, 0.0), 1.0) if move.length else 1.0
    at = [b + share * (e - b) for b, e in zip(move.start, move.end, strict=True)]
    if move.kind == "arc":
        angle = move.angle + share * move.sweep
        at[move.plane[0]] = move.centre[0] + move.radius * math.cos(angle)
        at[move.plane[1]] = move.centre[1] + move.radius * math.sin(angle)
    return at


def phases(joint: Joint) -> list[tuple[float, float, float, float]]:
    """(time, way before, speed, acceleration) of a move's three phases."""
    a, length = joint.accel, joint.move.length
    top_u = min(joint.peak_u, (joint.enter_u + joint.leave_u) / 2 + a * length)
    top_u = max(top_u, joint.enter_u, joint.leave_u)
    enter, leave, top = (math.sqrt(u) for u in (joint.enter_u, joint.leave_u, top_u))
    up, down = (top_u - joint.enter_u) / (2 * a), (top_u - joint.leave_u) / (2 * a)
    cruise = max(0.0, length - up - down)
    return [
        ((top - enter) / a, 0.0, enter, a),
        (cruise / top if top else 0.0, up, top, 0.0),
        ((top - leave) / a, length - down, top, -a),
    ]


class Path:
    """Position over time of one stretch, and of the stop from any instant of it."""

    def __init__(self, moves: list[Plain], machine: Machine) -> None:
        self.joints = planned(moves, machine)
        self.pieces: list[Piece] = []
        now, k = 0.0, 0
        for move in moves:
            if move.kind == "dwell":
                still = move._replace(length=0.0)
                self.pieces.append(Piece(now, move.value, still, k, 0.0, 0.0, 0.0))
                now += move.value
            elif move.kind in ("line", "arc"):
                for time_s, s0, v, a in phases(self.joints[k]):
                    self.pieces.append(Piece(now, time_s, move, k, s0, v, a))
                    now += time_s
                k += 1
        self.time_s = now
        self._begins = [piece.begin_s for piece in self.pieces]

    def _piece(self, t: float) -> Piece:
        return self.pieces[max(0, bisect.bisect_right(self._begins, t) - 1)]

    def at(self, t: float) -> list[float]:
        piece = self._piece(t)
        dt = min(max(t - piece.begin_s, 0.0), piece.time_s)
        return point(piece.move, piece.s0 + piece.v * dt + piece.a * dt * dt / 2)

    def stop(self, t: float) -> tuple[Path, float]:
        """The path that brakes from t on, each move at its own limit, and how long that takes."""
        piece = self._piece(t)
        dt = min(t - piece.begin_s, piece.time_s)
        v, k = piece.v + piece.a * dt, piece.joint
        s = piece.s0 + piece.v * dt + piece.a * dt * dt / 2
        tail = Path.__new__(Path)
        tail.joints, tail.pieces, now = self.joints, [], 0.0
        if not piece.move.length:
            tail.pieces = [Piece(0.0, 0.0, piece.move, k, 0.0, 0.0, 0.0)]
        while v > 1e-6 and k < len(self.joints):
            joint = self.joints[k]
            u = v * v - 2 * joint.accel * (joint.move.length - s)
            end = math.sqrt(u) if u > 0 else 0.0
            time_s = (v - end) / joint.accel
            tail.pieces.append(Piece(now, time_s, joint.move, k, s, v, -joint.accel))
            now, v, k, s = now + time_s, end, k + 1, 0.0
        if not tail.pieces:
            tail.pieces = [Piece(0.0, 0.0, piece.move, k, s, 0.0, 0.0)]
        tail.time_s = now
        tail._begins = [p.begin_s for p in tail.pieces]
        return tail, now
