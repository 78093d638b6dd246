"""A job: one program on one machine, from its first section to its record.

Nothing moves before the whole program has been read and planned once; the journal is written before
each commit; a hold, a cut and a crashed host all end on the path, and resume.py goes on inside the
move that was cut.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from microfactory.board import Board
from microfactory.drive import Driven, Driver
from microfactory.errors import BoardFault, Error, LinkError, Stopped, UsageError
from microfactory.homing import Homing
from microfactory.journal import Journal
from microfactory.machine import TICK_HZ
from microfactory.motion.bent import blends
from microfactory.motion.compensate import tool_mm
from microfactory.motion.gcode import Program
from microfactory.motion.plan import Plan, Section, plan
from microfactory.motion.stretch import Place, Window
from microfactory.pace import PLAIN, Pace, checked
from microfactory.places import journal_path
from microfactory.record import Record

NO_ARC = {
    "arc": "there was no arc",
    "hold": "stopped",
    "door": "the door was opened",
    "float": "the float switch lost its contact",
}
WORDS = {
    "arc": "the arc was lost, the torch is off",
    "door": "the door was opened; close it first",
    "float": "the float switch lost its contact; look at the head first",
}
HEAT_BAND_C = 1.0
INFINITE = float("inf")
HEAT_RATE_C_S = 1.5  # for the estimate of a wait


@dataclass(frozen=True)
class Progress:
    """Where a job is. motion_left_s is exact at 100 %, where no override counts; wait_left_s is an
    estimate.
    """

    doing: str
    line: int
    lines: int
    motion_s: float
    motion_total_s: float
    wait_left_s: float = 0.0
    feed_percent: float = 100.0
    rapid_percent: float = 100.0

    @property
    def motion_left_s(self) -> float:
        return max(0.0, self.motion_total_s - self.motion_s)


@dataclass
class Options:
    """How to run. journal None: the machine's own file. watch: called often with a Progress.
    wants_override: asked often for percentages of feed and rapids; None: as they are.
    """

    journal: Path | None = None
    watch: Callable[[Progress], None] | None = None
    wants_hold: Callable[[], bool] | None = None
    wants_override: Callable[[], tuple[float, float] | None] | None = None
    on_pause: Callable[[int], bool | None] | None = None  # line -> go on; None: ask again soon
    who: str = ""
    standby: bool = True
    home: bool = True


class Job:
    """One run of a program's sections on a board."""

    def __init__(self, board: Board, program: Program, options: Options, record: Record) -> None:
        self.board = board
        self.client = board.client
        self.machine = board.machine
        self.program = program
        self.options = options
        self.record = record
        self.total_s = 0.0
        self.done_s = 0.0
        self.line = 0
        self.place: Place | None = None
        self.journal: Journal | None = None
        self.plan: Plan | None = None  # None: windows that were made before (a job file)
        self.marks: list[tuple[int, float]] = []  # moves, and the time at 100 % where they end
        self.pace = PLAIN
        self.asked_s = board.link.now_s()
        self._heard: tuple[float, float] | None = None
        self.told = 0  # changes of the plan that are written down
        self.driver: Driver | None = None

    # ---- before anything moves

    def prepare(self, total_s: float | None = None) -> None:
        """Read and plan everything; refuse what must not be run. Then ready the board."""
        if total_s is None:
            total_s = planned_time_s(self.program, self.machine, self.marks)
        self.total_s = total_s
        self.board.load_retreat()
        if self.options.standby:
            wanted = {heater.name: heater.standby_c for heater in self.machine.heaters}
            minutes = max((h.standby_min for h in self.machine.heaters), default=0.0)
            self.board.grant_standby(wanted, minutes)

    # ---- sections

    def sections(self, sections: Iterable[Section]) -> None:
        """All of them in turn. Stopped: the machine rests on its path."""
        for section in sections:
            self.line = section.line or self.line
            if section.kind == "motion":
                self._motion(section)
            elif section.kind == "home":
                self.home(section)
            elif section.kind == "wait":
                self.wait_for(section.heater, section.target_c)
            elif section.kind == "pause":
                self._pause(section)
            self.note(f"line {section.line}: {section.kind} done")
            if self.journal:
                self.journal.rested(section.line)

    def note(self, what: str) -> None:
        """An event in the record."""
        self.record.event(self.board.link.now_s(), what)

    def tell(self, doing: str, wait_left_s: float = 0.0, motion_s: float | None = None) -> None:
        """Progress to whoever watches."""
        if self.options.watch:
            now = self.done_s if motion_s is None else motion_s
            self.options.watch(
                Progress(
                    doing, self.line, self.program.lines, now, self.total_s, wait_left_s, *self.pace
                )
            )
        self._hear_override()

    def _hear_override(self) -> None:
        """What is asked for takes effect with the next window that is made."""
        asked = self.options.wants_override() if self.options.wants_override else None
        if asked is None or self.plan is None or asked == self._heard:
            return
        self._heard = asked
        try:
            self.override(checked(*asked))
        except UsageError as error:
            self.note(str(error))

    def override(self, pace: Pace) -> None:
        """From the next window on."""
        if self.plan is not None and pace != self.pace and blends(self.board.machine):
            self.pace = pace
            self.note(f"{pace} was asked for; nothing changes where corners are blended")
        elif self.plan is not None and pace != self.pace:
            self.pace, self.asked_s = pace, self.board.link.now_s()
            self.plan.override(pace)

    def _committing(self, window: Window) -> None:
        """Before a window is committed: with what pace, and where it ends, into the journal."""
        changes = self.plan.changes if self.plan else []
        if self.told < len(changes) and changes[self.told].window == window.number:
            change = changes[self.told]
            self.told += 1
            played_s = self.driver.played_s() if self.driver else 0.0
            after_s = self.board.link.now_s() - self.asked_s
            after_s += window.begin_ticks / TICK_HZ - played_s
            self.note(
                f"{change.pace} from window {change.window} in line {change.line} on, "
                f"{after_s:.3f} s after it was asked for"
            )
            self.record.overrides.append(change.data() | {"after_s": round(after_s, 6)})
            if self.journal:
                self.journal.override(change)
        if self.journal:
            self.journal.window(window)

    def _watch(self, played_s: float, window: Window | None) -> None:
        if window is not None:
            self.line = window.end.line
        if window is not None and self.marks and self.told:
            self.tell("moving", motion_s=self._at_full_pace_s(window))
        else:
            self.tell("moving", motion_s=self.done_s + played_s)

    def _at_full_pace_s(self, window: Window) -> float:
        """Time at 100 % to where a window ends, to a second."""
        return self.marks[max(0, bisect_right(self.marks, (window.end.move, INFINITE)) - 1)][1]

    def _motion(self, section: Section) -> None:
        """One stretch; what a stop leaves behind is told."""
        driver = self.driver = Driver(
            self.client,
            section.windows,
            journal=self._committing,
            watch=self._watch,
            wants_hold=self.options.wants_hold,
        )
        driven = driver.run()
        self.done_s += driver.committed_s
        if self.marks and self.told and driver.recent:
            self.done_s = self._at_full_pace_s(driver.recent[-1])
        if driven.state != "DONE" or driven.why == "guard":
            self._stopped(driven)

    def _stopped(self, driven: Driven) -> None:
        place = driven.place
        if driven.state == "READY":
            if self.journal:
                self.journal.sync()
            raise Stopped(
                f"{NO_ARC.get(driven.why, driven.why)} before the cut of line {self.line}; the "
                "torch is off, nothing has moved, position known; go on with `microfactory resume`"
            )
        if driven.state == "RESTED" and place is not None:
            self.place = place
            low = driven.window.low[1] if driven.window else 0
            tool = tool_mm(self.machine, driven.steps, low)
            where = ", ".join(f"{axis} {mm:.3f}" for axis, mm in tool.items())
            self.line = place.line
            if self.journal:
                self.journal.sync()
            raise Stopped(
                f"stopped on the path in line {place.line} ({WORDS.get(driven.why, driven.why)}) "
                f"at {where} mm, position "
                "known; go on with `microfactory resume`"
            )
        raise BoardFault(
            f"the board stopped: {driven.state} ({driven.why}); the position is not trusted; home "
            "before moving"
        )

    def home(self, section: Section) -> None:
        """Home the axes of a section."""
        homing = Homing(
            self.client,
            self.machine,
            wants_hold=self.options.wants_hold,
            watch=lambda name: self.tell(f"homing {name}"),
        )
        homing.axes(section.axes)

    def wait_for(self, heater: int, target_c: float) -> None:
        """Until a heater is at its target."""
        part = self.machine.heaters[heater]
        while True:
            now_c = self.board.status().heaters[part.name].temperature_c
            if now_c >= target_c - HEAT_BAND_C:
                return
            left_s = (target_c - now_c) / HEAT_RATE_C_S
            self.tell(f"heating {part.name} {now_c:.0f} of {target_c:.0f} C", left_s)
            if self.options.wants_hold and self.options.wants_hold():
                raise Stopped(f"stopped while heating {part.name}; nothing had moved since line "
                              f"{self.line}; run the job again")  # fmt: skip
            self.board.wait(0.5)

    def _pause(self, section: Section) -> None:
        """Until the operator goes on; the connection is kept meanwhile. Nobody there: stop."""
        ask, answer = self.options.on_pause, None
        while ask is not None:
            answer = ask(section.line)
            if answer is not None:
                break
            self.tell("waiting for the operator")
            if self.options.wants_hold and self.options.wants_hold():
                break
            self.board.wait(0.1)
        if self.journal:
            self.journal.paused(section.line)
        if not answer:
            raise Stopped(
                f"the program waits for an operator in line {section.line} (M0, M1 or M6); the "
                "machine stands there, position known; go on with `microfactory resume`"
            )
        self.note(f"line {section.line}: the operator went on")

    def finish(self) -> None:
        """All sections are done."""
        status = self.board.status()
        self.record.hashes["committed_crc32"] = f"{status.hash:08x}"
        self.record.measure("windows committed", status.committed, "1")
        self.record.measure("damaged frames", status.bad_frames, "1")
        self.record.measure("motion time", self.done_s, "s")
        if self.journal:
            self.journal.note({"done": True})
            self.journal.close()


