"""A slow reader of G-code in plain Python, written from RS274NGC alone, to compare the core with.

It knows good programs only: lines, arcs, units, planes, distance modes and offsets. It shares no
code with the core. Arcs come out as centre, start radius and signed sweep.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from fractions import Fraction

WORD = re.compile(r"([A-Z])([-+]?[0-9.]*)")
PLANES = {17: ("XY", "IJ"), 18: ("ZX", "KI"), 19: ("YZ", "JK")}


@dataclass
class Way:
    """One straight way (sweep None) or arc, in machine coordinates, millimetres."""

    line: int
    start: dict[str, float]
    end: dict[str, float]
    centre: tuple[float, float] | None = None
    sweep: float | None = None
    plane: str = ""


@dataclass
class PlainReader:
    """Modes and place; `line` reads one line of text and appends to ways."""

    letters: str
    printer: bool
    at: dict[str, float]
    home: dict[str, float]
    ways: list[Way] = field(default_factory=list)
    unit: float = 1.0
    relative: bool = False
    relative_e: bool = False
    centres_absolute: bool = False
    plane: int = 17
    motion: int | None = None
    work: int = 1
    offsets: dict[int, dict[str, float]] = field(default_factory=dict)
    shift: dict[str, float] = field(default_factory=dict)
    count: int = 0

    def line(self, text: str) -> None:
        self.count += 1
        text = re.sub(r"\([^)]*\)", "", text.split(";")[0]).upper().replace(" ", "")
        words = [(letter, float(Fraction(number or 0))) for letter, number in WORD.findall(text)]
        codes = [value for letter, value in words if letter == "G"]
        value = {letter: number for letter, number in words if letter not in "GMN"}
        for code in codes:
            self.mode(code)
        for code in (number for letter, number in words if letter == "M"):
            if code in (82, 83):
                self.relative_e = code == 83
        if 10 in codes:
            self.set_offset(value)
        elif 28 in codes:
            self.go_home(value)
        elif 92 in codes:
            for letter in self.letters:
                if letter in value:
                    zero = self.at[letter] - self.offset(letter)
                    self.shift[letter] = zero - value[letter] * self.unit
        elif any(letter in value for letter in self.letters + "IJKR"):
            self.move(value, 53 in codes)

    def mode(self, code: float) -> None:
        if code in (0, 1, 2, 3):
            self.motion = int(code)
        elif code in (17, 18, 19):
            self.plane = int(code)
        elif code in (20, 21):
            self.unit = 25.4 if code == 20 else 1.0
        elif code in (90, 91):
            self.relative = code == 91
        elif code in (90.1, 91.1):
            self.centres_absolute = code == 90.1
        elif 54 <= code <= 59:
            self.work = int(code) - 53
        elif code == 92.1:
            self.shift = {}

    def offset(self, letter: str) -> float:
        return self.offsets.get(self.work, {}).get(letter, 0.0)

    def zero(self, letter: str) -> float:
        return self.offset(letter) + self.shift.get(letter, 0.0)

    def set_offset(self, value: dict[str, float]) -> None:
        which = self.offsets.setdefault(int(value["P"]) or self.work, {})
        for letter in self.letters:
            if letter in value:
                number = value[letter] * self.unit
                here = self.at[letter] - self.shift.get(letter, 0.0)
                which[letter] = number if value["L"] == 2 else here - number

    def go_home(self, value: dict[str, float]) -> None:
        named = [letter for letter in self.letters if letter in value]
        for letter in named or [x for x in self.letters if x in self.home]:
            self.at[letter] = self.home[letter]
            if self.printer:
                self.shift.pop(letter, None)

    def target(self, value: dict[str, float], machine_frame: bool) -> dict[str, float]:
        end = dict(self.at)
        for letter in self.letters:
            if letter in value:
                number = value[letter] * self.unit
                relative = self.relative or (letter == "E" and self.relative_e)
                if relative and not machine_frame:
                    end[letter] = self.at[letter] + number
                else:
                    end[letter] = number + (0.0 if machine_frame else self.zero(letter))
        return end

    def move(self, value: dict[str, float], machine_frame: bool) -> None:
        way = Way(self.count, dict(self.at), self.target(value, machine_frame))
        self.at = dict(way.end)
        if self.motion in (2, 3):
            self.bend(way, value)
        if way.sweep is not None or way.start != way.end:
            self.ways.append(way)

    def bend(self, way: Way, value: dict[str, float]) -> None:
        (first, second), centres = PLANES[self.plane]
        a, b = (complex(p[first], p[second]) for p in (way.start, way.end))
        turn = 1 if self.motion == 3 else -1
        if "R" in value:
            radius = value["R"] * self.unit
            half = abs(b - a) / 2
            high = math.sqrt(radius * radius - half * half)  # ValueError: too small
            side = turn if radius > 0 else -turn
            centre = (a + b) / 2 + side * high * 1j * (b - a) / abs(b - a)
        else:
            numbers = [value.get(letter, 0.0) * self.unit for letter in centres]
            if self.centres_absolute:
                bases = [
                    self.zero(axis) if letter in value else point
                    for axis, letter, point in zip(
                        (first, second), centres, (a.real, a.imag), strict=True
                    )
                ]
                centre = complex(bases[0] + numbers[0], bases[1] + numbers[1])
            else:
                centre = a + complex(*numbers)
        angle = math.remainder(phase(b - centre) - phase(a - centre), 2 * math.pi)
        if angle * turn <= 1e-9:
            angle += turn * 2 * math.pi
        way.sweep = angle + turn * 2 * math.pi * (int(value.get("P", 1)) - 1)
        way.centre = (centre.real, centre.imag)
        way.plane = first + second


def phase(point: complex) -> float:
    return math.atan2(point.imag, point.real)
