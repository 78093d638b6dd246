"""Map, skew and backlash: judged on emitted steps by the verifier and by sums of its own."""

import math
import random

import numpy as np
import pytest
from hil.crooked import Crooked
from hil.verify import verify_job
from hil.verify.reader import read
from hil.verify.windows import to_capture

import microfactory as mf
from microfactory.heightmap import HeightMap, geometry_sha256, with_map
from microfactory.machine import dump_toml
from microfactory.motion.gcode import Program
from microfactory.motion.plan import plan

MILL = mf.Machine.load("cnc-machine-centre")
TEXT = """G21 G90
G0 X100 Y100
G1 Z-5 F600
G1 X200 F3000
G1 Y200
G1 X100 Y100
G2 X100 Y100 I50 J0
G3 X160 Y160 Z-8 I30 J30
G0 Z-1
G0 X0 Y0
M2
"""


def mill(map_of=None, settings=None, **compensation):
    data = MILL.data()
    data["compensation"] = compensation
    machine = mf.Machine.parse(dump_toml(data), "mill.toml")
    machine = machine.with_settings(settings) if settings else machine
    return machine if map_of is None else with_map(machine, page(machine, map_of), "map.toml")


def page(machine, map_of, points=5, pitch=75.0):
    rows = tuple(tuple(map_of(i * pitch, j * pitch) for i in range(points)) for j in range(points))
    return HeightMap(
        machine=machine.name, geometry_sha256=geometry_sha256(machine), first_x_mm=0.0,
        first_y_mm=0.0, pitch_x_mm=pitch, pitch_y_mm=pitch, zero_z_mm=0.0, repeat_mm=0.0,
        heights_mm=rows,
    )  # fmt: skip


def windows_of(machine, text, **where):
    program = Program("t.gcode", text.encode())
    whole = plan(program, machine, **where)
    return [w for section in whole.sections() for w in section.windows]


def bodies_of(machine, text):
    return [window.data for window in windows_of(machine, text)]


def warp(x, y):
    return -0.3 + 0.1 * math.sin(x / 80) + 0.1 * math.cos(y / 120) + 0.0003 * x


def test_without_anything_to_make_good_every_byte_is_what_it_was():
    before = bodies_of(MILL, TEXT)
    assert bodies_of(mill(), TEXT) == before
    assert bodies_of(mill(lambda x, y: 0.0), TEXT) == before
    assert bodies_of(mill(lambda x, y: 0.0, tolerance_mm=0.001), TEXT) == before


def test_a_level_map_moves_the_path_and_bends_nothing():
    here, there = (
        windows_of(mill(m), TEXT.replace("Z-1\n", "Z-2\n")) for m in (None, lambda x, y: -0.5)
    )
    assert there[-1].end_steps[2] == here[-1].end_steps[2] - 160
    time = [sum(w.length_ticks for w in made) for made in (here, there)]
    assert abs(time[1] - time[0]) < 0.3 * 125e6  # the approach


@pytest.mark.parametrize("jerk", [math.inf, 20_000.0])
@pytest.mark.parametrize(
    "compensation",
    [
        {"fade_begin_mm": -2.0, "fade_end_mm": -0.5},
        {"skew_xy": 0.002, "skew_xz": 0.001, "skew_yz": -0.001},
        {"x_slack_mm": 0.05, "y_slack_mm": 0.03, "z_slack_mm": 0.02},
    ],
)
def test_each_correction_alone_passes_the_verifier(compensation, jerk):
    machine = mill(warp if "fade_end_mm" in compensation else None, **compensation)
    machine = machine.with_settings({"motion.max_jerk_mm_s3": jerk})
    report = verify_job(TEXT, machine, bodies_of(machine, TEXT))
    assert report.passed, report.text()


def test_the_verifier_finds_another_map_skew_slack_feed_and_limit():
    named = {
        "skew_xy": 0.002, "x_slack_mm": 0.05, "fade_begin_mm": -2.0, "fade_end_mm": -0.5,
    }  # fmt: skip
    machine = mill(warp, **named)
    bodies = bodies_of(machine, TEXT)
    assert verify_job(TEXT, machine, bodies).passed
    wrong = [
        mill(lambda x, y: warp(x, y) + 0.03 * ((x, y) == (150, 150)), **named),
        mill(warp, **{**named, "skew_xy": 0.0018}),
        mill(warp, **{**named, "x_slack_mm": 0.02}),
        machine.with_settings({"axes.y.max_accel_mm_s2": 700.0}),
        machine.with_settings({"axes.z.max_accel_mm_s2": 400.0}),
    ]
    for other in wrong:
        assert not verify_job(TEXT, other, bodies).passed
    assert not verify_job(TEXT.replace("F3000", "F2900"), machine, bodies).passed


