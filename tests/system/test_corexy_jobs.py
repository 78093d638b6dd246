"""A CoreXY on the virtual rig: homed over both motors, held, resumed, overridden, and judged."""

import pytest
from hil.verify import verify

import microfactory as mf
from microfactory.pace import Pace

CORE = mf.Machine.load("d3d-corexy")
TEXT = """G21 G90
G28
G1 X40 Y40 Z5 F6000
G1 X80 Y40 F3000
G3 X80 Y80 I0 J20
G1 X40 Y80
G2 X40 Y40 I0 J-20
G1 X45.3 Y91.7 F18000
G2 X120 Y130 R60 F9000
G1 X0 Y175 F18000
G1 X0 Y0
M2
"""
PROGRAM = mf.parse(TEXT, "belt.gcode")
NEAR = {"x": 0.4, "y": 170.0}  # Y is homed along, and close to, the switch of X


@pytest.fixture(autouse=True)
def _state(tmp_path, monkeypatch):
    monkeypatch.setenv("MICROFACTORY_STATE", str(tmp_path / "state"))


def true_mm(board):
    return board.link.plant.place_mm(board.link.port.engine)


def passed(board, **options):
    report = verify(PROGRAM.data, CORE, board.link.capture(), **options)
    assert report.passed, report.text()


@pytest.mark.parametrize("start", [None, NEAR])
def test_homing_finds_both_axes_and_a_job_passes(start):
    with mf.connect("virtual", CORE, capture=True, start_mm=start) as board:
        board.run(PROGRAM)
        passed(board)
        status = board.status()
        assert status.position_mm == pytest.approx({"x": 0.0, "y": 0.0, "z": 5.0, "e": 0.0})
        assert true_mm(board) == pytest.approx({"X": 0.0, "Y": 0.0, "Z": 5.0, "E": 0.0})


def test_one_axis_of_the_pair_is_homed_only_where_the_other_s_place_is_known():
    with mf.connect("virtual", CORE) as board:
        with pytest.raises(mf.UsageError, match=r"shares its motors.*home both"):
            board.home(["x"])
        assert not board.status().position_trusted
        board.home()
        assert board.status().position_trusted
        board.move(x=60.0, y=47.5)
        board.link.plant.belt.shift(CORE.input_id("x_min"), -0.25)  # as if a belt had slipped
        board.home(["x"])
        assert board.status().position_mm["y"] == 47.5
        assert true_mm(board)["X"] == pytest.approx(0.25)
        board.move(x=20.0)
        assert true_mm(board)["Y"] == 47.5


def test_a_switch_that_never_closes_is_told_and_nothing_is_trusted():
    with mf.connect("virtual", CORE) as board:
        board.link.plant.stuck["y_max"] = 0
        with pytest.raises(mf.BoardFault, match="y_max did not trip"):
            board.home()
        assert not board.status().position_trusted


def test_a_program_that_homes_x_alone_goes_on_where_y_was():
    text = "G21 G90\nG28\nG1 X50 Y60.5 Z3 F6000\nG28 X\nG1 X30 F6000\nG1 Y20\nM2\n"
    with mf.connect("virtual", CORE, capture=True) as board:
        board.run(mf.parse(text, "again.gcode"))
        report = verify(text, CORE, board.link.capture())
        assert report.passed, report.text()
        assert true_mm(board) == pytest.approx({"X": 30.0, "Y": 20.0, "Z": 3.0, "E": 0.0})


@pytest.mark.parametrize("at_s", [0.5, 1.6, 3.3, 5.0])
def test_a_held_job_rests_on_its_path_and_is_resumed(at_s):
    motion = []
    with mf.connect("virtual", CORE, capture=True) as board:
        with pytest.raises(mf.Stopped, match="position known"):
            board.run(
                PROGRAM,
                watch=lambda p: motion.append(p.motion_s),
                wants_hold=lambda: bool(motion) and motion[-1] > at_s,
            )
        board.move(x=10.0, y=150.0)
        board.resume(PROGRAM)
        passed(board)


def test_a_cut_link_stops_on_the_path_with_the_position_known():
    with mf.connect("virtual", CORE) as board:
        board.run(PROGRAM)
        whole_s = board.link.now_s()
    cut = round((whole_s - 2.0) * 125e6)
    board = mf.connect("virtual", CORE, capture=True, cut_tick=cut)
    with pytest.raises(mf.LinkError):
        board.run(PROGRAM)
    board.link.alone(3.0)
    board.link.mend()
    again = mf.Board(board.link, CORE).open()
    assert again.status().position_trusted
    again.resume(PROGRAM)
    passed(again)


def test_an_override_is_within_both_motors_limits():
    with mf.connect("virtual", CORE, capture=True) as board:
        asked = iter([None] * 40 + [Pace(feed=180)] * 10_000)
        record = board.run(PROGRAM, wants_override=lambda: next(asked))
        assert record.overrides
        passed(board, overrides=record.overrides)


def test_set_position_needs_both_and_a_card_is_refused(tmp_path):
    with mf.connect("virtual", CORE) as board:
        with pytest.raises(mf.UsageError, match="same two motors"):
            board.set_position(x=3.0)
        board.set_position(x=3.0, y=4.0)
        assert board.status().position_mm["x"] == 3.0
    job = tmp_path / "belt.job"
    assert mf.compile_job(PROGRAM, CORE, job)["proof"]["verdict"] == "PASS"
    from microfactory.cardfiles import write_card

    with pytest.raises(mf.JobError, match="only with a host"):
        write_card(job, tmp_path)
