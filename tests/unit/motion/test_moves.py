"""The core's reader against a slow one in plain Python, on random programs."""

from __future__ import annotations

import copy
import itertools
import math
import random

import pytest
from plain_reader import PlainReader, Way
from reading import Plain, moves_of

from microfactory.errors import GcodeError
from microfactory.machine import Machine

MACHINES = ["d3d-printer", "cnc-torch-table", "cnc-machine-centre", "circuit-plotter"]
NEAR = 2e-6  # ways shorter than a nanometre wait for the next move


def fresh(machine: Machine) -> PlainReader:
    home = {axis.letter: axis.home.position_mm for axis in machine.axes if axis.home}
    at = {axis.letter: home.get(axis.letter, 0.0) for axis in machine.axes}
    return PlainReader("".join(at), machine.kind == "printer", at, home)


def number(value: float, rng: random.Random) -> str:
    text = f"{value:.{rng.randint(1, 4)}f}"
    return text.replace("0.", ".", 1) if rng.random() < 0.3 and text.startswith("0.") else text


def coordinate(letter: str, state: PlainReader, machine: Machine, rng: random.Random) -> str:
    """A word for a place within the travel (up to rounding), in the modes of the moment."""
    axis = machine.axis(letter)
    if axis.unlimited:
        return f"E{number(rng.uniform(0, 0.1), rng)}"
    goal = rng.uniform(axis.min_mm + 0.2, axis.max_mm - 0.2)
    base = state.at[letter] if state.relative else state.zero(letter)
    return f"{letter}{number((goal - base) / state.unit, rng)}"


def straight(state: PlainReader, machine: Machine, rng: random.Random) -> str:
    letters = rng.sample(state.letters, rng.randint(1, len(state.letters)))
    return " ".join(
        [rng.choice(["G0", "G1"]), *(coordinate(x, state, machine, rng) for x in letters)]
    )


def bent(state: PlainReader, machine: Machine, rng: random.Random) -> str:
    names, centres = {17: ("XY", "IJ"), 18: ("ZX", "KI"), 19: ("YZ", "JK")}[state.plane]
    code = rng.choice(["G2", "G3"])
    if rng.random() < 0.4:
        ends = [coordinate(x, state, machine, rng) for x in names]
        return f"{code} {ends[0]} {ends[1]} R{number(rng.uniform(0, 400) / state.unit, rng)}"
    radius, angle, sweep = rng.uniform(0.3, 20), rng.uniform(-3, 3), rng.uniform(0.1, 6.2)
    sweep = -sweep if code == "G2" else sweep
    centre = [-radius * math.cos(angle), -radius * math.sin(angle)]
    end = [
        centre[0] + radius * math.cos(angle + sweep),
        centre[1] + radius * math.sin(angle + sweep),
    ]
    words = [code]
    for i in range(2):
        zero = 0.0 if state.relative else state.at[names[i]] - state.zero(names[i])
        words.append(f"{names[i]}{(zero + end[i]) / state.unit:.5f}")
        base = state.at[names[i]] - state.zero(names[i]) if state.centres_absolute else 0.0
        words.append(f"{centres[i]}{(base + centre[i]) / state.unit:.5f}")
    third = next(x for x in "XYZ" if x not in names)
    if rng.random() < 0.3:
        words.append(coordinate(third, state, machine, rng))
    if rng.random() < 0.2:
        words.append(f"P{rng.randint(1, 3)}")
    return " ".join(words)


def other(state: PlainReader, machine: Machine, rng: random.Random) -> str:
    letter = rng.choice("XYZ")
    value = number(rng.uniform(-20, 20) / state.unit, rng)
    lines = ["G20", "G21", "G90", "G91", "G17", "G18", "G19", "G90.1", "G91.1", "G92.1", "(note)"]
    lines += ["G54", "G55", f"G92 {letter}{value}", "G28", f"g28 {letter.lower()}", "; note", ""]
    if state.printer:
        lines += ["M82", "M83", "G92 E0"]
    else:
        lines += [f"G10 L2 P{rng.randint(0, 6)} {letter}{value}", f"G10 L20 P1 {letter}{value}"]
    return rng.choice(lines)


def inside(reader: PlainReader, machine: Machine, since: int) -> bool:
    """Whether the last ways stay well within the travel, so that rounding does not decide."""
    for way in reader.ways[since:]:
        for axis in machine.axes:
            if axis.unlimited:
                if way.end[axis.letter] < way.start[axis.letter] - 5:
                    return False
                continue
            points = [way.end[axis.letter]]
            if way.sweep is not None and axis.letter in way.plane:
                points = arc_points(way, axis.letter)
            if not all(axis.min_mm + 0.01 <= p <= axis.max_mm - 0.01 for p in points):
                return False
        if way.sweep is not None and not round_enough(way):
            return False
    return True


def arc_points(way: Way, letter: str) -> list[float]:
    assert way.centre is not None
    assert way.sweep is not None
    a = complex(*(way.start[x] for x in way.plane)) - complex(*way.centre)
    steps = 200
    turned = [a * complex(math.cos(t), math.sin(t)) for t in sweeps(way.sweep, steps)]
    i = way.plane.index(letter)
    return [way.centre[i] + (z.real, z.imag)[i] for z in turned]


