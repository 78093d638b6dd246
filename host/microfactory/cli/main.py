"""Arguments only: which command, and what an error's exit code is."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version

from microfactory.cli import (
    bench,
    card,
    doctor,
    flash,
    kit,
    look,
    probing,
    release,
    resonance,
    rig,
    say,
    tune,
    work,
)
from microfactory.errors import Error, UsageError
from microfactory.show import NOUNS

INTERRUPTED = 130


def parser() -> argparse.ArgumentParser:
    """All commands and their arguments."""
    top = argparse.ArgumentParser(
        prog="microfactory",
        description="Plan, prove and run programs on the machines of the Basic Microfactory.",
    )
    top.add_argument("--version", action="version", version=version("microfactory"))
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(name: str, run: object, text: str, *, machine: bool = True) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(run=run)
        command.add_argument("--json", action="store_true", help="one JSON value, no prompt")
        if machine:
            command.add_argument("--machine", default="", help="name or .toml file")
            command.add_argument("--set", action="append", metavar="KEY=VALUE", help="override")
        return command

    add("machines", look.machines, "list the machines that come along", machine=False)
    command = add("check", look.check, "say whether a machine file can be used", machine=False)
    command.add_argument("machine_file", metavar="MACHINE.toml")
    command = add("wiring", look.wiring, "draw how a machine's board is wired: a page to print")
    command.add_argument("-o", "--output", metavar="FILE.html", help="where the page goes")
    command = add("probe-map", probing.probe_map, "probe a plate or bed and write its map")
    probing.arguments(command)
    command = add("plan", look.plan_command, "plan a program and print its figures")
    command.add_argument("file", metavar="FILE")
    command = add("compile", work.compile_command, "plan and prove a program into a job file")
    command.add_argument("file", metavar="FILE")
    command.add_argument("-o", "--output", required=True, metavar="JOB")
    command = add("show", look.show_command, "print a stage of a program as text, or plot it")
    command.add_argument("noun", choices=[*sorted([*NOUNS, "map"]), "plot"])
    command.add_argument("file", metavar="FILE")
    look.plot_arguments(command)
    command = add("verify", look.verify_command, "judge a program or a job file")
    command.add_argument("file", metavar="FILE")
    command.add_argument("--program", help="the program a job file was made from")
    command = add("resonance", resonance.resonance, "which input shaper a frame needs")
    resonance.arguments(command)
    command = add("card", card.card, "jobs that a board plays from its own card")
    card.arguments(command)
    command = add("devices", flash.devices, "list every board on the USB", machine=False)
    command.add_argument("--bus", default="usb", help="usb, or a simulated one: twin:KIND,KIND")
    command.add_argument("--quiet", action="store_true", help="ask no board anything")
    command = add("flash", flash.flash, "make a board a checked machine controller")
    flash.arguments(command)
    command = add("release", release.release, "make, sign and check releases of the firmware")
    release.arguments(command)
    command = add(
        "kit", kit.kit, "gather all that a workshop without internet needs", machine=False
    )
    kit.arguments(command)
    command = add("doctor", doctor.doctor, "say why a board does not answer", machine=False)
    doctor.arguments(command)
    command = add("hil", rig.hil, "the rig: scan, check, sheet, selftest", machine=False)
    command.add_argument("words", nargs=argparse.REMAINDER, metavar="...", help="try `hil scan -h`")
    for name, run, text in (
        ("run", work.run, "run a program or a job file"),
        ("resume", work.resume, "go on with a job that was cut or held"),
    ):
        command = add(name, run, text)
        command.add_argument("file", metavar="FILE")
        command.add_argument("--port", required=True, help="a serial port, or virtual")
        command.add_argument("--who", default="", help="who runs it, for the record")
        command.add_argument("--journal", default="", help="another journal file")
        command.add_argument(
            "--cut-at-s", type=float, help="virtual only: the link dies so many seconds in"
        )
    for name, run, text in (
        ("home", bench.home, "home axes (default: all)"),
        ("jog", bench.jog, "move one axis by some mm"),
        ("heat", bench.heat, "heat a heater and watch it"),
        ("status", bench.status, "say how the machine is"),
        ("stop", bench.stop, "stop a running job on its path"),
        ("override", bench.override, "set percentages of feed and rapids of a running job"),
    ):
        command = add(name, run, text)
        if name == "override":
            command.add_argument("--feed", type=float, help="percent of the feed, 10 to 200")
            command.add_argument("--rapid", type=float, help="percent of rapids, 10 to 100")
            continue
        needs = name not in ("status", "stop")
        command.add_argument("--port", default="", required=needs, help="a serial port, or virtual")
        if name == "home":
            command.add_argument("axes", nargs="*", metavar="AXIS")
        elif name == "jog":
            command.add_argument("axis")
            command.add_argument("mm", type=float)
            command.add_argument("--speed", type=float, help="mm/s")
        elif name == "heat":
            command.add_argument("heater")
            command.add_argument("celsius", type=float)
            tune.arguments(command)
    for name in ("plan", "compile", "show", "verify", "run", "resume"):
        commands.choices[name].add_argument(
            "--map", default="", metavar="MAP.toml", help="a map of heights"
        )
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; its exit code (docs/exit-codes.md)."""
    args = parser().parse_args(argv)
    try:
        return int(args.run(args))
    except Error as error:
        say.problem(str(error), args.json, error.exit_code)
        return error.exit_code
    except BrokenPipeError:  # whoever read our output has left
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - nothing is left to say at exit
        return 0
    except OSError as error:
        text = f"{error.filename or 'the system'}: {error.strerror}; the command ended there"
        say.problem(text, args.json, UsageError.exit_code)
        return UsageError.exit_code
    except KeyboardInterrupt:
        say.problem("interrupted", args.json, INTERRUPTED)
        return INTERRUPTED
