"""Moves as they are driven where a machine's corners are blended: curves made of the short lines
that stood for them, corners bent within the tolerance (csrc/src/blend.c, docs/planner.md).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from microfactory.machine import Machine
from microfactory.motion.core import check, ffi, lib
from microfactory.motion.moves import BATCH, Moves


def blends(machine: Machine) -> bool:
    """Whether its corners are bent (`motion.corner`)."""
    return machine.motion.corner == "blend"


def bent(moves: Moves) -> Bent | Moves:
    """The moves to plan: as they are, or bent where the machine asks for it."""
    return Bent(moves) if blends(moves.machine) else moves


class Bent:
    """A stream of `mf_move` batches like `Moves`: iterate to get (array, count).

    The same program on the same machine gives the same moves, so a place among them can be gone
    back to. Errors: those of `Moves`.
    """

    def __init__(self, moves: Moves) -> None:
        self._moves = moves
        size = lib.mf_blend_size()
        self._memory = ffi.new("double[]", size // 8 + 1)
        size = ffi.sizeof(self._memory)  # the core looks whether it is enough
        handle = ffi.new("mf_blend **")
        config = limits_of(moves.machine)
        check(
            lib.mf_blend_init(self._memory, size, config, handle),
            "beginning to bend corners",
        )
        self._blend = handle[0]
        self._out = ffi.new("mf_move[]", BATCH + lib.MF_BLEND_MOST)

    def __iter__(self) -> Iterator[tuple[Any, int]]:
        for batch, count in self._moves:
            yield from self._bent(batch, count, False)
        yield from self._bent(ffi.NULL, 0, True)

    def _bent(self, batch: Any, count: int, finish: bool) -> Iterator[tuple[Any, int]]:
        taken, made = ffi.new("size_t *"), ffi.new("size_t *")
        room = BATCH + lib.MF_BLEND_MOST
        at = 0
        while at < count or finish:
            offered = batch + at if count else batch
            status = lib.mf_blend_move(
                self._blend, offered, count - at, finish, self._out, room, taken, made
            )
            check(status, "bending corners")
            at += taken[0]
            finish = False
            if made[0]:
                yield self._out, made[0]

    def counts(self) -> dict[str, int]:
        """Those of the program's moves."""
        return self._moves.counts()

    def bends(self) -> dict[str, int]:
        """Moves taken, lines that became curves, those curves, and corners bent, so far."""
        count = lib.mf_blend_counted(self._blend)
        return {name: getattr(count, name) for name in ("moves", "fused", "curves", "corners")}


def limits_of(machine: Machine) -> Any:
    """`mf_plan_config *` with what bending looks at: axes, path, limits, tolerance."""
    c = ffi.new("mf_plan_config *")
    c.axes = len(machine.axes)
    for i, axis in enumerate(machine.axes):
        c.path_axis[i] = not axis.unlimited
        c.max_speed_mm_s[i] = axis.max_speed_mm_s
        c.max_accel_mm_s2[i] = axis.max_accel_mm_s2
        c.max_jerk_mm_s3[i] = axis.max_jerk_mm_s3
    c.path_speed_mm_s = machine.motion.max_speed_mm_s
    c.path_accel_mm_s2 = machine.motion.max_accel_mm_s2
    c.path_jerk_mm_s3 = machine.motion.max_jerk_mm_s3
    c.corner_tolerance_mm = machine.motion.corner_tolerance_mm
    return c
