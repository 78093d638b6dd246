"""Records: one statement for each job, board test or flash, canonical JSON, append-only.

The shape is an in-toto statement (docs/records.md): the subject is what was run, the predicate says
by what, on what, what happened, what was measured and the verdict.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import platform
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from microfactory.errors import JobError

STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "microfactory/record/v1"
VERDICTS = ("PASS", "FAIL", "STOPPED", "NOT JUDGED")


@dataclass(frozen=True)
class Measurement:
    """A named value with its unit and limits; None: no limit on that side."""

    name: str
    value: float
    unit: str
    low: float | None = None
    high: float | None = None

    @property
    def within(self) -> bool:
        """Within its limits; NaN is not."""
        above = self.low is None or self.value >= self.low
        below = self.high is None or self.value <= self.high
        return above and below and self.value == self.value

    def data(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "name": self.name,
            "value": self.value,
            "unit": self.unit,
            "low": self.low,
            "high": self.high,
            "verdict": "PASS" if self.within else "FAIL",
        }


@dataclass
class Record:
    """One job. Fill it while it runs; `statement` is what is kept."""

    kind: str
    subject: str
    subject_sha256: str
    machine: str
    machine_sha256: str
    board: dict[str, str] = field(default_factory=dict)
    who: str = ""
    started: str = field(default_factory=lambda: now_text())
    ended: str = ""
    events: list[dict[str, Any]] = field(default_factory=list)
    measurements: list[Measurement] = field(default_factory=list)
    overrides: list[dict[str, Any]] = field(default_factory=list)  # microfactory.pace.Change
    phases: list[dict[str, Any]] = field(default_factory=list)  # tests, in OpenHTF's shape
    hashes: dict[str, str] = field(default_factory=dict)
    verdict: str = "NOT JUDGED"
    why: str = ""

    def event(self, at_s: float, what: str) -> None:
        """Something happened, at seconds of the link's clock."""
        self.events.append({"at_s": round(at_s, 6), "what": what})

    def measure(
        self,
        name: str,
        value: float,
        unit: str,
        low: float | None = None,
        high: float | None = None,
    ) -> None:
        """Note a measurement."""
        self.measurements.append(Measurement(name, value, unit, low, high))

    def close(self, verdict: str, why: str = "") -> None:
        """The end; a measurement outside its limits makes a PASS a FAIL."""
        assert verdict in VERDICTS
        bad = [m.name for m in self.measurements if not m.within]
        self.ended = now_text()
        self.verdict = "FAIL" if verdict == "PASS" and bad else verdict
        self.why = why or (f"outside its limits: {', '.join(bad)}" if bad else "")

    def statement(self) -> dict[str, Any]:
        """The in-toto statement."""
        return {
            "_type": STATEMENT,
            "subject": [{"name": self.subject, "digest": {"sha256": self.subject_sha256}}],
            "predicateType": PREDICATE,
            "predicate": {
                "kind": self.kind,
                "who": self.who,
                "host": {
                    "microfactory": version("microfactory"),
                    "python": platform.python_version(),
                    "system": platform.system(),
                },
                "machine": {"name": self.machine, "digest": {"sha256": self.machine_sha256}},
                "board": self.board,
                "started": self.started,
                "ended": self.ended,
                "hashes": self.hashes,
                "events": self.events,
                "measurements": [m.data() for m in self.measurements],
                **({"overrides": self.overrides} if self.overrides else {}),
                **({"phases": self.phases} if self.phases else {}),
                "verdict": self.verdict,
                "why": self.why,
            },
        }

    def __str__(self) -> str:
        text = f"{self.kind} {self.subject} on {self.machine}: {self.verdict}"
        return f"{text} ({self.why})" if self.why else text


def now_text() -> str:
    """The time of day, UTC, to the second."""
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def canonical(value: Any) -> bytes:
    """JSON with sorted keys and no spaces: equal values have equal bytes."""
    text = json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return text.encode()


def append(path: Path, record: Record) -> str:
    """Add a record's line to a file, on the disk before this returns; the line's SHA-256.

    JobError: it cannot be written.
    """
    line = canonical(record.statement())
    try:
        _add_line(path, line)
    except OSError as error:
        raise JobError(
            f"{path}: the record of this job cannot be written ({error.strerror}): {record}; make "
            "room, or set MICROFACTORY_STATE to a folder that can be written"
        ) from None
    return hashlib.sha256(line).hexdigest()


def _add_line(path: Path, line: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "ab") as file:
        if file.tell() and not _ends_whole(path):
            file.write(b"\n")
        file.write(line + b"\n")
        file.flush()
        os.fsync(file.fileno())


def _ends_whole(path: Path) -> bool:
    with open(path, "rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"


def read(path: Path) -> list[dict[str, Any]]:
    """All whole records of a file; a last line that was cut short is left out. JobError: none."""
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise JobError(f"{path}: no records can be read ({error.strerror})") from None
    out = []
    for line in lines:
        try:
            value = json.loads(line)
        except ValueError:
            continue
        if isinstance(value, dict) and value.get("_type") == STATEMENT:
            out.append(value)
    return out
