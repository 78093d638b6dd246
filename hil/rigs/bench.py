"""One session at a rig: which boards were there, which tests ran, what they measured, the verdict.

A unit is certified (its record says PASS) only when something was tried, nothing failed, and the
board told the very firmware that this package brings.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hil.rigs import selftest
from hil.rigs.identity import wrong_firmware
from hil.rigs.measure import Measures, as_openhtf
from hil.rigs.rig import Rig
from hil.rigs.watch import Watch
from microfactory import Machine, Record, UsageError, VerdictError
from microfactory.record import append, canonical

SERIAL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
OUTCOMES = {"passed": "PASS", "failed": "FAIL", "skipped": "SKIP"}


@dataclass
class Phase:
    """One test. outcome: PASS, FAIL, SKIP or ERROR (something around the test)."""

    name: str
    outcome: str = ""
    why: str = ""
    began_ms: int = 0
    ended_ms: int = 0
    measures: Measures = field(default_factory=Measures)
    watch: Watch | None = None
    files: dict[str, Any] = field(default_factory=dict)

    def as_openhtf(self) -> dict[str, Any]:
        """As an OpenHTF test record has its phases."""
        out: dict[str, Any] = {
            "name": self.name,
            "outcome": self.outcome,
            "start_time_millis": self.began_ms,
            "end_time_millis": self.ended_ms,
            "measurements": {m.name: as_openhtf(m) for m in self.measures.taken},
        }
        if self.files:
            out["attachments"] = self.files
        return {**out, "why": self.why} if self.why else out


class Bench:
    """A session. serial: of the unit under test; empty: no record is kept. who: tests it.

    UsageError: the serial number cannot be one. VerdictError: the rig must not certify.
    """

    def __init__(self, rig: Rig, serial: str = "", who: str = "") -> None:
        if serial:
            check_serial(serial)
            refusal = selftest.refusal(rig)
            if refusal:
                raise VerdictError(f"{refusal}; nothing was tried, nothing is certified")
        self.rig = rig
        self.serial = serial
        self.phases: dict[str, Phase] = {}
        self.boards: dict[tuple[str, str], str] = {}  # uid, firmware -> what is wrong with it
        self.machines: dict[str, str] = {}  # name, sha256
        self.test_files: set[Path] = set()
        self.said: list[str] = []
        self.record = Record("unit test", serial, "", "", "", who=who)
        self.record.board["rig"] = rig.name

    # ---- what the plugin tells

    def opened(self, info: Any) -> None:
        """A board has told what it is. VerdictError: it has not this package's firmware."""
        wrong = wrong_firmware(info.firmware)
        self.boards[info.uid, info.firmware] = wrong
        if wrong:
            raise VerdictError(wrong)

    def probed(self, probe: Any) -> None:
        """A probe has watched a test; None: none did."""
        if probe is not None:
            self.record.board["probe"] = probe.identity().uid
            self.record.board["probe_clock_ppm"] = probe.clock_error_ppm()

    def set_up_as(self, machine: Machine) -> None:
        """A board is set up as this machine."""
        self.machines[machine.name] = machine.sha256

    def measured(self, name: str, measures: Measures) -> None:
        """A test takes measurements."""
        self.phase(name).measures = measures

    def watched(self, name: str, watch: Watch) -> None:
        """A test looks at the pins."""
        self.phase(name).watch = watch

    def reported(
        self, name: str, when: str, outcome: str, why: str, began_s: float, ended_s: float
    ) -> None:
        """A part of a test has ended: setup, call or teardown."""
        phase = self.phase(name)
        phase.began_ms = phase.began_ms or round(began_s * 1000)
        phase.ended_ms = round(ended_s * 1000)
        worse = outcome == "failed" and when != "call"
        if phase.outcome in ("FAIL", "ERROR"):
            return  # one that failed stays so, though it is run again
        if when == "call" or outcome != "passed":
            phase.outcome = "ERROR" if worse else OUTCOMES[outcome]
            phase.why = why

    def of_file(self, path: Path) -> None:
        """A test comes from this file."""
        self.test_files.add(path)

    def phase(self, name: str) -> Phase:
        """The test of that name."""
        return self.phases.setdefault(name, Phase(name))

    # ---- the verdict

    def refusal(self) -> str:
        """Why this unit cannot be certified, whatever its tests said; empty: it can."""
        wrong = [text for text in self.boards.values() if text]
        if wrong:
            return wrong[0]
        if not self.boards:
            return "no board was opened, so nothing was tried"
        if len({uid for uid, _ in self.boards}) > 1:
            return "more than one board answered during the tests: test one unit at a time"
        if not any(phase.outcome == "PASS" for phase in self.phases.values()):
            return "no test ran to its end"
        return selftest.refusal(self.rig)

    def finish(self, out: Path, failed: int, *, broken_off: bool = False) -> None:
        """Close the record, write it and its files.

        failed: how many tests of the whole run did. broken_off: it did not come to its end.
        """
        from hil.rigs.files import write_seen, write_unit  # draws: slow to import, needed once

        record = self.record
        digests = sorted(hashlib.sha256(p.read_bytes()).hexdigest() for p in self.test_files)
        record.hashes["tests_sha256"] = hashlib.sha256(canonical(digests)).hexdigest()
        record.hashes["self_test_sha256"] = selftest.last_sha256(self.rig)
        for uid, firmware in self.boards:
            record.board |= {"uid": uid, "firmware": firmware}
        record.machine = ", ".join(self.machines)
        record.machine_sha256 = next(iter(self.machines.values()), "")
        record.subject_sha256 = hashlib.sha256(canonical(record.board)).hexdigest()
        number = 0
        for phase in self.phases.values():
            record.measurements += phase.measures.taken
            for name, capture in phase.watch.kept if phase.watch else ():
                number += 1
                words = (phase.name, name)
                phase.files |= write_seen(out, self.serial, number, words, capture)
            record.phases.append(phase.as_openhtf())
        bad = [phase for phase in self.phases.values() if phase.outcome in ("FAIL", "ERROR")]
        refusal = self.refusal()
        if bad:
            record.close("FAIL", f"{bad[0].name}: {bad[0].why}")
        elif failed:
            record.close("FAIL", f"{failed} tests failed before the rig was asked for")
        elif broken_off or refusal:
            record.close("NOT JUDGED", refusal or "the run was broken off before its end")
        else:
            record.close("PASS")
        append(out / "records.jsonl", record)
        self.said += [str(record), *write_unit(out, record, list(self.phases.values()))]


def check_serial(serial: str) -> None:
    """UsageError: it cannot name a file."""
    if not SERIAL.fullmatch(serial):
        raise UsageError(
            f"--rig-unit {serial!r}: a serial number has 1 to 64 letters, digits, '.', '_', '-'; "
            "nothing was tried"
        )
