"""Random programs by the hundred thousand: python -m hil.properties --count 1000000 --seed 1.

Plays build/properties (tests/c/test_properties.c, `make properties`) in several processes, chunk by
chunk. A program follows from its number alone, so a run that was stopped goes on where it was
(`--resume`), and a number that failed can be played alone: build/properties 1 NUMBER.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from rich.progress import Progress

CHUNK = 500
BINARY = Path("build/properties")
KEPT = Path("out/properties.json")
WORST = ("speed", "feed", "accel", "jerk_share")  # the largest counts; of all else the sum
Told = dict[str, Any]


def play(binary: Path, first: int, count: int) -> Told:
    """One chunk: what it tells, with `failed` (text) if a program in it is not right."""
    words = [str(binary), str(count), str(first)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    lines = done.stdout.strip().splitlines()
    told: Told = json.loads(lines[-1]) if lines else {}
    if done.returncode:
        told["failed"] = done.stderr.strip() or f"{binary} ended with {done.returncode}"
    return told


def joined(total: Told, told: Told) -> Told:
    """Both together."""
    out = dict(total)
    for name, value in told.items():
        if name == "failed":
            out["failed"] = [*out.get("failed", []), value]
        elif name in WORST:
            out[name] = max(out.get(name, 0.0), value)
        else:
            out[name] = out.get(name, 0) + value
    return out


def kept(path: Path, seed: int) -> tuple[set[int], Told]:
    """(chunks that are done, what they told) of a run that was stopped, of the same seed."""
    try:
        page = json.loads(path.read_text())
    except (OSError, ValueError):
        return set(), {}
    return (set(page["chunks"]), page["told"]) if page.get("seed") == seed else (set(), {})


def keep(path: Path, seed: int, chunks: set[int], told: Told) -> None:
    """Written whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(json.dumps({"seed": seed, "chunks": sorted(chunks), "told": told}) + "\n")
    part.replace(path)


def campaign(count: int, seed: int, workers: int, resume: bool) -> Told:
    """Plays all chunks that are not done yet. Ctrl-C ends it behind the chunks under way."""
    done, total = kept(KEPT, seed) if resume else (set(), {})
    chunks = [k for k in range((count + CHUNK - 1) // CHUNK) if k not in done]
    begun = time.monotonic()
    with Progress(disable=not sys.stderr.isatty()) as bar, ThreadPoolExecutor(workers) as pool:
        task = bar.add_task("programs", total=count, completed=len(done) * CHUNK)
        sizes = {k: min(CHUNK, count - k * CHUNK) for k in chunks}
        futures: dict[Future[Told], int] = {
            pool.submit(play, BINARY, seed + k * CHUNK, sizes[k]): k for k in chunks
        }
        try:
            for future in as_completed(futures):
                told = future.result()
                if not told:  # ended by the same Ctrl-C
                    continue
                total = joined(total, told)
                done.add(futures[future])
                keep(KEPT, seed, done, total)
                bar.update(task, advance=sizes[futures[future]])
        except KeyboardInterrupt:
            total["stopped"] = True
            pool.shutdown(cancel_futures=True)
    return {**total, "seed": seed, "wall_s": round(time.monotonic() - begun, 1)}


def main() -> int:
    """0: every program was right."""
    parser = argparse.ArgumentParser(prog="hil.properties", description=__doc__)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--resume", action="store_true", help=f"go on with {KEPT}")
    parser.add_argument("--json", action="store_true", help="the summary as one JSON line")
    options = parser.parse_args()
    if not BINARY.is_file():
        print(f"{BINARY} is not there; nothing was played; run make properties", file=sys.stderr)
        return 2
    told = campaign(options.count, options.seed, options.workers, options.resume)
    if options.json:
        print(json.dumps(told))
    else:
        for name, value in told.items():
            print(f"{name:12} {value:,}" if isinstance(value, int) else f"{name:12} {value}")
    return 1 if told.get("failed") else 0


if __name__ == "__main__":
    sys.exit(main())
