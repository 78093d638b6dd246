"""The journal on a card, read back into records: which jobs were played, and where each ended.

The layout is that of firmware/mfboard/card_journal.py: a record of 64 bytes in each block of 512.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mfwire import session as s
from microfactory.cardfiles import BLOCK, JOURNAL_NAME
from microfactory.errors import Error, JobError
from microfactory.jobfile import MAGIC, JobFile
from microfactory.record import Record
from microfactory.status import word

HEAD = struct.Struct("<2sBBII")
PLACE = struct.Struct("<IIBBHB3x8i")
RECORD = 64
KINDS = ("", "begin", "name", "at", "rest", "go", "section", "end", "fault", "power")


@dataclass(frozen=True)
class Entry:
    """One record. place: window, line, state, why, fault, trusted, steps; else data."""

    number: int
    kind: str
    at_s: int
    data: bytes
    place: dict[str, Any]


def entries(data: bytes) -> Iterator[Entry]:
    """Records up to the first block that holds none; a torn one is none."""
    for number in range(len(data) // BLOCK):
        block = data[number * BLOCK : number * BLOCK + RECORD]
        magic, kind, count, told, at_s = HEAD.unpack_from(block)
        (crc,) = struct.unpack_from("<I", block, RECORD - 4)
        if magic != b"MJ" or told != number or crc != zlib.crc32(block[: RECORD - 4]):
            return
        name = KINDS[kind] if kind < len(KINDS) else f"unknown ({kind})"
        body = block[HEAD.size : RECORD - 4]
        if name in ("begin", "name", "power"):
            yield Entry(number, name, at_s, body[:count], {})
        else:
            yield Entry(number, name, at_s, b"", _place(body, count))


def _place(body: bytes, count: int) -> dict[str, Any]:
    window, line, state, why, fault, trusted, *steps = PLACE.unpack_from(body)
    return {
        "window": window,
        "line": line,
        "state": word(s.STATES, state),
        "why": word(s.WHY, why) if why else "",
        "fault": fault,
        "position_trusted": bool(trusted),
        "steps": steps[:count],
    }


def read_journal(folder: Path) -> list[Record]:
    """A record for each job. JobError: there is no journal, or it holds no job."""
    path = folder / JOURNAL_NAME
    try:
        data = path.read_bytes()
    except OSError as error:
        raise JobError(
            f"{path}: the journal cannot be read ({error.strerror}); mount the card, or write a "
            "job onto it first"
        ) from None
    jobs: list[list[Entry]] = []
    for entry in entries(data):
        if entry.kind == "begin":
            jobs.append([])
        if jobs:
            jobs[-1].append(entry)
    if not jobs:
        raise JobError(f"{path}: no job has been played from this card")
    known = _jobs(folder)
    return [_record(job, known) for job in jobs]


def _jobs(folder: Path) -> dict[bytes, JobFile]:
    """Job files that are still on the card, by the hash at their end."""
    found = {}
    for path in sorted(folder.iterdir()):
        if path.suffix == ".bin" or not path.is_file():
            continue
        data = path.read_bytes()
        if data.startswith(MAGIC):
            try:
                found[data[-32:]] = JobFile.load(path)
            except Error:
                continue
    return found


def _record(job: list[Entry], known: dict[bytes, JobFile]) -> Record:
    digest = job[0].data
    file = known.get(digest)
    name = next((e.data.decode("utf-8", "replace") for e in job if e.kind == "name"), "")
    record = Record(
        kind="job from a card",
        subject=str(file.header["program"]["name"]) if file else name,
        subject_sha256=str(file.header["program"]["sha256"]) if file else "",
        machine=file.machine.name if file else "unknown",
        machine_sha256=file.machine.sha256 if file else "",
    )
    record.hashes["job_sha256"] = digest.hex()
    if file:
        record.hashes["windows_sha256"] = str(file.header["windows_sha256"])
        record.hashes["proof"] = file.verdict
    last: dict[str, Any] = {}
    for entry in job:
        if entry.place:
            last = entry.place
            record.event(entry.at_s, _told(entry))
        else:
            record.event(entry.at_s, f"{entry.kind} {name}".strip())
    record.close(*_verdict(job, last))
    record.started = record.ended = ""  # a board has no time of day
    return record


def _told(entry: Entry) -> str:
    p = entry.place
    known = "" if p["position_trusted"] else ", position not known"
    return (
        f"{entry.kind}: {p['state']} {p['why']}".rstrip()
        + f", line {p['line']}, window {p['window']}, steps {p['steps']}{known}"
    )


def _verdict(job: list[Entry], last: dict[str, Any]) -> tuple[str, str]:
    kind = job[-1].kind
    line = last.get("line", 0)
    if kind == "end":
        return "NOT JUDGED", ""
    if kind == "fault":
        return "FAIL", f"a fault or a stop at once near line {line}; the position is not known"
    if kind == "rest":
        return "STOPPED", f"at rest on the path in line {line}; ended there"
    return (
        "STOPPED",
        f"the power went, or the card, near line {line} (window {last.get('window', 0)}, at most a "
        "second earlier); the position is not known: home before moving",
    )
