"""What a test sees of the board's pins: edges since it began to look, figures, a verdict."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hil.capture import Capture, MotorTrace, Signal
from hil.jitter import jitter_us
from hil.rigs.judged import note
from hil.rigs.measure import Measures
from hil.rigs.rig import Rig
from hil.rigs.tapped import TappedLink
from hil.verify import Report, verify
from microfactory import Machine, UsageError, VerdictError


class Watch:
    """The `capture` fixture. Everything counts from the last `begin`, at first from the start."""

    def __init__(self, rig: Rig, link: TappedLink, machine: Machine) -> None:
        self._rig, self._link, self._machine = rig, link, machine
        self._begin_tick = 0
        self.kept: list[tuple[str, Capture]] = []
        self.judged: list[tuple[str, Report, Capture, Machine]] = []

    def begin(self) -> None:
        """Forget what was seen until now."""
        self._begin_tick = self._rig.seen(self._link).end_tick

    def seen(self) -> Capture:
        """Everything since `begin`."""
        return since(self._rig.seen(self._link), self._begin_tick)

    def keep(self, name: str) -> None:
        """What was seen since `begin` goes into the unit's report, with pictures and tables."""
        self.kept.append((name, self.seen()))

    def steps(self, motor: str) -> int:
        """Signed steps of a motor."""
        return int(self._trace(motor).direction.sum(dtype=np.int64))

    def pulses(self, motor: str) -> int:
        """How many pulses a motor made, both ways."""
        return len(self._trace(motor).rise)

    def pulse_us(self, motor: str) -> NDArray[np.float64]:
        """Width of each pulse, us."""
        return self._us(self._trace(motor).width)

    def interval_us(self, motor: str) -> NDArray[np.float64]:
        """From each pulse to the next, us."""
        return self._us(np.diff(self._trace(motor).rise))

    def setup_us(self, motor: str) -> NDArray[np.float64]:
        """From the direction pin's last change to each pulse after one, us."""
        trace = self._trace(motor)
        last = np.searchsorted(trace.turn_tick, trace.rise, side="right") - 1
        known = last >= 0
        return self._us(trace.rise[known] - trace.turn_tick[last[known]])

    def jitter_us(self, motor: str) -> NDArray[np.float64]:
        """How far each pulse is off the curve of its neighbours, us; later is positive."""
        return jitter_us(self._trace(motor), self._rig.seen(self._link).tick_hz)

    def judge(
        self, program: Any, measure: Measures | None = None, name: str = "", **options: Any
    ) -> Report:
        """The verifier's verdict over a program played since the board was opened.

        measure: takes its figures as measurements, each named name_... VerdictError: a violation;
        the first one is told. options: those of hil.verify.verify.
        """
        whole = self._rig.seen(self._link)
        report = verify(program, self._machine, whole, **options)
        if not self._rig.sees_targets:
            report = at_the_pins(report)
        self.judged.append((name, report, whole, self._machine))
        if measure is not None:
            note(measure, report, self._machine, whole.tick_hz, name, whole.error_ticks)
        if not report.passed:
            raise VerdictError(str(report.first))
        return report

    def _trace(self, motor: str) -> MotorTrace:
        seen = self.seen()
        if motor not in seen.motors:
            raise UsageError(
                f"{motor}: {self._machine.name} has no such motor; nothing was looked at; it has "
                + ", ".join(seen.motors)
            )
        return seen.motors[motor]

    def _us(self, ticks: Any) -> NDArray[np.float64]:
        return np.asarray(ticks, np.float64) * 1e6 / self._rig.seen(self._link).tick_hz


def at_the_pins(report: Report) -> Report:
    """The verdict without what no pin shows: the targets of heaters."""
    kept = tuple(v for v in report.violations if v.kind not in ("heater", "wait"))
    note = "targets of heaters are not seen at the pins, so they were not judged"
    return replace(report, violations=kept, notes=(*report.notes, note))


def since(capture: Capture, tick: int) -> Capture:
    """The part of a capture from a tick on, and the turns and values in force then.

    Ticks stay as they are, of what was in force as well.
    """
    motors = {}
    for name, m in capture.motors.items():
        a, b = np.searchsorted(m.rise, tick), _in_force(m.turn_tick, tick)
        motors[name] = MotorTrace(
            m.rise[a:], m.width[a:], m.direction[a:], m.turn_tick[b:], m.turn_direction[b:]
        )
    groups = {
        group: {
            name: Signal(s.tick[_in_force(s.tick, tick) :], s.value[_in_force(s.tick, tick) :])
            for name, s in getattr(capture, group).items()
        }
        for group in ("outputs", "targets", "temperatures", "inputs")
    }
    runs = tuple(run for run in capture.runs if run.tick >= tick)
    return replace(capture, motors=motors, runs=runs, **groups)


def _in_force(ticks: NDArray[np.int64], tick: int) -> int:
    """Number of the last change until a tick; 0 where there is none."""
    return max(0, int(np.searchsorted(ticks, tick, side="right")) - 1)
