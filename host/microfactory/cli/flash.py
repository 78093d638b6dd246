"""Commands that put firmware on boards: devices, flash."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, Progress, TaskID, TextColumn

from microfactory.cli import say
from microfactory.cli.common import load_machine
from microfactory.errors import FlashError, UsageError
from microfactory.flash import devices as look
from microfactory.flash import release, uf2
from microfactory.flash.bus import Bus, open_bus
from microfactory.flash.flow import Plan, planned
from microfactory.flash.payload import Payload
from microfactory.flash.worklist import Outcome, flash_all


def devices(args: argparse.Namespace) -> int:
    """Every board on the USB, and the rigs."""
    bus = open_bus(args.bus)
    found = [board.data() for board in look.find(bus, ask=not args.quiet)]
    rigs = sorted(entry.name for entry in entry_points(group="microfactory.rigs"))
    if args.json:
        say.value({"boards": found, "rigs": rigs, "problem": bus.problem()})
        return 0
    if not found:
        say.line("no board is on the USB; a board with a charging cable without data is not seen")
    else:
        for line in table(found):
            say.line(line)
    if bus.problem():
        say.line(bus.problem())
    say.line(f"rigs in memory, for --port: {', '.join(rigs)}")
    return 0


def table(found: list[dict[str, Any]]) -> list[str]:
    """One line a board under its heads, as wide as it is: a number cut short is of no use."""
    keys = ["where", "kind", "chip", "number", "name", "machine", "state", "ports", "note"]
    rows = [["place", "what", *keys[2:]]]
    rows += [[_text(board[key]) for key in keys] for board in found]
    widths = [max(len(row[i]) for row in rows) for i in range(len(keys))]
    kept = [i for i in range(len(keys)) if any(row[i] for row in rows[1:])]
    return ["  ".join(row[i].ljust(widths[i]) for i in kept).rstrip() for row in rows]


def _text(value: Any) -> str:
    return " ".join(value) if isinstance(value, list) else str(value)


def arguments(command: argparse.ArgumentParser) -> None:
    """Those of `flash`."""
    add = command.add_argument
    add("--port", action="append", metavar="PORT", help="a port or place; more than once for more")
    add("--all", action="store_true", help="every board on the USB, at the same time")
    add("--uf2", default="", metavar="FILE", help="MicroPython for this board; writes all of it")
    add("--sha256", default="", metavar="HASH", help="what the UF2 file must be")
    add(
        "--release", default="", metavar="FOLDER", help="a signed release instead of this package's"
    )
    add("--name", default="", help="name of the new board; else the machine's and a number")
    add("--replace", default="", metavar="NAME", help="this board takes a dead one's place")
    add("--new", action="store_true", help="forget who the board was")
    add("--older", action="store_true", help="an older release than the board's is meant")
    add("--who", default="", help="who flashes it, for the record")
    add("--bus", default="usb", help="usb, or a simulated one: twin:KIND,KIND")
    add("--rig-command", default="", help="puts the board at {where} into its boot loader")


def flash(args: argparse.Namespace) -> int:
    """One board, those of a list, or all of them."""
    plan = make_plan(args)
    bus = open_bus(args.bus, args.rig_command)
    places = _places(args, bus)
    with _bars(args.json, places) as told:
        outcomes = flash_all(bus, places, plan, told, _person(args.json))
    if any(outcome.error is None for outcome in outcomes):
        release.note(plan.payload.board, plan.payload.number)
    return _tell(args, outcomes)


def make_plan(args: argparse.Namespace) -> Plan:
    """Everything that can be wrong without a board is found here."""
    machine = load_machine(args)
    image = None
    if args.uf2:
        path = Path(args.uf2)
        if not path.is_file():
            raise UsageError(f"{path}: no such file; no board was touched; name a UF2 file")
        image = uf2.read(path.read_bytes(), path.name)
        if args.sha256:
            uf2.check_hash(image, args.sha256)
    elif args.sha256:
        raise UsageError("--sha256 is the hash of a UF2 file; no board was touched; add --uf2 FILE")
    if args.all and (args.name or args.replace):
        raise UsageError(
            "--name and --replace are for one board; no board was touched; leave --all"
        )
    return planned(
        machine,
        image,
        _released(args, machine.board.name) if args.release else None,
        name=args.name,
        replace=args.replace,
        renew=args.new,
        older=args.older,
        who=args.who,
    )


def _released(args: argparse.Namespace, board: str) -> Payload:
    """The firmware of a release, once enough keys have signed it."""
    least = 0 if args.older else release.highest(board)
    payload, names = release.check(Path(args.release), release.read_trust(), least)
    if not args.json:
        say.line(f"release {payload.number}, signed by {', '.join(names)}")
    return payload


def _places(args: argparse.Namespace, bus: Bus) -> list[str]:
    found = [board.where for board in look.find(bus, ask=False) if board.ours_to_flash]
    if args.all:
        if not found:
            raise UsageError(
                "no board is on the USB; nothing was touched; plug boards in, with cables that "
                "carry data"
            )
        return found
    if args.port:
        places = [look.place_of(bus, port) for port in args.port]
        for port, where in zip(args.port, places, strict=True):
            if where is None:
                raise UsageError(
                    f"{port}: no board is there; nothing was touched; `microfactory devices` lists "
                    "ports and places"
                )
        return sorted({where for where in places if where is not None})
    if len(found) == 1:
        return found
    raise UsageError(
        f"{len(found)} boards are on the USB; nothing was touched; name one with --port, or --all "
        f"of them: {', '.join(found) or 'plug one in'}"
    )


def _tell(args: argparse.Namespace, outcomes: list[Outcome]) -> int:
    failed = [outcome for outcome in outcomes if outcome.error is not None]
    if args.json:
        code = failed[0].error.exit_code if failed and failed[0].error else 0
        say.value({"boards": [outcome.data() for outcome in outcomes], "exit_code": code})
        return code
    for outcome in outcomes:
        if outcome.result is not None:
            result = outcome.result
            say.line(
                f"usb {result.where}: {result.unit.name} is ready ({result.way}; "
                f"{result.record.measurements[0].value:.1f} s; record {result.record_sha256[:12]})"
            )
    if not failed:
        return 0
    if len(outcomes) > 1:
        for outcome in failed[1:]:
            say.line(f"not flashed: {outcome.error}")
        say.line(f"{len(outcomes) - len(failed)} of {len(outcomes)} boards are ready")
    error = failed[0].error
    raise error if error is not None else FlashError("a board was not flashed")


def _person(as_json: bool) -> Any:
    def ask(where: str, picture: str) -> None:
        if as_json:
            return
        say.err.print(f"usb {where}: please press its button now.\n{picture}", markup=False)

    return ask


@contextmanager
def _bars(as_json: bool, places: list[str]) -> Iterator[Any]:
    """A bar for each board, on a terminal."""
    if as_json or not sys.stderr.isatty():
        yield lambda where, share, text: None
        return
    columns = (TextColumn("{task.fields[place]}"), BarColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=say.err, transient=True) as progress:
        bars: dict[str, TaskID] = {
            where: progress.add_task("waiting", total=1.0, place=f"usb {where}") for where in places
        }
        yield lambda where, share, text: progress.update(
            bars[where], completed=share, description=text
        )