def random_text(dice):
    """Lines, arcs and helices over the map, ending where they began."""
    lines = ["G21 G90", f"G64 P{dice.choice([0.01, 0.05])}", "G0 X150 Y150", "G1 Z-4 F900"]
    at = (150.0, 150.0)
    for _ in range(dice.randint(3, 14)):
        to = (round(dice.uniform(20, 280), 3), round(dice.uniform(20, 280), 3))
        z = f" Z{dice.uniform(-9, -3):.3f}" if dice.random() < 0.4 else ""
        feed = f" F{dice.choice([300, 1500, 4000])}"
        far = math.dist(at, to)
        if dice.random() < 0.4 and 5 < far < 120:
            middle = (to[0] - at[0]) / 2, (to[1] - at[1]) / 2
            way = dice.choice(["G2", "G3"])
            words = f"I{middle[0]:.5f} J{middle[1]:.5f}"
            inside = all(far / 2 < at[k] + middle[k] < 300 - far / 2 for k in (0, 1))
            word = f"{way} X{to[0]} Y{to[1]}{z} {words}{feed}" if inside else ""
            lines.append(word or f"G1 X{to[0]} Y{to[1]}{z}{feed}")
        else:
            lines.append(f"G1 X{to[0]} Y{to[1]}{z}{feed}")
        at = to
    return "\n".join([*lines, "G0 Z-3", "G0 X150 Y150", "M2", ""])


def random_machine(dice):
    a, b, c = (dice.uniform(-0.002, 0.002) for _ in range(3))
    hills = dice.uniform(0, 0.15)
    kinds = {
        "skew_xy": dice.choice([0.0, dice.uniform(-0.01, 0.01)]),
        "skew_xz": dice.choice([0.0, dice.uniform(-0.01, 0.01)]),
        "skew_yz": dice.choice([0.0, dice.uniform(-0.01, 0.01)]),
        "x_slack_mm": dice.choice([0.0, dice.uniform(0.005, 0.2)]),
        "y_slack_mm": dice.choice([0.0, dice.uniform(0.005, 0.2)]),
        "z_slack_mm": dice.choice([0.0, dice.uniform(0.005, 0.2)]),
        "tolerance_mm": dice.choice([0.002, 0.005, 0.02]),
        "fade_begin_mm": -2.5,
        "fade_end_mm": -0.2,
    }

    def height(x, y):
        shape = a * (x - 150) + b * (y - 150) + c * (x - 150) * (y - 150) / 100
        return shape + hills * math.sin(x / 40) * math.cos(y / 50)

    return mill(height if dice.random() < 0.8 else None, **kinds)


def tool_path(machine, bodies):
    """True places of the tool above its map, row by row in order of time, by the plant's model."""
    capture = to_capture(bodies, machine, 125_000_000)
    names = [motor.name for motor in machine.motors]
    ticks = np.concatenate([capture.motors[n].rise for n in names])
    motor = np.concatenate([np.full(len(capture.motors[n].rise), m) for m, n in enumerate(names)])
    way = np.concatenate([capture.motors[n].direction for n in names]).astype(float)
    order = np.argsort(ticks, kind="stable")
    moves = np.zeros((len(order) + 1, 3))
    moves[np.arange(1, len(order) + 1), motor[order]] = way[order]
    moves[0] = capture.runs[0].start_steps
    part = machine.compensation
    slack = {letter: part.slack_mm(letter) for letter in "XYZ"}
    model = Crooked(part.skew_xy, part.skew_xz, part.skew_yz, slack)
    spm = np.array([axis.steps_per_mm for axis in machine.axes])
    before = np.array([[0.0, 0.0, slack["Z"] * spm[2] + 99]])  # Z was homed upward, then down
    counts = np.concatenate([moves[:1] + before, np.cumsum(moves, axis=0)])
    tool = model.tool("XYZ", counts / spm)[1:]
    if machine.heightmap is not None:
        tool[:, 2] -= lift(machine, *tool.T)
    return tool, capture


def lift(machine, x, y, z):
    """What the map adds where carriages are at z: height and fading solved for the tool's z."""
    page_, part = machine.heightmap, machine.compensation
    heights = np.array(page_.heights_mm)
    u = np.clip((x - page_.first_x_mm) / page_.pitch_x_mm, 0, page_.columns - 1 - 1e-9)
    v = np.clip((y - page_.first_y_mm) / page_.pitch_y_mm, 0, page_.rows - 1 - 1e-9)
    i, j = u.astype(int), v.astype(int)
    height = np.zeros(len(x))
    for di in (0, 1):
        for dj in (0, 1):
            share = (1 - abs(u - i - di)) * (1 - abs(v - j - dj))
            height += share * heights[j + dj, i + di]
    fade = part.fade_end_mm - part.fade_begin_mm
    within = (z - height * part.fade_end_mm / fade) / (1 - height / fade)
    z_tool = np.where(z - height <= part.fade_begin_mm, z - height, within)
    return z - np.where(z >= part.fade_end_mm, z, z_tool)


