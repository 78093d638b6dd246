"""The path in straight pieces with their speed: every phase where there are few moves, one piece a
move where there are many, and neighbours joined where there are too many to draw.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from microfactory.machine import Machine
from microfactory.motion.core import lib
from microfactory.plots.shares import DOING, Phases

FINE_MOVES = 4000  # up to so many, each phase is drawn in pieces of nearly one speed
PIECES = 60_000
SHADES = 24
CHORD_RAD = 0.12
FIELDS = np.dtype(
    [
        ("start", "f8", 3), ("end", "f8", 3), ("begin_s", "f8"), ("time_s", "f8"),
        ("length_mm", "f8"), ("slowest", "f8"), ("fastest", "f8"),
        ("doing", "i8"), ("works", "?"), ("line", "i8"),
    ]
)  # fmt: skip


class Path:
    """Pieces of the path, in order. joined_mm: how far off it a join may be; 0: there is none."""

    def __init__(self, machine: Machine, moves: int, top_mm_s: float, most: int = PIECES) -> None:
        self.most = most
        self.joined_mm = 0.0
        self._fine = moves <= FINE_MOVES
        self._shade = max(top_mm_s, 1e-9) / SHADES
        letters = [axis.letter for axis in machine.axes]
        self._flat = [letters.index(letter) if letter in letters else -1 for letter in "XYZ"]
        self._extruder = letters.index("E") if "E" in letters else -1
        self._parts: list[NDArray[Any]] = []
        self._count = 0

    def add(self, batch: NDArray[Any], phases: Phases) -> None:
        """Draw the moves of a batch (with the phases of just these)."""
        made = self._by_phase(batch, phases) if self._fine else self._by_move(batch, phases)
        if len(made):
            self._parts.append(made)
            self._count += len(made)
        if self._count > 2 * self.most:
            self._thin()

    def pieces(self) -> NDArray[Any]:
        """All of them, FIELDS; at most `most`."""
        self._thin()
        return self._parts[0] if self._parts else np.zeros(0, FIELDS)

    def _by_move(self, batch: NDArray[Any], phases: Phases) -> NDArray[Any]:
        """Equal parts of each move with its mean speed, and the extremes of all of it."""
        moves = batch["move"]
        sweep = np.abs(moves["sweep_rad"])
        arcs = moves["kind"] == lib.MF_MOVE_ARC
        counts = np.where(arcs, np.ceil(sweep / CHORD_RAD), 1).astype(np.int64)
        counts = np.clip(counts, 1, 400) * (moves["kind"] != lib.MF_MOVE_DWELL)
        row = np.repeat(np.arange(len(batch)), counts)
        nth = np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
        share = 1.0 / counts[row]
        low, high = np.full(len(batch), np.inf), np.zeros(len(batch))
        ends = phases.v_mm_s + (phases.a_mm_s2 + phases.j_mm_s3 * phases.time_s / 2) * phases.time_s
        for value in (phases.v_mm_s, np.maximum(ends, 0.0)):
            np.minimum.at(low, phases.row, value)
            np.maximum.at(high, phases.row, value)
        most = np.zeros((len(batch), len(DOING)))
        np.add.at(most, (phases.row, phases.doing), phases.time_s)
        begin = np.full(len(batch), np.inf)
        np.minimum.at(begin, phases.row, phases.begin_s)
        time = batch["time_s"][row] * share
        return self._made(
            batch, row, nth * share, (nth + 1) * share, begin[row] + nth * time, time,
            low[row], high[row], most.argmax(axis=1)[row],
        )  # fmt: skip

    def _by_phase(self, batch: NDArray[Any], phases: Phases) -> NDArray[Any]:
        """Parts of each phase, of equal time and nearly one speed."""
        move = batch["move"][phases.row]
        t, v, a, j = phases.time_s, phases.v_mm_s, phases.a_mm_s2, phases.j_mm_s3
        way = (v + (a / 2 + j * t / 6) * t) * t
        done = np.cumsum(way)
        first = np.concatenate([[True], np.diff(phases.row) > 0])
        origin = np.maximum.accumulate(np.where(first, np.arange(len(way)), 0))
        done = done - way - (done[origin] - way[origin]) if len(way) else done
        turned = np.abs(move["sweep_rad"]) * way / np.maximum(move["length_mm"], 1e-12)
        turned = np.where(move["kind"] == lib.MF_MOVE_ARC, turned, 0.0)
        change = np.abs((a + j * t / 2) * t)
        counts = np.maximum(np.ceil(change / self._shade), np.ceil(turned / CHORD_RAD))
        counts = np.clip(counts, 1, 400).astype(np.int64)
        counts *= move["kind"] != lib.MF_MOVE_DWELL
        p = np.repeat(np.arange(len(way)), counts)
        nth = np.arange(len(p)) - np.repeat(np.cumsum(counts) - counts, counts)
        step = t[p] / counts[p]

        def at(time: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
            place = done[p] + (v[p] + (a[p] / 2 + j[p] * time / 6) * time) * time
            speed = np.maximum(v[p] + (a[p] + j[p] * time / 2) * time, 0.0)
            return np.clip(place / move["length_mm"][p], 0.0, 1.0), speed

        (share0, speed0), (share1, speed1) = at(nth * step), at((nth + 1) * step)
        return self._made(
            batch, phases.row[p], share0, share1, phases.begin_s[p] + nth * step, step,
            np.minimum(speed0, speed1), np.maximum(speed0, speed1), phases.doing[p],
        )  # fmt: skip

    def _made(
        self, batch: NDArray[Any], row: NDArray[Any], from_share: NDArray[Any],
        to_share: NDArray[Any], begin_s: NDArray[Any], time_s: NDArray[Any],
        slowest: NDArray[Any], fastest: NDArray[Any], doing: NDArray[Any],
    ) -> NDArray[Any]:  # fmt: skip
        out = np.zeros(len(row), FIELDS)
        move = batch["move"][row]
        out["start"] = points(move, from_share, self._flat)
        out["end"] = points(move, to_share, self._flat)
        out["begin_s"], out["time_s"] = begin_s, time_s
        out["length_mm"] = move["length_mm"] * (to_share - from_share)
        out["slowest"], out["fastest"], out["doing"] = slowest, fastest, doing
        out["line"] = move["line"]
        if self._extruder >= 0:
            e = self._extruder
            out["works"] = (move["end_mm"][:, e] > move["start_mm"][:, e]) & (
                np.abs(out["end"] - out["start"]).max(axis=1, initial=0) > 0
            )
        else:
            out["works"] = move["flags"] & lib.MF_FLAG_RAPID == 0
        return out

    def _thin(self) -> None:
        """Join neighbours, allowing ever more until they are few enough."""
        pieces = np.concatenate(self._parts) if self._parts else np.zeros(0, FIELDS)
        while len(pieces) > self.most:
            size = float(np.ptp(pieces["end"], axis=0).max()) or 1.0
            self.joined_mm = max(self.joined_mm, size / 20_000) * 1.25
            before = len(pieces)
            pieces = joined(pieces, self.joined_mm, alike=self.joined_mm < size)
            if len(pieces) == before and self.joined_mm > 4 * size:
                break
        self._parts, self._count = [pieces], len(pieces)


def points(move: NDArray[Any], share: NDArray[Any], flat: list[int]) -> NDArray[np.float64]:
    """X, Y, Z at a share of each move's length; 0 for an axis that there is not."""
    every = move["start_mm"] + share[:, None] * (move["end_mm"] - move["start_mm"])
    arc = np.flatnonzero(move["kind"] == lib.MF_MOVE_ARC)
    angle = move["angle_rad"][arc] + share[arc] * move["sweep_rad"][arc]
    for plane, centre, turn in (("plane_first", 0, np.cos), ("plane_second", 1, np.sin)):
        round_mm = move["centre_mm"][arc, centre] + move["radius_mm"][arc] * turn(angle)
        every[arc, move[plane][arc]] = round_mm
    out = np.zeros((len(move), 3))
    for k, axis in enumerate(flat):
        if axis >= 0:
            out[:, k] = every[:, axis]
    return out


