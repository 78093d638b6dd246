"""The probe hears itself: bursts whose every edge is known, over a wire from one pin to another."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hil.probe.client import Motor
from hil.probe.edges import CHANGE_TICKS
from hil.probe.probe import Probe
from mfprobe.words import LOOP_BURST_EDGES, LOOP_PAUSE_TICKS

BURSTS = 200


class LoopBack(NamedTuple):
    """edges: played. lost, extra: of them not seen, seen without being played. error_ticks: the
    most that the time between any two is off. counted_off: pulses that the counters have too many
    or too few. missed: why the probe says that something is missing. ticks: as they were seen.
    """

    edges: int
    lost: int
    extra: int
    error_ticks: int
    counted_off: int
    missed: tuple[str, ...]
    ticks: NDArray[np.int64]

    @property
    def right(self) -> bool:
        """All edges were seen, each in its place, and counted."""
        off = self.lost or self.extra or self.counted_off or self.missed
        return not off and self.error_ticks <= CHANGE_TICKS


def loop_back(probe: Probe, bursts: int = BURSTS) -> LoopBack:
    """Play and look. It ends a capture that is under way. UsageError: the rig has no loop."""
    driven, heard = probe.loop_ends()
    pins = max(driven.gpio, heard.gpio) + 1
    probe.start(pins=pins, motors=[Motor(heard.gpio, driven.gpio)])
    probe.play_loop(bursts)
    probe.wait(0.01)
    edges = probe.stop()
    ticks, _levels = edges.lines(lossy=True).get(heard.gpio, (np.zeros(0, np.int64),) * 2)
    counted = probe.counters()[0]
    return compare(ticks, bursts, counted.up + counted.down, edges.lost)


def compare(
    ticks: NDArray[np.int64], bursts: int, counted: int, missed: tuple[str, ...]
) -> LoopBack:
    """What was seen beside what was played."""
    asked = played(bursts)
    n = min(len(ticks), len(asked))
    off = ticks[:n] - asked[:n]
    return LoopBack(
        edges=len(asked),
        lost=max(0, len(asked) - len(ticks)),
        extra=max(0, len(ticks) - len(asked)),
        error_ticks=int(off.max() - off.min()) if n else 0,
        counted_off=abs(counted - len(asked) // 2),
        missed=missed,
        ticks=ticks,
    )


def played(bursts: int) -> Any:
    """Ticks of all edges of so many bursts, the first at 0."""
    within = CHANGE_TICKS * np.arange(LOOP_BURST_EDGES)
    every = int(within[-1]) + LOOP_PAUSE_TICKS
    return (every * np.arange(bursts)[:, None] + within).ravel()
