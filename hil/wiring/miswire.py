"""Boards wired wrongly, by dice; what was done is written down, to judge a diagnosis by."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from hil.wiring.net import Net

KINDS = ("open", "ground", "supply", "short", "swap", "inverted", "no pull-down")


@dataclass(frozen=True)
class Mistake:
    """One mistake on one or two lines, named in order."""

    kind: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Wire:
    """What a generator must know of a line: its name, its bundle, whether it has a pull-down."""

    name: str
    bundle: str  # lines that lie side by side: drivers, outputs, switches, thermistors
    pulled: bool
    digital: bool


def right(wires: Sequence[Wire]) -> Net:
    """The board as it should be."""
    return Net.right((wire.name, wire.pulled) for wire in wires)


def wrong(wires: Sequence[Wire], dice: random.Random) -> tuple[Net, tuple[Mistake, ...]]:
    """A board with one mistake or two, on different lines."""
    net = right(wires)
    mistakes: list[Mistake] = []
    taken: set[str] = set()
    while len(mistakes) < (2 if dice.random() < 0.5 else 1) or not mistakes:
        mistake = _draw(wires, dice)
        if not taken & set(mistake.lines):
            _make(net, mistake)
            mistakes.append(mistake)
            taken |= set(mistake.lines)
    return net, tuple(mistakes)


def _draw(wires: Sequence[Wire], dice: random.Random) -> Mistake:
    while True:
        kind = dice.choice(KINDS)
        wire = dice.choice(wires)
        if kind in ("short", "swap"):
            near = [w for w in wires if w.bundle == wire.bundle and w != wire]
            if near:
                return Mistake(kind, tuple(sorted((wire.name, dice.choice(near).name))))
        elif kind == "no pull-down":
            if wire.pulled:
                return Mistake(kind, (wire.name,))
        elif kind != "inverted" or wire.digital:
            return Mistake(kind, (wire.name,))


def _make(net: Net, mistake: Mistake) -> None:
    names = mistake.lines
    ends = [(("board", name), ("rig", name)) for name in names]
    if mistake.kind == "open":
        del net.wires[ends[0]]
    elif mistake.kind == "ground":
        net.rails[ends[0][1]] = 0
    elif mistake.kind == "supply":
        net.rails[ends[0][1]] = 1
    elif mistake.kind == "short":
        net.wires[ends[0][1], ends[1][1]] = False
    elif mistake.kind == "inverted":
        net.wires[ends[0]] = True
    elif mistake.kind == "no pull-down":
        net.pull_downs.discard(ends[0][0])
    else:
        del net.wires[ends[0]], net.wires[ends[1]]
        net.wires[ends[0][0], ends[1][1]] = False
        net.wires[ends[1][0], ends[0][1]] = False
