"""The sentences of refused lines: cause, place, consequence and what to write instead."""

from __future__ import annotations

from pathlib import Path

import pytest
from reading import moves_of

from microfactory.errors import GcodeError, LimitError
from microfactory.machine import Machine
from microfactory.motion.core import lib
from microfactory.motion.refusal import SENTENCES

GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "refusals.txt"
MILL, PRINTER, TORCH = "cnc-machine-centre", "d3d-printer", "cnc-torch-table"
BLANK = " " * 600

# One text for each reason, on the machine that shows it best.
CASES = {
    "CHARACTER": (MILL, "G0 X1 ?"),
    "EXPRESSION": (MILL, "G0 X1\n#5=3"),
    "BLOCK_DELETE": (MILL, "/G0 X5"),
    "COMMENT": (MILL, "G0 X5 (left"),
    "LONG_LINE": (MILL, f"G0{BLANK}X5"),
    "NUMBER": (PRINTER, "G28\nG1 X12 Ynan F600"),
    "RANGE": (MILL, "G0 X99999999999"),
    "RANGE ": (PRINTER, "M221 S95"),
    "EXPONENT": (MILL, "G0 X1e-5"),
    "TWICE": (MILL, "G0 X1 Y2 X3"),
    "CHECKSUM": (PRINTER, "N3 G28*99"),
    "CODE": (MILL, "G5 X1"),
    "REFUSED": (PRINTER, "G29"),
    "GROUP": (MILL, "G0 G1 X5"),
    "UNUSED": (MILL, "G0 X5 Q2"),
    "MISSING": (MILL, "G4"),
    "NO_MODE": (MILL, "X10 Y5"),
    "NO_FEED": (MILL, "G1 X10"),
    "FEED": (MILL, "G1 X10 F0"),
    "NO_AXIS": (MILL, "G0 A90"),
    "TRAVEL": (PRINTER, "G28\nG0 X100 Y12\nG0 X200.5"),
    "TRAVEL ": (TORCH, "G0 X1500.001"),
    "COLD": (PRINTER, "G28\nG1 X5 E1 F600"),
    "NOT_WAITED": (PRINTER, "M104 S200\nG1 X5 E1 F600"),
    "ARC_WORDS": (MILL, "G2 X10 F600"),
    "ARC_MISMATCH": (MILL, "G0 X50 Y50\nG2 X60 Y50 I4 F600"),
    "ARC_RADIUS": (MILL, "G0 X50 Y50\nG2 X60 Y50 R4 F600"),
    "ARC_RADIUS ": (MILL, "G2 X10 R2000000 F600"),
    "ARC_FULL": (MILL, "G0 X50 Y50\nG2 X50 Y50 R4 F600"),
    "NO_OUTPUT": (TORCH, "M8"),
    "SPEED": (MILL, "M3 S24000"),
    "HEAT": (PRINTER, "M104 S300"),
    "REVERSE": (MILL, "M4 S1000"),
    "NO_HOME": (PRINTER, "G28 E"),
    "BY_WAY": (MILL, "G0 Z-5\nG28 Z0"),
    "TOOL": (PRINTER, "T1"),
    "TOOL ": (MILL, "T1.5 M6"),
    "WHOLE": (MILL, "G0 X50 Y50\nG2 I5 P1.5 F600"),
    "WHOLE ": (PRINTER, "M106 P1 S255"),
}


def refused(name: str) -> GcodeError:
    machine, text = CASES[name]
    with pytest.raises(GcodeError) as error:
        moves_of(text, Machine.load(machine))
    return error.value


def reasons() -> set[str]:
    return {name.removeprefix("MF_WHY_") for name in dir(lib) if name.startswith("MF_WHY_")}


def test_every_reason_has_a_sentence_and_a_case():
    assert {name.strip() for name in CASES} == reasons() - {"NOTHING"}
    assert set(SENTENCES) == {getattr(lib, f"MF_WHY_{name}") for name in reasons()} - {0}


def test_the_sentences_are_the_golden_ones(request):
    text = "".join(f"{name.strip()}: {refused(name)}\n" for name in CASES)
    if request.config.getoption("--rewrite-golden"):
        GOLDEN.parent.mkdir(exist_ok=True)
        GOLDEN.write_text(text)
    assert text == GOLDEN.read_text()


@pytest.mark.parametrize("name", CASES)
def test_a_sentence_has_place_cause_consequence_and_next_step(name):
    error = refused(name)
    lines = CASES[name][1].split("\n")
    text = str(error)
    assert text.startswith(f"program:{error.line}:{error.column}: ")
    assert text.endswith("; nothing was moved")
    assert text.count(";") >= 2
    if error.word:
        assert lines[error.line - 1][error.column - 1 :].startswith(error.word)


def test_limits_are_a_class_of_their_own():
    limits = {"TRAVEL", "COLD", "NOT_WAITED", "HEAT", "SPEED", "FEED"}
    for name in CASES:
        if name.strip() in limits:
            assert isinstance(refused(name), LimitError), name
    assert not isinstance(refused("CODE"), LimitError)
