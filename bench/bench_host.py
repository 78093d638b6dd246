"""G-code text to framed bytes of the wire: moves and steps a second, bytes a step, memory on a
million moves.

Prints one JSON object a line: medians of the runs, and the ratios to plain C that reads the same
text, looks ahead and computes step times (bench/reference.c) in the same minutes.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from programs import PROGRAMS, text

from microfactory.machine import Machine
from microfactory.motion.framing import wire_bytes
from microfactory.motion.gcode import Program, parse
from microfactory.motion.moves import check_program
from microfactory.motion.plan import plan
from microfactory.motion.stretch import AS_BEFORE

HERE = Path(__file__).parent
RUNS = 3
MILLION = 1_000_000


def planned(program: Program, machine: Machine) -> dict[str, float]:
    """Plan it all and throw it away."""
    begin, framed = time.perf_counter(), 0
    whole = plan(program, machine)
    for data in wire_bytes(whole):
        framed += len(data)
    wall_s = time.perf_counter() - begin
    figures = [stretch.figures() for stretch in whole.stretches]
    return {
        "wall_s": wall_s,
        "framed": framed,
        "windows": sum(f.windows for f in figures),
        "bytes": sum(f.bytes for f in figures),
        "segments": sum(sum(f.segments) for f in figures),
        "tail_bytes": sum(f.tail_bytes for f in figures),
        "steps": sum(sum(f.steps) for f in figures),
        "job_time_s": sum(f.time_s for f in figures),
    }


def kinds(program: Program, machine: Machine) -> dict[str, int]:
    """Segments of steps, and of waits (they fill each list to its length), from the bytes."""
    steps = waits = 0
    motors = len(machine.motors)
    for section in plan(program, machine).sections():
        for window in section.windows:
            counts = np.frombuffer(window.data, "<u2", 4 * motors, 28)[2::4]
            changes = int(np.frombuffer(window.data, "<u2", 2, 22).sum())
            own = int(counts[counts != AS_BEFORE].sum())
            first = np.frombuffer(window.data, "<u4", 2 * own, 28 + 8 * motors + 8 * changes)[::2]
            stepping = int((first >> 1 & 1).sum())
            steps, waits = steps + stepping, waits + own - stepping
    return {"steps": steps, "waits": waits}


def reference(file: Path, folder: Path) -> tuple[float, float]:
    """Seconds that plain C takes to read the same text; and with look-ahead and step times."""
    binary = folder / "reference"
    if not binary.exists():
        compiler = os.environ.get("CC", "gcc")
        source = str(HERE / "reference.c")
        subprocess.run([compiler, "-O2", source, "-o", str(binary), "-lm"], check=True)
    out = subprocess.run([binary, file], check=True, capture_output=True, text=True).stdout
    read_s, all_s, _ = out.split()
    return float(read_s), float(all_s)


def row(name: str, machine: Machine, folder: Path) -> dict[str, object]:
    """One line of figures."""
    data = text(name)
    file = folder / f"{name}.gcode"
    file.write_text(data)
    program = parse(data)
    read_s, reference_s, runs = [], [], []
    counts: dict[str, int] = {}
    for _ in range(RUNS):
        begin = time.perf_counter()
        counts = check_program(program, machine)
        read_s.append(time.perf_counter() - begin)
        reference_s.append(reference(file, folder))
        runs.append(planned(program, machine))
    wall_s = statistics.median(run["wall_s"] for run in runs)
    plain_read_s = statistics.median(read for read, _ in reference_s)
    plain_s = statistics.median(whole for _, whole in reference_s)
    last = runs[-1]
    segments = kinds(program, machine)
    heads = last["bytes"] - last["tail_bytes"] - 8 * last["segments"]
    return {
        "bench": "host",
        "program": name,
        "lines": counts["lines"],
        "moves": counts["moves"],
        "steps": last["steps"],
        "read_lines_per_s": round(counts["lines"] / statistics.median(read_s)),
        "read_ratio_to_c": round(statistics.median(read_s) / plain_read_s, 2),
        "moves_per_s": round(counts["moves"] / wall_s),
        "steps_per_s": round(last["steps"] / wall_s),
        "wall_ratio_to_c": round(wall_s / plain_s, 2),
        "framed_bytes_per_step": round(last["framed"] / last["steps"], 3),
        "segment_bytes_per_step": round(8 * last["segments"] / last["steps"], 3),
        "step_segment_bytes_per_step": round(8 * segments["steps"] / last["steps"], 3),
        "wait_bytes_per_s": round(8 * segments["waits"] / last["job_time_s"]),
        "head_bytes_per_s": round(heads / last["job_time_s"]),
        "tail_bytes_per_s": round(last["tail_bytes"] / last["job_time_s"]),
        "job_time_s": round(last["job_time_s"], 3),
    }


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def million(folder: Path) -> None:
    """Memory of a million moves, above what the text itself takes. Runs in its own process."""
    machine = Machine.load("d3d-printer")
    file = folder / "million.gcode"
    with file.open("w") as out:
        out.writelines(PROGRAMS["chords"](MILLION))
    program = parse(file)
    before_mb, begin = peak_mb(), time.perf_counter()
    planned(program, machine)
    figures = {
        "bench": "memory",
        "moves": MILLION,
        "text_mb": round(len(program.data) / 1e6, 1),
        "before_mb": round(before_mb, 1),
        "peak_mb": round(peak_mb(), 1),
        "above_mb": round(peak_mb() - before_mb, 1),
        "wall_s": round(time.perf_counter() - begin, 2),
    }
    print(json.dumps(figures), flush=True)


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if sys.argv[1:] == ["million"]:
            million(folder)
            return
        machine = Machine.load("d3d-printer")
        for program in PROGRAMS:
            print(json.dumps(row(program, machine, folder)), flush=True)
    subprocess.run([sys.executable, __file__, "million"], check=True)


if __name__ == "__main__":
    main()
