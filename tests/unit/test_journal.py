"""The journal of a job: nothing is lost with the host, a torn line spoils no other, a full disk."""

import os
from pathlib import Path

import pytest

import microfactory as mf
from microfactory.journal import Journal, Past
from microfactory.motion.stretch import Place, Window


def window(number: int) -> Window:
    end, rest = Place(number, number, 1.5), Place(number, number, 2.5)
    return Window(number, 0, 1, 1, b"", end, rest, (number,), (number + 1,))


def journal(path: Path, **head: object) -> Journal:
    return Journal(path, {"program": "a", **head}, lambda: 0.0)


def test_a_window_is_with_the_system_before_it_is_committed(tmp_path):
    path = tmp_path / "j"
    written = journal(path)
    for number in range(3):
        written.window(window(number))
        # read while the writer is open and has not closed, flushed or slept: as after a kill -9
        assert Past(path).rest_of(number) == (Place(number, number, 2.5), (number + 1,))
    written.close()


@pytest.mark.parametrize("cut", [1, 7, 30])
def test_a_torn_line_does_not_swallow_the_next_job(tmp_path, cut):
    path = tmp_path / "j"
    first = journal(path, program="old")
    first.window(window(1))
    first.close()
    os.truncate(path, path.stat().st_size - cut)
    journal(path, program="new").close()
    past = Past(path)
    assert past.head["program"] == "new"
    assert past.windows == {}


def test_a_new_job_forgets_the_pauses_of_the_last(tmp_path):
    path = tmp_path / "j"
    first = journal(path)
    first.paused(12)
    first.close()
    assert Past(path).paused == 12
    journal(path).close()
    assert Past(path).paused == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_told_before_anything_moves():
    machine = mf.Machine.load("circuit-plotter")
    program = mf.parse("G21 G90\nG1 X10 F600\nM2\n", "a.gcode")
    with mf.connect("virtual", machine) as board:
        before = board.status().steps
        with pytest.raises(mf.JobError, match="journal cannot be written"):
            board.run(program, journal=Path("/dev/full"))
        assert board.status().steps == before


def test_a_disk_that_fills_while_the_job_runs_stops_the_machine_on_its_path(tmp_path):
    resource = pytest.importorskip("resource")  # a limit on the size of files stands for the disk
    machine = mf.Machine.load("circuit-plotter")
    program = mf.parse("G21 G90\nG1 X80 F600\nG1 Y80\nM2\n", "a.gcode")
    path = tmp_path / "j"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def watch(progress: mf.Progress) -> None:
        if progress.motion_s > 1.0:
            resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 20, before[1]))

    with mf.connect("virtual", machine) as board:
        try:
            with pytest.raises(mf.JobError, match="no further window is committed") as lost:
                board.run(program, journal=path, watch=watch)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        assert lost.value.record.verdict == "FAIL"
        board.wait(1.0)
        status = board.status()
        assert status.state == "RESTED"
        assert status.position_trusted
        assert 0 < status.position_mm["x"] < 80
        assert Past(path).rest_of(status.window)[1] == tuple(status.steps.values())
