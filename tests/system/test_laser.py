"""A job with M4 on the virtual machine: the verifier measures what is burnt."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hil.capture import Signal
from hil.verify import verify

import microfactory as mf
from microfactory.tomlfile import dump

TEXT = """G21 G90
G0 X20 Y20 F3000
M4 S500
G1 X60 Y20 F1800
G1 X60 Y60 F3000
G0 X20 Y60
G3 X20 Y20 I0 J-20 F900
S900
G1 X50 Y50
G4 P0.3
G1 X20 Y20
M5
M2
"""
PROGRAM = mf.parse(TEXT, "laser.gcode")


def laser() -> mf.Machine:
    """The plotter with a laser in place of its spindle."""
    data = mf.Machine.load("circuit-plotter").data()
    part = data["outputs"].pop("spindle")
    part |= {"role": "laser", "kind": "pwm", "on_hold": "off", "on_link_lost": "off"}
    part |= {"stop_to_switch": False, "max_rpm": 0.0, "spin_up_s": 0.0}
    data["outputs"]["laser"] = part
    return mf.Machine.parse(dump(data))


LASER = laser()


@pytest.fixture(scope="module")
def capture(tmp_path_factory):
    with mf.connect("virtual", LASER, capture=True) as board:
        board.run(PROGRAM, journal=tmp_path_factory.mktemp("laser") / "j")
        return board.link.capture()


def test_a_job_passes(capture):
    report = verify(PROGRAM.data, LASER, [capture])
    assert report.passed, report.text()
    values = capture.outputs["laser"].value
    assert values.max() == round(0.9 * 65535)
    assert len(values) > 100
    assert values[-1] == 0


def other(capture, change):
    """The same capture with another signal of the laser."""
    signal = capture.outputs["laser"]
    tick, value = change(signal.tick.copy(), signal.value.copy())
    return replace(capture, outputs={**capture.outputs, "laser": Signal(tick, value)})


@pytest.mark.parametrize(
    ("what", "change"),
    [
        ("brighter", lambda t, v: (t, np.minimum(v * 1.06, 65535))),
        ("never", lambda t, v: (t, v * 0)),
        ("constant", lambda t, v: (t, np.where(v > 0, 32768.0, 0.0))),
        ("late", lambda t, v: (t + 1_250_000, v)),
        ("rapids burn", lambda t, v: (t[v > 0], v[v > 0])),
    ],
)
def test_a_power_that_does_not_follow_is_found(capture, what, change):
    report = verify(PROGRAM.data, LASER, [other(capture, change)])
    assert not report.passed, what
    assert "beam" in {violation.kind for violation in report.violations}


@pytest.mark.parametrize("feed", [60.0, 150.0, 200.0])
def test_an_override_keeps_what_each_millimetre_gets(tmp_path, feed):
    with mf.connect("virtual", LASER, capture=True) as board:
        record = board.run(PROGRAM, journal=tmp_path / "j", wants_override=lambda: (feed, 100.0))
        report = verify(PROGRAM.data, LASER, [board.link.capture()], overrides=record.overrides)
    assert report.passed, report.text()


def test_a_held_job_goes_dark_and_burns_on_after_it_was_resumed(tmp_path):
    motion = []
    with mf.connect("virtual", LASER, capture=True) as board:
        with pytest.raises(mf.Stopped, match="position known"):
            board.run(
                PROGRAM,
                journal=tmp_path / "j",
                watch=lambda p: motion.append(p.motion_s),
                wants_hold=lambda: bool(motion) and motion[-1] > 1.5,
            )
        assert board.status().outputs["laser"] == 0
        board.resume(PROGRAM, journal=tmp_path / "j")
        assert board.status().outputs["laser"] == 0
        report = verify(PROGRAM.data, LASER, [board.link.capture()])
    assert report.passed, report.text()
    late = board.link.capture().outputs["laser"]
    assert late.value.max() == round(0.9 * 65535)
