"""Job files: the very windows that will be played, with their proof and hashes, in one file.

Layout: the magic, u32 length of a canonical JSON header, the header, for each window of each motion
section its marks and its body, and at the end the SHA-256 of everything before. One changed byte
anywhere is refused before anything moves.
"""

from __future__ import annotations

import hashlib
import json
import math
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import entry_points, version
from pathlib import Path
from typing import Any

from mfwire.messages import PROTOCOL, SCHEMA_HIGH, SCHEMA_LOW
from microfactory.board import Board
from microfactory.errors import JobError, UsageError
from microfactory.flash.payload import identity
from microfactory.heightmap import HeightMap, with_map
from microfactory.job import Job, Options, go, home_if_needed, new_record
from microfactory.machine import Machine
from microfactory.motion.gcode import Program
from microfactory.motion.plan import Section, plan
from microfactory.motion.stretch import Place, Window
from microfactory.places import write_whole
from microfactory.record import Record, canonical

MAGIC = b"microfactory job 1\n"
MARK = struct.Struct("<IQIdQIdI")
VERIFIERS = "microfactory.verifiers"


def verifier() -> Callable[..., Any]:
    """The verifier that comes with the rig. JobError: it is not installed."""
    for entry in entry_points(group=VERIFIERS):
        found: Callable[..., Any] = entry.load()
        return found
    raise JobError("no verifier is installed, so nothing can be proved; install the rig (hil)")


def compile_job(
    program: Program,
    machine: Machine,
    path: Path,
    *,
    prove: bool = True,
    watch: Callable[[int], None] | None = None,
) -> dict[str, Any]:
    """Plan a program, prove its windows, and write one job file. Returns the header.

    GcodeError, LimitError: it must not be run. The file is there whole or not at all.
    """
    body = bytearray()
    bodies: list[bytes] = []
    whole = plan(program, machine)
    sections = [_section(section, body, bodies, watch) for section in whole.sections()]
    proof: dict[str, Any] = {"verdict": "NOT JUDGED"}
    if prove:
        report = verifier()(program.data, machine, bodies)
        proof = json.loads(json.dumps(report.as_dict(), default=str))
        proof["figures"].pop("wall_s", None)  # equal programs give equal files
        proof = _finite(proof)
    header = {
        "program": {"name": program.name, "sha256": program.sha256, "lines": program.lines},
        "machine": {"name": machine.name, "sha256": machine.sha256, "toml": machine.dump()},
        **_map(machine),
        "microfactory": version("microfactory"),
        "firmware": identity(),
        "protocol": PROTOCOL,
        "schema": f"{SCHEMA_HIGH << 16 | SCHEMA_LOW:08x}",
        "windows_sha256": hashlib.sha256(body).hexdigest(),
        "time_s": sum(stretch.figures().time_s for stretch in whole.stretches),
        "sections": sections,
        "proof": proof,
    }
    text = canonical(header)
    data = MAGIC + struct.pack("<I", len(text)) + text + bytes(body)
    write_whole(path, data + hashlib.sha256(data).digest())
    return header


def _finite(value: Any) -> Any:
    """Without what JSON cannot say: the margins of a motor that makes no pulse are infinite."""
    if isinstance(value, dict):
        inside = {key: _finite(item) for key, item in value.items()}
        return {key: item for key, item in inside.items() if item is not None}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _map(machine: Machine) -> dict[str, Any]:
    """The map of heights that the windows were made with: its hash and itself."""
    page = machine.heightmap
    return {"map": {"sha256": page.sha256, "toml": page.dump()}} if page else {}


def _section(
    section: Section,
    body: bytearray,
    bodies: list[bytes],
    watch: Callable[[int], None] | None,
) -> dict[str, Any]:
    row: dict[str, Any] = {"kind": section.kind, "line": section.line}
    if section.kind == "home":
        row["axes"] = list(section.axes)
    elif section.kind == "wait":
        row |= {"heater": section.heater, "target_c": section.target_c}
    elif section.kind == "motion":
        row["start_steps"] = list(section.start_steps)
        row["windows"] = 0
        for window in section.windows:
            body += marked(window)
            bodies.append(window.data)
            row["windows"] += 1
            if watch:
                watch(window.end.line)
    return row


def marked(window: Window) -> bytes:
    """A window as job files have it: its marks, its counts, its body."""
    end, rest = window.end, window.rest
    motors = len(window.end_steps)
    marks = MARK.pack(
        window.number,
        end.move,
        end.line,
        end.distance_mm,
        rest.move,
        rest.line,
        rest.distance_mm,
        len(window.data),
    )
    counts = struct.pack(f"<{2 * motors}i", *window.end_steps, *window.rest_steps)
    return marks + counts + window.data


