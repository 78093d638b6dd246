"""Plate, frame and slack that are off, made good on the virtual machine: its plant has the faults,
and the true path of the tool is looked at, from the pulses alone.
"""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hil.crooked import Crooked
from hil.plant import near_home
from hil.verify import verify
from hil.verify.reader import read

import microfactory as mf
from microfactory.cli.main import main
from microfactory.heightmap import with_map
from microfactory.probing import Grid, Prober

SKEW = {"skew_xy": 0.002, "skew_xz": 0.001, "skew_yz": -0.001}
SLACK = {"x_slack_mm": 0.05, "y_slack_mm": 0.03, "z_slack_mm": 0.02}
UNTOUCHED_S = 2.0
ZERO = -120.0  # about where the plate lies
TEXT = f"""G21 G90
G0 X40 Y40
G0 Z{ZERO + 5}
G1 Z{ZERO - 0.5} F1200
G1 X140 F3000
G1 Y140
G1 X40 Y40
G1 Y90
G2 X40 Y90 I30 J0
G1 Y70
G3 X100 Y130 Z{ZERO + 0.5} I30 J30
G1 X40 Y130
G1 X40.01 Y40
G0 Z{ZERO + 5}
M2
"""
PROGRAM = mf.parse(TEXT, "plate.gcode")
GRID = Grid(
    low_mm=(30.0, 30.0), high_mm=(190.0, 190.0), columns=9, rows=9, clear_mm=ZERO + 3,
    lowest_mm=ZERO - 3, speed_mm_s=4.0, lift_mm=0.5,
)  # fmt: skip


def plate(x, y):
    return ZERO + 0.0015 * x - 0.001 * y + 0.08 * math.sin(x / 60) * math.cos(y / 70)


def mill(**compensation):
    machine = mf.Machine.load("cnc-machine-centre")
    data = machine.data()
    data["compensation"] = {"outside": "refuse", **compensation}
    return mf.Machine.parse(mf.machine.dump_toml(data), "mill.toml")


def crooked_of(machine):
    part = machine.compensation
    slack = {letter: part.slack_mm(letter) for letter in "XYZ"}
    return Crooked(part.skew_xy, part.skew_xz, part.skew_yz, slack, plate)


@pytest.fixture(autouse=True)
def _state(tmp_path, monkeypatch):
    monkeypatch.setenv("MICROFACTORY_STATE", str(tmp_path / "state"))


def true_path(capture, machine, crooked, since=None):
    """Rows of the tool's true places behind the last guarded run (or since that one), and the
    motors' counts at the end.
    """
    names = [motor.name for motor in machine.motors]
    spm = np.array([machine.steps_per_mm(m) for m in range(len(names))])
    runs = capture.runs
    guarded = [i for i, run in enumerate(runs) if run.kind == "guarded"]
    begin = guarded[-1] + 1 if since is None else since
    # the slack's side follows from all pulses: count back from the last known counts
    ticks = np.concatenate([capture.motors[n].rise for n in names])
    motor = np.concatenate([np.full(len(capture.motors[n].rise), m) for m, n in enumerate(names)])
    way = np.concatenate([capture.motors[n].direction for n in names]).astype(float)
    order = np.argsort(ticks, kind="stable")
    moves = np.zeros((len(order) + 1, len(names)))
    moves[np.arange(1, len(order) + 1), motor[order]] = way[order]
    counts = np.cumsum(moves, axis=0)
    at = np.searchsorted(ticks[order], runs[-1].tick)
    counts += np.array(runs[-1].start_steps) - counts[at]
    letters = "".join(axis.letter for axis in machine.axes)
    tool = crooked.tool(letters, counts / spm)
    first = np.searchsorted(ticks[order], runs[begin].tick)
    return tool[first:], counts[-1]


