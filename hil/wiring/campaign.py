"""Right and wrong boards by dice, each observed and diagnosed, and the diagnosis judged."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from hil.wiring.bench import observe
from hil.wiring.diagnose import Finding, diagnose
from hil.wiring.lines import Line, lines_of
from hil.wiring.miswire import Mistake, Wire, right, wrong
from microfactory import Machine

MACHINES = ("d3d-printer", "cnc-torch-table", "cnc-machine-centre", "circuit-plotter")
BUNDLES = {"step": "drivers", "dir": "drivers", "output": "outputs", "heater": "outputs"}


def wires(lines: list[Line]) -> list[Wire]:
    """What the generator is told of them."""
    return [
        Wire(line.label, BUNDLES.get(line.kind, line.kind), line.pull_down, line.kind != "sensor")
        for line in lines
    ]


def named(mistake: Mistake, found: list[Finding]) -> bool:
    """Whether a finding is this very mistake."""
    return any(f.kind == mistake.kind and f.lines == mistake.lines for f in found)


def boards(count: int, seed: int, spoilt: bool) -> Iterator[dict[str, Any]]:
    """So many boards, the machines in turn."""
    dice = random.Random(f"{seed} {spoilt}")
    for number in range(count):
        machine = Machine.load(MACHINES[number % len(MACHINES)])
        each = wires(lines_of(machine))
        net, mistakes = wrong(each, dice) if spoilt else (right(each), ())
        observed = observe(machine, net)
        found = diagnose(machine, observed)
        yield {
            "machine": machine.name,
            "lines": len(each),
            "mistakes": [[m.kind, *m.lines] for m in mistakes],
            "told": [f.sentence for f in found],
            "passed": not found,
            "named": all(named(m, found) for m in mistakes),
            "more": len(found) > len(mistakes),
            "rig_s": round(observed.rig_s, 3),
        }
