"""A unit's report: the record, one page, tables, captures; and when it is refused."""

from __future__ import annotations

import csv
import hashlib
import json

import numpy as np
import pytest
from hil.capture import Capture, MotorTrace
from hil.jitter import histogram, jitter_us
from hil.report.tables import no_parquet
from hil.rigs import selftest
from hil.rigs.bench import Bench
from hil.rigs.measure import UNITS
from hil.rigs.rig import VirtualRig

from microfactory import Machine

TESTS = """
import pytest

@pytest.mark.machine("circuit-plotter")
def test_moves(board, capture, measure):
    board.jog("x", 2.0)
    measure("x_steps", capture.steps("x1"), lower=160, upper=160)
    measure("x_pulse_us", capture.pulse_us("x1").min(), unit="us", lower=1.0, upper=UPPER)
    measure("x_jitter_us", abs(capture.jitter_us("x1")).max(), unit="us")
    capture.keep("two millimetres")

@pytest.mark.needs("usb_power")
def test_power(rig): pass
"""


@pytest.fixture
def bench(pytester, monkeypatch):
    """A place with a self-tested virtual rig."""
    monkeypatch.setenv("MICROFACTORY_STATE", str(pytester.path / "state"))
    selftest.run(VirtualRig(), Machine.load("circuit-plotter"))
    return pytester


def run(bench, upper=3.0, serial="P-7"):
    bench.makepyfile(test_of_a_unit=TESTS.replace("UPPER", str(upper)))
    return bench.runpytest_inprocess(f"--rig-unit={serial}", "--rig-out=out", "--rig-who=A. Person")


