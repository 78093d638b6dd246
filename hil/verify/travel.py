"""Whether every axis kept its travel, by the pulses of the motors that move it."""

from __future__ import annotations

from typing import Any

import numpy as np

from hil.verify.coupled import Core


def leaves(
    machine: Any, core: Core | None, start_steps: tuple[int, ...], edges: Any, off: Any
) -> list[tuple[int, str]]:
    """(tick, text) of the first pulse of each axis that is a whole step outside its travel. edges:
    of each axis's first motor. off: the machine is made good, so it may go half way to its switch.
    """
    found = []
    for i, axis in enumerate(machine.axes):
        ticks = edges[i].tick
        steps = start_steps[i] + np.cumsum(edges[i].direction, dtype=np.int64)
        if core and i in core.pair:
            ticks, both = core.together(edges, start_steps)
            steps = both[core.pair.index(i)]
        if axis.unlimited or not len(ticks):
            continue
        spm = axis.steps_per_mm
        low, high = axis.min_mm * spm - 1, axis.max_mm * spm + 1
        if off is not None and axis.home:
            beyond = axis.home.pull_off_mm / 2 * spm
            low, high = (low - beyond, high) if axis.home.toward == "min" else (low, high + beyond)
        outside = (steps < low) | (steps > high)
        if outside.any():
            tick = int(ticks[np.argmax(outside)])
            found.append((tick, f"axis {axis.name} leaves its travel"))
    return found
