"""`microfactory doctor`: why a board does not answer."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from microfactory.cli import say
from microfactory.flash import devices
from microfactory.flash import doctor as d
from microfactory.flash.bus import open_bus
from microfactory.flash.system import UDEV_RULE, look


def arguments(command: argparse.ArgumentParser) -> None:
    """Those of `doctor`."""
    command.add_argument("--bus", default="usb", help="usb, or a simulated one: twin:KIND,KIND")
    command.add_argument("--repl", action="store_true", help="ask MicroPython prompts (stops them)")
    command.add_argument("--rule", action="store_true", help="print the udev rule and nothing else")


def doctor(args: argparse.Namespace) -> int:
    """Look, and say what is wrong."""
    if args.rule:
        print(UDEV_RULE, end="")
        return 0
    bus = open_bus(args.bus)
    boards = devices.find(bus)
    names = [port for board in boards for port in board.ports if port.startswith("/dev/")]
    found = d.diagnose(boards, look(names))
    if args.repl:
        found += d.ask(bus, boards)
    if args.json:
        value = [asdict(finding) for finding in found]
        say.value({"boards": [board.data() for board in boards], "findings": value})
        return 0
    for finding in found:
        say.line(f"- {finding}")
    if not found:
        say.line(f"{len(boards)} boards, and nothing is wrong with them that can be seen from here")
    return 0