def joined(pieces: NDArray[Any], within_mm: float, *, alike: bool = True) -> NDArray[Any]:
    """Each second piece joined to the one before it where the corner between them is within so many
    mm of the straight way; the extremes of speed stay. alike: only at one height, work with work.
    """
    even = len(pieces) // 2 * 2
    a, b = pieces[0:even:2], pieces[1:even:2]
    way = b["end"] - a["start"]
    length = np.maximum(np.linalg.norm(way, axis=1), 1e-12)
    to_corner = a["end"] - a["start"]
    along = np.clip(np.einsum("ij,ij->i", to_corner, way) / length**2, 0, 1)
    off = np.linalg.norm(to_corner - along[:, None] * way, axis=1)
    touch = np.abs(a["end"] - b["start"]).max(axis=1, initial=0) < 1e-6
    good = touch & (off <= within_mm)
    if alike:
        good &= (a["works"] == b["works"]) & (a["end"][:, 2] == b["end"][:, 2])
    both = a[good].copy()
    second = b[good]
    both["end"] = second["end"]
    both["doing"] = np.where(both["time_s"] >= second["time_s"], both["doing"], second["doing"])
    both["slowest"] = np.minimum(both["slowest"], second["slowest"])
    both["fastest"] = np.maximum(both["fastest"], second["fastest"])
    for name in ("time_s", "length_mm"):
        both[name] += second[name]
    out = pieces.copy()
    out[0:even:2][good] = both
    keep = np.ones(len(pieces), bool)
    keep[1:even:2] = ~good
    return out[keep]


def speed_of(pieces: NDArray[Any]) -> NDArray[np.float64]:
    """Mean speed of each piece, mm/s."""
    return np.asarray(pieces["length_mm"] / np.maximum(pieces["time_s"], 1e-12))
