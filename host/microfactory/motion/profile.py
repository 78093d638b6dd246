"""The profile: moves in time. How fast each begins, runs and ends, and how long its phases last."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from microfactory.kinematics import steps_at
from microfactory.machine import Machine
from microfactory.motion.compensate import moves_of
from microfactory.motion.core import check, ffi, lib
from microfactory.motion.gcode import Program
from microfactory.motion.stretch import Stretch

KINDS = {lib.MF_MOVE_LINE: "line", lib.MF_MOVE_ARC: "arc", lib.MF_MOVE_DWELL: "dwell"}


@dataclass(frozen=True)
class Span:
    """One move in time. A dwell has no length; its time is cruise_s."""

    line: int
    kind: str
    length_mm: float
    enter_mm_s: float
    peak_mm_s: float
    leave_mm_s: float
    accel_mm_s2: float
    up_s: float
    cruise_s: float
    down_s: float

    @property
    def time_s(self) -> float:
        """From its beginning to its end."""
        return self.up_s + self.cruise_s + self.down_s


def profile(program: Program, machine: Machine) -> Iterator[Span]:
    """Spans of a program in order, lazily. GcodeError, LimitError: it must not be run."""
    stretch: Stretch | None = None
    for batch, count in moves_of(program, machine):
        at = 0
        while at < count:
            if batch[at].kind >= lib.MF_MOVE_HOME:
                if stretch is not None:
                    stretch.finish()
                    yield from _settled(stretch)
                    stretch = None
                at += 1
                continue
            if stretch is None:
                point = list(batch[at].start_mm[0 : len(machine.axes)])
                stretch = Stretch(machine, point, steps_at(machine, point), filtered=True)
            at += stretch.push(batch + at, count - at)
            yield from _settled(stretch)


def _settled(stretch: Stretch) -> Iterator[Span]:
    """Spans that later moves do not change any more."""
    info = ffi.new("mf_span_info *")
    written = ffi.new("size_t *")
    while True:
        check(lib.mf_plan_span(stretch.plan, info, written), "telling the profile")
        if not written[0]:
            return
        if info.kind in KINDS:
            yield _span(info)


def _span(info: Any) -> Span:
    still = info.kind == lib.MF_MOVE_DWELL
    up_s, cruise_s, down_s = info.phase_s[0:3]
    return Span(
        line=info.line,
        kind=KINDS[info.kind],
        length_mm=info.length_mm,
        enter_mm_s=info.enter_mm_s,
        peak_mm_s=info.peak_mm_s,
        leave_mm_s=info.leave_mm_s,
        accel_mm_s2=info.accel_mm_s2,
        up_s=0.0 if still else up_s,
        cruise_s=up_s if still else cruise_s,
        down_s=down_s,
    )
