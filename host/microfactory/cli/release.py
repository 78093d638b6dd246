"""`microfactory release`: keys, signed releases, and whose are taken."""

from __future__ import annotations

import argparse
from pathlib import Path

from microfactory.cli import say
from microfactory.cli.common import load_machine
from microfactory.errors import UsageError
from microfactory.flash import release as r
from microfactory.flash.chips import chip_named
from microfactory.flash.payload import build

ACTIONS = ("key", "make", "sign", "check", "trust")


def arguments(command: argparse.ArgumentParser) -> None:
    """Those of `release`."""
    command.add_argument("action", choices=ACTIONS)
    command.add_argument("paths", nargs="+", metavar="PATH", help="key file, folder, .pub files")
    command.add_argument("--key", default="", metavar="FILE", help="sign: the private key")
    command.add_argument("--number", type=int, default=0, help="make: higher than the one before")
    command.add_argument("--threshold", type=int, default=0, help="trust: so many must sign")
    command.add_argument(
        "--passphrase", default="", metavar="FILE", help="its first line locks the private key"
    )


def release(args: argparse.Namespace) -> int:
    """One of the actions."""
    value, text = ACTION[args.action](args)
    if args.json:
        say.value(value)
    else:
        say.line(text)
    return 0


Answer = tuple[dict[str, object], str]


def _key(args: argparse.Namespace) -> Answer:
    path = Path(_one(args))
    line = r.make_key(path, _passphrase(args))
    return {"public": line}, (
        f"{path} is your private key: keep it off this computer when you have signed; give away "
        f"{path.with_suffix('.pub')}: {line}"
    )


def _make(args: argparse.Namespace) -> Answer:
    if args.number < 1:
        raise UsageError("a release needs --number N, higher than the one before; nothing was made")
    machine = load_machine(args)
    payload = build(machine, chip_named(machine.board.chip), args.number)
    r.make(Path(_one(args)), payload)
    return {"number": args.number, "files": len(payload.files)}, (
        f"{args.paths[0]}: release {args.number} for {payload.board}, {len(payload.files)} files; "
        "now let your keys sign it"
    )


def _sign(args: argparse.Namespace) -> Answer:
    if not args.key:
        raise UsageError("with which key? nothing was signed; add --key FILE")
    public = r.sign(Path(_one(args)), Path(args.key), _passphrase(args))
    return {"key": public}, f"{args.paths[0]}: signed with {args.key}"


def _check(args: argparse.Namespace) -> Answer:
    payload, names = r.check(Path(_one(args)), r.read_trust())
    value = {"number": payload.number, "board": payload.board, "signed_by": names}
    return value, (
        f"{args.paths[0]}: release {payload.number} for {payload.board}, signed by "
        f"{', '.join(names)}; it may be flashed"
    )


def _trust(args: argparse.Namespace) -> Answer:
    lines = []
    for name in args.paths:
        try:
            lines += [line for line in Path(name).read_text().splitlines() if line.strip()]
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"{name}: it cannot be read ({error}); nothing was changed") from None
    trust = r.write_trust(args.threshold, lines)
    names = ", ".join(sorted(trust.keys.values()))
    return {"threshold": trust.threshold, "keys": sorted(trust.keys.values())}, (
        f"releases are taken from now on when {trust.threshold} of {names} have signed them"
    )


def _one(args: argparse.Namespace) -> str:
    if len(args.paths) != 1:
        raise UsageError(f"release {args.action} takes one path; nothing was done")
    return str(args.paths[0])


def _passphrase(args: argparse.Namespace) -> str:
    if not args.passphrase:
        return ""
    lines = Path(args.passphrase).read_text().splitlines()
    if not lines or not lines[0]:
        raise UsageError(f"{args.passphrase}: its first line is empty; nothing was done")
    return lines[0]


ACTION = {"key": _key, "make": _make, "sign": _sign, "check": _check, "trust": _trust}
