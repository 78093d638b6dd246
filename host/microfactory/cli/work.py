"""Commands that run programs: compile, run, resume."""

from __future__ import annotations

import argparse
import math
import select
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from microfactory.board import Board, connect
from microfactory.cli import say
from microfactory.cli.common import holding, load_machine
from microfactory.control import Ear
from microfactory.errors import Error, UsageError
from microfactory.job import Progress
from microfactory.jobfile import MAGIC, JobFile, compile_job
from microfactory.motion.gcode import parse
from microfactory.pace import PLAIN, Pace, checked
from microfactory.places import control_path, records_path
from microfactory.record import Record, append


def compile_command(args: argparse.Namespace) -> int:
    """Program to job file, proved."""
    machine = load_machine(args)
    program = parse(Path(args.file))
    with say.bar(args.json) as bar:
        header = compile_job(
            program,
            machine,
            Path(args.output),
            watch=lambda line: bar.to(line / program.lines, f"line {line}"),
        )
    verdict = header["proof"]["verdict"]
    if args.json:
        facts = {key: value for key, value in header.items() if key not in ("sections", "machine")}
        say.value({"file": args.output, **facts})
    else:
        say.line(
            f"{args.output}: {say.clock(header['time_s'])} of motion, proof {verdict}; run it with "
            f"`microfactory run {args.output}`"
        )
    return 0 if verdict == "PASS" else 10


def run(args: argparse.Namespace) -> int:
    """Run a program or a job file."""
    path = Path(args.file)
    what: Any
    if path.is_file() and path.open("rb").read(len(MAGIC)) == MAGIC:
        what = JobFile.load(path)
        machine = what.machine if not args.machine else load_machine(args)
    else:
        machine = load_machine(args)
        what = parse(path)
    with connect(args.port, machine, **_link_options(args)) as board:
        return _play(
            args, board, lambda **options: board.run(what, **options), isinstance(what, JobFile)
        )


def resume(args: argparse.Namespace) -> int:
    """Go on with the job that was cut or held."""
    machine = load_machine(args)
    program = parse(Path(args.file))
    with connect(args.port, machine, **_link_options(args)) as board:
        return _play(args, board, lambda **options: board.resume(program, **options))


def _link_options(args: argparse.Namespace) -> dict[str, Any]:
    """A virtual machine can lose its link on purpose, to see what happens then."""
    cut_s = args.cut_at_s
    if cut_s is None:
        return {}
    if args.port != "virtual" or not 0 <= cut_s < 1e9:
        raise UsageError(
            f"--cut-at-s {cut_s:g}: only the link of `--port virtual` is cut on purpose, 0 s or "
            "more after its start; nothing moved"
        )
    return {"cut_tick": round(cut_s * 125e6)}


def _play(
    args: argparse.Namespace, board: Board, start: Callable[..., Record], proved: bool = False
) -> int:
    name = board.machine.name
    last: list[Progress] = []
    pace = _Pace(last)
    with holding() as asked, say.bar(args.json) as bar:
        board.wants_hold = lambda: asked[0]
        ear = Ear(
            control_path(name),
            {
                "stop": lambda: _hold(asked),
                "status": lambda: _status(board, last),
                "override": pace.refused if proved else pace.ask,
            },
        )

        def watch(progress: Progress) -> None:
            last[:] = [progress]
            ear.poll()
            share = progress.motion_s / progress.motion_total_s if progress.motion_total_s else 0
            left = f"motion {say.clock(progress.motion_left_s)} left"
            if progress.wait_left_s:
                left += f", waits about {say.clock(progress.wait_left_s)} (estimate)"
            if (progress.feed_percent, progress.rapid_percent) != PLAIN:
                now = Pace(progress.feed_percent, progress.rapid_percent)
                left += f" at 100 %, now {now}"
            bar.to(share, f"line {progress.line}: {progress.doing}", left)

        try:
            record = start(
                watch=watch,
                wants_hold=lambda: asked[0],
                wants_override=None if proved else lambda: pace.wanted,
                on_pause=_Operator() if sys.stdin.isatty() and not args.json else None,
                who=args.who,
                journal=Path(args.journal) if args.journal else None,
            )
        except Error as error:
            kept = getattr(error, "record", None)
            if kept is not None:
                append(records_path(name), kept)
            raise
        finally:
            ear.close()
    digest = append(records_path(name), record)
    if args.json:
        say.value(record.statement())
    else:
        say.line(f"{record}; {record.measurements[-1].value:.1f} s of motion")
        say.line(f"record {digest[:12]} in {records_path(name)}")
    return 0


def _hold(asked: list[bool]) -> dict[str, Any]:
    asked[0] = True
    return {"stopping": True}


class _Pace:
    """What a second terminal has asked for; NaN leaves one of the two as it is."""

    def __init__(self, last: list[Progress]) -> None:
        self.wanted: Pace | None = None
        self._last = last

    def ask(self, feed: float, rapid: float) -> dict[str, Any]:
        """UsageError: out of range."""
        now = self.wanted or PLAIN
        if self.wanted is None and self._last:
            now = Pace(self._last[0].feed_percent, self._last[0].rapid_percent)
        self.wanted = checked(
            now.feed if math.isnan(feed) else feed, now.rapid if math.isnan(rapid) else rapid
        )
        return {"feed_percent": self.wanted.feed, "rapid_percent": self.wanted.rapid}

    @staticmethod
    def refused(*_values: float) -> dict[str, Any]:
        """A job file has no speeds to be changed."""
        return {
            "error": "the running job is a job file, played as it was proved, so its speeds cannot "
            "be overridden; it goes on as it was; run the program that it was made from"
        }


def _status(board: Board, last: list[Progress]) -> dict[str, Any]:
    status = board.client.status
    out: dict[str, Any] = {"job": vars(last[0]) if last else {}}
    if status is not None:
        out["board"] = status.data()
    return out


class _Operator:
    """Asks once and looks for the answer without waiting for it: the board must hear from us."""

    def __init__(self) -> None:
        self._asked = 0

    def __call__(self, line: int) -> bool | None:
        if self._asked != line:
            self._asked = line
            say.err.print(
                f"line {line}: the program waits (M0). Enter: go on, n: stop here", markup=False
            )
        if not select.select([sys.stdin], [], [], 0)[0]:
            return None
        answer = sys.stdin.readline()
        self._asked = 0
        return answer.endswith("\n") and answer.strip().lower() not in ("n", "no", "q")