@dataclass(frozen=True)
class JobFile:
    """A job file that has been checked whole."""

    name: str
    header: dict[str, Any]
    machine: Machine
    body: bytes

    @classmethod
    def load(cls, path: str | Path) -> JobFile:
        """Read and check a job file. JobError: it is not there, cut short, or changed."""
        where = Path(path)
        try:
            data = where.read_bytes()
        except OSError as error:
            raise JobError(
                f"{where}: it cannot be read ({error.strerror}); nothing moved"
            ) from None
        if not data.startswith(MAGIC):
            raise JobError(f"{where}: this is no job file; nothing moved; compile the program")
        if len(data) < len(MAGIC) + 36 or hashlib.sha256(data[:-32]).digest() != data[-32:]:
            raise JobError(
                f"{where}: the file has been changed or cut short: its hash does not match; "
                "nothing moved; compile the program again"
            )
        (length,) = struct.unpack_from("<I", data, len(MAGIC))
        begin = len(MAGIC) + 4
        header = json.loads(data[begin : begin + length])
        machine = Machine.parse(header["machine"]["toml"], f"{where} (machine)")
        if "map" in header:
            machine = _mapped(machine, header["map"], where)
        schema = f"{SCHEMA_HIGH << 16 | SCHEMA_LOW:08x}"
        if header["schema"] != schema or header["protocol"] != PROTOCOL:
            raise JobError(
                f"{where}: it was compiled for firmware with schema {header['schema']}, this is "
                f"{schema}; nothing moved; compile the program again"
            )
        return cls(where.name, header, machine, data[begin + length : -32])

    @property
    def verdict(self) -> str:
        """Of the proof inside."""
        return str(self.header["proof"]["verdict"])

    def sections(self) -> Iterator[Section]:
        """As the plan gave them, with the very bytes that were proved."""
        at = 0
        for row in self.header["sections"]:
            kind = row["kind"]
            if kind == "motion":
                windows, at = self._windows(row["windows"], at, len(row["start_steps"]))
                steps = tuple(row["start_steps"])
                yield Section(kind, line=row["line"], windows=iter(windows), start_steps=steps)
            elif kind == "home":
                yield Section(kind, line=row["line"], axes=tuple(row["axes"]))
            elif kind == "wait":
                yield Section(
                    kind, line=row["line"], heater=row["heater"], target_c=row["target_c"]
                )
            else:
                yield Section(kind, line=row["line"])

    def _windows(self, count: int, at: int, motors: int) -> tuple[list[Window], int]:
        out = []
        for _ in range(count):
            number, em, el, ed, rm, rl, rd, length = MARK.unpack_from(self.body, at)
            at += MARK.size
            counts = struct.unpack_from(f"<{2 * motors}i", self.body, at)
            at += 8 * motors
            data = self.body[at : at + length]
            at += length
            low, high, ticks, tail = struct.unpack_from("<4I", data, 4)
            out.append(
                Window(
                    number,
                    high << 30 | low,
                    ticks,
                    tail,
                    data,
                    Place(em, el, ed),
                    Place(rm, rl, rd),
                    counts[:motors],
                    counts[motors:],
                )
            )
        return out, at

    def program(self) -> Program:
        """A stand-in that carries the compiled program's name and hash."""
        return _Named(self.header["program"])


def _mapped(machine: Machine, facts: dict[str, Any], where: Path) -> Machine:
    """The machine with the map inside a job. JobError: it is not the one that the header names."""
    page = HeightMap.parse(facts["toml"], f"{where} (map)")
    if page.sha256 != facts["sha256"]:
        raise JobError(
            f"{where}: the map of heights inside is {page.sha256[:12]} and the job was made with "
            f"{facts['sha256'][:12]}; nothing moved; compile the program again"
        )
    return with_map(machine, page, f"{where} (map)")


def _same_map(board: Board, job_file: JobFile) -> None:
    """JobError: the board's machine has a map, and it is another one."""
    mine, made = board.machine.heightmap, job_file.header.get("map", {}).get("sha256", "none")
    if mine is not None and mine.sha256 != made:
        raise JobError(
            f"{job_file.name}: it was compiled with the map {made[:12]}, and --map names "
            f"{mine.sha256[:12]}; nothing moved; compile the program again with this map"
        )


class _Named(Program):
    """Name, hash and line count of a program whose text is elsewhere."""

    def __init__(self, facts: dict[str, Any]) -> None:
        super().__init__(facts["name"], b"")
        self.__dict__["sha256"] = facts["sha256"]
        self.__dict__["lines"] = facts["lines"]


def _same_firmware(board: Board, job_file: JobFile) -> None:
    """JobError: the board has another firmware than the one that the job was compiled for."""
    told = board.client.info.firmware if board.client.info else ""
    wanted = job_file.header.get("firmware", "that it does not name")
    if told.split()[-1:] != [wanted]:
        raise JobError(
            f"{job_file.name}: it was compiled for the firmware {wanted}, and this board has "
            f"'{told}'; nothing moved; flash the board, or compile the program again with the "
            "microfactory that it was flashed with"
        )


def run_file(board: Board, job_file: JobFile, **options: Any) -> Record:
    """Stream a job file's very bytes. JobError: it failed its proof, or is for another machine."""
    if job_file.verdict == "FAIL":
        raise JobError(
            f"{job_file.name}: the verifier found this job wrong; nothing moved; see "
            "`microfactory verify`"
        )
    if job_file.header["machine"]["sha256"] != board.machine.sha256:
        raise JobError(
            f"{job_file.name}: it was compiled for another machine file "
            f"({job_file.header['machine']['name']}); nothing moved; compile it for this one"
        )
    _same_map(board, job_file)
    _same_firmware(board, job_file)
    chosen = Options(**options)
    if chosen.wants_override is not None:
        raise UsageError(
            f"{job_file.name}: the windows of a job file are played as they were proved, so their "
            "speeds cannot be overridden; nothing moved; run the program that it was made from"
        )
    record = new_record(board, job_file.program(), "job", chosen.who)
    record.hashes["windows_sha256"] = job_file.header["windows_sha256"]
    record.hashes["proof"] = job_file.verdict
    if "map" in job_file.header:
        record.hashes["map_sha256"] = job_file.header["map"]["sha256"]
    job = Job(board, job_file.program(), chosen, record)
    board.ready(job=True)
    job.prepare(job_file.header["time_s"])

    def sections() -> Iterator[Section]:
        home_if_needed(job)
        yield from job_file.sections()

    return go(job, sections)
