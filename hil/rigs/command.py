"""`microfactory hil ...`: a first rig file, its check, its wiring sheet, a rig's self-test."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from hil.rigs import selftest
from hil.rigs.measure import words as measured
from hil.rigs.probed import ProbedRig
from hil.rigs.rig import make
from hil.rigs.rigfile import RigFile
from hil.rigs.scan import scan
from hil.rigs.sheet import sheet
from microfactory import Machine, UsageError, VerdictError
from microfactory.cli import say
from microfactory.places import write_whole


def parser() -> argparse.ArgumentParser:
    """All words behind `microfactory hil`."""
    top = argparse.ArgumentParser(prog="microfactory hil", description=(__doc__ or "").strip())
    words = top.add_subparsers(dest="word", required=True, metavar="WORD")

    def add(name: str, run: object, text: str) -> argparse.ArgumentParser:
        command = words.add_parser(name, help=text, description=text)
        command.set_defaults(run=run)
        command.add_argument("--json", action="store_true", help="one JSON value, no prompt")
        return command

    command = add("scan", scan_command, "write a first rig.toml for a machine's board")
    command.add_argument("--machine", required=True, help="name or .toml file")
    command.add_argument("--name", default="bench", help="the rig's name")
    command.add_argument("-o", "--output", default="rig.toml", metavar="RIG.toml")
    command.add_argument("--replace", action="store_true", help="overwrite a file that is there")
    command = add("check", check_command, "say whether a rig file can be used")
    command.add_argument("rig_file", metavar="RIG.toml")
    command = add("sheet", sheet_command, "draw the wiring sheet of a rig")
    command.add_argument("rig_file", metavar="RIG.toml")
    command.add_argument("-o", "--output", default="wiring.html", metavar="FILE.html")
    command = add("selftest", selftest_command, "a rig proves itself before it certifies anything")
    command.add_argument("--rig", default="virtual", help="virtual, emulated or real")
    command.add_argument("--rig-file", default="", metavar="RIG.toml")
    command.add_argument("--port", default="", help="the board's port, real rig")
    command.add_argument("--probe", default="", metavar="PORT", help="the probe's port")
    command.add_argument("--machine", default="circuit-plotter", help="without a rig file")
    command = add("wiring", wiring_command, "is every line of the board where it belongs")
    command.add_argument("--rig", default="real", help="real, or virtual or emulated to try it")
    command.add_argument("--rig-file", required=True, metavar="RIG.toml")
    command.add_argument("--port", default="", help="the board's port, real rig")
    command.add_argument("--probe", default="simulated", metavar="PORT", help="the probe's port")
    return top


def main(words: Sequence[str]) -> int:
    """Run one of them; its exit code (docs/exit-codes.md)."""
    args = parser().parse_args(list(words))
    return int(args.run(args))


def scan_command(args: argparse.Namespace) -> int:
    """A first rig.toml."""
    path = Path(args.output)
    if path.exists() and not args.replace:
        raise UsageError(
            f"{path}: there is a file already; nothing was written; add --replace or name another"
        )
    machine = Machine.load(args.machine)
    beside = args.machine.endswith(".toml")
    machine_file = os.path.relpath(args.machine, path.parent) if beside else ""
    found = scan(machine, args.name, machine_file)
    write_whole(path, found.rig.dump().encode())
    if args.json:
        say.value({"file": str(path), "channels": len(found.rig.channels),
                   "left_out": list(found.left_out)})  # fmt: skip
        return 0
    say.line(
        f"{path}: {len(found.rig.channels)} channels for {machine.name} on {machine.board.name}; "
        f"look it through, then `microfactory hil sheet {path}`"
    )
    if found.left_out:
        say.line(f"no pin was left for {', '.join(found.left_out)}: those lines are not tried")
    return 0


def check_command(args: argparse.Namespace) -> int:
    """Whether a rig file can be used."""
    rig = RigFile.load(args.rig_file)
    loop = rig.loop is not None
    if args.json:
        say.value({"name": rig.head.name, "channels": len(rig.channels), "loop": loop, "ok": True})
        return 0
    say.line(
        f"{args.rig_file}: {rig.head.name}, {len(rig.channels)} channels to a {rig.board.name}; "
        "nothing is wrong with it"
        + ("" if loop else "; it has no loop, so it cannot test itself and certifies nothing")
    )
    return 0


def sheet_command(args: argparse.Namespace) -> int:
    """The wiring sheet as HTML."""
    rig = RigFile.load(args.rig_file)
    path = Path(args.output)
    write_whole(path, sheet(rig).encode())
    if args.json:
        say.value({"file": str(path)})
    else:
        say.line(f"{path}: print it, tick each wire")
    return 0


def selftest_command(args: argparse.Namespace) -> int:
    """A rig's self-test, kept. VerdictError: it failed."""
    file = RigFile.load(args.rig_file) if args.rig_file else None
    machine = file.machine if file else Machine.load(args.machine)
    record = selftest.run(make(args.rig, file, args.port, args.probe), machine)
    if args.json:
        say.value(record.statement())
    else:
        for taken in record.measurements:
            say.line("  " + measured(taken))
        say.line(f"{record}")
    if record.verdict != "PASS" and not args.json:
        raise VerdictError(f"{record.why}; this rig certifies nothing until that is mended")
    return 0 if record.verdict == "PASS" else VerdictError.exit_code


def wiring_command(args: argparse.Namespace) -> int:
    """Look at every line. VerdictError: one is wrong."""
    from hil.wiring.diagnose import diagnose
    from hil.wiring.probed import observe

    rig = make(args.rig, RigFile.load(args.rig_file), args.port, args.probe)
    assert isinstance(rig, ProbedRig)
    observed = observe(rig)
    found = diagnose(rig.file.machine, observed)
    if args.json:
        say.value({"lines": len(observed.pulls), "seconds": round(observed.rig_s, 3),
                   "wrong": [{"kind": f.kind, "lines": list(f.lines), "told": f.sentence}
                             for f in found]})  # fmt: skip
        return VerdictError.exit_code if found else 0
    for finding in found:
        say.line(f"  {finding.sentence}")
    if found:
        raise VerdictError(
            f"{len(found)} of {len(observed.pulls)} lines are not where they belong; give the "
            "motors no power before that is mended"
        )
    say.line(f"{len(observed.pulls)} lines are where they belong, in {observed.rig_s:.2f} s")
    return 0
