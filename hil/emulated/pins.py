"""Edges of an emulated chip's pins, sorted into runs: what each motor did after the gate opened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from microfactory import Machine

SETTLED = 3  # clocks after its word's beginning in which a direction pin changes


@dataclass(frozen=True)
class Played:
    """One opening of the gate. Clocks count from the gate's rise; one entry a pulse."""

    begin: int
    end: int  # the gate's fall
    rises: tuple[Any, ...]
    signs: tuple[Any, ...]
    widths: tuple[Any, ...]
    setups: tuple[Any, ...]  # clocks between the last change of direction and the rise
    outputs: dict[str, Any]  # (clocks, levels)

    def steps(self, motor: int) -> int:
        """Signed steps of a motor."""
        return int(self.signs[motor].sum())


def runs(machine: Machine, page: Any, pieces: list[tuple[Any, Any, Any]]) -> list[Played]:
    """Every opening of the gate in some edges, in order."""
    clocks = np.concatenate([piece[0] for piece in pieces])
    pins = np.concatenate([piece[1] for piece in pieces])
    levels = np.concatenate([piece[2] for piece in pieces])
    gate = pins == page.GATE
    opens = clocks[gate & (levels == 1)]
    falls = clocks[gate & (levels == 0)]
    out = []
    for i, begin in enumerate(opens):
        until = opens[i + 1] if i + 1 < len(opens) else np.inf
        fall = falls[falls > begin]
        end = int(fall[0]) if len(fall) else int(clocks[-1])
        motors = [
            _motor(page.STEP[m.connector], m.invert, clocks, pins, levels, begin, until)
            for m in machine.motors
        ]
        outputs = {}
        for part in machine.outputs:
            at = (pins == page.OUTPUTS[part.connector]) & (clocks >= begin) & (clocks < until)
            outputs[part.name] = (clocks[at] - begin, levels[at])
        out.append(Played(int(begin), end, *zip(*motors, strict=True), outputs))
    return out


def _motor(
    connector: tuple[int, int], invert: bool, clocks: Any, pins: Any, levels: Any, begin: Any,
    until: Any,
) -> tuple[Any, Any, Any, Any]:  # fmt: skip
    step, direction = connector
    mine = pins == step
    up = mine & (levels == 1) & (clocks >= begin) & (clocks < until)
    rise = clocks[up]
    fall = clocks[mine & (levels == 0)]
    fall = fall[np.searchsorted(fall, rise, side="right")] if len(rise) else rise
    turned = clocks[pins == direction]
    level = levels[pins == direction]
    last = np.searchsorted(turned, rise, side="right") - 1
    high = np.where(last >= 0, level[last] if len(level) else 0, 0)
    sign = np.where(high == (0 if invert else 1), 1, -1)
    setup = np.where(last >= 0, rise - (turned[last] if len(turned) else 0), 1 << 40)
    return rise - int(begin), sign, fall - rise, setup
