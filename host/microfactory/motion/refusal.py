"""Why a line of G-code was refused, as one sentence: what is wrong, and what to write instead."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from microfactory.errors import GcodeError, LimitError
from microfactory.machine import Machine
from microfactory.motion.core import ffi, lib

LIMITS = (lib.MF_E_LIMIT, lib.MF_E_TRAVEL)


def shown(value: float) -> str:
    """A number without needless digits."""
    return f"{value:.4f}".rstrip("0").rstrip(".") if abs(value) < 1e6 else f"{value:.6g}"


def _axis(machine: Machine, t: Any) -> str:
    return machine.axes[t.axis].letter if 0 <= t.axis < len(machine.axes) else "an axis"


def _letters(machine: Machine) -> str:
    return " ".join(axis.letter for axis in machine.axes)


def _travel(m: Machine, t: Any) -> str:
    where = shown(t.value)
    if where in (shown(t.low), shown(t.high)):
        where = repr(t.value)
    return (
        f"{_axis(m, t)} would be at {where} mm (machine coordinates), outside its travel "
        f"{shown(t.low)} to {shown(t.high)} mm; correct the number or place the part elsewhere"
    )


def _code(m: Machine, t: Any) -> str:
    return f"a {m.kind} knows no such code; remove it, docs/gcode.md lists the codes"


def _no_home(m: Machine, t: Any) -> str:
    able = " ".join(axis.letter for axis in m.axes if axis.home)
    return f"this axis has no home switch; write G28 with some of {able or 'none: no axis has one'}"


def _missing(m: Machine, t: Any) -> str:
    letter = chr(int(t.value))
    what = "an axis" if letter == "X" else f"the word {letter}"
    example = {"S": "S200", "P": "P1", "L": "L2", "X": "X0"}[letter]
    return f"this code needs {what}; write for example {example} behind it"


def _mismatch(m: Machine, t: Any) -> str:
    return (
        f"start and end of this arc are not equally far from its centre, they differ by "
        f"{shown(t.value)} mm and {shown(t.high)} mm are allowed; correct I J K or the end"
    )


def _radius(m: Machine, t: Any) -> str:
    if t.value > 0.0:
        return (
            f"the ends of this arc are further apart than its diameter, R is {shown(t.value)} mm "
            "too small; correct R or the end"
        )
    return (
        "the radius of this arc is nothing, or above a kilometre; correct I J K or R, or write G1"
    )


def _cold(m: Machine, t: Any) -> str:
    return (
        f"this would extrude at a target of {shown(t.value)} C, the least is {shown(t.low)} C; "
        "write M109 S and a temperature before it"
    )


def _heat(m: Machine, t: Any) -> str:
    if t.high <= 0.0:
        return "a temperature is not negative; correct S"
    return f"this is outside 0 to {shown(t.high)} C, the heater's max_c; lower S"


def _by_way(m: Machine, t: Any) -> str:
    letter = _axis(m, t)
    return (
        f"G28 by way of another point is not done; write G28 {letter} to home it, and a G0 before "
        "it to go somewhere"
    )


SENTENCES: dict[int, Callable[[Machine, Any], str]] = {
    lib.MF_WHY_CHARACTER: lambda m, t: (
        "this begins no word; write a letter and a number such as X12.5, or a comment after a "
        "semicolon"
    ),
    lib.MF_WHY_EXPRESSION: lambda m, t: (
        "parameters, expressions and O words are not known; let the CAM program write plain numbers"
    ),
    lib.MF_WHY_BLOCK_DELETE: lambda m, t: (
        "a line that may be skipped (/) is not known; remove the slash or the line"
    ),
    lib.MF_WHY_COMMENT: lambda m, t: "this comment does not end; write ) on the same line",
    lib.MF_WHY_LONG_LINE: lambda m, t: (
        f"this line is longer than {shown(t.high)} characters; write it as several"
    ),
    lib.MF_WHY_NUMBER: lambda m, t: (
        "a number is missing behind the letter; write one such as X12.5"
    ),
    lib.MF_WHY_RANGE: lambda m, t: (
        f"this is outside {shown(t.low)} to {shown(t.high)}; correct the number"
        if t.low < t.high
        else f"only {shown(t.low)} is known here; remove the line and change it in the slicer"
    ),
    lib.MF_WHY_EXPONENT: lambda m, t: (
        "numbers have no exponent; write it out (0.00001), or a space before a word E"
    ),
    lib.MF_WHY_TWICE: lambda m, t: "this letter stands twice on the line; remove one",
    lib.MF_WHY_CHECKSUM: lambda m, t: (
        f"the checksum does not fit the line, which was changed on its way; *{shown(t.value)} "
        "would, or write none"
    ),
    lib.MF_WHY_CODE: _code,
    lib.MF_WHY_REFUSED: lambda m, t: f"this is refused here; {ffi.string(t.tells).decode()}",
    lib.MF_WHY_GROUP: lambda m, t: (
        "this contradicts another code on the line; write them on two lines"
    ),
    lib.MF_WHY_UNUSED: lambda m, t: "no code on this line uses this word; remove it",
    lib.MF_WHY_MISSING: _missing,
    lib.MF_WHY_NO_MODE: lambda m, t: (
        "it is not said yet how to move there; write G0, G1, G2 or G3 before it"
    ),
    lib.MF_WHY_NO_FEED: lambda m, t: "no feed was given yet; write F and millimetres a minute",
    lib.MF_WHY_FEED: lambda m, t: f"a feed is {shown(t.low)} or more a minute; correct F",
    lib.MF_WHY_NO_AXIS: lambda m, t: (
        f"{m.name} has no such axis; its axes are {_letters(m)}; remove the word"
    ),
    lib.MF_WHY_TRAVEL: _travel,
    lib.MF_WHY_COLD: _cold,
    lib.MF_WHY_NOT_WAITED: lambda m, t: (
        "this would extrude before the hot end was waited for; write M109 S and a temperature "
        "before it"
    ),
    lib.MF_WHY_ARC_WORDS: lambda m, t: (
        "an arc has either its centre (I and J, K or both) or R; write one of them"
    ),
    lib.MF_WHY_ARC_MISMATCH: _mismatch,
    lib.MF_WHY_ARC_RADIUS: _radius,
    lib.MF_WHY_ARC_FULL: lambda m, t: (
        "R gives no centre where an arc ends at its start; write I and J for a whole circle"
    ),
    lib.MF_WHY_NO_OUTPUT: lambda m, t: (
        f"{m.name} has nothing that this switches on; remove the line, or add an output of that "
        "role to the machine file"
    ),
    lib.MF_WHY_SPEED: lambda m, t: f"this is outside 0 to {shown(t.high)}; correct S",
    lib.MF_WHY_HEAT: _heat,
    lib.MF_WHY_REVERSE: lambda m, t: (
        "the spindle turns one way only, or the laser has no power to set; write M3"
    ),
    lib.MF_WHY_NO_HOME: _no_home,
    lib.MF_WHY_BY_WAY: _by_way,
    lib.MF_WHY_TOOL: lambda m, t: (
        f"{m.name} has one tool, T0; remove the word"
        if t.high <= 0.0
        else f"a tool is a whole number 0 to {shown(t.high)}; correct T"
    ),
    lib.MF_WHY_WHOLE: lambda m, t: (
        f"a whole number {shown(t.low)} to {shown(t.high)} is wanted here; correct it"
        if t.low < t.high
        else f"only {shown(t.low)} is known here; correct it or remove the word"
    ),
}


def refusal(name: str, machine: Machine, trouble: Any) -> GcodeError:
    """The error to raise for a `mf_gcode_trouble`."""
    word = ffi.string(trouble.word).decode("ascii", "replace")
    line, column = int(trouble.where.line), int(trouble.where.column)
    text = SENTENCES[trouble.why](machine, trouble)
    kind = LimitError if trouble.status in LIMITS else GcodeError
    return kind(
        f"{name}:{line}:{column}: {word or 'this line'}: {text}; nothing was moved",
        line,
        column,
        word,
    )