def distances(points, program, machine):
    """From each point to the nearest piece of the program, in mm."""
    asked = read(program.data, machine)
    best = np.full(len(points), np.inf)
    for i in range(asked.pieces):
        a, b = asked.start[i], asked.end[i]
        arc = asked.arcs.get(i)
        if arc is None:
            share = np.clip((points - a) @ (b - a) / ((b - a) @ (b - a)), 0, 1)
            off = np.linalg.norm(points - a - share[:, None] * (b - a), axis=1)
        else:
            dx, dy = points[:, 0] - arc.centre[0], points[:, 1] - arc.centre[1]
            turn = (np.arctan2(dy, dx) - arc.angle) * np.sign(arc.sweep)
            share = ((turn + 0.01) % (2 * np.pi) - 0.01) / abs(arc.sweep)
            z = a[2] + np.clip(share, 0, 1) * (b[2] - a[2])
            flat = np.hypot(dx, dy) - arc.radius
            off = np.where(share <= 1.01, np.hypot(flat, points[:, 2] - z), np.inf)
        best = np.minimum(best, off)
    return best


def probed(machine, crooked):
    with mf.connect("virtual", machine, start_mm=near_home(machine), crooked=crooked) as board:
        return Prober(board).map(GRID)


def run_on(machine, crooked, program=PROGRAM):
    with mf.connect(
        "virtual", machine, start_mm=near_home(machine), crooked=crooked, capture=True
    ) as board:
        board.run(program)
        return board.link.capture()


def over_plate(tool, zero_mm):
    """The same path with the plate laid flat at Z `zero_mm`."""
    out = tool.copy()
    out[:, 2] -= np.array([plate(x, y) for x, y in tool[:, :2]]) - zero_mm
    return out


@pytest.mark.parametrize(
    ("compensation", "within_mm"),
    [({}, 0.012), (SKEW, 0.014), ({**SKEW, **SLACK}, 0.017)],
)
def test_the_tool_goes_where_the_program_says_over_a_warped_plate(compensation, within_mm):
    machine = mill(**compensation)
    crooked = crooked_of(machine)
    page = probed(machine, crooked)
    assert page.repeat_mm < 0.004
    mapped = with_map(machine, page, "plate.toml")
    capture = run_on(mapped, crooked)
    report = verify(PROGRAM.data, mapped, capture)
    assert report.passed, report.text()
    tool, _ = true_path(capture, machine, crooked)
    cutting = tool[tool[:, 2] < ZERO + 2]
    off = distances(over_plate(cutting, page.zero_z_mm), PROGRAM, machine)
    assert len(cutting) > 50_000
    assert off.max() < within_mm, off.max()
    wild, _ = true_path(run_on(mill(), crooked), machine, crooked)
    cutting = wild[wild[:, 2] < ZERO + 2]
    assert distances(over_plate(cutting, page.zero_z_mm), PROGRAM, machine).max() > 0.08


@pytest.mark.parametrize("at_s", [2.0, 6.5, 11.2, 14.0])
def test_a_held_job_is_resumed_with_every_count_and_its_slack_on_the_right_side(at_s):
    machine = mill(**SKEW, **SLACK)
    crooked = crooked_of(machine)
    mapped = with_map(machine, bowl(machine), "bowl.toml")
    whole, ends = true_path(run_on(mapped, crooked), machine, crooked)
    motion = []
    with mf.connect(
        "virtual", mapped, start_mm=near_home(machine), crooked=crooked, capture=True
    ) as board:
        with pytest.raises(mf.Stopped, match="position known"):
            board.run(
                PROGRAM,
                watch=lambda p: motion.append(p.motion_s),
                wants_hold=lambda: bool(motion) and motion[-1] > at_s,
            )
        for axis in ("x", "y"):  # somebody moves the axes to and fro: their slack changes sides
            for mm in (0.3, -0.3) if at_s < 12 else (-0.3, 0.3):
                if at_s != UNTOUCHED_S:
                    board.jog(axis, mm)
        board.resume(PROGRAM)
        capture = board.link.capture()
    if at_s == UNTOUCHED_S:  # a jog from the very place looks like the way on to the verifier
        assert verify(PROGRAM.data, mapped, capture).passed
    tool, counts = true_path(capture, machine, crooked, since=-1)
    assert list(counts) == list(ends)
    spm = [machine.steps_per_mm(m) for m in range(3)]
    assert np.abs(tool[-1] - whole[-1]).max() < 1.01 / min(spm)
    off = distances(over_plate(tool[tool[:, 2] < ZERO + 2], ZERO), PROGRAM, machine)
    assert off.max() < 0.02


