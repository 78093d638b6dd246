"""Pauses for an operator, and stops at times when no window of the program plays."""

import pytest
from hil.verify import verify

import microfactory as mf

MILL = mf.Machine.load("cnc-machine-centre")
TEXT = """G21 G90
T1 M6
M3 S8000
G0 X40 Y40 Z-50
G1 X80 Y40 F1200
T2 M6
M3 S9000
G1 X80 Y80
M0
M1
G1 X40 Y40
M5
M2
"""
PROGRAM = mf.parse(TEXT, "tools.gcode")


@pytest.fixture(autouse=True)
def _state(tmp_path, monkeypatch):
    monkeypatch.setenv("MICROFACTORY_STATE", str(tmp_path / "state"))


def test_without_an_operator_a_job_stops_at_each_pause_and_goes_on_when_resumed():
    lines = []
    with mf.connect("virtual", MILL, capture=True) as board:
        for start in (board.run, board.resume, board.resume, board.resume):
            with pytest.raises(mf.Stopped, match="waits for an operator in line") as stopped:
                start(PROGRAM)
            lines.append(int(str(stopped.value).split("line ")[1].split()[0]))
            assert board.status().position_trusted
        board.resume(PROGRAM)
        report = verify(PROGRAM.data, MILL, [board.link.capture()])
    assert lines == [2, 6, 9, 10]
    assert report.passed, report.text()


def test_an_operator_takes_time_and_the_board_hears_from_us_meanwhile():
    asked = []

    def slow(line: int) -> bool | None:
        asked.append(line)
        return True if asked.count(line) > 100 else None  # 10 s; the lease is 0.25 s

    with mf.connect("virtual", MILL, capture=True) as board:
        board.run(PROGRAM, on_pause=slow)
        assert verify(PROGRAM.data, MILL, [board.link.capture()]).passed
    assert sorted(set(asked)) == [2, 6, 9, 10]


def test_an_operator_who_says_no_stops_the_job():
    with mf.connect("virtual", MILL) as board:
        with pytest.raises(mf.Stopped, match="in line 6 "):
            board.run(PROGRAM, on_pause=lambda line: line < 6)
        assert board.status().position_mm["x"] == pytest.approx(80)


def test_a_stop_is_heard_while_the_operator_is_awaited():
    seen = []
    with (
        mf.connect("virtual", MILL) as board,
        pytest.raises(mf.Stopped, match="in line 2 "),
    ):
        board.run(
            PROGRAM,
            on_pause=lambda line: None,
            watch=lambda p: seen.append(p.doing),
            wants_hold=lambda: seen.count("waiting for the operator") > 3,
        )


def test_a_stop_is_heard_inside_homing():
    seen = []
    with mf.connect("virtual", MILL) as board:
        with pytest.raises(mf.Stopped, match="homing of x was stopped"):
            board.run(
                PROGRAM,
                watch=lambda p: seen.append(p.doing),
                wants_hold=lambda: seen.count("homing x") > 5,
            )
        assert board.status().state == "RESTED"


def cut_and_mended(board: mf.Board) -> mf.Board:
    with pytest.raises(mf.LinkError):
        board.run(PROGRAM, on_pause=lambda line: True)
    board.link.alone(3.0)
    board.link.mend()
    return mf.Board(board.link, MILL).open()


@pytest.fixture
def in_the_second_cut_s(tmp_path):
    """A time on the link's clock at which the last line of the program is being cut."""
    with mf.connect("virtual", MILL) as board:
        board.run(PROGRAM, on_pause=lambda line: True, journal=tmp_path / "time")
        return board.link.now_s() - 1.0


def test_a_stop_on_the_way_back_to_the_path_is_heard_and_the_job_goes_on(in_the_second_cut_s):
    seen = []
    cut = round(in_the_second_cut_s * 125e6)
    again = cut_and_mended(mf.connect("virtual", MILL, capture=True, cut_tick=cut))
    with pytest.raises(mf.Stopped, match="way back"):
        again.resume(
            PROGRAM,
            watch=lambda p: seen.append(p.doing),
            wants_hold=lambda: seen.count("going back to the path") > 2,
        )
    assert "moving" not in seen
    again.resume(PROGRAM)
    report = verify(PROGRAM.data, MILL, [again.link.capture()])
    assert report.passed, report.text()


def test_the_time_left_of_a_resumed_job_is_that_of_what_is_left(in_the_second_cut_s):
    seen = []
    cut = round(in_the_second_cut_s * 125e6)
    again = cut_and_mended(mf.connect("virtual", MILL, cut_tick=cut))
    again.resume(PROGRAM, watch=seen.append)
    whole_s = sum(s.figures().time_s for s in used(mf.plan(PROGRAM, MILL)).stretches)
    assert seen[-1].motion_total_s < whole_s / 2
    assert seen[-1].motion_s == pytest.approx(seen[-1].motion_total_s, abs=0.3)


def spindle(board: mf.Board) -> float:
    return board.link.board.outputs.value[MILL.output_id("spindle")] / 65535


def test_after_a_cut_the_spindle_turns_until_the_tool_is_out_of_the_work(in_the_second_cut_s):
    cut = round(in_the_second_cut_s * 125e6)
    board = mf.connect("virtual", MILL, capture=True, cut_tick=cut)
    with pytest.raises(mf.LinkError):
        board.run(PROGRAM, on_pause=lambda line: True)
    board.link.alone(3.0)
    capture = board.link.capture()
    z = capture.motors["z"]
    off = capture.outputs["spindle"].tick[-1]
    assert capture.outputs["spindle"].value[-1] == 0
    assert z.rise[-1] > cut  # the lift
    assert 0 < capture.seconds(off - z.rise[-1]) < 0.05


def test_a_host_that_leaves_a_held_job_leaves_no_spindle_turning():
    board = mf.connect("virtual", MILL)
    with pytest.raises(mf.Stopped):
        board.run(PROGRAM, on_pause=lambda line: line < 9)
    assert spindle(board) > 0.5
    board.close()
    board.link.alone(0.1)
    assert spindle(board) == 0


def test_a_host_that_dies_in_a_pause_leaves_no_spindle_turning():
    board = mf.connect("virtual", MILL)
    with pytest.raises(mf.Stopped):
        board.run(PROGRAM, on_pause=lambda line: line < 9)
    board.link.alone(0.1)
    assert spindle(board) > 0.5
    board.link.alone(0.5)
    assert spindle(board) == 0


def used(plan: mf.Plan) -> mf.Plan:
    for section in plan.sections():
        for _ in section.windows:
            pass
    return plan
