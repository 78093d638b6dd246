"""Records: canonical, append-only, whole or not at all; and the page tells their fields."""

import json
from pathlib import Path

import pytest

import microfactory as mf
from microfactory.record import STATEMENT, Record, append, canonical, read

PAGE = (Path(__file__).parents[2] / "docs/records.md").read_text()


def made() -> Record:
    record = Record("job", "case.gcode", "ab" * 32, "d3d-printer", "cd" * 32)
    record.event(1.25, "line 3: motion done")
    record.measure("motion time", 12.5, "s", 0.0, 100.0)
    return record


def test_equal_values_have_equal_bytes():
    assert canonical({"b": 1, "a": "ö"}) == '{"a":"ö","b":1}'.encode()
    with pytest.raises(ValueError, match="JSON"):
        canonical({"a": float("nan")})


def test_records_are_appended_and_read_again(tmp_path):
    path = tmp_path / "records.jsonl"
    for verdict in ("PASS", "STOPPED"):
        record = made()
        record.close(verdict)
        append(path, record)
    whole = path.read_bytes()
    found = read(path)
    assert [row["predicate"]["verdict"] for row in found] == ["PASS", "STOPPED"]
    assert found[0]["subject"][0]["digest"]["sha256"] == "ab" * 32
    append(path, made())
    assert path.read_bytes().startswith(whole)


@pytest.mark.parametrize("cut", [1, 20, 200])
def test_a_last_line_that_was_cut_is_left_out_and_the_next_one_is_whole(tmp_path, cut):
    path = tmp_path / "records.jsonl"
    for _ in range(2):
        append(path, made())
    path.write_bytes(path.read_bytes()[:-cut])
    before = len(read(path))
    append(path, made())
    assert len(read(path)) == before + 1


def test_a_measurement_outside_its_limits_makes_a_pass_a_fail():
    record = made()
    record.measure("pulse width", 0.9, "us", 1.0, None)
    record.close("PASS")
    assert record.verdict == "FAIL"
    assert "pulse width" in record.why
    record = made()
    record.measure("speed", float("nan"), "mm/s", 0.0, 1.0)
    record.close("PASS")
    assert record.verdict == "FAIL"


def test_the_page_tells_every_field():
    statement = made().statement()
    assert statement["_type"] == STATEMENT
    for key in statement:
        if key != "predicate":
            assert f"`{key}`" in PAGE, key
    for key in statement["predicate"]:
        assert f"`predicate.{key}`" in PAGE, key
    for key in json.loads(canonical(statement))["predicate"]["measurements"][0]:
        assert f"`{key}`" in PAGE, key


def test_a_missing_file_of_records_is_told(tmp_path):
    with pytest.raises(mf.JobError, match="no records"):
        read(tmp_path / "none.jsonl")
