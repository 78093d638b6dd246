"""Play one case on the virtual machine and say what was wrong, if anything."""

from __future__ import annotations

import tempfile
import traceback
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import microfactory as mf
from hil.capture import Capture
from hil.faults.fault import Case
from hil.faults.judge import Path as Course
from hil.faults.judge import at_rest, beside, paths, too_hot
from hil.faults.wire import FaultyLink, Killed
from hil.plant import near_home
from hil.rig_virtual import VirtualLink
from hil.verify import verify

ALONE_S = 12.0
LONGEST_S = 3600.0  # of the board's clock


@dataclass(frozen=True)
class Outcome:
    """How a case ended (finished, or the name of an error), what it said, what was wrong."""

    ended: str
    told: str
    wrong: str


@dataclass(frozen=True)
class Clean:
    """The same job without a fault."""

    courses: list[Course]
    length_s: float


@cache
def clean(machine: str, program: str) -> Clean:
    """The job as it should be; judged by the verifier."""
    case = Case(machine, program, 1, ())
    link, outcome = _run(case)
    if outcome.wrong or outcome.ended != "finished":
        raise AssertionError(f"without any fault: {outcome}")
    return Clean(paths(link.capture()), link.inner.now_s())


def play(case: Case) -> Outcome:
    """The whole trial. What is wrong is wrong whatever broke: docs/faults.md."""
    right = clean(case.machine, case.program)
    link, outcome = _run(case)
    if outcome.wrong:
        return outcome
    machine = link.inner.machine
    since = link.inner.port.tick
    capture: Capture = link.inner.capture()
    if outcome.ended != "finished":
        link.inner.cut_tick = since
        link.inner.alone(ALONE_S)
        capture = link.inner.capture()
        wrong = at_rest(link.inner, capture, since)
    else:
        wrong = ""
    names = [motor.name for motor in machine.motors]
    wrong = wrong or beside(paths(capture), right.courses, names)
    welded = any(fault.kind == "heater welded" for fault in case.faults)
    return Outcome(outcome.ended, outcome.told, wrong or too_hot(link.inner, machine, welded))


def _run(case: Case) -> tuple[FaultyLink, Outcome]:
    machine = mf.Machine.load(case.machine)
    program = mf.parse(case.program)
    link = FaultyLink(VirtualLink(machine, capture=True, start_mm=near_home(machine)), case)
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        try:
            with mf.Board(link, machine) as board:
                board.run(program, journal=Path(folder) / "journal.jsonl", wants_hold=_late(link))
        except Killed:
            return link, Outcome("host killed", "", "")
        except mf.Error as error:
            return link, Outcome(type(error).__name__, str(error), "")
        except Exception:
            return link, Outcome("crash", "", traceback.format_exc())
    report = verify(program, machine, link.inner.capture())
    return link, Outcome("finished", "", "" if report.passed else f"verifier: {report.first}")


def _late(link: FaultyLink):  # type: ignore[no-untyped-def]
    """Asked often: a job that never ends is held in the end."""
    return lambda: link.inner.now_s() > LONGEST_S
