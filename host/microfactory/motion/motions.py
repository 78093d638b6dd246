"""Planned motion in batches of arrays, with what binds it: for pictures and what would be faster.

The core hands out `mf_motion` rows (csrc/include/mf/reasons.h); here they are numpy rows of the
same bytes. Nothing is kept: a million moves take no more memory than a thousand.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from microfactory.kinematics import steps_at
from microfactory.machine import Machine
from microfactory.motion.bent import bent
from microfactory.motion.core import check, ffi, lib
from microfactory.motion.gcode import Program
from microfactory.motion.moves import Moves
from microfactory.motion.stretch import Stretch

ROWS = 1024
AXES = lib.MF_AXES
NUMBERS = {"double": "f8", "int32_t": "i4", "uint32_t": "u4"}


def _dtype(kind: Any) -> Any:
    """The numpy form of a C struct, an array or a number."""
    if kind.kind == "struct":
        names = [name for name, _ in kind.fields]
        return np.dtype(
            {
                "names": names,
                "formats": [_dtype(field.type) for _, field in kind.fields],
                "offsets": [field.offset for _, field in kind.fields],
                "itemsize": ffi.sizeof(kind),
            }
        )
    if kind.kind == "array":
        return np.dtype((_dtype(kind.item), (kind.length,)))
    return np.dtype(NUMBERS[kind.cname])


MOTION = _dtype(ffi.typeof("mf_motion"))
MOVE = _dtype(ffi.typeof("mf_move"))


@dataclass(frozen=True)
class Asked:
    """Shares of what the program asks for that is planned instead: 1.2 is 20 % more."""

    speed: float = 1.0
    accel: float = 1.0
    tolerance: float = 1.0


class Spent(NamedTuple):
    """Seconds of motion and rests; and how long every move would take at its own top speed."""

    time_s: float
    top_s: float


PLAIN = Asked()


def motions(
    program: Program, machine: Machine, *, checked: bool = False
) -> Iterator[NDArray[np.void]]:
    """Batches of MOTION rows, moves and rests in order. The array is used again for the next batch.

    checked: the program has been read whole before. GcodeError, LimitError: it must not be run.
    """
    out = ffi.new("mf_motion[]", ROWS)
    rows = np.frombuffer(ffi.buffer(out), MOTION)
    written = ffi.new("size_t *")
    before: Any = None
    last: Stretch | None = None
    for stretch in _stretches(program, machine, PLAIN, checked, corners=True):
        if stretch is not last:
            last, before = stretch, ffi.new("mf_motion_before *")
        while True:
            status = lib.mf_plan_motions(stretch.plan, before, out, ROWS, written)
            check(status, "telling the motion")
            if not written[0]:
                break
            yield rows[: written[0]]


def spent(
    program: Program,
    machine: Machine,
    asked: Asked = PLAIN,
    *,
    corners: bool = True,
    watch: Any = None,
) -> Spent:
    """Plan a program that has been read whole before and only count. corners False: no speed binds
    at a corner, which is a bound. watch: gets called now and then.
    """
    time_s, top_s = ffi.new("double *"), ffi.new("double *")
    for stretch in _stretches(program, machine, asked, True, corners):
        check(lib.mf_plan_spend(stretch.plan, time_s, top_s), "counting the motion")
        if watch:
            watch()
    return Spent(time_s[0], top_s[0])


def _stretches(
    program: Program, machine: Machine, asked: Asked, checked: bool, corners: bool
) -> Iterator[Stretch]:
    """Each stretch whenever it may have settled motion, for the last time when it is finished."""
    stretch: Stretch | None = None
    for batch, count in bent(Moves(program, machine, checked=checked)):
        if asked != PLAIN:
            _ask(batch, count, asked)
        at = 0
        while at < count:
            if batch[at].kind >= lib.MF_MOVE_HOME:
                if stretch is not None:
                    stretch.finish()
                    yield stretch
                    stretch = None
                at += 1
                continue
            if stretch is None:
                point = list(batch[at].start_mm[0 : len(machine.axes)])
                stretch = Stretch(machine, point, steps_at(machine, point))
                if not corners:
                    check(lib.mf_plan_free_corners(stretch.plan), "freeing corners")
            at += stretch.push(batch + at, count - at)
            yield stretch


def _ask(batch: Any, count: int, asked: Asked) -> None:
    """Change what the moves of a batch ask for."""
    rows = np.frombuffer(ffi.buffer(batch, count * ffi.sizeof("mf_move")), MOVE)
    fed = (rows["kind"] <= lib.MF_MOVE_ARC) & (rows["flags"] & lib.MF_FLAG_RAPID == 0)
    rows["speed_mm_s"][fed] *= asked.speed
    rows["accel_mm_s2"] *= asked.accel
    own = rows["tolerance_mm"] > 0
    rows["tolerance_mm"][own] = np.minimum(100.0, rows["tolerance_mm"][own] * asked.tolerance)
