"""Jobs on the virtual machine: run, hold, cut, resume, compile, and every byte of a job file."""

import random

import pytest
from hil.verify import verify

import microfactory as mf
from microfactory.journal import Past

PLOTTER = mf.Machine.load("circuit-plotter")
TEXT = """G21 G90
G0 X40 Y40 Z5
M3 S8000
G1 Z-1 F300
G1 X80 Y40 F1200
G3 X80 Y80 I0 J20
G1 X40 Y80
G2 X40 Y40 I0 J-20
G0 Z5
M5
M2
"""
PROGRAM = mf.parse(TEXT, "square.gcode")


@pytest.fixture(autouse=True)
def _state(tmp_path, monkeypatch):
    monkeypatch.setenv("MICROFACTORY_STATE", str(tmp_path / "state"))


def passed(*links):
    report = verify(PROGRAM.data, PLOTTER, [link.capture() for link in links])
    assert report.passed, report.text()


def test_a_program_runs_and_the_verifier_passes_it():
    seen = []
    with mf.connect("virtual", PLOTTER, capture=True) as board:
        record = board.run(PROGRAM, watch=seen.append, who="a test")
        passed(board.link)
    assert record.verdict == "NOT JUDGED"
    assert record.who == "a test"
    assert len(record.hashes["committed_crc32"]) == 8
    assert seen[-1].motion_s == pytest.approx(seen[-1].motion_total_s, abs=0.3)
    assert {"moving", "homing x"} <= {progress.doing for progress in seen}


@pytest.mark.parametrize("at_s", [0.3, 2.9, 4.2, 5.5, 7.0])
def test_a_held_job_rests_on_its_path_and_is_resumed_inside_the_move(at_s):
    motion = []
    with mf.connect("virtual", PLOTTER, capture=True) as board:
        with pytest.raises(mf.Stopped, match="position known") as stopped:
            board.run(
                PROGRAM,
                watch=lambda p: motion.append(p.motion_s),
                wants_hold=lambda: bool(motion) and motion[-1] > at_s,
            )
        assert stopped.value.record.verdict == "STOPPED"
        status = board.status()
        assert status.state == "RESTED"
        assert status.position_trusted
        board.resume(PROGRAM)
        passed(board.link)


@pytest.fixture(scope="module")
def times_s(tmp_path_factory):
    """When homing has ended and when the whole job has, on the link's clock."""
    with mf.connect("virtual", PLOTTER) as board:
        board.home()
        homed_s = board.link.now_s()
        board.run(PROGRAM, journal=tmp_path_factory.mktemp("time") / "j", home=False)
        return homed_s, board.link.now_s()


@pytest.mark.parametrize("share", [0.1, 0.4, 0.55, 0.8])
def test_a_cut_link_stops_on_the_path_retreats_and_the_job_goes_on(share, times_s):
    homed_s, end_s = times_s
    link_cut = round((homed_s + share * (end_s - homed_s)) * 125e6)
    board = mf.connect("virtual", PLOTTER, capture=True, cut_tick=link_cut)
    with pytest.raises(mf.LinkError, match="stops on its path"):
        board.run(PROGRAM)
    link = board.link
    link.alone(3.0)
    assert link.board.state in (4, 6)
    link.mend()
    again = mf.Board(link, PLOTTER).open()
    assert again.status().position_trusted
    again.resume(PROGRAM)
    passed(link)


def test_after_a_power_loss_the_machine_homes_and_goes_on_a_little_before(times_s):
    cut_s = sum(times_s) / 2
    board = mf.connect("virtual", PLOTTER, cut_tick=round(cut_s * 125e6))
    with pytest.raises(mf.LinkError):
        board.run(PROGRAM)
    with mf.connect("virtual", PLOTTER) as other:
        record = other.resume(PROGRAM)
        assert other.status().position_mm["z"] == pytest.approx(5.0)
    assert "resumed" in record.events[0]["what"]


def test_a_job_is_resumed_after_the_machine_was_moved_also_with_an_axis_without_a_switch():
    printer = mf.Machine.load("d3d-printer")
    program = mf.parse("G21 G90\nG28\nG1 X40 Y40 Z5 F6000\nG1 X80 Y80 F3000\nM2\n", "moved.gcode")
    motion = []
    with mf.connect("virtual", printer, capture=True) as board:
        with pytest.raises(mf.Stopped):
            board.run(
                program,
                watch=lambda p: motion.append(p.motion_s),
                wants_hold=lambda: bool(motion) and motion[-1] > 0.8,
            )
        board.move(x=10.0, y=150.0)
        board.resume(program)
        place = board.status().position_mm
        assert (place["x"], place["y"], place["z"]) == (80.0, 80.0, 5.0)


