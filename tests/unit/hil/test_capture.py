"""Captures: appended in batches, frozen, saved and read back equal."""

import numpy as np
import pytest
from hil.capture import Capture, CaptureBuilder


def small() -> Capture:
    builder = CaptureBuilder(125_000_000, ["x", "y"])
    builder.run(1000, "motion", (0, -5), 7)
    builder.turn(0, 1100, 1)
    builder.steps(0, [2000, 3000], 97, 1)
    builder.steps(0, np.array([4000, 5000]), [97, 90], [1, -1])
    builder.turns(0, [4500], -1)
    builder.output("fan", 2500, 65535)
    builder.target("hotend", 10, 200)
    builder.temperature("hotend", 20, 21.5)
    builder.input("x_min", 5001, 1)
    builder.end(9000)
    return builder.build()


def test_batches_join_in_order_and_pulses_are_counted():
    capture = small()
    x = capture.motors["x"]
    assert x.rise.tolist() == [2000, 3000, 4000, 5000]
    assert x.width.tolist() == [97, 97, 97, 90]
    assert x.steps_between(2000, 5000) == 3
    assert x.steps_between(0, 10_000) == 2
    assert x.turn_direction.tolist() == [1, -1]
    assert capture.pulses == 4
    assert capture.end_tick == 9000
    assert len(capture.motors["y"].rise) == 0


def test_a_signal_holds_its_value_until_the_next_change():
    fan = small().outputs["fan"]
    assert fan.at(2499) == 0
    assert fan.at(2500) == 65535
    assert fan.at(10**12) == 65535


def test_what_is_saved_is_read_back_equal(tmp_path):
    capture = small()
    capture.save(tmp_path / "a.capture")
    again = Capture.load(tmp_path / "a.capture")
    assert again.text() == capture.text()
    assert again.runs == capture.runs
    assert again.motors["x"].width.dtype == np.int32


def test_another_file_is_refused(tmp_path):
    np.savez(tmp_path / "b.npz", head=np.array("{}"))
    with pytest.raises(ValueError, match="not a capture"):
        Capture.load(tmp_path / "b.npz")


def test_edges_that_run_back_are_refused():
    builder = CaptureBuilder(1000, ["x"])
    builder.steps(0, [10, 20], 1, 1)
    builder.steps(0, [20], 1, 1)
    with pytest.raises(ValueError, match="motor x: pulse 2 at tick 20"):
        builder.build()


def test_a_capture_cannot_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        small().motors["x"].rise[0] = 1


def test_the_text_is_one_line_an_event_in_order_of_time():
    lines = small().text(0, 3000).splitlines()
    assert lines == [
        "tick_hz 125000000",
        "10 target hotend 200",
        "20 temperature hotend 21.5",
        "1000 run motion window 7 at 0 -5",
        "1100 turn x +1",
        "2000 step x +1 width 97",
        "2500 output fan 65535",
        "3000 step x +1 width 97",
    ]
