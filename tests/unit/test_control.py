"""Stop and status from a second terminal: heard, or told that they were not."""

import socket

import pytest

import microfactory as mf
from microfactory.control import Ear, ask


def test_nobody_there_is_none_and_a_dead_socket_too(tmp_path):
    path = tmp_path / "s"
    assert ask(path, "stop") is None
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    assert ask(path, "stop") is None


def test_a_job_too_busy_to_answer_is_no_missing_job_and_takes_the_stop_when_it_looks(tmp_path):
    path = tmp_path / "s"
    asked = []
    ear = Ear(path, {"stop": lambda: asked.append(1) or {"stopping": True}})
    with pytest.raises(mf.LinkError, match="did not answer `stop`"):
        ask(path, "stop", wait_s=0.05)
    ear.poll()
    assert asked == [1]
    ear.close()
    assert not path.exists()


def test_a_second_job_does_not_take_the_place_of_one_that_is_busy(tmp_path, monkeypatch):
    path = tmp_path / "s"
    ear = Ear(path, {"status": dict})
    monkeypatch.setattr("microfactory.control.ask.__defaults__", (0.05,))
    with pytest.raises(mf.UsageError, match="running on this machine already"):
        Ear(path, {})
    ear.close()
