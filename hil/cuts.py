"""Cut the plug: at random instants of a job the link dies (`make cuts`: 10,000 of them).

One process plays a job on the virtual machine. At each instant it forks: the child goes on from
that very state, loses its link, lets the board come to rest alone, looks at what it did, plugs in
again, resumes, and asks the verifier whether the joined path is whole. Some children are cut again.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import microfactory as mf
from hil.capture import Capture
from hil.mutants import SCENARIOS
from hil.plant import near_home
from hil.verify import verify
from microfactory.link import open_link

AHEAD_S = 0.1  # a fork is made so long before its instant
ALONE_S = 8.0  # the board is left alone: tail, retreat, rest
LOST_S = 0.5  # of the last valid frame: outputs and heat are as the machine file says by then
MOST_CUTS = 3
TRIAL_S = 120  # of wall time, then it has hung


class Kind(NamedTuple):
    """A job to cut: its program, its machine, and whether it may keep heat."""

    name: str
    machine: str
    standby: bool = True


KINDS = (
    Kind("short_print", "d3d-printer"),
    Kind("short_cut", "cnc-torch-table"),
    Kind("short_pocket", "cnc-machine-centre"),
    Kind("short_board", "circuit-plotter"),
    Kind("short_print", "d3d-printer", standby=False),
)


@dataclass
class Outcome:
    """What one trial found: wrong is empty if all was right. instants: of its cuts, s."""

    kind: str
    instants: list[float]
    ended: str = ""
    wrong: str = ""


class Trials:
    """One job, and the children that split off it."""

    def __init__(self, kind: Kind, instants: Sequence[float], seed: int, workers: int) -> None:
        self.kind = kind
        self.machine = mf.Machine.load(kind.machine)
        self.program = mf.parse(SCENARIOS / f"{kind.name}.gcode")
        self.folder = Path(tempfile.mkdtemp(prefix="cuts-"))
        self.journal = self.folder / "journal.jsonl"
        self.link: Any = open_link(
            "virtual", self.machine, capture=True, start_mm=near_home(self.machine)
        )
        self._read = self.link.read
        self.waiting = sorted(instants)
        self.seed, self.workers = seed, workers
        self.running: dict[int, int] = {}  # pid -> reading end of its pipe
        self.done: list[Outcome] = []
        self.child: tuple[int, float] | None = None  # writing end, instant

    def run(self) -> list[Outcome]:
        """Play the job once, with all its cuts on the way."""
        self.link.read = self._visit
        outcome = Outcome(self._name, [])
        try:
            with mf.Board(self.link, self.machine) as board:
                self._play(board.run, outcome)
        except BaseException:
            if self.child is None:
                raise
            outcome.wrong = traceback.format_exc()
        if self.child is not None:
            self._leave(outcome)
        while self.running:
            self._collect()
        shutil.rmtree(self.folder, ignore_errors=True)
        return self.done

    @property
    def _name(self) -> str:
        return self.kind.name + ("" if self.kind.standby else " without standby")

    # ---- splitting off

    def _visit(self, timeout_s: float) -> bytes:
        """In the parent, each time the host listens: split off what is due soon."""
        while self.waiting and self.waiting[0] < self.link.now_s() + timeout_s + AHEAD_S:
            instant = self.waiting.pop(0)
            while len(self.running) >= self.workers:
                self._collect()
            reading, writing = os.pipe()
            sys.stdout.flush()
            written = self.journal.stat().st_size if self.journal.exists() else -1
            pid = os.fork()
            if pid == 0:
                os.close(reading)
                self._become(writing, instant, written)
                break
            os.close(writing)
            self.running[pid] = reading
        return bytes(self._read(timeout_s))

    def _become(self, writing: int, instant: float, written: int) -> None:
        """In the child: a journal of its own, and a link that will die.

        The journal is what stood in the file at the split (`written` bytes, -1: no file): by now
        the parent may have written on.
        """
        self.child = (writing, instant)
        self.waiting, self.running = [], {}
        self.link.read = self._read
        mine = self.folder / f"journal-{os.getpid()}.jsonl"
        if written >= 0:
            with open(self.journal, "rb") as file:
                mine.write_bytes(file.read(written))
            _redirect(self.journal, mine)
        self.journal = mine
        self.link.cut_tick = max(int(instant * self._hz), self.link.port.tick)
        signal.signal(signal.SIGALRM, _too_long)
        signal.alarm(TRIAL_S)

    @property
    def _hz(self) -> int:
        return int(self.link.port.tick_hz)

    def _collect(self) -> None:
        """Wait for one child."""
        pid, status = os.wait()
        reading = self.running.pop(pid)
        with os.fdopen(reading) as pipe:
            text = pipe.read()
        if text:
            self.done.append(Outcome(**json.loads(text)))
        else:
            self.done.append(Outcome(self._name, [], wrong=f"child ended with status {status}"))

    def _leave(self, outcome: Outcome) -> None:
        """The child's end."""
        assert self.child is not None
        with os.fdopen(self.child[0], "w") as pipe:
            pipe.write(json.dumps(asdict(outcome)))
        os._exit(0)

    # ---- a trial

    def _play(self, begin: Any, outcome: Outcome) -> None:
        """Run to the end, over cuts; a child then asks for the verdict."""
        rng = random.Random(self.seed if self.child is None else None)
        go = begin
        while True:
            try:
                go(self.program, journal=self.journal, standby=self.kind.standby)
                break
            except mf.LinkError:
                if self.child is None:
                    raise
                instant = self.link.cut_tick / self._hz
                rng = random.Random(f"{self.seed} {self.child[1]}")
                outcome.instants.append(round(instant, 9))
                board = self._after(instant)
                if len(outcome.instants) < MOST_CUTS and rng.random() < 0.3:
                    again = self.link.now_s() + rng.uniform(0.5, 6.0)
                    self.link.cut_tick = int(again * self._hz)
                go = board.resume
        if self.child is not None:
            self._judge(outcome)

    def _judge(self, outcome: Outcome) -> None:
        outcome.ended = "finished"
        if not outcome.instants:  # the job ended before the cut came
            outcome.instants.append(round(self.child[1] if self.child else 0.0, 9))
        report = verify(self.program, self.machine, self.link.capture())
        if not report.passed:
            outcome.wrong = report.text()

    def _after(self, instant: float) -> mf.Board:
        """What the board did alone; then plug in again."""
        self.link.alone(ALONE_S)
        capture = self.link.capture()
        cut = int(instant * self._hz)
        self._still(capture)
        self._outputs(capture, cut)
        self._heat(capture, cut)
        self.link.mend()
        board = mf.Board(self.link, self.machine).open()
        status = board.status()
        counted = counts(capture, self.machine)
        if status.position_trusted and counted is not None:
            told = tuple(status.steps.values())
            if told != counted:
                raise AssertionError(f"the board tells {told} steps, its pins made {counted}")
        return board

    def _still(self, capture: Capture) -> None:
        last = max((int(m.rise[-1]) for m in capture.motors.values() if len(m.rise)), default=0)
        if last > capture.end_tick - self._hz:
            raise AssertionError("the motors did not come to rest")

    def _outputs(self, capture: Capture, cut: int) -> None:
        """By the time the loss is certain each output is as the machine file says."""
        late = cut + int(LOST_S * self._hz)
        for output in self.machine.outputs:
            signal = capture.outputs.get(output.name)
            if output.on_link_lost == "off" and signal is not None and signal.at(late) > 0:
                raise AssertionError(f"{output.name} is still on {LOST_S} s after the cut")

    def _heat(self, capture: Capture, cut: int) -> None:
        """Off, or at most what was granted."""
        late = cut + int((LOST_S + 0.1) * self._hz)
        for heater in self.machine.heaters:
            signal = capture.targets.get(heater.name)
            most = heater.standby_c if self.kind.standby else 0.0
            if signal is not None and signal.at(late) > most + 0.06:
                raise AssertionError(
                    f"{heater.name} is kept at {signal.at(late)} C where {most} was granted"
                )