def planned_time_s(
    program: Program, machine: Any, marks: list[tuple[int, float]] | None = None, **where: Any
) -> float:
    """Exact time of all motion and dwells, from a place on; refuses what must not be run. marks:
    gets a move's number and the time where it ends, at least a second apart.
    """
    whole = plan(program, machine, **where)
    ticks, last = 0, -TICK_HZ
    for section in whole.sections():
        for window in section.windows:
            ticks += window.length_ticks
            if marks is not None and ticks - last >= TICK_HZ:
                last = ticks
                marks.append((window.end.move, ticks / TICK_HZ))
    return float(sum(stretch.figures().time_s for stretch in whole.stretches))


def new_record(board: Board, program: Program, kind: str, who: str) -> Record:
    """A record that begins now."""
    info = board.client.info
    facts = {"uid": info.uid, "firmware": info.firmware} if info else {}
    return Record(
        kind=kind,
        subject=program.name,
        subject_sha256=program.sha256,
        machine=board.machine.name,
        machine_sha256=board.machine.sha256,
        board=facts,
        who=who,
    )


def run_job(board: Board, program: Program, **options: Any) -> Record:
    """Run a program; its record. Stopped, BoardFault and LinkError carry theirs as `.record`."""
    if not isinstance(program, Program):
        raise UsageError(f"{program!r} is no program; nothing moved; use parse(path)")
    chosen = Options(**options)
    record = new_record(board, program, "job", chosen.who)
    job = Job(board, program, chosen, record)
    board.ready(job=True)
    job.prepare()
    return go(job, lambda: _from_start(job))