def sweeps(sweep: float, steps: int) -> list[float]:
    return [sweep * k / steps for k in range(steps + 1)]


def round_enough(way: Way) -> bool:
    """Both ends equally far from the centre, as the reader wants them, and clearly apart."""
    assert way.centre is not None
    a, b = (complex(*(p[x] for x in way.plane)) for p in (way.start, way.end))
    centre = complex(*way.centre)
    return (
        abs(a - b) > 0.02
        and 0.05 < abs(a - centre) < 5000
        and abs(abs(a - centre) - abs(b - centre)) < 0.003
    )


def random_program(machine: Machine, rng: random.Random, lines: int) -> tuple[str, list[Way]]:
    head = ["M109 S200"] if machine.kind == "printer" else []
    text, state = [*head, "G1 F1200"], fresh(machine)
    for line in text:
        state.line(line)
    while len(text) < lines:
        make = rng.choices([straight, bent, other], [5, 5, 2])[0]
        try:
            line = make(state, machine, rng)
        except (ValueError, ZeroDivisionError):
            continue
        if rng.random() < 0.2:
            line = line.replace(" ", "").lower()
        trial = copy.deepcopy(state)
        try:
            trial.line(line)
        except (ValueError, ZeroDivisionError):
            continue
        if inside(trial, machine, len(state.ways)):
            state = trial
            text.append(line)
    return "\n".join(text), state.ways


def joined(moves: list[Plain]) -> list[Plain]:
    """Two arcs of one line, made for rounding's sake, as one with the sweep of both."""
    out: list[Plain] = []
    for move in moves:
        last = out[-1] if out else None
        if last and last.line == move.line and last.kind == move.kind == "arc":
            out[-1] = last._replace(end=move.end, sweep=last.sweep + move.sweep)
        elif move.kind in ("line", "arc"):
            out.append(move)
    return out


def assert_same(move: Plain, way: Way, machine: Machine) -> None:
    assert move.line == way.line
    letters = [axis.letter for axis in machine.axes]
    for i, letter in enumerate(letters):
        assert move.end[i] == pytest.approx(way.end[letter], abs=NEAR)
        assert move.start[i] == pytest.approx(way.start[letter], abs=NEAR)
    assert (move.kind == "arc") == (way.sweep is not None)
    if way.sweep is not None and way.centre is not None:
        assert "".join(letters[i] for i in move.plane) == way.plane
        a = complex(*(way.start[x] for x in way.plane))
        radius = abs(a - complex(*way.centre))
        far = abs(complex(*move.centre) - complex(*way.centre))
        assert far < 0.02 + 0.003 * radius / max(0.01, abs(math.sin(way.sweep / 2)))
        assert move.sweep == pytest.approx(way.sweep, abs=0.01 + 0.02 / radius)
        for point in arc_ends(move):
            assert abs(point - complex(*way.centre)) == pytest.approx(radius, abs=0.005)


def arc_ends(move: Plain) -> list[complex]:
    a, b = ((p[move.plane[0]], p[move.plane[1]]) for p in (move.start, move.end))
    return [complex(*a), complex(*b)]


@pytest.mark.parametrize("name", MACHINES)
@pytest.mark.parametrize("seed", range(8))
def test_random_programs_are_read_as_a_plain_reader_reads_them(name, seed):
    machine = Machine.load(name)
    text, ways = random_program(machine, random.Random(seed), 120)
    moves = joined(moves_of(text, machine))
    assert len(ways) > 40
    assert len(moves) == len(ways)
    for move, way in zip(moves, ways, strict=True):
        assert_same(move, way, machine)


@pytest.mark.parametrize("name", MACHINES)
def test_moves_are_chained_and_arcs_meet_their_ends(name):
    machine = Machine.load(name)
    text, _ = random_program(machine, random.Random(99), 200)
    moves = moves_of(text, machine)
    for before, move in itertools.pairwise(moves):
        assert move.start == before.end
    arcs = [move for move in moves if move.kind == "arc"]
    assert len(arcs) > 20
    for arc in arcs:
        for point, angle in zip(arc_ends(arc), (arc.angle, arc.angle + arc.sweep), strict=True):
            there = complex(*arc.centre) + arc.radius * complex(math.cos(angle), math.sin(angle))
            assert abs(there - point) < 1e-8


def test_a_bad_line_far_down_is_refused_before_the_first_move_comes():
    machine = Machine.load("d3d-printer")
    text = "G28\nG1 F600\n" + "G1 X1\nG1 X2\n" * 5000 + "G1 X999\n"
    with pytest.raises(GcodeError) as refused:
        moves_of(text, machine)
    assert refused.value.line == 10003


def test_counts_tell_lines_moves_and_arcs():
    from microfactory.motion.gcode import parse
    from microfactory.motion.moves import check_program

    program = parse("G28\nG0 X30 Y30\nG2 I5 F600 ; round\n\nM2")
    counts = check_program(program, Machine.load("cnc-machine-centre"))
    assert counts == {"lines": 5, "moves": 2, "arcs": 1}