def read_csv(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def last(bench):
    return json.loads((bench.path / "out/records.jsonl").read_text().splitlines()[-1])


def test_a_units_files_say_the_same_as_its_record(bench):
    assert run(bench).ret == 0
    record = last(bench)
    predicate = record["predicate"]
    assert (predicate["verdict"], predicate["who"]) == ("PASS", "A. Person")
    assert predicate["hashes"]["self_test_sha256"] == selftest.last_sha256(VirtualRig())
    moves, power = predicate["phases"]
    assert (moves["outcome"], power["outcome"]) == ("PASS", "SKIP")
    assert "usb_power" in power["why"]
    pulse = moves["measurements"]["x_pulse_us"]
    assert pulse["units"] == {"name": "microsecond", "code": "B98", "suffix": "us"}
    assert pulse["validators"] == ["1 <= x <= 3"]
    assert pulse["outcome"] == "PASS"
    assert "validators" not in moves["measurements"]["x_jitter_us"]
    out = bench.path / "out"
    kinds = set()
    for item in moves["attachments"].values():
        data = (out / item["file"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == item["sha256"]
        kinds.add(item["file"].rsplit(".", 1)[-1])
    assert {"npz", "vcd", "csv"} <= kinds
    rows = read_csv(out / "P-7.csv")
    assert [(r["name"], float(r["value"])) for r in rows] == [
        (m["name"], m["value"]) for m in predicate["measurements"]
    ]
    told = json.loads((out / "P-7.openhtf.json").read_text())
    assert (told["dut_id"], told["outcome"]) == ("P-7", "PASS")
    assert told["phases"] == predicate["phases"]


def test_the_page_stands_alone_and_says_that_it_was_simulated(bench):
    run(bench)
    page = (bench.path / "out/P-7.html").read_text()
    for words in ("PASS", "Unit P-7", "x_pulse_us", "No real board was tried", "two millimetres"):
        assert words in page
    assert 'src="data:image/png' in page
    assert "http" not in page
    assert "<script src" not in page


def test_a_judged_program_is_measured_and_shown(bench):
    bench.makepyfile(
        """
        import pytest
        from microfactory import VerdictError, parse

        TEXT = "G21 G90\\nG28\\nG1 X3 Y3 F1200\\nM3\\nG1 X5\\nM5\\nM2\\n"

        def test_program(board, capture, measure):
            board.run(parse(TEXT))
            capture.judge(TEXT, measure, name="line")
            with pytest.raises(VerdictError, match="line 5"):
                capture.judge(TEXT.replace("X5", "X6"), name="wrong")
        """
    )
    assert bench.runpytest_inprocess("--rig-unit=8", "--rig-out=out").ret == 0
    found = {m["name"]: m for m in last(bench)["predicate"]["measurements"]}
    assert (found["line_violations"]["value"], found["line_violations"]["high"]) == (0, 0)
    assert 0.9 < found["line_speed_share"]["value"] <= 1
    assert found["line_x1_pulse_us"]["value"] == pytest.approx(1.032)
    assert found["line_change_off_ms"]["high"] == 3
    page = (bench.path / "out/8.html").read_text()
    assert "Program of test_program: line: PASS" in page
    assert "Program of test_program: wrong: FAIL" in page


def test_a_kept_capture_is_the_one_that_was_seen(bench):
    run(bench)
    seen = Capture.load(bench.path / "out/P-7.01.test_moves.two_millimetres.npz")
    assert int(seen.motors["x1"].direction.sum()) == 160
    rows = read_csv(bench.path / "out/P-7.01.test_moves.two_millimetres.csv")
    steps = [row for row in rows if row["signal"] == "x1_step"]
    assert [int(row["tick"]) for row in steps] == seen.motors["x1"].rise.tolist()
    assert {int(row["width_ticks"]) for row in steps} == set(seen.motors["x1"].width.tolist())
    assert [int(row["tick"]) for row in rows] == sorted(int(row["tick"]) for row in rows)


def test_parquet_has_what_csv_has_or_its_lack_is_told(bench):
    said = run(bench).stdout.str()
    path = bench.path / "out/P-7.parquet"
    if no_parquet():
        assert no_parquet() in said
        assert not path.exists()
        return
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(path).to_pydict()
    rows = read_csv(bench.path / "out/P-7.csv")
    assert table["name"] == [row["name"] for row in rows]
    assert table["value"] == [float(row["value"]) for row in rows]


def test_a_unit_outside_its_limits_fails(bench):
    assert run(bench, upper=1.01).ret == 1
    predicate = last(bench)["predicate"]
    assert predicate["verdict"] == "FAIL"
    assert "x_pulse_us" in predicate["why"]
    assert predicate["phases"][0]["measurements"]["x_pulse_us"]["outcome"] == "FAIL"


def test_without_a_fresh_self_test_nothing_is_tried(pytester, monkeypatch):
    monkeypatch.setenv("MICROFACTORY_STATE", str(pytester.path / "state"))
    result = run(pytester)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "has never been tested" in result.stdout.str() + result.stderr.str()
    assert not (pytester.path / "out").exists()


def test_a_serial_number_must_name_a_file(bench):
    result = run(bench, serial="../7")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "a serial number has 1 to 64" in result.stdout.str() + result.stderr.str()


def test_nothing_tried_is_no_pass(bench):
    bench.makepyfile("def test_nothing(rig, microfactory_bench): pass")
    result = bench.runpytest_inprocess("--rig-unit=9", "--rig-out=out")
    assert result.ret == 1
    predicate = last(bench)["predicate"]
    assert predicate["verdict"] == "NOT JUDGED"
    assert "no board was opened" in predicate["why"]


def test_a_run_that_is_broken_off_is_no_pass(bench):
    bench.makepyfile(
        "def test_one(board): pass\ndef test_two(board): raise KeyboardInterrupt\n"
        "def test_three(board): pass"
    )
    bench.runpytest_subprocess("--rig-unit=9", "--rig-out=out")
    predicate = last(bench)["predicate"]
    assert predicate["verdict"] == "NOT JUDGED"
    assert "broken off" in predicate["why"]


def test_one_that_failed_stays_failed_and_a_unit_has_one_process(bench):
    found = Bench(VirtualRig())
    for outcome in ("failed", "passed"):
        found.reported("a test", "call", outcome, "", 0.0, 1.0)
    assert found.phases["a test"].outcome == "FAIL"
    bench.makeconftest("def pytest_configure(config): config.workerinput = {}")
    assert run(bench).ret == pytest.ExitCode.USAGE_ERROR
    assert not (bench.path / "out").exists()


@pytest.mark.parametrize("wrong", ["0123456789abcdef", ""])
def test_the_wrong_firmware_never_passes_whatever_else_did(bench, wrong):
    """Another firmware, or one that tells no hash at all, beside a test that passes."""
    bench.makeconftest(
        f"""
        import pytest
        from hil.rigs.rig import VirtualRig

        class Rig(VirtualRig):
            def open(self, machine):
                link = super().open(machine)
                if self.firmware:
                    link.inner.board.answers.firmware = b"microfactory 0.1.0 {wrong}"
                return link

        @pytest.fixture(scope="session")
        def rig():
            return Rig()
        """
    )
    bench.makepyfile(
        """
        def test_right(board): assert board.status()

        def test_swapped(rig, request):
            rig.firmware = "x"
            request.getfixturevalue("board")
        """
    )
    result = bench.runpytest_inprocess("--rig-unit=9", "--rig-out=out")
    assert result.ret == 1
    predicate = last(bench)["predicate"]
    assert predicate["verdict"] == "FAIL"
    assert "this package brings" in predicate["why"]


def test_jitter_is_what_a_pulse_is_late_and_nothing_for_smooth_motion():
    n = np.arange(200)
    rise = (1_000_000 + 12_500 * n - 11 * n * n).astype(np.int64)  # accelerating
    late = rise.copy()
    late[100] += 250
    ones = np.ones(len(rise), np.int8)
    none = np.zeros(0, np.int64)

    def trace(ticks):
        return MotorTrace(ticks, ones.astype(np.int32), ones, none, none.astype(np.int8))

    assert np.abs(jitter_us(trace(rise), 125_000_000)).max() < 0.01
    found = jitter_us(trace(late), 125_000_000)
    assert found.max() == pytest.approx(2.0, abs=0.01)
    assert int(found.argmax()) == 98
    bars = histogram(found)
    assert bars.counts.sum() == len(found)
    assert bars.edges_us[-1] >= found.max()


def test_units_have_one_code_each():
    codes = [code for code, _ in UNITS.values()]
    assert len(set(codes)) == len(codes)