def _from_start(job: Job) -> Iterable[Section]:
    home_if_needed(job)
    job.plan = plan(job.program, job.machine)
    return job.plan.sections()


def home_if_needed(job: Job) -> None:
    """Home everything that can, unless the options say no and the position is known."""
    machine = job.machine
    status = job.board.status()
    if job.options.home or not status.position_trusted:
        axes = tuple(a for a, axis in enumerate(machine.axes) if axis.home)
        job.home(Section("home", axes=axes))
        zero = {axis.name: 0.0 for axis in machine.axes if axis.home is None}
        if zero:
            job.board.set_position(**zero)


def go(
    job: Job,
    sections: Callable[[], Iterable[Section]],
    resumed: tuple[Place, tuple[int, ...] | None] | None = None,
) -> Record:
    """Play sections with a journal, and close the record whatever happens. resumed: where from."""
    path = job.options.journal or journal_path(job.machine.name)
    head: dict[str, Any] = {
        "program": job.program.name,
        "program_sha256": job.program.sha256,
        "machine": job.machine.name,
        "machine_sha256": job.machine.sha256,
        "resumed": resumed is not None,
    }
    if job.machine.heightmap:
        head["map_sha256"] = job.record.hashes["map_sha256"] = job.machine.heightmap.sha256
    if resumed is not None:
        place, steps = resumed
        head["place"] = [place.move, place.line, place.distance_mm]
        head["steps"] = steps
    job.journal = Journal(path, head, job.board.link.now_s)
    record = job.record
    try:
        job.sections(sections())
        job.finish()
        record.close("NOT JUDGED")
    except Error as error:
        if isinstance(error, LinkError) and job.line:
            error.args = (f"{error.args[0]} (line {job.line} was near)",)
        record.close("STOPPED" if isinstance(error, (Stopped, LinkError)) else "FAIL", str(error))
        error.record = record  # type: ignore[attr-defined]
        raise
    finally:
        job.journal.close()
    return record
