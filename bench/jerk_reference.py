"""The shortest time along a path whose jerk is limited: sequential convex programming.

b = v^2 at the nodes of a graded mesh; acceleration a = db / 2 ds is constant on a cell, a cell
takes t = 2 ds / (v + v'), and between two cells a may change by J times half the time of both.
That time is convex in b, so its tangent at the last solution lies below it: every round's answer
keeps the limit, and none is slower than the one before. Clarabel solves the rounds.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import cvxpy as cp
import numpy as np
from numpy.typing import NDArray

ROUNDS = 40
SLOW = 0.8  # of a move's own speed
ENOUGH = 1e-5  # a round that gains less than this share of the time is the last


@dataclass(frozen=True)
class Piece:
    """Limits along one move: mm, mm/s, mm/s2, mm/s3; enter: mm/s where it begins."""

    length: float
    speed: float
    accel: float
    jerk: float
    enter: float


def mesh(pieces: list[Piece], cells: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """(cell lengths, the piece of each): fine at every place that is passed slowly, for there a
    short cell takes long. cells: in a piece that is slow at both ends; a fifteenth where it is slow
    at none.
    """
    lengths, of = [], []
    for i, piece in enumerate(pieces):
        ends = (piece.enter, pieces[i + 1].enter if i + 1 < len(pieces) else 0.0)
        slow = [enter < SLOW * piece.speed for enter in ends]
        x = np.linspace(0.0, 1.0, max(cells // 15, cells * sum(slow) // 2) + 1)
        if slow == [True, True]:
            x = 3 * x**2 - 2 * x**3
        elif slow[0]:
            x = x**2
        elif slow[1]:
            x = 1 - (1 - x) ** 2
        lengths.append(np.diff(x) * piece.length)
        of.append(np.full(len(x) - 1, i))
    return np.concatenate(lengths), np.concatenate(of)


def shortest(pieces: list[Piece], cells: int = 60) -> float:
    """Seconds from rest to rest. RuntimeError: the solver gave up."""
    ds, of = mesh(pieces, cells)
    n = len(ds)
    # lengths in the whole, speeds in the highest: numbers near 1 for the solver
    whole, fastest = float(ds.sum()), max(p.speed for p in pieces)
    ds = ds / whole
    speed = np.array([p.speed for p in pieces])[of] / fastest
    accel = np.array([p.accel for p in pieces])[of] * whole / fastest**2
    jerk = np.array([p.jerk for p in pieces])[of] * whole**2 / fastest**3
    cap = np.minimum(np.append(speed, 0.0), np.append(0.0, speed))
    firsts = np.flatnonzero(np.diff(of)) + 1
    cap[firsts] = np.minimum(cap[firsts], [p.enter / fastest for p in pieces[1:]])
    b, v = cp.Variable(n + 1), cp.Variable(n + 1)
    a = cp.multiply(b[1:] - b[:-1], 1 / (2 * ds))
    # tangent of 1 / (sqrt b + sqrt b') at the last solution, by the change of both
    flat, left, right = cp.Parameter(n), cp.Parameter(n), cp.Parameter(n)
    t = cp.multiply(2 * ds, flat - cp.multiply(left, b[:-1]) - cp.multiply(right, b[1:]))
    most = np.minimum(jerk[1:], jerk[:-1])
    change = cp.abs(a[1:] - a[:-1])
    keep = [cp.square(v) <= b, b <= cap**2, v >= 0, cp.abs(a) <= accel]
    keep += [change <= cp.multiply(most / 2, t[1:] + t[:-1])]
    keep += [a[0] <= jerk[0] / 2 * t[0], -a[n - 1] <= jerk[-1] / 2 * t[n - 1]]
    problem = cp.Problem(cp.Minimize(cp.sum(cp.multiply(2 * ds, cp.inv_pos(v[1:] + v[:-1])))), keep)
    now = start(ds, cap, accel)
    best = np.inf
    for _ in range(ROUNDS):
        root = np.sqrt(now)
        both = root[1:] + root[:-1]
        # a node at rest stays there: the time does not change with it
        slopes = [
            np.where(r > 0, 1 / (2 * np.where(r > 0, r, 1.0) * both**2), 0.0)
            for r in (root[:-1], root[1:])
        ]
        left.value, right.value = slopes
        flat.value = 1 / both + slopes[0] * now[:-1] + slopes[1] * now[1:]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # inaccurate: no gain, the last round
            problem.solve(solver=cp.CLARABEL)
        if b.value is None:
            raise RuntimeError(f"the reference was not solved: {problem.status}")
        now = np.where(cap > 0, np.maximum(b.value, 1e-9), 0.0)
        root = np.sqrt(now)
        time = float((2 * ds / (root[1:] + root[:-1])).sum())
        if time > best * (1 - ENOUGH):
            return min(best, time) * whole / fastest
        best = time
    return best * whole / fastest


def start(
    ds: NDArray[np.float64], cap: NDArray[np.float64], accel: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The shortest way without a limit of jerk, at a third of its speed: a place to begin."""
    u = cap**2
    for i in range(len(ds)):
        u[i + 1] = min(u[i + 1], u[i] + 2 * accel[i] * ds[i])
    for i in reversed(range(len(ds))):
        u[i] = min(u[i], u[i + 1] + 2 * accel[i] * ds[i])
    return u / 9
