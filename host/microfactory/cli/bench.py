"""Commands for the first hour with a machine: home, jog, heat, status, stop."""

from __future__ import annotations

import argparse
import math
from typing import Any

from microfactory.board import Board, connect
from microfactory.cli import say
from microfactory.cli.common import holding, load_machine
from microfactory.cli.tune import refuse_without_tune, tuning
from microfactory.control import ask
from microfactory.errors import UsageError
from microfactory.pace import PLAIN, Pace
from microfactory.places import control_path
from microfactory.status import Status


def _tell(args: argparse.Namespace, status: Status) -> int:
    if args.json:
        say.value(status.data())
        return 0
    known = "" if status.position_trusted else " (not known: home first)"
    where = "  ".join(f"{name} {mm:.3f}" for name, mm in status.position_mm.items())
    rows = [["state", f"{status.state} {status.why}".strip()], ["at", f"{where} mm{known}"]]
    for name, heater in status.heaters.items():
        rows.append([name, f"{heater.temperature_c:.1f} C, target {heater.target_c:.0f} C"])
    for name, active in status.inputs.items():
        count = status.glitches[name]
        glitches = f", {count} glitch{'es' * (count > 1)}" if count else ""
        rows.append([name, ("active" if active else "-") + glitches])
    for name, value in status.outputs.items():
        rows.append([name, f"{value / 655.35:.0f} %"])
    say.table(args.machine, ["", ""], rows)
    return 0


def _board(args: argparse.Namespace, asked: list[bool]) -> Board:
    board = connect(args.port, load_machine(args))
    board.wants_hold = lambda: asked[0]
    return board


def home(args: argparse.Namespace) -> int:
    """Home axes."""
    with holding() as asked, _board(args, asked) as board:
        return _tell(args, board.home(args.axes or None))


def jog(args: argparse.Namespace) -> int:
    """Move one axis by so much."""
    with holding() as asked, _board(args, asked) as board:
        return _tell(args, board.jog(args.axis, args.mm, args.speed))


def heat(args: argparse.Namespace) -> int:
    """Heat and stay until it is warm, or tune; on leaving everything goes off."""
    if args.tune:
        return tuning(args)
    refuse_without_tune(args)
    with holding() as asked, _board(args, asked) as board:
        status = board.heat(args.heater, args.celsius)
        with say.bar(args.json) as bar:
            while not asked[0] and args.celsius > 0:
                now_c = status.heaters[args.heater].temperature_c
                if now_c >= args.celsius - 1:
                    break
                bar.to(now_c / args.celsius, f"{args.heater} {now_c:.1f} C")
                board.wait(0.5)
                status = board.status()
        code = _tell(args, status)
        if not args.json:
            say.line("the heater goes off now: heat without a host is never left on")
        return code


def status(args: argparse.Namespace) -> int:
    """The machine now: of a running job, else by asking the board."""
    running = ask(control_path(load_machine(args).name), "status")
    if running is not None:
        return _running(args, running)
    if not args.port:
        raise UsageError("no job is running; add --port to ask the board itself")
    with holding() as asked, _board(args, asked) as board:
        return _tell(args, board.status())


def _running(args: argparse.Namespace, running: dict[str, Any]) -> int:
    if args.json:
        say.value(running)
        return 0
    job = running.get("job", {})
    left = job.get("motion_total_s", 0) - job.get("motion_s", 0)
    pace = Pace(job.get("feed_percent", 100.0), job.get("rapid_percent", 100.0))
    say.line(
        f"a job is running: line {job.get('line')} of {job.get('lines')}, {job.get('doing')}, "
        f"{say.clock(max(0.0, left))} of motion left"
        + ("" if pace == PLAIN else f" at 100 %; now {pace}")
    )
    return 0


def override(args: argparse.Namespace) -> int:
    """Percentages of the feed and of rapids of a running job."""
    name = load_machine(args).name
    if args.feed is None and args.rapid is None:
        raise UsageError("no percentage was named; nothing was changed; add --feed or --rapid")
    words = [f"{math.nan if value is None else value:g}" for value in (args.feed, args.rapid)]
    answer = ask(control_path(name), f"override {words[0]} {words[1]}")
    if answer is None:
        raise UsageError(f"no job is running on {name}; nothing was changed")
    if "error" in answer:
        raise UsageError(answer["error"])
    if args.json:
        say.value(answer)
    else:
        say.line(
            f"{Pace(**{key[:-8]: value for key, value in answer.items()})} with the next windows"
        )
    return 0


def stop(args: argparse.Namespace) -> int:
    """Stop the running job on its path; without one, stop the board itself at once."""
    name = load_machine(args).name
    if ask(control_path(name), "stop") is not None:
        if args.json:
            say.value({"stopping": True})
        else:
            say.line("the job stops on its path; go on later with `microfactory resume`")
        return 0
    if not args.port:
        raise UsageError(f"no job is running on {name}; nothing to stop; add --port for a board")
    with holding() as asked, _board(args, asked) as board:
        return _tell(args, board.stop())
