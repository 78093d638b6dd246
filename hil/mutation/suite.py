"""Which tests may notice a fault, the quick ones first."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from hil.mutation.fault import Fault
from hil.mutation.recorder import TOUCHED

# run by another interpreter or in a process of its own, where no line is recorded
WHOLE_CHAIN = (
    "tests/system/test_cuts.py",
    "tests/system/test_cli.py",
    "tests/system/test_examples.py",
)
ELSEWHERE = {
    "firmware": ("tests/board/test_micropython.py", "tests/wire/", *WHOLE_CHAIN),
    "planner": WHOLE_CHAIN,
    "verifier": WHOLE_CHAIN,
    "machines": WHOLE_CHAIN,
}
FIRST_S = 10.0  # of tests in the first piece; each further one has four times as many
MOTION = "host/microfactory/motion/"
MACHINE = "host/microfactory/machine"


class Suite:
    """The tests as `recorder` saw them."""

    def __init__(self, touched: Path = TOUCHED) -> None:
        told = json.loads(touched.read_text())
        self.seconds: dict[str, float] = told["tests"]
        self.lines: dict[str, dict[str, list[str]]] = told["lines"]

    def tests(self, fault: Fault) -> list[str]:
        """Tests that run the fault's line; of C and machine files, those that use them at all."""
        if fault.file.endswith(".py"):
            lines = self.lines.get(fault.file, {})
            found = set(lines.get(str(fault.line), ()))
            if not found:  # run while the module is imported, or the rest of a statement
                found = {name for names in lines.values() for name in names}
        else:
            room = MOTION if fault.file.endswith(".c") else MACHINE
            found = {
                name
                for file, lines in self.lines.items()
                if file.startswith(room)
                for names in lines.values()
                for name in names
            }
        for place in ELSEWHERE.get(fault.room, ()):
            found |= {name for name in self.seconds if name.startswith(place)}
        return sorted(found, key=lambda name: (self.seconds.get(name, 0.0), name))

    def pieces(self, fault: Fault, budget_s: float) -> Iterator[tuple[list[str], float]]:
        """The same in pieces, each with the seconds that it lasts without a fault; the quick ones
        that fit in budget_s.
        """
        piece: list[str] = []
        spent, most, left = 0.0, FIRST_S, budget_s
        for name in self.tests(fault):
            left -= self.seconds.get(name, 0.0)
            if left < 0:
                break
            piece.append(name)
            spent += self.seconds.get(name, 0.0)
            if spent >= most:
                yield piece, spent
                piece, spent, most = [], 0.0, 4 * most
        if piece:
            yield piece, spent
