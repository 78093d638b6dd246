"""Spoilt programs, played: python -m hil.mutated --count 1000 --seed 1.

Small programs of all four kinds have bytes, words and numbers changed and lines doubled, dropped or
moved. Each ends in one sentence before anything moves, or is played on the virtual machine and its
captured pulses are judged by the verifier, which reads the spoilt program for itself.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from rich.progress import Progress

import microfactory as mf
from hil.cuts import near_home
from hil.rig_virtual import VirtualLink
from hil.verify import verify

SCENARIOS = Path(__file__).parent / "scenarios"
KINDS = {
    "d3d-printer": "short_print",
    "cnc-torch-table": "short_cut",
    "cnc-machine-centre": "short_pocket",
    "circuit-plotter": "short_board",
}
LONGEST_S = 900.0  # of motion: a mutant that would play longer is only planned
NUMBERS = ("0", "-1", "1e9", "1e-9", "99999", "-0.0", ".", "--3", "nan", "4.5.6", "0.001", "250")


def mutant(data: bytes, rng: random.Random) -> bytes:
    """The program with one to three changes."""
    lines = data.split(b"\n")
    for _ in range(rng.randint(1, 3)):
        i = rng.randrange(len(lines))
        how = rng.randrange(7)
        if how == 0 and lines[i]:
            at = rng.randrange(len(lines[i]))
            lines[i] = lines[i][:at] + bytes([rng.randrange(256)]) + lines[i][at + 1 :]
        elif how == 1:
            lines.insert(i, lines[rng.randrange(len(lines))])
        elif how == 2 and len(lines) > 1:
            del lines[i]
        elif how == 3:
            lines[i] = lines[i][: rng.randrange(len(lines[i]) + 1)]
        else:
            words = lines[i].split(b" ")
            k = rng.randrange(len(words))
            if how == 4:
                words[k] = words[k][:1] + rng.choice(NUMBERS).encode()
            elif how == 5:
                words[k] = bytes([rng.choice(b"GMXYZEFIJKPRSTQ")]) + words[k][1:]
            else:
                words.insert(k, bytes([rng.choice(b"GMXYZEF")]) + rng.choice(NUMBERS).encode())
            lines[i] = b" ".join(words)
    return b"\n".join(lines)


def play(number: int, seed: int) -> dict[str, Any]:
    """One mutant. wrong is empty when it was refused in a sentence, or played as it says."""
    rng = random.Random(f"{seed} {number}")
    name = list(KINDS)[number % len(KINDS)]
    machine = mf.Machine.load(name)
    data = mutant((SCENARIOS / f"{KINDS[name]}.gcode").read_bytes(), rng)
    found = {"number": number, "machine": name, "ended": "", "pulses": 0, "wrong": ""}
    link = VirtualLink(machine, capture=True, start_mm=near_home(machine))
    try:
        program = mf.parse(data, "mutant.gcode")
        whole = mf.plan(program, machine)
        for section in whole.sections():
            for _window in section.windows:
                pass
        if sum(stretch.figures().time_s for stretch in whole.stretches) > LONGEST_S:
            return {**found, "ended": "too long to play"}
        with mf.Board(link, machine) as board:
            board.run(program, on_pause=lambda *_: True)
        found["ended"] = "played"
        report = verify(data, machine, [link.capture()])
        if not report.passed:
            found["wrong"] = report.text().splitlines()[0]
    except mf.Error as error:
        found["ended"] = type(error).__name__
        moved = link.capture().pulses
        if moved:
            found["ended"] += " while playing"
        if "\n" in str(error) or not str(error):
            found["wrong"] = f"no sentence: {error}"
    except Exception as error:
        found["wrong"] = f"{type(error).__name__}: {error}"
    found["pulses"] = link.capture().pulses
    return found


def _piece(numbers: list[int], seed: int) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["MICROFACTORY_STATE"] = folder
        return [play(number, seed) for number in numbers]


def campaign(count: int, seed: int, jobs: int) -> list[dict[str, Any]]:
    """All mutants."""
    pieces = [list(range(i, min(i + 10, count))) for i in range(0, count, 10)]
    found: list[dict[str, Any]] = []
    with Progress(disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("spoilt programs", total=count)
        with ProcessPoolExecutor(jobs) as pool:
            for part in pool.map(_piece, pieces, [seed] * len(pieces)):
                found += part
                progress.advance(task, len(part))
    return found


def main() -> int:
    """0: nothing wrong; 1: something."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--json", action="store_true", help="one JSON line a program")
    options = parser.parse_args()
    found = campaign(options.count, options.seed, options.jobs)
    wrong = [each for each in found if each["wrong"]]
    for each in found if options.json else wrong:
        print(json.dumps(each))
    ends: dict[str, int] = {}
    for each in found:
        ends[each["ended"]] = ends.get(each["ended"], 0) + 1
    told = ", ".join(f"{count} {end}" for end, count in sorted(ends.items()))
    print(f"{len(found)} spoilt programs, {len(wrong)} wrong: {told}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
