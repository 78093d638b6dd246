"""Cost of a move and memory from 10,000 to 1,000,000 moves: text to framed bytes of the wire.

Each size runs in a process of its own, so that its peak memory is its own; memory is told above the
interpreter with all modules loaded and the program's text read. Prints one JSON object a line;
`--most 1000000` goes on to a million; `--plot FILE` draws them (PNG or SVG).
"""

from __future__ import annotations

import argparse
import itertools
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from programs import PROGRAMS

from microfactory.machine import Machine
from microfactory.motion.framing import wire_bytes
from microfactory.motion.gcode import parse
from microfactory.motion.plan import plan

SIZES = (10_000, 30_000, 100_000, 300_000, 1_000_000)
KINDS = ("layers", "chords", "arcs")
JERK = {"motion.max_jerk_mm_s3": 60_000.0}


def memory_mb(name: str) -> float:
    """VmRSS (now) or VmHWM (highest since `forget_peak`) of this process; Linux tells it."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) / 1024
    raise OSError(f"/proc/self/status has no {name}")


def forget_peak() -> None:
    """The highest memory counts from now on (proc(5), clear_refs)."""
    Path("/proc/self/clear_refs").write_text("5")


def measure(kind: str, moves: int, jerk: bool) -> dict[str, Any]:
    """One size, in this process."""
    machine = Machine.load("d3d-printer")
    if jerk:
        machine = machine.with_settings(JERK)
    program = parse("".join(itertools.islice(PROGRAMS[kind](moves), moves + 1)))
    forget_peak()
    before_mb = memory_mb("VmRSS")
    wall, cpu = time.perf_counter(), time.process_time()
    whole = plan(program, machine)
    total = sum(len(data) for data in wire_bytes(whole))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    count = whole.counts["moves"]
    return {
        "bench": "scale", "program": kind, "jerk": jerk, "moves": count, "wire_bytes": total,
        "wall_s": round(wall, 3), "cpu_us_per_move": round(1e6 * cpu / count, 2),
        "text_mb": round(len(program.data) / 1e6, 1),
        "above_mb": round(memory_mb("VmHWM") - before_mb, 1),
    }  # fmt: skip


def rows(sizes: tuple[int, ...]) -> list[dict[str, Any]]:
    """All sizes, each in a process of its own."""
    out = []
    for kind in KINDS:
        for jerk in (False, True) if kind == "layers" else (False,):
            for moves in sizes:
                words = [sys.executable, __file__, "--one", kind, str(moves), str(int(jerk))]
                done = subprocess.run(words, capture_output=True, text=True, check=True)
                print(done.stdout.strip(), flush=True)
                out.append(json.loads(done.stdout))
    return out


def draw(found: list[dict[str, Any]], path: Path) -> None:
    """Cost and memory over the length of the job, one line a kind."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3.2), layout="constrained")
    cost, memory = figure.subplots(1, 2)
    for kind, jerk in dict.fromkeys((row["program"], row["jerk"]) for row in found):
        mine = [row for row in found if (row["program"], row["jerk"]) == (kind, jerk)]
        at = [row["moves"] for row in mine]
        name = kind + (", jerk limited" if jerk else "")
        cost.plot(at, [row["cpu_us_per_move"] for row in mine], "o-", label=name)
        memory.plot(at, [row["above_mb"] for row in mine], "o-", label=name)
    for axes, title in ((cost, "CPU of a move, µs"), (memory, "memory above the program, MB")):
        axes.set(xscale="log", xlabel="moves", title=title)
        axes.set_ylim(bottom=0)
        axes.spines[["top", "right"]].set_visible(False)
    cost.legend(frameon=False, fontsize=8)
    figure.savefig(path, dpi=100, metadata={"Date": None} if path.suffix == ".svg" else {})


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--one", nargs=3, metavar=("KIND", "MOVES", "JERK"))
    parser.add_argument("--plot", type=Path)
    parser.add_argument(
        "--most", type=int, default=100_000, help="of the longest job (10,000 to 1,000,000)"
    )
    options = parser.parse_args()
    if options.one:
        kind, moves, jerk = options.one
        print(json.dumps(measure(kind, int(moves), jerk == "1")))
        return
    found = rows(tuple(size for size in SIZES if size <= options.most))
    if options.plot:
        draw(found, options.plot)


if __name__ == "__main__":
    main()