def test_a_job_in_which_a_motor_makes_no_pulse_is_compiled(tmp_path):
    printer = mf.Machine.load("d3d-printer")
    program = mf.parse("G21 G90\nG28\nG1 X40 Y40 F6000\nM2\n", "still.gcode")
    proof = mf.compile_job(program, printer, tmp_path / "still.job")["proof"]
    assert proof["verdict"] == "PASS"
    assert set(proof["figures"]["least_pulse_us"]) == {"x", "y1", "y2"}


def test_a_job_that_ended_cannot_be_resumed_and_another_program_neither():
    with mf.connect("virtual", PLOTTER) as board:
        with pytest.raises(mf.JobError, match="no journal"):
            board.resume(PROGRAM)
        board.run(PROGRAM)
        with pytest.raises(mf.UsageError, match="ended by itself"):
            board.resume(PROGRAM)


def test_a_journal_that_was_cut_anywhere_still_tells_its_whole_lines(tmp_path):
    with mf.connect("virtual", PLOTTER) as board:
        board.run(PROGRAM, journal=tmp_path / "journal.jsonl")
    data = (tmp_path / "journal.jsonl").read_bytes()
    rng = random.Random(3)
    counts = set()
    for _ in range(40):
        cut = rng.randrange(400, len(data))
        (tmp_path / "cut.jsonl").write_bytes(data[:cut])
        counts.add(len(Past(tmp_path / "cut.jsonl").windows))
    assert len(counts) > 20


def test_a_job_file_plays_its_very_bytes(tmp_path):
    path = tmp_path / "square.job"
    header = mf.compile_job(PROGRAM, PLOTTER, path)
    assert header["proof"]["verdict"] == "PASS"
    job = mf.JobFile.load(path)
    with mf.connect("virtual", PLOTTER, capture=True) as board:
        record = board.run(job)
        passed(board.link)
    assert record.subject_sha256 == PROGRAM.sha256
    assert record.hashes["windows_sha256"] == header["windows_sha256"]
    again = mf.compile_job(PROGRAM, PLOTTER, tmp_path / "again.job")
    assert again == header


def test_any_changed_or_missing_byte_of_a_job_file_is_refused(tmp_path):
    path = tmp_path / "square.job"
    mf.compile_job(PROGRAM, PLOTTER, path, prove=False)
    data = path.read_bytes()
    rng = random.Random(5)
    for i in [0, 5, 19, 20, 25, len(data) - 1, *rng.sample(range(len(data)), 200)]:
        spoilt = bytearray(data)
        spoilt[i] ^= 1 << rng.randrange(8)
        path.write_bytes(spoilt)
        with pytest.raises(mf.JobError, match="nothing moved"):
            mf.JobFile.load(path)
    for cut in rng.sample(range(len(data)), 50):
        path.write_bytes(data[:cut])
        with pytest.raises(mf.JobError, match="nothing moved"):
            mf.JobFile.load(path)


def test_a_job_file_for_another_machine_is_refused_before_anything_moves(tmp_path):
    path = tmp_path / "square.job"
    mf.compile_job(PROGRAM, PLOTTER, path, prove=False)
    other = PLOTTER.with_settings({"motion.max_speed_mm_s": 30.0})
    with mf.connect("virtual", other, capture=True) as board:
        with pytest.raises(mf.JobError, match="another machine"):
            board.run(mf.JobFile.load(path))
        assert board.link.capture().pulses == 0


def test_a_job_for_another_firmware_is_refused_before_anything_moves(tmp_path):
    path = tmp_path / "square.job"
    mf.compile_job(PROGRAM, PLOTTER, path)
    job = mf.JobFile.load(path)
    with mf.connect("virtual", PLOTTER, capture=True, firmware="0123456789abcdef") as board:
        with pytest.raises(mf.JobError, match=r"compiled for the firmware .* nothing moved"):
            board.run(job)
        assert not board.link.capture().pulses
    with mf.connect("virtual", PLOTTER, capture=True) as board:
        assert board.client.info.firmware.endswith(f" {job.header['firmware']}")
        board.run(job)
        assert board.link.capture().pulses
