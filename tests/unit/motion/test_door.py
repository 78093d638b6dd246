"""Mutated programs at the reader's door: one clear sentence, or moves in the travel."""

from __future__ import annotations

import contextlib
import io
import json
import math
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reading import Plain, moves_of

from microfactory.cli.main import main
from microfactory.errors import GcodeError, UsageError
from microfactory.machine import Machine

SCENARIOS = Path(__file__).resolve().parents[3] / "hil" / "scenarios"
PROGRAMS = {
    "d3d-printer": "print",
    "cnc-torch-table": "cut",
    "cnc-machine-centre": "pocket",
    "circuit-plotter": "board",
}
MACHINES = {name: Machine.load(name) for name in PROGRAMS}
TEXTS = {
    name: (SCENARIOS / f"{program}.gcode").read_text().splitlines()
    for name, program in PROGRAMS.items()
}
NUMBERS = ["0", "-1", "1e9", "99999999999999999999", "nan", "inf", "-0", ".", "1.2.3", "0.0001"]
NUMBERS += ["176", "-176", "500", "601", "12,5", "1e-7", "0x10", "+5", "12345678.9", "", "\u00bd"]
WORDS = ["G1", "G2", "G3 I5", "G28", "G20", "G91", "G92 X0", "G53", "M3", "M109 S900", "M104 S0"]
WORDS += ["F0", "F-1", "E5", "X1000", "Z-50", "R0.1", "P0", "(", ")", ";", "*7", "%", "/", "#1=2"]
WORDS += ["G10 L2 P1 X900", "G4 P1e5", "M106 S999", "S99999", "T5", "\x7f", "\u00e9", "O100", "G18"]
PLACE = st.integers(0, 10_000)


@st.composite
def mutants(draw: st.DrawFn) -> tuple[str, bytes]:
    """A machine's name and its program with one to four spoilt places."""
    name = draw(st.sampled_from(sorted(PROGRAMS)))
    lines = list(TEXTS[name])
    for _ in range(draw(st.integers(1, 4))):
        at = draw(PLACE) % len(lines)
        how = draw(st.integers(0, 6))
        words = lines[at].split(" ")
        if how == 0:
            del lines[at]
            lines = lines or ["G0"]
        elif how == 1:
            lines.insert(at, lines[draw(PLACE) % len(lines)])
        elif how == 2:
            words[draw(PLACE) % len(words)] = draw(st.sampled_from(WORDS))
            lines[at] = " ".join(words)
        elif how == 3:
            i = draw(PLACE) % len(words)
            words[i] = words[i][:1] + draw(st.sampled_from(NUMBERS))
            lines[at] = " ".join(words)
        elif how == 4:
            i = draw(PLACE) % (len(lines[at]) + 1)
            lines[at] = lines[at][:i] + draw(st.characters(codec="utf-8")) + lines[at][i + 1 :]
        elif how == 5:
            lines[at] = lines[at] * draw(st.integers(2, 60))
        else:
            value = draw(st.floats(-1e4, 1e4))
            lines.insert(at, f"G{draw(st.integers(0, 3))} {draw(st.sampled_from('XYZE'))}{value!r}")
    return name, "\n".join(lines).encode("utf-8", "replace")


def assert_sentence(error: UsageError) -> None:
    text = str(error)
    assert "\n" not in text
    assert text.isprintable()
    assert "nothing was moved" in text
    assert len(text) < 400


def assert_refusal(error: UsageError, data: bytes) -> None:
    assert_sentence(error)
    if isinstance(error, GcodeError):
        assert 1 <= error.line <= data.count(b"\n") + 1
        assert error.column >= 1
    else:
        assert b"\0" in data or not data.strip()


def assert_within(moves: list[Plain], machine: Machine) -> None:
    assert moves[-1].kind == "end"
    for move in moves:
        for i, axis in enumerate(machine.axes):
            assert math.isfinite(move.end[i])
            if not axis.unlimited:
                assert axis.min_mm <= move.end[i] <= axis.max_mm
        if move.kind == "arc":
            assert_arc_within(move, machine)


def assert_arc_within(move: Plain, machine: Machine) -> None:
    for k in range(65):
        angle = move.angle + move.sweep * k / 64
        point = (
            move.centre[0] + move.radius * math.cos(angle),
            move.centre[1] + move.radius * math.sin(angle),
        )
        for number, value in zip(move.plane, point, strict=True):
            axis = machine.axes[number]
            assert axis.min_mm - 1e-5 <= value <= axis.max_mm + 1e-5


@settings(max_examples=1000)
@given(mutants())
def test_a_mutated_program_is_refused_in_one_sentence_or_stays_within_the_travel(mutant):
    name, data = mutant
    machine = MACHINES[name]
    try:
        moves = moves_of(data, machine)
    except UsageError as error:
        assert_refusal(error, data)
    else:
        assert_within(moves, machine)


@settings(max_examples=300)
@given(mutants())
def test_a_mutated_program_ends_a_command_with_its_exit_code_and_one_sentence(mutant):
    name, data = mutant
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "part.gcode"
        file.write_bytes(data)
        out, told = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(told):
            code = main(["plan", str(file), "--machine", name, "--json"])
    assert code in (0, 2, 4, 5)
    answer = json.loads(out.getvalue())
    assert (code == 0) == ("program" in answer)
    assert code == 0 or answer["exit_code"] == code
    if code == 0:
        assert answer["limits"]["violations"] == 0


def test_the_installed_command_runs():
    command = Path(sys.executable).parent / "microfactory"
    done = subprocess.run([command, "--version"], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip() == version("microfactory")


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_the_programs_themselves_pass_the_door(name):
    moves = moves_of("\n".join(TEXTS[name]), MACHINES[name])
    assert sum(move.kind in ("line", "arc") for move in moves) >= 16
    assert_within(moves, MACHINES[name])


@settings(max_examples=300)
@given(st.binary(max_size=300), st.sampled_from(sorted(PROGRAMS)))
def test_any_bytes_are_refused_in_one_sentence_or_stay_within_the_travel(data, name):
    try:
        moves = moves_of(data + b"\n;", MACHINES[name])
    except UsageError as error:
        assert_sentence(error)
    else:
        assert_within(moves, MACHINES[name])
