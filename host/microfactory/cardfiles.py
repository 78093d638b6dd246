"""What lies on a card that a board plays without a host: the job, homing moves, two empty files.

All are written whole and read back. The board checks every hash again before anything moves.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import struct
from pathlib import Path
from typing import Any

from microfactory.errors import JobError, UsageError
from microfactory.homing import BEYOND
from microfactory.jobfile import JobFile, marked
from microfactory.machine import Machine
from microfactory.motion.straight import straight
from microfactory.places import write_whole
from microfactory.record import canonical

HOMING = b"microfactory homing 1\n"
HOMING_NAME = "homing.bin"
BRIDGE_NAME = "bridge.bin"
JOURNAL_NAME = "journal.bin"
BUTTON_NAME = "job.mfjob"
BRIDGE_BYTES = 1 << 20
JOURNAL_MB = 32
BLOCK = 512
PAST_MOST = 4  # steps that a motor may make beyond the trip of its switch
NAME = re.compile(r"[A-Za-z0-9_-]{1,32}(\.[A-Za-z0-9]{1,5})?")


def homing_file(machine: Machine, facts: dict[str, Any]) -> bytes:
    """All moves of homing, planned from 0: the board adds where it stands. facts: of the job."""
    rows: list[dict[str, Any]] = []
    body = bytearray()
    order = sorted(
        (a for a, axis in enumerate(machine.axes) if axis.home),
        key=lambda a: _order(machine, a),
    )
    for place, a in enumerate(order):
        axis = machine.axes[a]
        home = axis.home
        assert home is not None
        if home.square is not None:
            raise JobError(
                f"{axis.name} of {machine.name} has a switch for each motor, and a board without a "
                "host does not square them; nothing was written; run the job from a host"
            )
        sign = -1.0 if home.toward == "min" else 1.0
        motors = machine.motors_of_axis(a)
        at_switch = round((home.position_mm + sign * home.pull_off_mm) * axis.steps_per_mm)
        moves = {
            "fast": (sign * (axis.max_mm - axis.min_mm) * BEYOND, home.fast_mm_s),
            "off": (-sign * home.backoff_mm, home.fast_mm_s),
            "slow": (sign * 2 * home.backoff_mm, home.slow_mm_s),
        }
        for past in range(PAST_MOST):
            steps = home.position_mm * axis.steps_per_mm - at_switch - sign * past
            moves[f"final{past}"] = (steps / axis.steps_per_mm, home.slow_mm_s)
        for part, (mm, speed) in moves.items():
            at = len(body)
            count = 0
            zero = [0] * len(machine.motors)
            for window in straight(machine, zero, {axis.name: mm}, speed, check=False):
                body += marked(window)
                count += 1
            rows.append(
                {
                    "axis": a,
                    "name": axis.name,
                    "part": part,
                    "order": place,
                    "at": at,
                    "windows": count,
                    "input": machine.input_id(home.input),
                    "mask": sum(1 << m for m in motors),
                    "at_switch": at_switch,
                }
            )
    header = {
        **{key: facts[key] for key in ("firmware", "protocol", "schema")},
        "machine": {"name": machine.name, "sha256": machine.sha256},
        "sections": rows,
        "windows_sha256": hashlib.sha256(body).hexdigest(),
    }
    text = canonical(header)
    data = HOMING + struct.pack("<I", len(text)) + text + bytes(body)
    return data + hashlib.sha256(data).digest()


def _order(machine: Machine, a: int) -> tuple[int, int]:
    axis = machine.axes[a]
    lifts = axis.letter == "Z" and axis.home is not None and axis.home.toward == "max"
    last = axis.letter == "Z" and not lifts
    return (0 if lifts else 2 if last else 1, a)


def bond(machine: Machine) -> bytes:
    """What a board must know of its machine to play without a host, beside its configuration."""
    late = [i for i, output in enumerate(machine.outputs) if output.role == "torch"]
    facts = {
        "name": machine.name,
        "sha256": machine.sha256,
        "standby": [[round(h.standby_c * 10), round(h.standby_min * 60)] for h in machine.heaters],
        "spin_ms": [round(output.spin_up_s * 1000) for output in machine.outputs],
        "late": late,
        "zero": [
            m
            for m in range(len(machine.motors))
            if machine.axes[machine.axis_of_motor(m)].home is None
        ],
    }
    return json.dumps(facts, sort_keys=True, separators=(",", ":")).encode()


def write_card(
    job: Path, folder: Path, *, name: str = BUTTON_NAME, journal_mb: int = JOURNAL_MB
) -> dict[str, Any]:
    """Write a job onto a mounted card and read it back; what was written, with hashes.

    JobError: it is no job file, not proved, or does not read back. UsageError: no such folder. A
    journal that is there stays.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder}: this is no folder; nothing was written; mount the card first")
    if not NAME.fullmatch(name):
        raise UsageError(
            f"{name}: a name on the card has letters, digits, - and _, and one ending; nothing was "
            "written; choose another"
        )
    if not 1 <= journal_mb <= 1024:
        raise UsageError(f"a journal of {journal_mb} MB; nothing was written; choose 1 to 1024")
    checked = JobFile.load(job)
    if checked.verdict != "PASS":
        raise JobError(
            f"{job}: its proof says {checked.verdict}; a board plays without a host only what is "
            "proved; nothing was written; compile it again and look at the verdict"
        )
    if checked.machine.kinematics != "cartesian":
        raise JobError(
            f"{job}: a board homes a {checked.machine.kinematics} machine only with a host; "
            "nothing was written; run the job over USB"
        )
    data = job.read_bytes()
    if len(data) >= 1 << 30:
        raise JobError(f"{job}: it is longer than 1 GB; nothing was written; split the program")
    written = {}
    for file, content in (
        (name, data),
        (HOMING_NAME, homing_file(checked.machine, checked.header)),
    ):
        write_whole(folder / file, content)
        written[file] = _read_back(folder / file, content)
    _empty(folder / BRIDGE_NAME, BRIDGE_BYTES)
    if not (folder / JOURNAL_NAME).exists():
        _empty(folder / JOURNAL_NAME, journal_mb << 20)
    return {
        "folder": str(folder),
        "files": written,
        "machine": checked.machine.name,
        "machine_sha256": checked.machine.sha256,
        "time_s": checked.header["time_s"],
        "journal_records": (folder / JOURNAL_NAME).stat().st_size // BLOCK,
    }


def _read_back(path: Path, content: bytes) -> str:
    """JobError: the card gives back something else. From the card itself where the system can."""
    with open(path, "rb") as file:
        if hasattr(os, "posix_fadvise"):
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        if file.read() != content:
            raise JobError(f"{path}: the card gives back other bytes; use another card")
    return hashlib.sha256(content).hexdigest()


def _empty(path: Path, size: int) -> None:
    """A file of zeros of its full length, so that the board never makes it longer."""
    if path.exists() and path.stat().st_size == size:
        return
    with open(path, "wb") as file:
        left = size
        while left:
            left -= file.write(bytes(min(left, 1 << 20)))
        file.flush()
        os.fsync(file.fileno())
