"""`microfactory card`: jobs that a board plays from its own card."""

from __future__ import annotations

import argparse
from pathlib import Path

from microfactory.card import CardDesk, CardStatus
from microfactory.cardfiles import BUTTON_NAME, JOURNAL_MB, write_card
from microfactory.cardjournal import read_journal
from microfactory.cli import say
from microfactory.cli.common import load_machine
from microfactory.errors import UsageError

ASKED = ("status", "play", "hold", "go", "stop", "bind", "forget")


def arguments(command: argparse.ArgumentParser) -> None:
    """Of `card`."""
    command.add_argument("what", choices=("write", "journal", *ASKED), metavar="WHAT",
                         help="write JOB FOLDER, journal FOLDER, " + ", ".join(ASKED))  # fmt: skip
    command.add_argument("words", nargs="*", metavar="...", help="JOB and FOLDER, or a name")
    command.add_argument("--port", default="", help="a serial port, or virtual")
    command.add_argument("--name", default=BUTTON_NAME, help="of the job on the card")
    command.add_argument("--journal-mb", type=int, default=JOURNAL_MB, help="its length")
    command.add_argument("--trust", action="store_true", help="play: no homing where it is known")
    command.add_argument("--wait", action="store_true", help="play, go: until it has ended")
    command.add_argument("--card", default="", help="virtual only: a folder as the card")


def card(args: argparse.Namespace) -> int:
    """One of them."""
    if args.what == "write":
        return _write(args)
    if args.what == "journal":
        return _journal(args)
    if args.words:
        raise UsageError(f"card {args.what} takes no {args.words[0]!r}; nothing was asked")
    if not args.port:
        raise UsageError(f"card {args.what}: no board was named; add --port")
    if args.card and args.port != "virtual":
        raise UsageError(
            "--card: only `--port virtual` has a folder as its card; nothing was asked"
        )
    options = {"card": args.card} if args.card else {}
    with CardDesk(args.port, load_machine(args), **options) as desk:
        if args.card and args.what != "bind":
            desk.bind()  # this board lives only as long as this command
        status = _ask(args, desk)
        if args.wait and args.what in ("play", "go"):
            with say.bar(args.json) as bar:
                status = desk.watch(lambda now: bar.to(_share(now), f"line {now.line}"))
    return _tell(args, status)


def _ask(args: argparse.Namespace, desk: CardDesk) -> CardStatus:
    if args.what == "play":
        return desk.play(args.name, trust=args.trust)
    asked: CardStatus = getattr(desk, args.what)()
    return asked


def _share(status: CardStatus) -> float:
    return status.windows_played / status.windows if status.windows else 0.0


def _tell(args: argparse.Namespace, status: CardStatus) -> int:
    if args.json:
        say.value(status.data())
        return 0
    rows = [
        ["state", f"{status.state} {status.why}".strip()],
        ["job", status.name or "-"],
        ["line", str(status.line)],
        ["windows", f"{status.windows_played} of {status.windows}"],
        ["bound", "yes" if status.bound else "no: `microfactory card bind` first"],
    ]
    if status.words:
        rows.append(["", status.words])
    say.table("card", ["", ""], rows)
    return 0


def _write(args: argparse.Namespace) -> int:
    if len(args.words) != 2:
        raise UsageError("card write takes a job file and a folder; nothing was written")
    job, folder = (Path(word) for word in args.words)
    facts = write_card(job, folder, name=args.name, journal_mb=args.journal_mb)
    if args.json:
        say.value(facts)
    else:
        say.line(
            f"{args.name} for {facts['machine']} is on {folder}, read back; "
            f"{say.clock(facts['time_s'])} of motion; unmount the card before it is pulled"
        )
    return 0


def _journal(args: argparse.Namespace) -> int:
    if len(args.words) != 1:
        raise UsageError("card journal takes the folder of a mounted card")
    records = read_journal(Path(args.words[0]))
    if args.json:
        say.value([record.statement() for record in records])
        return 0
    for record in records:
        say.line(f"{record.subject} on {record.machine}: {record.verdict} {record.why}".rstrip())
        for event in record.events:
            say.line(f"  {event['at_s']:8.0f} s  {event['what']}")
    return 0
