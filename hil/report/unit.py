"""One page for one unit: the verdict, every measurement against its limits, what its pins did."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any, NamedTuple

from hil.capture import Capture
from hil.report import pictures
from hil.report.motion import trace
from hil.report.page import Section, cards, page, picture, table, verdict
from hil.report.pulses import PULSES_HEAD, pulses_picture, pulses_rows
from hil.verify import Report
from microfactory.record import Measurement, Record

NEAR_S = 2.0  # stretch of the close look


class Judged(NamedTuple):
    """A program's verdict, and the whole capture that it was made of."""

    name: str
    report: Report
    capture: Capture
    machine: Any


class Test(NamedTuple):
    """One test of the unit. outcome: PASS, FAIL, SKIP or ERROR; why: unless it passed."""

    name: str
    outcome: str
    why: str
    seconds: float
    measured: Sequence[Measurement]
    seen: Sequence[tuple[str, Capture]]  # what its pins did, by name
    judged: Sequence[Judged]


def unit_page(record: Record, tests: Sequence[Test], notes: Sequence[str]) -> str:
    """HTML that needs nothing else."""
    facts = record.board
    simulated = facts.get("rig") != "real"
    lead = (
        f"Tested on the {facts.get('rig')} rig as {record.machine}, {record.started} to "
        f"{record.ended}."
        + (" No real board was tried: this page is about a simulated one." if simulated else "")
    )
    counts = [sum(test.outcome == word for test in tests) for word in ("PASS", "FAIL", "SKIP")]
    figures = [
        (str(len(tests)), "tests"),
        (str(counts[0]), "passed"),
        (str(len(tests) - counts[0] - counts[2]), "failed"),
        (str(counts[2]), "skipped: not tried"),
        (str(len(record.measurements)), "measurements"),
    ]
    sections = [
        Section("In short", cards(figures)),
        Section("Measurements", _measured(tests)),
        Section("Tests", _tests(tests)),
        *(_judged(test.name, judged) for test in tests for judged in test.judged),
        *(_seen(test.name, name, capture) for test in tests for name, capture in test.seen),
        Section("What exactly", table([(k, v) for k, v in _facts(record)])),
        Section("Notes", "".join(f"<p>{escape(note)}</p>" for note in notes)),
    ]
    return page(f"Unit {record.subject}", lead, record.verdict, record.why, sections)


def _measured(tests: Sequence[Test]) -> str:
    rows = []
    for test in tests:
        for m in test.measured:
            bad = "" if m.within else ' class="bad"'
            unit = "" if m.unit == "1" else m.unit
            rows.append(
                f"<tr{bad}><td>{escape(m.name)}</td><td class='n'>{m.value:.6g}</td>"
                f"<td>{escape(unit)}</td><td class='n'>{_limit(m.low)}</td>"
                f"<td class='n'>{_limit(m.high)}</td><td>{_bar(m)}</td>"
                f"<td>{'PASS' if m.within else 'FAIL'}</td>"
                f"<td>{escape(short(test.name))}</td></tr>"
            )
    if not rows:
        return "<p>Nothing was measured.</p>"
    heads = ("name", "value", "unit", "least", "most", "", "verdict", "test")
    top = "".join(f"<th>{head}</th>" for head in heads)
    return f"<table><tr>{top}</tr>{''.join(rows)}</table>"


def _limit(limit: float | None) -> str:
    return "-" if limit is None else f"{limit:.6g}"


def _bar(m: Measurement) -> str:
    """The value between its limits, as a picture; empty unless it has two that differ."""
    if m.low is None or m.high is None or m.high <= m.low:
        return ""
    at = 20 + 80 * (m.value - m.low) / (m.high - m.low)
    x = min(118.0, max(2.0, at))
    colour = "#2f855a" if m.within else "#c53030"
    return (
        '<svg width="120" height="12" role="img" aria-label="value between its limits">'
        '<rect x="20" y="4" width="80" height="4" fill="#cbd2db"/>'
        f'<circle cx="{x:.1f}" cy="6" r="4" fill="{colour}"/></svg>'
    )


def _tests(tests: Sequence[Test]) -> str:
    rows = [(short(t.name), t.outcome, f"{t.seconds:.1f} s", t.why) for t in tests]
    return table(rows, ("test", "outcome", "took", "why"))


def short(name: str) -> str:
    """The test's own name, without its file."""
    return name.rsplit("::", 1)[-1]


def _judged(test: str, judged: Judged) -> Section:
    """What was asked, kept and measured; speed and acceleration, whole and in its middle."""
    report, capture = judged.report, judged.capture
    title = f"Program of {short(test)}" + (f": {judged.name}" if judged.name else "")
    assert report.played is not None
    seconds = report.played.motion.tick / capture.tick_hz
    body = verdict(report)
    if len(seconds):
        first_s, last_s = float(seconds[0]), float(seconds[-1])
        near_s = max(first_s, (first_s + last_s - NEAR_S) / 2)
        whole = trace(report, capture, first_s, last_s - first_s + 1e-9, 20_000)
        near = trace(report, capture, near_s, NEAR_S, 4000)
        figure = pictures.motion_picture(whole, near, judged.machine)
        body += picture(pictures.png(figure), "speed and acceleration of the program")
    return Section(f"{title}: {report.verdict}", body)


def _seen(test: str, name: str, capture: Capture) -> Section:
    figure = pulses_picture(capture)
    title = f"Pins during {short(test)}" + (f": {name}" if name else "")
    if figure is None:
        return Section(title, "<p>No motor moved.</p>")
    rows = table(pulses_rows(capture), PULSES_HEAD)
    return Section(title, picture(pictures.png(figure), "pulses of each motor") + rows)


def _facts(record: Record) -> list[tuple[str, str]]:
    return [
        ("unit", record.subject),
        ("board's number", record.board.get("uid", "")),
        ("its firmware", record.board.get("firmware", "")),
        ("rig", record.board.get("rig", "")),
        ("its tests", record.hashes.get("tests_sha256", "")),
        ("rig's self-test", record.hashes.get("self_test_sha256", "")),
        ("machine", record.machine),
        ("machine sha256", record.machine_sha256),
        ("tested by", record.who or "-"),
    ]