def bowl(machine):
    """A map that nobody probed."""
    from microfactory.heightmap import HeightMap, geometry_sha256

    rows = tuple(tuple(plate(30 + 20 * i, 30 + 20 * j) - ZERO for i in range(9)) for j in range(9))
    return HeightMap(
        machine=machine.name, geometry_sha256=geometry_sha256(machine), first_x_mm=30.0,
        first_y_mm=30.0, pitch_x_mm=20.0, pitch_y_mm=20.0, zero_z_mm=ZERO, repeat_mm=0.0,
        heights_mm=rows,
    )  # fmt: skip


def test_a_job_names_its_map_and_no_other_is_taken(tmp_path):
    machine = mill(**SKEW)
    mapped = with_map(machine, bowl(machine), "bowl.toml")
    path = tmp_path / "plate.job"
    header = mf.compile_job(PROGRAM, mapped, path)
    assert header["map"]["sha256"] == mapped.heightmap.sha256
    assert header["proof"]["verdict"] == "PASS"
    job = mf.JobFile.load(path)
    assert job.machine.heightmap == mapped.heightmap
    other = replace(mapped.heightmap, heights_mm=((0.0, 0.0), (0.0, 0.1)))
    crooked = crooked_of(machine)
    with (
        mf.connect("virtual", with_map(machine, other, "other.toml"), crooked=crooked) as board,
        pytest.raises(mf.JobError, match="compiled with the map"),
    ):
        board.run(job)


def test_a_cut_job_goes_on_with_its_own_map_only():
    machine = mill()
    mapped = with_map(machine, bowl(machine), "bowl.toml")
    played = []
    options = {"start_mm": near_home(machine), "crooked": crooked_of(machine)}
    with mf.connect("virtual", mapped, **options) as board:
        with pytest.raises(mf.Stopped):
            board.run(
                PROGRAM,
                watch=lambda p: played.append(p.motion_s),
                wants_hold=lambda: bool(played) and played[-1] > 3.0,
            )
        board.machine = machine
        with pytest.raises(mf.UsageError, match="now there is no map of heights"):
            board.resume(PROGRAM)


def test_a_probe_that_never_closes_or_always_is_makes_no_map():
    machine = mill()
    options = {"start_mm": near_home(machine)}
    low = replace(GRID, lowest_mm=ZERO + 1)
    with (
        mf.connect("virtual", machine, crooked=crooked_of(machine), **options) as board,
        pytest.raises(mf.BoardFault, match="probe did not close down to"),
    ):
        Prober(board).map(low)
    with mf.connect("virtual", machine, crooked=crooked_of(machine), **options) as board:
        board.link.plant.stuck["probe"] = 1
        with pytest.raises(mf.BoardFault, match="closed"):
            Prober(board).map(GRID)
    hill = replace(crooked_of(machine), plate=lambda x, y: ZERO + 10 * (x > 100))
    with (
        mf.connect("virtual", machine, crooked=hill, **options) as board,
        pytest.raises(mf.BoardFault, match="closed"),
    ):
        Prober(board).map(GRID)


def test_the_command_probes_draws_and_uses_a_map(tmp_path, capsys):
    machine = mill()
    file, program, page = tmp_path / "m.toml", tmp_path / "p.gcode", tmp_path / "map.toml"
    file.write_text(machine.dump())
    program.write_text("G21 G90\nG0 X40 Y40\nG1 Z-20 F600\nG1 X90 Y90 F3000\nM2\n")
    words = f"probe-map --machine {file} --port virtual --crooked -o {page} --from 30 30"
    words += " --to 100 100 --points 3 3 --clear -145 --lowest -149.9 --json"
    assert main(words.split()) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["points"] == 9
    assert told["high_mm"] > 0.01 > -0.01 > told["low_mm"]
    assert (tmp_path / "map.svg").read_text().count("<rect") == 10
    assert main(["show", "map", str(page)]) == 0
    assert "3 by 3 points" in capsys.readouterr().out
    for command in ("plan", "verify"):
        assert main([command, str(program), "--machine", str(file), "--map", str(page)]) == 0
    assert main(["plan", str(program), "--machine", "d3d-printer", "--map", str(page)]) == 3
    assert "was probed on cnc-machine-centre" in capsys.readouterr().err