def furthest(points, program, machine):
    """The largest distance from a point to the nearest piece of the program."""
    asked = read(program, machine)
    best = np.full(len(points), np.inf)
    for i in range(asked.pieces):
        a, b, arc = asked.start[i], asked.end[i], asked.arcs.get(i)
        if arc is None:
            share = np.clip((points - a) @ (b - a) / ((b - a) @ (b - a)), 0, 1)
            off = np.linalg.norm(points - a - share[:, None] * (b - a), axis=1)
        else:
            dx, dy = points[:, 0] - arc.centre[0], points[:, 1] - arc.centre[1]
            turn = (np.arctan2(dy, dx) - arc.angle) * np.sign(arc.sweep)
            share = ((turn + 0.01) % (2 * np.pi) - 0.01) / abs(arc.sweep)
            z = a[2] + np.clip(share, 0, 1) * (b[2] - a[2])
            off = np.hypot(np.hypot(dx, dy) - arc.radius, points[:, 2] - z)
            off = np.where(share <= 1.0 + 0.01, off, np.inf)
        best = np.minimum(best, off)
    return float(best.max())


def take_ups_keep_their_acceleration(machine, capture):
    """After each reversal of an axis with slack the motor is no faster than from rest."""
    for m, motor in enumerate(machine.motors):
        axis = machine.axes[m]
        steps = int(machine.compensation.slack_mm(axis.letter) * axis.steps_per_mm) - 1
        trace = capture.motors[motor.name]
        turns = np.flatnonzero(np.diff(trace.direction)) + 1
        turns = turns[turns + steps < len(trace.rise)]
        for n in range(1, steps):
            took = (trace.rise[turns + n] - trace.rise[turns]) / 125e6
            far = np.sqrt(2 / (axis.steps_per_mm * axis.max_accel_mm_s2))
            least = far * (math.sqrt(n + 1) - 1) * 0.97 - 6e-6
            assert (took >= least).all(), (axis.name, n)
        took = (trace.rise[8:] - trace.rise[:-8]) / 125e6
        least = 8 / (axis.max_speed_mm_s * axis.steps_per_mm)
        assert took.min(initial=9.0) > least / 1.005 - 4e-6, axis.name


@pytest.mark.parametrize("seed", range(8))
def test_random_programs_keep_limits_path_and_counts_on_random_machines(seed):
    dice = random.Random(seed)
    machine, text = random_machine(dice), random_text(dice)
    bodies = bodies_of(machine, text)
    report = verify_job(text, machine, bodies)
    assert report.passed, report.text()
    tool, capture = tool_path(machine, bodies)
    home = read(text, machine).start[0]
    away = np.flatnonzero(np.linalg.norm(tool - home, axis=1) > 3)[0]  # behind the approach
    steps = sum(0.5 / axis.steps_per_mm for axis in machine.axes)
    skew = 1 + 0.02
    most = furthest(tool[away:], text, machine)
    assert most < (machine.compensation.tolerance_mm + steps) * skew, most
    take_ups_keep_their_acceleration(machine, capture)
    assert np.abs(tool[-1] - [150, 150, -3]).max() < 1.02 * 0.5 / 160 + 1e-3


@pytest.mark.parametrize("seed", [3, 5, 8])
def test_every_tail_can_be_gone_on_from_to_the_same_end(seed):
    dice = random.Random(seed)
    machine, text = random_machine(dice), random_text(dice)
    windows = windows_of(machine, text)
    for window in windows[7 :: max(1, len(windows) // 12)]:
        if window.last:
            continue
        rest = windows_of(machine, text, place=window.rest, rest_steps=window.rest_steps)
        assert rest[-1].end_steps == windows[-1].end_steps


def test_an_exact_path_over_a_twisted_map_does_not_stop_in_every_cell():
    text = "G21 G90 G61\nG1 X10 Y10 F4000\n" + "".join(
        f"G1 X{10 + k} Y{10 + k}\n" for k in range(1, 200)
    )
    plain, twisted = (
        sum(w.length_ticks for w in windows_of(machine, text + "M2\n"))
        for machine in (mill(), mill(lambda x, y: -0.4 - x * y * 4e-6))
    )
    assert twisted < 1.03 * plain


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("G1 X301 Y10 Z-5 F600\n", r"t\.gcode:1: X 30[0-9.]+ mm is outside the map"),
        ("G1 X10 Y10 F600\nG1 Y299.9\nG1 X320\n", r"t\.gcode:3: X 3[12]0 mm is outside"),
    ],
)
def test_work_outside_the_map_is_refused_where_the_machine_says_so(text, names):
    machine = mill(warp, outside="refuse")
    with pytest.raises(mf.LimitError, match=names):
        windows_of(machine, text + "M2\n")
    assert windows_of(mill(warp), text + "M2\n")


def test_a_motor_does_not_leave_its_travel_for_a_map():
    with pytest.raises(mf.LimitError, match=r"Z would be at 0\.9 mm, and its motors go"):
        windows_of(mill(lambda x, y: 0.9), "G1 X10 Y10 F600\nM2\n")


def test_rapids_outside_the_map_take_the_height_of_its_edge():
    machine = mill(lambda x, y: -0.5, outside="refuse")
    made = windows_of(machine, "G0 X400 Y400\nG0 Z-5\nM2\n")
    assert made[-1].end_steps[2] == round(-5.5 * 320)
