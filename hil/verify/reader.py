"""The verifier's own reading of G-code: a program and a machine give what is asked for.

Written apart from the host's reader, from the same sources: NIST RS274NGC for motion, Marlin's
pages for a printer's codes. It does not look for mistakes in a program: the host refuses those.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from hil.verify.arcs import arcs
from hil.verify.asked import FREE, Asked, Pieces
from hil.verify.codes import G_CODES, M_CODES, all_off, speed_word
from hil.verify.words import words

OFFSET_WORD = {"X": "I", "Y": "J", "Z": "K"}


class ReadError(ValueError):
    """The program cannot be read; says its line."""


class Reader:
    """State of the modes while a program is read line by line."""

    def __init__(self, machine: Any, start_mm: list[float] | None = None) -> None:
        self.machine = machine
        self.letters = [axis.letter for axis in machine.axes]
        cartesian = np.array([letter in "XYZ" for letter in self.letters])
        self.out = Pieces(cartesian)
        self.at = list(start_mm) if start_mm is not None else first_place(machine)
        self.zero = [0.0] * len(self.letters)  # machine position of the program's zero (G92)
        self.systems = {54: list(self.zero)}  # work offsets, G10 L2 (G54 ...)
        self.system = 54
        self.unit = 1.0
        self.relative = False
        self.relative_e = False
        self.centre_absolute = False
        self.plane = ("X", "Y")
        self.motion = -1.0
        self.feed: float | None = None  # mm/s
        self.spindle = 0.0
        self.by_speed = ""  # the laser whose power follows the speed (M4)
        self.on: dict[str, float] = {}  # outputs as the program has left them
        self.accel = {"print": math.inf, "travel": math.inf, "retract": math.inf}
        self.tolerance = -1.0
        self.advance = max(axis.pressure_advance_s for axis in machine.axes)
        self.has_advance = self.advance > 0
        self.height_banned = False
        self.no_override = False  # M49
        self.stopped = False  # the piece before ends at rest (G9)
        self.ended = False

    def read(self, text: str) -> Asked:
        """The whole program. ReadError names the line that cannot be read."""
        number = 0
        for number, found in words(text):
            try:
                self.line(number, found)
            except (ValueError, KeyError, TypeError) as error:
                raise ReadError(f"line {number}: {error}") from error
            if self.ended:
                break
        if not self.ended:
            self._end(number)
        return self.out.build(number)

    def line(self, number: int, found: list[tuple[str, float | None]]) -> None:
        """One block: modes first, then what switches, then motion, then what stops."""
        codes = [(letter, value) for letter, value in found if letter in "GM" and value is not None]
        value = {letter: v for letter, v in found if letter not in "GM"}
        motions = [code for letter, code in codes if letter == "G" and code in (0, 1, 2, 3)]
        self._settings(number, value, codes)
        takes_words = False
        for letter, code in codes:
            act = (G_CODES if letter == "G" else M_CODES).get(code)
            if act is not None:
                takes_words |= act(self, number, value, code) is True
        self.motion = motions[-1] if motions else self.motion
        if not takes_words and self.motion >= 0 and self._moves(value):
            self.move(number, value, ("G", 53.0) in codes, ("G", 9.0) in codes)
        if {("M", 0.0), ("M", 1.0)} & set(codes):
            self.out.event("pause", number, rest=True)
        if {("M", 2.0), ("M", 30.0)} & set(codes):
            self._end(number)

    def _settings(self, number: int, value: dict[str, Any], codes: list[tuple[str, float]]) -> None:
        """F and S of a block, which hold from its beginning."""
        if value.get("F") is not None:
            self.feed = value["F"] * self.unit / 60.0
        if value.get("S") is not None and self.machine.kind != "printer":
            if not {("M", 3.0), ("M", 4.0), ("M", 5.0)} & set(codes):
                speed_word(self, number, value)
            self.spindle = value["S"]

    def _end(self, number: int) -> None:
        all_off(self, number)
        self.out.event("end", number, rest=True)
        self.ended = True

    def _moves(self, value: dict[str, Any]) -> bool:
        """Whether a block moves: it has axis words, or the centre of a full turn alone."""
        if any(value.get(letter) is not None for letter in self.letters):
            return True
        return self.motion >= 2 and any(value.get(x) is not None for x in "IJKR")

    def _held(self) -> bool:
        """Torch height control may move the torch's axis here: the torch burns."""
        return self.machine.height is not None and self._burns() and not self.height_banned

    def _burns(self) -> bool:
        torches = [o.name for o in self.machine.outputs if o.role == "torch"]
        return any(self.on.get(name) for name in torches)

    def _fixed(self) -> bool:
        """No override counts: M49, or a torch burns."""
        return self.no_override or self._burns()

    def offset(self, i: int) -> float:
        """Machine position of the program's zero of one axis."""
        return self.zero[i] + self.systems[self.system][i]

    def _target(self, value: dict[str, Any], machine_place: bool) -> list[float]:
        target = list(self.at)
        for i, letter in enumerate(self.letters):
            word = value.get(letter)
            if word is None:
                continue
            mm = word * self.unit
            if self.relative or (letter == "E" and self.relative_e):
                target[i] = self.at[i] + mm
            else:
                target[i] = mm + (0.0 if machine_place else self.offset(i))
        return target

    def move(
        self,
        number: int,
        value: dict[str, Any],
        machine_place: bool = False,
        stop: bool = False,
    ) -> None:
        """One straight piece or arc to the place that the words name."""
        target = self._target(value, machine_place)
        rapid = self.motion == 0 and self.machine.kind != "printer"  # Marlin's G0 takes the feed
        speed = FREE if rapid or self.feed is None else self.feed
        tolerance = 0.0 if self.stopped else self.tolerance  # of the corner that it begins in
        self.stopped = stop
        accel = self._accel_of(target)
        ways = self._arcs(value, target) if self.motion >= 2 else [(target, None)]
        for end, circle in ways:
            if self._held():
                self.out.held.add(len(self.out))
            if self._fixed():
                self.out.fixed.add(len(self.out))
            if self.by_speed:
                burns = self.on.get(self.by_speed, 0.0) if self.motion > 0 else 0.0
                self.out.beams[len(self.out)] = burns / speed if burns else 0.0
            advance = self.advance if self._prints(end) else 0.0
            self.out.add(self.at, end, number, speed, accel, tolerance, advance, circle)
            self.at = end

    def _arcs(self, value: dict[str, Any], target: list[float]) -> Any:
        a, b = (self.letters.index(letter) for letter in self.plane)
        radius = value.get("R")
        centre = None
        if radius is None:
            words_ = [value.get(OFFSET_WORD[letter]) for letter in self.plane]
            if words_[0] is None and words_[1] is None:
                raise ReadError("an arc needs its centre (I J K) or its radius (R)")
            mm = [(word or 0.0) * self.unit for word in words_]
            base = (
                (self.offset(a), self.offset(b))
                if self.centre_absolute
                else (self.at[a], self.at[b])
            )
            centre = (base[0] + mm[0], base[1] + mm[1])
        return arcs(
            (a, b),
            self.at,
            target,
            clockwise=self.motion == 2,
            centre=centre,
            radius=None if radius is None else radius * self.unit,
            turns=int(value.get("P") or 1),
        )

    def _prints(self, end: list[float]) -> bool:
        """Another axis moves while the extruder goes forward."""
        e = self.letters.index("E") if "E" in self.letters else -1
        if e < 0 or not end[e] > self.at[e]:
            return False
        return any(a != b for i, (a, b) in enumerate(zip(self.at, end, strict=True)) if i != e)

    def _accel_of(self, target: list[float]) -> float:
        """M204's limit for this move: travel without E, retract with E alone, else print."""
        way = [abs(b - a) > 0 for a, b in zip(self.at, target, strict=True)]
        e = self.letters.index("E") if "E" in self.letters else -1
        if e < 0 or not way[e]:
            return self.accel["travel"]
        others = any(moves for i, moves in enumerate(way) if i != e)
        return self.accel["print" if others else "retract"]


def first_place(machine: Any) -> list[float]:
    """Where a program starts when nothing else is said: home of each axis, 0 without one."""
    return [axis.home.position_mm if axis.home else 0.0 for axis in machine.axes]


def read(text: str | bytes, machine: Any, start_mm: list[float] | None = None) -> Asked:
    """What a program asks of a machine."""
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    return Reader(machine, start_mm).read(text)
