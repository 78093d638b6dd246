"""What a tested unit leaves behind: its page, its measurements as tables, what its pins did."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hil.capture import Capture
from hil.report.tables import Columns, edges, no_parquet, write_csv, write_parquet
from hil.report.unit import Judged, Test, short, unit_page
from hil.report.vcd import write_vcd
from hil.rigs.bench import Phase
from microfactory.record import Record

MOST_PULSES = 500_000  # of one capture as text


def write_seen(
    out: Path, serial: str, number: int, words: tuple[str, str], capture: Capture
) -> dict[str, Any]:
    """One capture as files; what a record says of them: name to file, sha256 and kind.

    number: of the captures of this session, so that no two have one name. words: the test's name
    and the capture's own (may be empty).
    """
    test, name = words
    told = f"{number:02}.{short(test)}" + (f".{name}" if name else "")
    stem = f"{serial}." + re.sub(r"[^A-Za-z0-9._-]", "_", told)
    whole = out / f"{stem}.npz"
    out.mkdir(parents=True, exist_ok=True)
    capture.save(whole)
    written = [(whole, "application/zip")]
    if capture.pulses <= MOST_PULSES:
        vcd = out / f"{stem}.vcd"
        first_s = _first_s(capture)
        write_vcd(capture, vcd, first_s, capture.seconds(capture.end_tick) - first_s)
        written.append((vcd, "text/plain"))
        written += _table(out / stem, edges(capture))
    return {
        path.name.removeprefix(f"{serial}."): {
            "file": path.name,
            "mimetype": kind,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        }
        for path, kind in written
    }


def _first_s(capture: Capture) -> float:
    """A millisecond before the first pulse."""
    firsts = [int(m.rise[0]) for m in capture.motors.values() if len(m.rise)]
    return max(0.0, capture.seconds(min(firsts, default=0)) - 0.001)


def _table(stem: Path, columns: Columns) -> list[tuple[Path, str]]:
    path = stem.with_name(stem.name + ".csv")
    write_csv(path, columns)
    written = [(path, "text/csv")]
    if not no_parquet():
        path = stem.with_name(stem.name + ".parquet")
        write_parquet(path, columns)
        written.append((path, "application/vnd.apache.parquet"))
    return written


def write_unit(out: Path, record: Record, phases: Sequence[Phase]) -> list[str]:
    """The unit's page and its measurements; what to tell of them, line by line."""
    out.mkdir(parents=True, exist_ok=True)
    tests = [_test(phase) for phase in phases]
    notes = [note for note in (no_parquet(),) if note]
    rows = [(test, m) for test in tests for m in test.measured]
    columns: Columns = {
        "unit": [record.subject for _ in rows],
        "ended": [record.ended for _ in rows],
        "test": [test.name for test, _ in rows],
        "name": [m.name for _, m in rows],
        "value": [m.value for _, m in rows],
        "units": [m.unit for _, m in rows],
        "low": [m.low for _, m in rows],
        "high": [m.high for _, m in rows],
        "verdict": ["PASS" if m.within else "FAIL" for _, m in rows],
    }
    _table(out / record.subject, columns)
    text = json.dumps(openhtf(record), indent=1)
    (out / f"{record.subject}.openhtf.json").write_text(text, encoding="utf-8")
    path = out / f"{record.subject}.html"
    path.write_text(unit_page(record, tests, notes), encoding="utf-8")
    return [f"report  {path}", *notes]


def _test(phase: Phase) -> Test:
    """As the unit's page shows it."""
    watch = phase.watch
    return Test(
        phase.name,
        phase.outcome,
        phase.why,
        (phase.ended_ms - phase.began_ms) / 1000,
        phase.measures.taken,
        watch.kept if watch else (),
        [Judged(*judged) for judged in watch.judged] if watch else (),
    )


def openhtf(record: Record) -> dict[str, Any]:
    """The record as OpenHTF writes a test's: for programs that read those."""
    times = [p["start_time_millis"] for p in record.phases] + [
        p["end_time_millis"] for p in record.phases
    ]
    return {
        "dut_id": record.subject,
        "station_id": record.board.get("rig", ""),
        "start_time_millis": min(times, default=0),
        "end_time_millis": max(times, default=0),
        "outcome": record.verdict if record.verdict in ("PASS", "FAIL") else "ERROR",
        "outcome_details": [{"code": record.verdict, "description": record.why}],
        "metadata": {"test_name": record.kind, "machine": record.machine, **record.board},
        "phases": record.phases,
        "log_records": [],
    }
