"""The commands that come with the rig; the host finds them, and never imports them."""

from __future__ import annotations

import argparse
from importlib.metadata import entry_points

from microfactory.errors import UsageError

COMMANDS = "microfactory.commands"


def hil(args: argparse.Namespace) -> int:
    """Hand the words over to the rig's own commands. UsageError: no rig is installed."""
    for entry in entry_points(group=COMMANDS, name="hil"):
        return int(entry.load()([*args.words, *(["--json"] if args.json else [])]))
    raise UsageError("the rig (hil) is not installed, so nothing was done; install microfactory")
