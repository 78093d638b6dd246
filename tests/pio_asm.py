"""A small assembler with the names of MicroPython's `rp2.asm_pio`, for what board and probe use.

It lets their own sources be run on a PIO emulator. Encodings: RP2040 datasheet 3.4. That the
chip's assembler gives the same words is tested on the emulated chip.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any, NamedTuple

CONDITIONS = {"always": 0, "x_dec": 2, "not_y": 3, "y_dec": 4, "x_not_y": 5, "pin": 6}
MOV_TO = {"x": 1, "y": 2, "isr": 6}
MOV_FROM = {"x": 1, "y": 2, "null": 3, "isr": 6, "osr": 7}
SET_TO = {"pins": 0, "x": 1, "y": 2}
PUSH_NOBLOCK = 0x8000
MOV_NOT = 1 << 3
PULLS = {"block": 0x80A0, "noblock": 0x8080}
OUT_TO = {"pins": 0, "x": 1, "y": 2}
WAITS = {"gpio": 0, "pin": 1}
NAMES = ("x", "y", "isr", "osr", "null", "pin", "pins", "noblock", "block", "x_dec", "y_dec",
         "not_y", "x_not_y", "gpio")  # fmt: skip


class Program(NamedTuple):
    """Instruction words, and the first and last of the loop that wraps."""

    words: list[int]
    wrap_target: int
    wrap_top: int
    side_set_count: int


class Instruction:
    """One word; a jump's target is set once all labels are known."""

    def __init__(self, word: int, target: str = "") -> None:
        self.word = word
        self.target = target

    def side(self, value: int) -> Instruction:
        self.word |= value << 12
        return self

    def __getitem__(self, delay: int) -> Instruction:
        self.word |= delay << 8
        return self


def assemble(function: Callable[[], None], side_set_count: int) -> Program:
    """What the decorator makes of a function."""
    out: list[Instruction] = []
    labels: dict[str, int] = {}
    ends = {"target": 0, "top": 0}

    def put(word: int, target: str = "") -> Instruction:
        out.append(Instruction(word, target))
        return out[-1]

    def jmp(first: str, second: str | None = None) -> Instruction:
        condition, target = ("always", first) if second is None else (first, second)
        return put(CONDITIONS[condition] << 5, target)

    names: dict[str, Any] = {name: name for name in NAMES}
    names |= {
        "label": lambda name: labels.__setitem__(name, len(out)),
        "wrap_target": lambda: ends.__setitem__("target", len(out)),
        "wrap": lambda: ends.__setitem__("top", len(out) - 1),
        "mov": lambda to, source: put(0xA000 | MOV_TO[to] << 5 | MOV_FROM[source]),
        "in_": lambda source, count: put(0x4000 | {"pins": 0}[source] << 5 | count),
        "set": lambda to, value: put(0xE000 | SET_TO[to] << 5 | value),
        "pull": lambda how: put(PULLS[how]),
        "out": lambda to, count: put(0x6000 | OUT_TO[to] << 5 | count & 31),
        "wait": lambda level, what, index: put(0x2000 | level << 7 | WAITS[what] << 5 | index),
        "irq": lambda index: put(0xC000 | index),
        "rel": lambda index: 0x10 | index,
        "push": lambda how: put({"noblock": PUSH_NOBLOCK}[how]),
        "jmp": jmp,
    }
    types.FunctionType(
        function.__code__, {**function.__globals__, **names}, "program", None, function.__closure__
    )()
    words = [each.word | labels.get(each.target, 0) for each in out]
    return Program(words, ends["target"], ends["top"], side_set_count)


class PIO:
    """Constants that a program's decorator names."""

    OUT_LOW = 0
    SHIFT_LEFT = 0
    SHIFT_RIGHT = 1


def asm_pio(**options: Any) -> Callable[[Callable[[], None]], Program]:
    """The decorator. Only options that these programs use are known."""
    known = {"sideset_init", "set_init", "out_init", "in_shiftdir", "out_shiftdir"}
    if not set(options) <= known:
        raise ValueError(f"asm_pio: {set(options) - known} is not known here")
    return lambda function: assemble(function, 1 if "sideset_init" in options else 0)
