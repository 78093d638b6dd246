"""`microfactory kit`: everything for a workshop without internet, on one USB stick."""

from __future__ import annotations

import argparse
from pathlib import Path

from microfactory.cli import say
from microfactory.flash import kit as k


def arguments(command: argparse.ArgumentParser) -> None:
    """Those of `kit`."""
    command.add_argument("folder", metavar="FOLDER")
    command.add_argument("--check", action="store_true", help="only look whether it is whole")
    command.add_argument("--uf2", action="append", default=[], metavar="FILE")
    command.add_argument("--release", action="append", default=[], metavar="FOLDER")
    command.add_argument("--source", default="", metavar="FOLDER", help="of microfactory")
    command.add_argument("--wheels", default="", metavar="FOLDER", help="take these, fetch none")


def kit(args: argparse.Namespace) -> int:
    """Gather a kit, or check one."""
    folder = Path(args.folder)
    if args.check:
        count = k.check(folder)
        if args.json:
            say.value({"files": count, "ok": True})
        else:
            say.line(f"{folder}: all {count} files are what they were")
        return 0
    with say.bar(args.json) as bar:
        value = k.make(
            folder,
            Path(args.source) if args.source else k.source_folder(),
            [Path(name) for name in args.uf2],
            [Path(name) for name in args.release],
            Path(args.wheels) if args.wheels else None,
            bar.to,
        )
    if args.json:
        say.value(value)
    else:
        say.line(
            f"{folder}: {len(value['wheels'])} wheels, {len(value['uf2'])} UF2 files, "
            f"{len(value['releases'])} releases; on the other computer: sh install.sh"
        )
    return 0
