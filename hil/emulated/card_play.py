"""A job from a card on the emulated chip, without a host: python -m hil.emulated.card_play.

The firmware as it is, its page with a slot; an SD card byte by byte on its SPI (sd.mjs), FAT16 on
it. Every edge of the job is compared with the board in memory that plays the same card.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

import microfactory as mf
from hil.cuts import SCENARIOS
from hil.emulated.chip import missing
from hil.emulated.fatimage import contents, image
from hil.emulated.figures import COLLECTION, FREE, PASS
from hil.emulated.link import EmulatedLink
from hil.emulated.pins import Played, runs
from hil.emulated.trials import compare
from hil.plant import near_home
from hil.rig_virtual import VirtualLink
from mfboard.sim_card import SimCard
from mfwire import card as c
from microfactory.card import CardDesk, CardStatus
from microfactory.cardfiles import BUTTON_NAME, write_card
from microfactory.client import Client
from microfactory.jobfile import compile_job

JOURNAL = "journal.bin"
LOOK_S = 0.25
LONG_S = 200.0


def made(name: str, machine: mf.Machine, folder: Path) -> Path:
    """A card's files for one scenario."""
    compile_job(mf.parse(SCENARIOS / f"{name}.gcode"), machine, folder / "job")
    (folder / "card").mkdir()
    write_card(folder / "job", folder / "card", journal_mb=1)
    return folder / "card"


def desk(link: Any, machine: mf.Machine) -> CardDesk:
    """Somebody plugs in."""
    found = CardDesk.__new__(CardDesk)
    found.machine, found.link = machine, link
    found.client = Client(link, machine)
    found.client.connect()
    return found


class CardBench:
    """One emulated board with a card in its slot."""

    def __init__(self, name: str, machine: str, folder: Path) -> None:
        self.machine = mf.Machine.load(machine)
        self.files = made(name, self.machine, folder)
        self.image = folder / "card.img"
        self.image.write_bytes(image({p.name: p.read_bytes() for p in self.files.iterdir()}))
        self.link = EmulatedLink(self.machine, start_mm=near_home(self.machine), card=self.image)
        self.least_free = 1 << 30
        desk(self.link, self.machine).bind()

    def close(self) -> None:
        """End the emulator."""
        self.link.close()

    def desk(self) -> CardDesk:
        """Somebody plugs in."""
        return desk(self.link, self.machine)

    def begin(self) -> None:
        """Asked over USB; then the cable is pulled."""
        self.link.look()
        self.link.forget()
        here = self.desk()
        here.play(BUTTON_NAME)
        self.unplug()

    def unplug(self) -> None:
        """No host any more."""
        self.link.chip.cut()
        self.link.cut = None

    def ask(self) -> CardStatus:
        """Plug in, ask, pull the cable."""
        self.link.mend()
        found = self.desk().status()
        self.unplug()
        return found

    def live(self, seconds: float) -> None:
        """Without a host."""
        self.link.alone(seconds)
        free = int(self.link.state()[FREE])
        if free:
            self.least_free = min(self.least_free, free)

    def stepping(self) -> bool:
        """Whether a motor has stepped in the last piece of time."""
        self.link.look()
        _clocks, pins, levels = self.link.edges[-1]
        steps = [step for step, _ in self.link.page.STEP.values()]
        return bool((np.isin(pins, steps) & (levels == 1)).any())

    def until(self, states: tuple[str, ...], seconds: float = LONG_S) -> CardStatus:
        """Asked twice a second while nothing is stepping, until it is in one of these states."""
        end = self.link.now_s() + seconds
        while True:
            self.live(LOOK_S)
            if not self.stepping():
                found = self.ask()
                if found.state in states:
                    return found
            if self.link.now_s() > end:
                raise RuntimeError(f"it is {self.ask()}")

    def runs(self) -> list[Played]:
        """Every opening of the gate."""
        self.link.look()
        return runs(self.machine, self.link.page, self.link.edges)

    def journal(self, folder: Path) -> bytes:
        """The journal as the card has it now."""
        saved = folder / "after.img"
        self.link.chip.card(save=saved)
        return contents(saved.read_bytes())[JOURNAL]


def twin(bench: CardBench) -> list[list[tuple[Any, Any]]]:
    """Of each run of the board in memory with the same card: each motor's rises and signs."""
    machine = bench.machine
    link = VirtualLink(
        machine, capture=True, start_mm=near_home(machine), card=SimCard(str(bench.files))
    )
    desk(link, machine).bind()
    it = link.board.card
    assert it is not None
    assert it.begin(BUTTON_NAME, 0) == 0
    while it.state != c.ENDED:
        link.alone(0.1)
    capture = link.capture()
    begins = [run.tick for run in capture.runs] + [capture.end_tick + 1]
    out = []
    for begin, end in itertools.pairwise(begins):
        motors = []
        for trace in capture.motors.values():
            a, b = np.searchsorted(trace.rise, (begin, end))
            motors.append((trace.rise[a:b] - begin, trace.direction[a:b]))
        out.append(motors)
    return out


def homing_runs(machine: mf.Machine) -> int:
    """Fast to the switch, off it, slowly to it, to the homed place: of each axis."""
    return 4 * sum(axis.home is not None for axis in machine.axes)


def judge(bench: CardBench, expected: list[list[tuple[Any, Any]]]) -> str:
    """The first difference in the job's runs; empty: none.

    Those of homing end where a switch was felt, which the chip does at the end of a word.
    """
    played = bench.runs()
    if len(played) != len(expected):
        return f"{len(played)} runs, the board in memory {len(expected)}"
    homing = homing_runs(bench.machine)
    for number in range(homing, len(played)):
        wrong = compare(bench.machine, played[number], expected[number])
        if wrong:
            return f"run {number}: {wrong}"
    return "" if len(played) > homing else "no run is the job's"


def whole(name: str, machine: str) -> dict[str, Any]:
    """A job from its beginning to its end; `wrong` is empty when all was right."""
    with tempfile.TemporaryDirectory() as folder:
        bench = CardBench(name, machine, Path(folder))
        try:
            expected = twin(bench)
            begun = bench.link.now_s()
            bench.begin()
            while not bench.stepping():
                bench.live(LOOK_S)
            moved = bench.link.now_s()
            bench.link.clear(PASS)
            ended = bench.until(("ENDED",))
            state = bench.link.state()
            wrong = "" if ended.why == "end" else f"it ended: {ended.words}"
            return {
                "figure": "a job from a card on an emulated RP2040, no host",
                "machine": machine,
                "checked_s": round(moved - begun, 1),
                "played_s": round(bench.link.now_s() - moved, 1),
                "pulses": sum(len(r) for run in bench.runs() for r in run.rises),
                "blocks_read": bench.link.chip.card()["reads"],
                "blocks_written": bench.link.chip.card()["writes"],
                "memory_free_least_bytes": bench.least_free,
                "loop_longest_us": int(state[PASS]),
                "collection_us": int(state[COLLECTION]),
                "wrong": wrong or judge(bench, expected),
            }
        finally:
            bench.close()


def main() -> int:
    """0: every edge was right; 1: one was not; 77: there is no emulated rig here, and why."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenario", default="short_board")
    parser.add_argument("--machine", default="circuit-plotter")
    options = parser.parse_args()
    if missing():
        print(f"skipped: {missing()}", file=sys.stderr)
        return 77
    found = whole(options.scenario, options.machine)
    print(json.dumps(found))
    return 1 if found["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
