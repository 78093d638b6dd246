"""Where faults are drawn: four rooms, a quarter of the faults each."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

from hil.mutation import c_faults, python_faults, toml_faults
from hil.mutation.fault import Fault, line_of, only_an_edge

TOP = Path(__file__).resolve().parents[2]
# what only a chip can run is tried by tests/emulated, which needs an image and a boot ROM; the
# board in memory's own pins and engine are a rig, and are not flashed
CHIP = ("port_rp2", "fast_", "port_sim", "sim_engine")
ROOMS = {
    "firmware": ("firmware/mfwire/*.py", "firmware/mfboard/*.py"),
    "planner": ("csrc/src/*.c", "host/microfactory/motion/*.py"),
    "verifier": ("hil/verify/*.py",),
    "machines": ("host/microfactory/machines/*.toml", "host/microfactory/boards/*.toml"),
}
EDITS = {".py": python_faults.edits, ".c": c_faults.edits, ".toml": toml_faults.edits}


def files(room: str) -> list[str]:
    """The sources of a room, from the top of the tree."""
    found = [path for pattern in ROOMS[room] for path in sorted(TOP.glob(pattern))]
    return [str(p.relative_to(TOP)) for p in found if not p.name.startswith(CHIP)]


def faults_of(room: str) -> Iterator[Fault]:
    """Every fault that can be drawn in a room."""
    for file in files(room):
        text = (TOP / file).read_text()
        for begin, end, after in EDITS[Path(file).suffix](text):
            if after != text[begin:end]:
                yield Fault(room, file, line_of(text, begin), begin, end, text[begin:end], after)


def draw(count: int, seed: int) -> list[Fault]:
    """So many faults, all different, the rooms in turn; the same for the same seed and tree."""
    dice = random.Random(seed)
    rooms = {room: list(faults_of(room)) for room in ROOMS}
    for found in rooms.values():
        dice.shuffle(found)
    names = list(rooms)
    drawn = []
    while len(drawn) < count and all(rooms.values()):
        room = names[len(drawn) % len(names)]
        fault = rooms[room].pop()
        if not only_an_edge((TOP / fault.file).read_text(), fault):
            drawn.append(fault)
    return drawn
