"""What the firmware costs an emulated chip: python -m hil.emulated.figures.

The longest stretch of a scenario of each kind of machine is played; the processor's load is the
share of clocks in which it did not wait. Emulated: without stalls of the flash cache or of the bus.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from hil.emulated.chip import CLOCK_HZ, missing
from hil.emulated.trials import KINDS, Bench

CALLS, LONGEST, SPENT, GAP, FREE, PASS, COLLECTION = 23, 24, 25, 27, 33, 34, 35


def figures(name: str) -> dict[str, Any]:
    """One machine's figures, on its own scenario."""
    bench = Bench(name, 1)
    try:
        return cost(bench)
    finally:
        bench.close()


def cost(bench: Bench) -> dict[str, Any]:
    """Play a bench's windows, with heaters on, and tell what it took."""
    link = bench.link
    bench.stand()
    bench.board.wait(2.0)
    link.look()
    link.forget()
    link.clear(PASS)  # what a collection at rest took is told apart
    idle, clock, before = link.chip.idle(), link.chip.now, link.state()
    bench.play()
    state = link.state()
    clocks = link.chip.now - clock
    service_us = int(state[SPENT] - before[SPENT])
    calls = int(state[CALLS] - before[CALLS])
    pulses = bench.pulses()
    window_bytes = sum(len(window.data) for window in bench.windows)
    seconds = clocks / CLOCK_HZ
    return {
        "figure": "firmware on an emulated RP2040 at 125 MHz",
        "machine": bench.machine.name,
        "seconds": round(seconds, 2),
        "pulses_per_s": round(pulses / seconds),
        "wire_bytes_per_s": round(window_bytes / seconds),
        "cpu_load": round(1 - (link.chip.idle() - idle) / clocks, 3),
        "service_load": round(service_us / max(1, calls) / 1000, 3),
        "service_longest_us": int(state[LONGEST]),
        "service_gap_us": int(state[GAP]),
        "loop_longest_us": int(state[PASS]),
        "collection_us": int(state[COLLECTION]),
        "memory_free_bytes": int(state[FREE]),
    }


def main() -> int:
    """0, or 77: there is no emulated rig here, and why."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    if missing():
        print(f"skipped: {missing()}", file=sys.stderr)
        return 77
    for name in KINDS:
        print(json.dumps(figures(name)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
