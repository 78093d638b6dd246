"""Faults of the emulated chip in the middle of a job: python -m hil.emulated.faults --each 10.

A fault at a random instant; then how long motors go on and power outputs stay high, and that after
the restart nothing moves or heats by itself and the board tells what happened.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
from rich.progress import Progress

from hil.emulated.chip import CLOCK_HZ, REPL, WIRE, missing
from hil.emulated.pins import runs
from hil.emulated.trials import Bench
from microfactory.drive import drive
from microfactory.errors import BoardFault, LinkError

# but for one step each that had begun when the gate shut
MOTORS_MS = {"hung": 4.0, "hung, interrupts go on": 600.0, "reset": 0.1, "estop": 4.0}
OUTPUTS_MS = 600.0
LONGEST_WORD = 2_600_000  # clocks: the gate's 4 ms and the longest word's 16.8 ms
HEATED_S = 1.0
WATCHED_S = 1.5
MACHINES = ("d3d-printer", "cnc-torch-table", "cnc-machine-centre")
CONFUSED = ("babble on the REPL", "garbage on the wire")
KINDS = (*MOTORS_MS, *CONFUSED)


class Hurt(Bench):
    """One emulated board, hurt once; make another for the next fault."""

    def hurt(self, kind: str) -> dict[str, Any]:
        """One fault; `wrong` is empty when all was right."""
        link = self.link
        self.stand()
        self.board.wait(HEATED_S)
        instant_s = self.random.uniform(0.05, self.length_s)
        link.look()
        link.forget()
        found = {"machine": self.machine.name, "fault": kind, "instant_s": round(instant_s, 6)}
        if kind in CONFUSED:
            return found | {"wrong": self._confused(kind, instant_s)}
        link.cut = link.chip.now + round(instant_s * CLOCK_HZ)
        try:
            drive(self.board.client, iter(self.windows))
            link.cut_now()
        except LinkError:
            pass
        return found | self._stopped(kind)

    def _stopped(self, kind: str) -> dict[str, Any]:
        link, chip = self.link, self.link.chip
        begin = chip.now
        if kind == "hung":
            chip.hang(interrupts=False)
        elif kind == "hung, interrupts go on":
            chip.hang(interrupts=True)
        elif kind == "reset":
            chip.reset()
        else:
            part = next(p for p in self.machine.inputs if p.role == "estop")
            chip.set_pin(link.page.INPUTS[part.connector], int(part.active == "high"))
        link.alone(WATCHED_S)
        link.look()
        motors_ms, outputs_ms = self._quiet(begin)
        wrong = ""
        if motors_ms > MOTORS_MS[kind]:
            wrong = f"a motor stepped {motors_ms:.2f} ms after it"
        elif outputs_ms > OUTPUTS_MS:
            wrong = f"a power output was high {outputs_ms:.0f} ms after it"
        else:
            wrong = self._told(kind)
        return {
            "motors_ms": round(motors_ms, 3),
            "outputs_ms": round(outputs_ms, 1),
            "wrong": wrong,
        }

    def _quiet(self, begin: int) -> tuple[float, float]:
        """Milliseconds from the fault to the last step begun, and until all outputs are low."""
        clocks, pins, levels = (np.concatenate(p) for p in zip(*self.link.edges, strict=True))
        last = [0.0, 0.0]
        for which, numbers in enumerate(
            ([step for step, _ in self.link.page.STEP.values()], self.link.page.OUTPUTS.values())
        ):
            for number in numbers:
                mine = pins == number
                at, level = clocks[mine], levels[mine]
                if len(at) and level[-1]:
                    last[which] = np.inf
                falls = at[1:][(level[:-1] == 1) & (level[1:] == 0)]
                falls = falls[falls > begin]
                if which == 0 and len(falls) and falls[-1] - begin < LONGEST_WORD:
                    falls = falls[:-1]  # a step that had begun when the gate shut
                if len(falls):
                    last[which] = max(last[which], (int(falls[-1]) - begin) / CLOCK_HZ * 1000)
        return last[0], last[1]

    def _told(self, kind: str) -> str:
        """What the board says of it afterwards, when it is connected to again."""
        link, client = self.link, self.board.client
        link.mend()
        if kind != "estop":
            link.chip.boot(2)
            link.alone(0.5)
        client.connect()
        status = client.ask()
        if status.position_trusted:
            return f"it trusts its position: {status}"
        told = {"hung": 12, "hung, interrupts go on": 12, "reset": 0}
        if kind in told and status.fault != told[kind]:
            return f"it tells fault {status.fault}"
        if kind == "estop" and status.state != "FAULT":
            return f"it is {status.state}"
        return ""

    def _confused(self, kind: str, instant_s: float) -> str:
        """Bytes that mean nothing, in the middle of a job that goes on: not an edge differs."""
        link, client = self.link, self.board.client
        noise = [self.random.randbytes(200)]

        def babble() -> bool:
            if noise and link.now_s() >= until:
                if kind == "babble on the REPL":
                    link.chip.write(REPL, b"\x03\x03\x01machine.reset()\r\n\x04" + noise.pop())
                else:
                    link.chip.write(WIRE, noise.pop() + b"\0")
            return False

        until = link.now_s() + instant_s
        try:
            driven = drive(client, iter(self.windows), wants_hold=babble)
        except (LinkError, BoardFault) as error:
            return str(error)
        if driven.state != "DONE":
            return f"it ended {driven.state} {driven.why}"
        link.look()
        return self._judge(runs(self.machine, link.page, link.edges), client.ask())


def campaign(each: int, seed: int) -> Iterator[dict[str, Any]]:
    """`each` trials of every kind of fault, on the machines in turn."""
    for number in range(each):
        for k, kind in enumerate(KINDS):
            name = MACHINES[(number + k) % len(MACHINES)]
            bench = Hurt(name, seed * 1000 + number * len(KINDS) + k)
            try:
                yield bench.hurt(kind)
            finally:
                bench.close()


def main() -> int:
    """0: nothing wrong; 1: something; 77: there is no emulated rig here, and why."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--each", type=int, default=10, help="trials of every kind of fault")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="one JSON line a trial")
    options = parser.parse_args()
    if missing():
        print(f"skipped: {missing()}", file=sys.stderr)
        return 77
    found = []
    with Progress(disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("faults", total=options.each * len(KINDS))
        for trial in campaign(options.each, options.seed):
            found.append(trial)
            progress.advance(task)
            if options.json or trial["wrong"]:
                print(json.dumps(trial), flush=True)
    for kind in KINDS:
        mine = [trial for trial in found if trial["fault"] == kind]
        motors = max((trial.get("motors_ms", 0.0) for trial in mine), default=0.0)
        outputs = max((trial.get("outputs_ms", 0.0) for trial in mine), default=0.0)
        wrong = sum(bool(trial["wrong"]) for trial in mine)
        print(
            f"{len(mine)} times {kind}: {wrong} wrong; last step begun after {motors:.2f} ms, "
            f"last output low after {outputs:.0f} ms, at most"
        )
    return 1 if any(trial["wrong"] for trial in found) else 0


if __name__ == "__main__":
    sys.exit(main())
