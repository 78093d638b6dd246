"""Programs to measure with, made the same each time: what slicers and CAM programs write."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from pathlib import Path

SLICED = Path(__file__).parent.parent / "examples/print/controller-case.gcode"
LEFT_OUT = ("M84", "M104", "M140", "M106", "M107", "G91")  # heat and fans: motion is measured
HEAD = "G21\nG90\nM83\nM109 S200\nG28\nG0 X87 Y87 Z10 F9000\nG1 F9000\n"


def layers(moves: int, seed: int = 1) -> Iterator[str]:
    """A sliced print: perimeters of short lines, infill of long ones, hops and retractions."""
    rng = random.Random(seed)
    yield HEAD
    x, y, z, angle = 87.0, 87.0, 0.2, 0.0
    for i in range(moves):
        if i % 400 == 399:
            z = 0.2 + (z + 0.2) % 100
            yield f"G1 E-.8 F2100\nG1 Z{z:.3f} F600\nG1 E.8 F2100\nG1 F{rng.choice([2400, 4800])}\n"
        if i % 400 < 250:
            angle += rng.uniform(0.02, 0.08)
            radius = 25 + 6 * math.sin(3 * angle) + i % 5
            x, y = 87 + radius * math.cos(angle), 87 + radius * math.sin(angle)
        elif i % 4 < 2:
            x = 87 + 5 * (-1) ** (i % 4) + rng.uniform(-1, 1)
        else:
            y = 60 + (i % 400 - 250) * 0.36
        yield f"G1 X{x:.3f} Y{y:.3f} E{rng.uniform(0.02, 0.2):.5f}\n"


def chords(moves: int) -> Iterator[str]:
    """Curves in lines of 0.1 mm."""
    yield HEAD
    angle = 0.0
    for i in range(moves):
        radius = 60 + 3 * math.sin(i / 400)
        angle += 0.1 / radius
        x, y = 87 + radius * math.cos(angle), 87 + radius * math.sin(angle)
        yield f"G1 X{x:.3f} Y{y:.3f} E.004\n"


def arcs(moves: int) -> Iterator[str]:
    """Half turns with lines between them."""
    yield HEAD
    for i in range(moves // 4):
        y = 20 + 2 * (i % 60)
        if i % 60 == 0:
            yield f"G0 X60 Y{y}\n"
        yield f"G1 X90 E1.5\nG3 Y{y + 1} J.5 E.1\nG1 X60 E1.5\nG2 Y{y + 2} J.5 E.1\n"


def sliced(moves: int) -> Iterator[str]:
    """The example print as a slicer wrote it, again and again until there are so many lines."""
    yield "G21\nG90\nM83\nM109 S210\nG28\nG1 Z5 F480\n"
    text = SLICED.read_text()
    text = text[text.index(";LAYER_CHANGE") : text.index("; Filament-specific end gcode")]
    lines = [line.split(";")[0].strip() for line in text.splitlines()]
    lines = [line for line in lines if line and line.split()[0] not in LEFT_OUT]
    for _ in range(-(-moves // len(lines))):
        yield "\n".join(lines) + "\nG1 Z10 F480\n"


PROGRAMS = {"sliced": sliced, "layers": layers, "chords": chords, "arcs": arcs}
MOVES = {"sliced": 100_000, "layers": 20_000, "chords": 200_000, "arcs": 12_000}


def text(name: str) -> str:
    """The whole program, with as many moves as it is measured with."""
    return "".join(PROGRAMS[name](MOVES[name]))
