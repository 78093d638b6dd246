"""Going on with a job that was cut or held: where, how back to the path, with what switched on.

The journal says where each window and its tail end; the board says which window it played last and
what its motors have counted. Together they give the place inside the move that was cut.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from microfactory.board import Board
from microfactory.drive import Driver
from microfactory.errors import Stopped, UsageError
from microfactory.job import (
    Job,
    Options,
    go,
    home_if_needed,
    new_record,
    planned_time_s,
)
from microfactory.journal import Past
from microfactory.kinematics import point_of
from microfactory.motion.compensate import compensates
from microfactory.motion.gcode import Program
from microfactory.motion.plan import Section, plan
from microfactory.motion.straight import straight
from microfactory.motion.stretch import Place
from microfactory.offsets import slack_mm
from microfactory.pace import PLAIN
from microfactory.places import journal_path
from microfactory.record import Record

SURE_WINDOWS = 7  # windows that may be committed and not yet played (250 ms)


def resume_job(board: Board, program: Program, **options: Any) -> Record:
    """Go on with the job of the journal, inside the move that was cut.

    JobError: there is no such journal, or it belongs to another program or machine.
    """
    chosen = Options(**options)
    path = chosen.journal or journal_path(board.machine.name)
    past = Past(path)
    _same(past, program, board)
    _same_map(past, board)
    record = new_record(board, program, "job resumed", chosen.who)
    job = Job(board, program, chosen, record)
    place, rest_steps = _where(board, past)
    record.event(board.link.now_s(), f"resumed in line {place.line}, move {place.move}")
    where: dict[str, Any] = {
        "place": place,
        "rest_steps": rest_steps,
        "first_number": past.next_number,
    }
    left_s = planned_time_s(program, board.machine, job.marks, **where)
    whole = job.plan = plan(program, board.machine, **where)
    if past.pace != PLAIN:
        job.override(past.pace)
        job.note(f"resumed with {past.pace}, as it was cut")
    board.ready(job=True)
    job.prepare(left_s)

    def sections() -> Iterable[Section]:
        if rest_steps is None:
            home_if_needed(job)
        switched = back = False
        for section in whole.sections():
            if section.kind == "pause" and section.line <= past.paused:
                job.note(f"line {section.line}: the operator went on by resuming")
                continue
            if not switched and section.kind != "home":
                switched = True
                _switch(job, section.outputs)
            if not back and section.kind == "motion":
                back = True
                _return(job, section, exact=rest_steps is not None)
            yield section

    return go(job, sections, (place, rest_steps))


def _same(past: Past, program: Program, board: Board) -> None:
    if past.finished:
        raise UsageError(f"{past.path}: that job has ended by itself; nothing moved; run it anew")
    for key, mine in (
        ("program_sha256", program.sha256),
        ("machine_sha256", board.machine.sha256),
    ):
        if past.head.get(key) != mine:
            raise UsageError(
                f"{past.path}: the job that was cut had another {key.split('_')[0]} "
                f"({past.head.get('program')} on {past.head.get('machine')}); nothing moved; give "
                "the same one, or run anew"
            )


def _same_map(past: Past, board: Board) -> None:
    """A place of the path is one of the path with its map."""
    page = board.machine.heightmap
    was, now = past.head.get("map_sha256", ""), page.sha256 if page else ""
    if was != now:
        raise UsageError(
            f"{past.path}: the job that was cut had {_map_words(was)}, now there is "
            f"{_map_words(now)}; nothing moved; name the same --map, or run anew"
        )


def _map_words(digest: str) -> str:
    return f"the map {digest[:12]}" if digest else "no map of heights"


def _where(board: Board, past: Past) -> tuple[Place, tuple[int, ...] | None]:
    """Where to go on: exactly, when the board still knows; else a little before, after homing."""
    status = board.status()
    while status.state in ("RUNNING", "TAIL", "RETREATING"):
        board.client.pump(0.05)
        status = board.status()
    if status.position_trusted and status.window in past.windows:
        if status.state == "RESTED":
            return past.rest_of(status.window)
        if status.state == "DONE":
            return past.end_of(status.window)
    if status.position_trusted:  # between two stretches, or on the way back to the path
        return past.still
    if len(past.stretch) > SURE_WINDOWS:
        return past.end_of(past.stretch[-SURE_WINDOWS - 1])[0], None
    return past.still[0], None


def _switch(job: Job, outputs: dict[int, int]) -> None:
    """Outputs and heat as the program left them; a torch waits until the machine is there."""
    machine = job.machine
    count = len(machine.outputs)
    for number, value in outputs.items():
        if number >= count or machine.outputs[number].role != "torch":
            job.client.send("OUTPUT", output=number, value=value)
    job.client.settle()
    for number, value in outputs.items():
        if count <= number < count + len(machine.heaters) and value > 0:
            job.wait_for(number - count, value / 10)
        elif number < count and machine.outputs[number].spin_up_s and value:
            job.board.wait(machine.outputs[number].spin_up_s)


def _return(job: Job, section: Section, *, exact: bool) -> None:
    """Back to where the path goes on; then the torch, if it was on. exact: counts are the job's
    own; after homing an axis without a switch counts from where the path wants it.
    """
    machine = job.machine
    there = section.start_steps
    if not exact:
        job.client.send("RESET", number=0)  # a board that rests on a path takes no POSITION
        for m in range(len(machine.motors)):
            if machine.axes[machine.axis_of_motor(m)].home is None:
                job.client.send("POSITION", motor=m, steps=there[m])
        job.client.settle()
    steps = tuple(job.board.status().steps.values())
    late = [
        (number, value)
        for number, value in section.outputs.items()
        if number < len(machine.outputs)
        and machine.outputs[number].role == "torch"
        and machine.arc is None  # else the board switches it on, and waits for its arc
    ]
    for target, speed in _way_back(job, steps, there, section.carriage_mm):
        at = tuple(job.board.status().steps.values())
        driven = Driver(
            job.client,
            straight(machine, at, target, speed, check=not compensates(machine)),
            watch=lambda played_s, window: job.tell("going back to the path"),
            wants_hold=job.options.wants_hold,
        ).run()
        if driven.state != "DONE" and driven.window is not None:
            raise Stopped(
                f"stopped on the way back to the path ({driven.why}); nothing was switched on "
                "there; go on with `microfactory resume`"
            )
    for number, value in late:
        job.client.send("OUTPUT", output=number, value=value)
    job.client.settle()


def _way_back(
    job: Job, steps: tuple[int, ...], there: tuple[int, ...], carriage: tuple[float, ...]
) -> list[tuple[dict[str, float], float]]:
    """Across first, then down, then the axes without travel (an extruder takes up its retreat).

    An axis with slack is pulled down to its place, pushed up to it, and its motor then goes to
    where the path had it: so its carriage is where it was, whatever has moved it since.
    """
    machine = job.machine
    across: dict[str, float] = {}
    down: dict[str, float] = {}
    rest: dict[str, float] = {}
    pushed: dict[str, float] = {}
    ends: dict[str, float] = {}
    here_mm, there_mm = point_of(machine, steps), point_of(machine, there)
    for a, axis in enumerate(machine.axes):
        slack = slack_mm(machine, a)
        if here_mm[a] == there_mm[a] and not slack:
            continue
        mm = there_mm[a]
        if slack:
            pushed[axis.name], ends[axis.name], mm = carriage[a], mm, carriage[a] - slack
        group = rest if axis.unlimited else down if axis.letter == "Z" else across
        group[axis.name] = mm
    out = []
    for group in (across, down, rest, pushed, ends):
        if group:
            speed = min(machine.axis(name).max_speed_mm_s for name in group) * 0.5
            out.append((group, speed))
    return out
