"""The verifier's reader: by examples, and against the host's own, which shares nothing with it."""

import math

import numpy as np
import pytest
from hil.mutants import KINDS, SCENARIOS
from hil.verify.reader import ReadError, read

from microfactory.machine import Machine
from microfactory.motion.gcode import parse
from microfactory.motion.moves import Moves

MILL = """G21 G90
G28 X Y
G0 X10 Y10
G10 L2 P1 X100 Y100 Z-50
G1 X1 Y1 Z-1 F500 M8
G92 X0 Y0
G91
G1 X5
X5 Y2
G90.1
G90
G2 X20 Y2 I15 J2
G91.1
G3 X10 R20
M3 S5000
G1 X5
S8000 G1 X6
G53 G0 X3 Y3
G92.1
G20 G1 X1 Y.5 F20
G21 G55
G0 X50
G91 G19 G2 Y10 Z-10 J0 K-10 F100
G18 G3 X2 Z0.5 R-4 P2
G90 G17
G61 G1 X40
G64 P0.05 G1 Y41 F900
M30
G1 X0
"""
PRINT = """M104 S200
M204 P1200 T2000 R900
G28
G90
M83
M109 S200
G1 X10 Y10 F3000
G1 X20 E1
G0 X30 F9000
G1 E-2 F1500
G1 X31 E-0.1 F3000
G92 E0
M82
G1 X40 E3
G91
G1 X-5 E0.5
G28 X
G90
G1 X12 Y11 E4
M204 S700
G0 Y20 E5
"""


@pytest.fixture(scope="module")
def mill():
    return Machine.load("cnc-machine-centre")


def host_moves(text, machine):
    axes = len(machine.axes)
    out = []
    for moves, count in Moves(parse(text), machine):
        for k in range(count):
            m = moves[k]
            if m.kind in (1, 2):
                ends = (m.start_mm[0:axes], m.end_mm[0:axes])
                out.append((m.line, *map(list, ends), m.speed_mm_s, m.length_mm, m.accel_mm_s2))
    return out


@pytest.mark.parametrize("name", [*KINDS, "MILL", "PRINT"])
def test_two_readers_that_share_nothing_agree(name):
    machine = Machine.load({"MILL": "cnc-machine-centre", "PRINT": "d3d-printer", **KINDS}[name])
    text = {"MILL": MILL, "PRINT": PRINT}.get(name) or (SCENARIOS / f"{name}.gcode").read_text()
    asked, host = read(text, machine), host_moves(text, machine)
    assert [row[0] for row in host] == asked.line.tolist()
    for i, (line, start, end, speed, length, accel) in enumerate(host):
        assert np.allclose(start, asked.start[i], atol=1e-9), line
        assert np.allclose(end, asked.end[i], atol=1e-9), line
        assert math.isclose(length, asked.length[i], abs_tol=1e-6), line
        rapid = math.isinf(asked.speed[i])
        assert speed > 1e5 if rapid else math.isclose(speed, asked.speed[i], rel_tol=1e-9), line
        limit = accel or math.inf
        assert limit == asked.accel[i], line


def test_things_happen_at_their_vertex(mill):
    text = "G0 X5\nM3 S6000\nG1 X10 F600 M7\nS3000\nM9\nG1 X20\nM5\n"
    events = [(e.kind, e.line, e.vertex, e.name, e.value) for e in read(text, mill).events]
    half = round(65535 / 2)
    assert events == [
        ("output", 2, 1, "spindle", half),
        ("dwell", 2, 1, "", 2.0),
        ("output", 3, 1, "mist", 65535),
        ("output", 4, 2, "spindle", round(65535 / 4)),
        ("output", 5, 2, "mist", 0),
        ("output", 5, 2, "flood", 0),
        ("output", 6 + 1, 3, "spindle", 0),
        ("end", 7, 3, "", 0.0),
    ]


def test_a_program_that_leaves_a_tool_on_has_it_off_at_its_end(mill):
    events = read("G0 X1\nM3 S6000\nM8\nG1 X2 F100\nM2\nG1 X3", mill).events
    assert [(e.name, e.value) for e in events if e.line == 5] == [
        ("spindle", 0.0),
        ("flood", 0.0),
        ("", 0.0),
    ]


def test_a_line_that_cannot_be_read_is_named(mill):
    with pytest.raises(ReadError, match=r"line 2: .*centre"):
        read("G1 X5 F100\nG2 X6 Y1\n", mill)


def test_only_the_codes_that_wait_for_heat_wait_for_it():
    printer = Machine.load("d3d-printer")
    text = "M104 S200\nM140 S60\nM109 S210\nM190 S70\nM109 S0\nG1 X1 F600\n"
    events = [(e.kind, e.line, e.name, e.value) for e in read(text, printer).events]
    assert events[:-1] == [
        ("heater", 1, "hotend", 200.0),
        ("heater", 2, "bed", 60.0),
        ("heater", 3, "hotend", 210.0),
        ("wait", 3, "hotend", 210.0),
        ("heater", 4, "bed", 70.0),
        ("wait", 4, "bed", 70.0),
        ("heater", 5, "hotend", 0.0),
    ]
