"""What several commands need: the machine with its settings, a port, a hold by Ctrl-C."""

from __future__ import annotations

import argparse
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from microfactory.errors import UsageError
from microfactory.heightmap import HeightMap, with_map
from microfactory.machine import Machine


def setting(text: str) -> tuple[str, Any]:
    """KEY=VALUE of --set. UsageError: it has no =."""
    key, equals, word = text.partition("=")
    if not equals or not key:
        raise UsageError(f"--set {text}: write KEY=VALUE, such as motion.corner_tolerance_mm=0.025")
    if word in ("true", "false"):
        return key, word == "true"
    try:
        return key, float(word)
    except ValueError:
        return key, word


def load_machine(args: argparse.Namespace) -> Machine:
    """The machine of --machine with every --set and --map. UsageError, MachineError."""
    if not args.machine:
        raise UsageError(
            "no machine was named; nothing was done; add --machine NAME or --machine FILE.toml, "
            "`microfactory machines` lists those that come along"
        )
    machine = Machine.load(args.machine)
    settings = dict(setting(text) for text in args.set or [])
    machine = machine.with_settings(settings) if settings else machine
    name = getattr(args, "map", "")
    return with_map(machine, HeightMap.load(name), name) if name else machine


@contextmanager
def holding() -> Iterator[Any]:
    """Ctrl-C and a terminate ask for a hold: the machine stops on its path. A second one raises."""
    asked = [False]

    def ask(number: int, frame: Any) -> None:
        if asked[0]:
            raise KeyboardInterrupt
        asked[0] = True

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
