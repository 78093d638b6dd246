"""One fault, a case of several, and the file that another workshop can replay."""

from __future__ import annotations

import json
import random
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from microfactory import Machine, UsageError

SCHEMA = 1
LINK = ("drop", "truncate", "flip", "duplicate", "reorder", "delay", "stall", "garbage", "babble")
SENSOR = ("thermistor open", "thermistor short", "thermistor stuck", "thermistor drift",
          "thermistor noise")  # fmt: skip
SWITCH = ("switch stuck", "switch bounce", "switch late")
HEATER = ("heater weak", "heater welded")
HOST = ("host killed", "host suspended")
KINDS = (*LINK, "cut", "reset", "power loss", *SENSOR, *SWITCH, *HEATER, *HOST, "clock")
WAYS = ("to board", "from board", "both")
# of each kind: how much, from and to, and what that is
AMOUNT = {
    "drop": (0.05, 1.0),  # share of pieces
    "truncate": (0.05, 1.0),
    "flip": (0.05, 1.0),
    "duplicate": (0.05, 1.0),
    "reorder": (0.05, 1.0),
    "delay": (0.01, 0.5),  # s
    "garbage": (1, 300),  # bytes a piece
    "babble": (1, 2000),
    "thermistor drift": (-10.0, 10.0),  # C/s
    "thermistor noise": (0.1, 3.0),  # C, rms
    "switch bounce": (2, 12),  # changes, for_s apart
    "switch late": (0.1, 2.0),  # mm
    "heater weak": (0.1, 0.7),  # share of its power
    "clock": (-300.0, 300.0),  # parts in a million
}


@dataclass(frozen=True)
class Fault:
    """kind of KINDS; at_s from the first word to the board; for_s; how much (AMOUNT); where: a way
    of the link (WAYS), or the name of a heater or an input.
    """

    kind: str
    at_s: float
    for_s: float
    amount: float = 0.0
    where: str = ""


@dataclass(frozen=True)
class Case:
    """A program on a machine under faults. seed: of all that is random in them."""

    machine: str
    program: str
    seed: int
    faults: tuple[Fault, ...]

    def save(self, path: Path, **more: Any) -> None:
        """One JSON file; more: what was found."""
        data = {"schema": SCHEMA, **asdict(self), **more}
        path.parent.mkdir(parents=True, exist_ok=True)
        half = path.with_suffix(".half")
        half.write_text(json.dumps(data, indent=1) + "\n")
        half.replace(path)


def load(path: Path) -> Case:
    """A case from its file. UsageError: it is none."""
    try:
        data = json.loads(path.read_text())
        faults = tuple(Fault(**each) for each in data["faults"])
        case = Case(data["machine"], data["program"], int(data["seed"]), faults)
        if data["schema"] != SCHEMA:
            raise ValueError(f"schema {data['schema']} is not {SCHEMA}")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"{path}: no case of faults ({error}); nothing was played; name a file that "
            "`python -m hil.faults` wrote"
        ) from None
    unknown = [fault.kind for fault in faults if fault.kind not in KINDS]
    if unknown:
        raise UsageError(f"{path}: the fault {unknown[0]} is unknown; it is one of {KINDS}")
    return case


def draw(kind: str, machine: Machine, length_s: float, dice: random.Random) -> Fault | None:
    """A fault of this kind at a random time of a job so long; None: this machine has no place."""
    where = ""
    if kind in LINK:
        where = dice.choice(WAYS)
    elif kind in SENSOR or kind in HEATER:
        if not machine.heaters:
            return None
        where = dice.choice(machine.heaters).name
    elif kind in SWITCH:
        where = dice.choice([part.name for part in machine.inputs if part.role == "limit"])
    low, high = AMOUNT.get(kind, (0, 0))
    amount = dice.randint(low, high) if isinstance(low, int) else dice.uniform(low, high)
    if kind == "switch stuck":
        amount = dice.randint(0, 1)  # never active, or always
    at_s = 0.0 if kind in ("switch late", "clock") else dice.uniform(0.0, length_s)
    for_s = dice.choice((0.05, 0.2, 0.3, 1.0, 5.0, length_s))
    if kind == "switch bounce":  # its debouncing bears 2 ms
        for_s = dice.choice((0.0003, 0.001, 0.003, 0.01))
    return Fault(kind, round(at_s, 6), for_s, round(amount, 4), where)
