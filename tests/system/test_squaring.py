"""Homing of an axis with a switch for each motor: square afterwards, or stopped in words."""

import pytest
from hil.plant import near_home
from hil.verify import verify

import microfactory as mf
from microfactory.cardfiles import homing_file

MILL = mf.Machine.load("gantry-mill")
Y1, Y2 = MILL.motors_of_axis(1)
SPM = MILL.axes[1].steps_per_mm
BOUND_MM = MILL.axes[1].home.square.apart_mm
TEXT = "G21 G90\nG0 X10 Y40 Z-5\nG1 X60 Y80 F1200\nG0 Z0\nM2\n"
PROGRAM = mf.parse(TEXT, "gantry.gcode")


@pytest.fixture(autouse=True)
def _state(tmp_path, monkeypatch):
    monkeypatch.setenv("MICROFACTORY_STATE", str(tmp_path / "state"))


def true_steps(board, motor):
    """Where a motor really is, in steps of the axis."""
    port = board.link.port
    return port.engine.position(motor) + board.link.plant.offset[motor]


def connected(machine=MILL, **options):
    return mf.connect("virtual", machine, start_mm=near_home(machine), **options)


@pytest.mark.parametrize("by_mm", [-3.9, -2.0, -0.3, -0.02, 0.0, 0.01, 0.5, 1.7, 3.8])
def test_a_racked_gantry_is_square_after_homing(by_mm):
    with connected(racked={"y2": by_mm}) as board:
        status = board.home()
        assert status.position_trusted
        assert status.steps["y1"] == status.steps["y2"] == 0
        assert true_steps(board, Y1) == true_steps(board, Y2) == 0


def test_a_switch_that_is_pressed_already_is_left_first():
    with connected(racked={"y2": -3.0}) as board:
        board.link.plant.offset[Y1] = round(2.0 * SPM)
        board.link.plant.offset[Y2] = round(-1.0 * SPM)
        board.home(["y"])
        assert true_steps(board, Y1) == true_steps(board, Y2) == 0


@pytest.mark.parametrize("trim_mm", [-0.4, 0.25])
def test_a_trim_moves_the_second_motor_off_its_switch(trim_mm):
    machine = MILL.with_settings({"axes.y.home.square.trim_mm": [trim_mm]})
    with connected(machine) as board:
        status = board.home()
        assert status.steps["y1"] == status.steps["y2"] == 0
        apart = true_steps(board, Y2) - true_steps(board, Y1)
        assert apart == round(trim_mm * SPM)


def test_a_job_on_a_squared_gantry_passes_the_verifier():
    with connected(racked={"y2": 1.3}, capture=True) as board:
        board.run(PROGRAM)
        report = verify(PROGRAM.data, MILL, [board.link.capture()])
    assert report.passed, report.text()


@pytest.mark.parametrize("broken", ["y1_min", "y2_min"])
def test_a_dead_switch_racks_the_gantry_no_further_than_it_may(broken):
    with connected() as board:
        board.link.plant.stuck[broken] = 0
        with pytest.raises(mf.BoardFault, match=f"{broken} did not trip within 4 mm of"):
            board.home(["y"])
        apart = abs(true_steps(board, Y1) - true_steps(board, Y2))
        assert 0.9 * BOUND_MM * SPM <= apart <= BOUND_MM * SPM + 1
        assert not board.status().position_trusted


def test_both_switches_dead_are_told_as_that():
    with connected() as board:
        board.link.plant.stuck.update(y1_min=0, y2_min=0)
        with pytest.raises(mf.BoardFault, match="none of y1_min, y2_min tripped"):
            board.home(["y"])


def test_a_gantry_racked_beyond_its_bound_is_not_counted():
    with connected(racked={"y2": 4.5}) as board:
        with pytest.raises(mf.BoardFault, match="push y square by hand"):
            board.home(["y"])
        assert not board.status().position_trusted


def test_a_switch_that_sticks_is_named():
    with connected() as board:
        board.link.plant.stuck["y2_min"] = 1
        port = board.link.port
        port.at(port.tick + 1, "level", MILL.input_id("y2_min"), 1)
        board.wait(0.01)
        with pytest.raises(mf.BoardFault, match="y2_min still pressed"):
            board.home(["y"])


def test_a_card_does_not_home_it_and_says_so():
    facts = {"firmware": "x", "protocol": 1, "schema": 1}
    with pytest.raises(mf.JobError, match="does not square them"):
        homing_file(MILL, facts)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("axes.y.home.square.inputs", [], "0 switches for the 1 motors"),
        ("axes.y.home.square.inputs", ["y1_min"], "named twice"),
        ("axes.y.home.square.inputs", ["nowhere"], "no input 'nowhere'"),
        ("axes.y.home.square.trim_mm", [0.1, 0.2], "not one for each"),
        ("axes.y.home.square.apart_mm", 2.0, "goes on up to 2.25 mm"),
        ("axes.y.home.fast_mm_s", 60.0, "more than may be racked"),
        ("axes.x.home.square", {"inputs": [], "apart_mm": 4.0}, "always square"),
    ],
)
def test_what_cannot_be_is_refused_in_words(key, value, words):
    with pytest.raises(mf.MachineError, match=words):
        MILL.with_settings({key: value})
