"""Overrides of a running job: how soon they count, what is told of them, and what the pins did."""

import json

import pytest
from hil.verify import verify

import microfactory as mf
from microfactory.cli.work import _Pace
from microfactory.control import Ear
from microfactory.drive import HORIZON_S, SLACK_S
from microfactory.journal import Past
from microfactory.pace import Pace

MILL = mf.Machine.load("cnc-machine-centre")
WINDOW_S = MILL.motion.window_ms / 1000
TEXT = """G21 G90
G0 X40 Y40 Z-50
G1 X180 Y40 F3000
G1 X180 Y80
G2 X100 Y80 I-40 J0
G0 X40 Y40
G1 X140 Y140
G0 X0 Y0
M2
"""
PROGRAM = mf.parse(TEXT, "corners.gcode")


@pytest.fixture(autouse=True)
def _state(tmp_path, monkeypatch):
    monkeypatch.setenv("MICROFACTORY_STATE", str(tmp_path / "state"))


class Asker:
    """Asks for paces one after another, each so long after the job began to move."""

    def __init__(self, board, *schedule):
        self.board, self.schedule = board, list(schedule)
        self.begin_s = None
        self.pace = None

    def watch(self, progress):
        if progress.doing == "moving" and self.begin_s is None:
            self.begin_s = self.board.link.now_s()

    def __call__(self):
        now_s = 0.0 if self.begin_s is None else self.board.link.now_s() - self.begin_s
        while self.begin_s is not None and self.schedule and now_s >= self.schedule[0][0]:
            self.pace = self.schedule.pop(0)[1]
        return self.pace


@pytest.mark.parametrize("jerk", [None, 2e4])
def test_an_override_counts_within_the_horizon_and_a_window(jerk, tmp_path):
    machine = MILL if jerk is None else MILL.with_settings({"motion.max_jerk_mm_s3": jerk})
    seen = []
    with mf.connect("virtual", machine, capture=True) as board:
        paces = [(50, 100), (200, 50), (10, 25), (150, 100), (100, 100), (60, 60)]
        asker = Asker(board, *[(0.6 + 0.73 * i, pace) for i, pace in enumerate(paces)])

        def watch(progress):
            asker.watch(progress)
            seen.append(progress)

        record = board.run(PROGRAM, watch=watch, wants_override=asker, journal=tmp_path / "journal")
        capture = board.link.capture()
    rows = record.overrides
    assert [(row["feed_percent"], row["rapid_percent"]) for row in rows] == paces
    assert all(0 < row["after_s"] <= HORIZON_S + SLACK_S + WINDOW_S for row in rows), rows
    report = verify(PROGRAM.data, machine, [capture], overrides=rows)
    assert report.passed, report.text()
    assert not verify(PROGRAM.data, machine, [capture]).passed
    told = [e["what"] for e in record.events if e["what"].startswith("feed ")]
    assert told[0].startswith(f"feed 50 %, rapids 100 % from window {rows[0]['window']} in line ")
    assert record.statement()["predicate"]["overrides"] == rows
    lines = [json.loads(line) for line in (tmp_path / "journal").read_text().splitlines()]
    at = [i for i, row in enumerate(lines) if "override" in row]
    assert [lines[i]["override"] for i in at] == [list(pace) for pace in paces]
    assert [lines[i]["from"] for i in at] == [lines[i + 1]["w"] for i in at]
    assert {(p.feed_percent, p.rapid_percent) for p in seen} == {(100, 100), *paces}
    assert all(p.motion_s <= p.motion_total_s + 0.1 for p in seen)


def test_a_job_that_is_not_overridden_has_the_bytes_and_the_record_that_it_had():
    hashes = []
    for asks in (None, lambda: None, lambda: (100, 100)):
        with mf.connect("virtual", MILL) as board:
            record = board.run(PROGRAM, wants_override=asks)
        hashes.append(record.hashes["committed_crc32"])
        assert "overrides" not in record.statement()["predicate"]
    assert len(set(hashes)) == 1


def test_no_more_than_one_window_is_made_ahead_of_the_horizon(monkeypatch):
    from microfactory.drive import Driver

    ahead = []
    send = Driver._send

    def sent(self, pending):
        out = send(self, pending)
        ahead.append(len(self.waiting) + (out is not None))
        return out

    monkeypatch.setattr(Driver, "_send", sent)
    with mf.connect("virtual", MILL) as board:
        board.run(PROGRAM)
    assert max(ahead) == 1


def test_a_held_job_is_resumed_at_the_pace_it_had_and_passes():
    motion = []
    with mf.connect("virtual", MILL, capture=True) as board:
        asker = Asker(board, (0.5, (40, 50)))

        def watch(progress):
            asker.watch(progress)
            if progress.doing == "moving" and asker.begin_s is not None:
                motion.append(board.link.now_s() - asker.begin_s)

        with pytest.raises(mf.Stopped) as stopped:
            board.run(
                PROGRAM,
                watch=watch,
                wants_override=asker,
                wants_hold=lambda: bool(motion) and motion[-1] > 3,
            )
        first = stopped.value.record
        record = board.resume(PROGRAM)
        assert record.overrides[0]["feed_percent"] == 40
        assert any("resumed with feed 40 %, rapids 50 %" in e["what"] for e in record.events)
        rows = first.overrides + record.overrides
        report = verify(PROGRAM.data, MILL, [board.link.capture()], overrides=rows)
        assert report.passed, report.text()


def test_what_cannot_be_is_noted_and_the_job_goes_on():
    with mf.connect("virtual", MILL) as board:
        record = board.run(PROGRAM, wants_override=lambda: (500, 100))
    assert [e for e in record.events if "500 % of the feed is outside" in e["what"]]
    assert record.overrides == []


def test_a_job_file_is_played_as_it_was_proved(tmp_path):
    mf.compile_job(PROGRAM, MILL, tmp_path / "job")
    job = mf.JobFile.load(tmp_path / "job")
    with (
        mf.connect("virtual", MILL) as board,
        pytest.raises(mf.UsageError, match="cannot be overridden; nothing moved"),
    ):
        board.run(job, wants_override=lambda: (50, 100))
    assert "cannot be overridden" in _Pace.refused(50, 100)["error"]


def test_a_second_terminal_asks_in_one_line_and_is_answered(tmp_path):
    pace = _Pace([])
    ear = Ear(tmp_path / "s", {"override": pace.ask, "status": dict})
    assert ear._answer("override 50 nan\n") == {"feed_percent": 50, "rapid_percent": 100}
    assert ear._answer("override nan 25\n") == {"feed_percent": 50, "rapid_percent": 25}
    assert pace.wanted == Pace(50, 25)
    for bad in ("override 5 100", "override 50", "override a b", "override 1 2 3", "overrid 50 50"):
        assert "error" in ear._answer(bad), bad
    assert pace.wanted == Pace(50, 25)
    ear.close()


def test_the_journal_of_a_new_job_forgets_the_pace_of_the_last(tmp_path):
    with mf.connect("virtual", MILL) as board:
        board.run(PROGRAM, wants_override=lambda: (50, 100), journal=tmp_path / "j")
        assert Past(tmp_path / "j").pace == (50, 100)
        board.run(PROGRAM, journal=tmp_path / "j")
    assert Past(tmp_path / "j").pace == (100, 100)