def _too_long(number: int, frame: Any) -> None:
    raise AssertionError(f"a trial takes longer than {TRIAL_S} s")


def _redirect(old: Path, new: Path) -> None:
    """Every open file descriptor of `old` goes to `new` instead."""
    for name in os.listdir("/proc/self/fd"):
        try:
            if os.readlink(f"/proc/self/fd/{name}") == str(old):
                handle = os.open(new, os.O_WRONLY | os.O_APPEND)
                os.dup2(handle, int(name))
                os.close(handle)
        except OSError:
            continue


def counts(capture: Capture, machine: Any) -> tuple[int, ...] | None:
    """Steps that the pins have made, counted from the last start; None before any."""
    if not capture.runs:
        return None
    run = capture.runs[-1]
    return tuple(
        start + capture.motors[motor.name].steps_between(run.tick, capture.end_tick + 1)
        for start, motor in zip(run.start_steps, machine.motors, strict=True)
    )


def instants_of(kind: Kind, count: int, rng: random.Random) -> list[float]:
    """Random instants of a job: most while the program moves, some at any time."""
    trial = Trials(kind, [], 0, 1)
    trial.run()
    capture = trial.link.capture()
    report = verify(trial.program, trial.machine, capture)
    if not report.passed:
        raise AssertionError(f"{kind.name} without any cut: {report.text()}")
    assert report.played is not None
    ticks = report.played.tick[report.played.tick >= 0]
    begin, end = capture.seconds(int(ticks[0])), capture.seconds(int(ticks[-1]))
    moving = capture.seconds(int(ticks[ticks > ticks[0]][0]))
    out = []
    for _ in range(count):
        any_time = rng.random() < 0.15
        out.append(rng.uniform(0.01, end + 0.2) if any_time else rng.uniform(moving - 0.3, end))
    assert begin <= end
    return out


def campaign(cuts: int, seed: int, workers: int = 2) -> Iterator[Outcome]:
    """`cuts` trials, spread over the kinds."""
    rng = random.Random(seed)
    for k, kind in enumerate(KINDS):
        share = cuts // len(KINDS) + (k < cuts % len(KINDS))
        if share:
            yield from Trials(kind, instants_of(kind, share, rng), seed, workers).run()


def main(arguments: list[str] | None = None) -> int:
    """Run the campaign; 0: nothing went wrong."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--cuts", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--json", action="store_true", help="one line of JSON a trial, no more")
    options = parser.parse_args(arguments)
    warnings.filterwarnings("ignore", message=".*fork.*", category=DeprecationWarning)
    began = time.perf_counter()
    kinds: Counter[str] = Counter()
    many = wrong = 0
    for outcome in campaign(options.cuts, options.seed, options.workers):
        kinds[outcome.kind] += 1
        many += len(outcome.instants) > 1
        wrong += bool(outcome.wrong)
        if options.json:
            print(json.dumps(asdict(outcome)))
        elif outcome.wrong:
            print(f"WRONG {outcome.kind} cut at {outcome.instants} s:\n{outcome.wrong}\n")
    if options.json:
        return 1 if wrong else 0
    told = ", ".join(f"{n} {name}" for name, n in kinds.items())
    print(
        f"{sum(kinds.values())} jobs cut ({told}), {many} of them more than once: {wrong} wrong, "
        f"{time.perf_counter() - began:.0f} s"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    np.seterr(all="raise", under="ignore")
    sys.exit(main())
