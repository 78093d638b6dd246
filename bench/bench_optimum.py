"""Job time of the core, which looks 2,048 moves ahead, against a slow planner that sees all of it.

The slow planner is the tests' own (tests/unit/motion/plain_planner.py): one pass back and one
forward over speed squared, at the same corner speeds and limits, which is the shortest time that
those allow. Prints one JSON object a line.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from programs import PROGRAMS

sys.path.insert(0, str(Path(__file__).parent.parent / "tests/unit/motion"))
from plain_planner import planned
from reading import moves_of
from test_plan import stretches

from microfactory.machine import Machine
from microfactory.motion.framing import wire_bytes
from microfactory.motion.gcode import parse
from microfactory.motion.plan import plan

MOVES = {"sliced": 50_000, "layers": 20_000, "chords": 60_000, "arcs": 6_000}


def row(name: str, machine: Machine) -> dict[str, object]:
    """One line of figures."""
    text = "".join(PROGRAMS[name](MOVES[name]))
    moves = moves_of(text, machine)
    joints = [joint for part in stretches(moves) for joint in planned(part, machine)]
    shortest_s = sum(joint.time_s for joint in joints)
    shortest_s += sum(move.value for move in moves if move.kind == "dwell")
    whole = plan(parse(text), machine)
    for _ in wire_bytes(whole):
        pass
    ours_s = sum(stretch.figures().time_s for stretch in whole.stretches)
    return {
        "bench": "optimum",
        "program": name,
        "moves": len(joints),
        "shortest_s": round(shortest_s, 3),
        "ours_s": round(ours_s, 3),
        "longer_by": float(f"{ours_s / shortest_s - 1:.2g}"),
    }


def main() -> None:
    machine = Machine.load("d3d-printer")
    for name in PROGRAMS:
        print(json.dumps(row(name, machine)), flush=True)


if __name__ == "__main__":
    main()
