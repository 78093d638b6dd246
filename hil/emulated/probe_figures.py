"""What the probe keeps up with on the emulated chip: `python -m hil.emulated.probe_figures`.

One JSON line a figure. Sustained: steps and turns of five motors at a rate, for a quarter of a
second, with counters of all; the highest rate at which nothing was lost.
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

import numpy as np

from hil.emulated.chip import CLOCK_HZ
from hil.emulated.pair import ProbeLink, open_lone_probe
from hil.probe import Motor, Probe, open_probe

PINS = 10
MOTORS = [Motor(2 * m, 2 * m + 1) for m in range(5)]
SPAN_S = 0.25
LEAST_CLOCKS = 6


def steps(begin: int, edges_hz: int, seconds: float) -> list[tuple[int, int, int]]:
    """Pulses of five motors in turn, so many edges a second in all; each 64th turns a motor."""
    count = round(edges_hz * seconds)
    at = begin + np.round(np.arange(count) * CLOCK_HZ / edges_hz).astype(int)
    out, high = [], [0] * 5
    for i, clock in enumerate(at.tolist()):
        motor = i // 2 % 5
        out.append((clock, 2 * motor, 1 - i % 2))
        if i % 64 == 63:
            high[motor] ^= 1
            out.append((clock + LEAST_CLOCKS, 2 * motor + 1, high[motor]))
    return out


def captured(link: ProbeLink, probe: Probe, edges_hz: int, poll: bool) -> dict[str, Any]:
    """One run at a rate."""
    link.chip.feed([(link.chip.now + 100 + 10 * g, g, 0) for g in range(PINS)])
    link.chip.run(0.001)
    probe.start(pins=PINS, motors=MOTORS)
    fed = steps(link.chip.now + CLOCK_HZ // 100, edges_hz, SPAN_S)
    link.chip.feed(fed)
    while link.chip.now < fed[-1][0] + CLOCK_HZ // 500:
        if poll:
            probe.poll()
        link.chip.run(0.001)
    edges = probe.stop()
    counted = probe.counters()
    rises = sum(level for _at, gpio, level in fed if gpio % 2 == 0)
    return {
        "edges_hz": edges_hz,
        "counted": rises == sum(c.up + c.down for c in counted),
        "streamed": not edges.lost and len(edges.ticks) >= len(fed),
        "longest_scan_us": probe.status().longest_us,
    }


def highest(link: ProbeLink, probe: Probe, what: str, low: int, high: int) -> dict[str, Any]:
    """The highest rate of a few at which it held."""
    best: dict[str, Any] = {"edges_hz": 0}
    while high - low > low // 10:
        middle = (low + high) // 2
        run = captured(link, probe, middle, what == "streamed")
        if run[what]:
            low, best = middle, run
        else:
            high = middle
    return best


def silence(link: ProbeLink, probe: Probe, seconds: float) -> dict[str, Any]:
    """An edge, nothing for so long, another one: what the probe says lies between."""
    probe.start(pins=PINS)
    first = link.chip.now + CLOCK_HZ // 100
    second = first + round(seconds * CLOCK_HZ)
    link.chip.feed([(first, 0, 1), (second, 0, 0)])
    link.chip.run(seconds + 0.1)
    ticks = probe.stop().ticks.astype(np.int64)
    return {"silence_s": seconds, "wrong_ticks": int(ticks[-1] - ticks[-2] - (second - first))}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--silence", type=float, default=150.0, help="seconds (default 150)")
    silence_s = parser.parse_args().silence
    link = open_lone_probe()
    probe = open_probe(link)
    for what, low, high in (("counted", 100_000, 2_000_000), ("streamed", 10_000, 400_000)):
        began_s = time.process_time()
        found = highest(link, probe, what, low, high)
        took_s = time.process_time() - began_s
        print(json.dumps({"figure": what, **found, "took_s": round(took_s, 1)}), flush=True)
    print(json.dumps({"figure": "silence", **silence(link, probe, silence_s)}), flush=True)
    link.close()


if __name__ == "__main__":
    main()
