"""Planned time under a limit of jerk against the shortest there is, on windows of 10 to 60 mm.

A window is a run of moves of one program, from rest to rest. The shortest time is that of
jerk_reference.py at the same speeds of corners and moves, the same accelerations and jerks along
the path. Needs cvxpy and clarabel: `pip install -e '.[reference]'`. Prints one JSON object a line.
"""

from __future__ import annotations

import json
import math
import random
import statistics
import sys
from pathlib import Path
from typing import Any

from programs import PROGRAMS

sys.path.insert(0, str(Path(__file__).parent.parent / "tests/unit/motion"))
from jerk_reference import Piece, shortest
from plain_planner import Joint, planned
from reading import Plain, moves_of

from microfactory.kinematics import steps_at
from microfactory.machine import Machine
from microfactory.motion.core import ffi
from microfactory.motion.gcode import parse
from microfactory.motion.moves import Moves
from microfactory.motion.stretch import Stretch

WINDOWS = 6
MOVES = 3000
JERKS = (1e5, 1e6)
AGAINST, ALONG, ACROSS = 0.4, 0.4, 0.6  # shares of the jerk on an arc (docs/planner.md)


def piece_of(joint: Joint, machine: Machine) -> Any:
    """The limits of one move as the reference wants them."""
    move, speed, accel = joint.move, math.sqrt(joint.peak_u), joint.accel
    jerk = machine.motion.max_jerk_mm_s3
    if move.kind == "arc":
        along = move.radius * abs(move.sweep) / move.length
        speed = min(speed, (AGAINST * jerk * move.radius**2 / along**2) ** (1 / 3))
        accel = min(accel, ACROSS / 3 * jerk * move.radius / (along * speed))
        jerk *= ALONG
    return Piece(move.length, speed, accel, jerk, math.sqrt(joint.cap_u))


def runs(moves: list[Plain], rng: random.Random) -> list[tuple[int, int]]:
    """Ranges of moves, 10 to 60 mm each, nothing but motion in them."""
    out: list[tuple[int, int]] = []
    while len(out) < WINDOWS:
        first = at = rng.randrange(len(moves))
        want, length = rng.uniform(10, 60), 0.0
        while at < len(moves) and moves[at].kind in ("line", "arc") and length < want:
            length += moves[at].length
            at += 1
        if want <= length <= 60:
            out.append((first, at))
    return out


def ours_s(text: str, machine: Machine, first: int, last: int) -> float:
    """Planned time of a range of moves, from rest to rest."""
    array = ffi.new("mf_move[]", last - first)
    index = 0
    for batch, count in Moves(parse(text), machine):
        for i in range(count):
            if first <= index < last:
                array[index - first] = batch[i]
            index += 1
    start_mm = list(array[0].start_mm[0 : len(machine.axes)])
    stretch = Stretch(machine, start_mm, steps_at(machine, start_mm))
    stretch.push(array, last - first)
    stretch.finish()
    for _ in stretch.windows():
        pass
    return float(stretch.figures().time_s)


def row(name: str, jerk: float) -> dict[str, object]:
    """One line of figures."""
    machine = Machine.load("d3d-printer").with_settings({"motion.max_jerk_mm_s3": jerk})
    text = "".join(PROGRAMS[name](MOVES))
    moves = moves_of(text, machine)[:MOVES]
    over = []
    for first, last in runs(moves, random.Random(1)):
        pieces = [piece_of(joint, machine) for joint in planned(moves[first:last], machine)]
        over.append(ours_s(text, machine, first, last) / shortest(pieces) - 1)
    return {
        "bench": "jerk",
        "program": name,
        "jerk_mm_s3": jerk,
        "windows": len(over),
        "median": round(statistics.median(over), 4),
        "mean": round(statistics.mean(over), 4),
        "worst": round(max(over), 4),
        "least": round(min(over), 4),
    }


def main() -> None:
    for name in PROGRAMS:
        for jerk in JERKS:
            print(json.dumps(row(name, jerk)), flush=True)


if __name__ == "__main__":
    main()
