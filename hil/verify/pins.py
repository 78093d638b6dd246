"""What a step driver asks of its pins: pulse width, direction set-up and hold; dual motors alike.

These hold for every pulse of a capture, homing and retreats included; motors of one axis are
compared in the program's own spans (squaring moves them apart on purpose).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hil.capture import Capture, MotorTrace
from hil.verify.runs import Stretch

Found = tuple[str, int, str]  # kind, tick, text


class Margins(NamedTuple):
    """Smallest seen, in microseconds; inf where nothing was."""

    pulse_us: float
    low_us: float
    setup_us: float


def pins(machine: Any, capture: Capture) -> tuple[list[Found], dict[str, Margins]]:
    """The first violation of each kind and motor, and the smallest margins of each motor."""
    found: list[Found] = []
    margins = {}
    for i, motor in enumerate(machine.motors):
        trace = capture.motors[motor.name]
        driver = machine.driver(i)
        tick_us = 1e6 / capture.tick_hz
        unsure = 0.5 + capture.error_ticks
        found += _widths(motor.name, trace, driver, tick_us, unsure)
        found += _turns(motor.name, trace, driver, tick_us, unsure)
        setup = _setup_ticks(trace)
        gaps = trace.rise[1:] - trace.rise[:-1] - trace.width[:-1]
        margins[motor.name] = Margins(
            *(
                float(ticks.min()) * tick_us if len(ticks) else float("inf")
                for ticks in (trace.width, gaps, setup)
            )
        )
    return found, margins


def _widths(
    name: str, trace: MotorTrace, driver: Any, tick_us: float, unsure: float
) -> list[Found]:
    found: list[Found] = []
    least = driver.pulse_us / tick_us - unsure
    short = trace.width < least
    if short.any():
        i = int(np.argmax(short))
        text = f"pulse of {name} is {trace.width[i] * tick_us:.3f} us"
        text += f", its driver asks for {driver.pulse_us:g}"
        found.append(("pulse", int(trace.rise[i]), text))
    low = trace.rise[1:] - trace.rise[:-1] - trace.width[:-1]
    if (low < least).any():
        i = int(np.argmax(low < least))
        text = f"{name} is low for {low[i] * tick_us:.3f} us between pulses"
        text += f", its driver asks for {driver.pulse_us:g}"
        found.append(("pulse", int(trace.rise[i + 1]), text))
    return found


def _setup_ticks(trace: MotorTrace) -> NDArray[np.int64]:
    """From each direction change to the next rising edge."""
    after = np.searchsorted(trace.rise, trace.turn_tick)
    some = after < len(trace.rise)
    return np.asarray(trace.rise[after[some]] - trace.turn_tick[some], np.int64)


def _turns(name: str, trace: MotorTrace, driver: Any, tick_us: float, unsure: float) -> list[Found]:
    found: list[Found] = []
    after = np.searchsorted(trace.rise, trace.turn_tick)
    setup = _setup_ticks(trace)
    short = setup < driver.direction_setup_us / tick_us - unsure
    if short.any():
        i = int(np.argmax(short))
        text = (
            f"direction of {name} is set {setup[i] * tick_us:.3f} us before its pulse, its driver "
            f"asks for {driver.direction_setup_us:g}"
        )
        found.append(("setup", int(trace.turn_tick[i]), text))
    later = after > 0
    hold = trace.turn_tick[later] - trace.rise[after[later] - 1]
    brief = hold < driver.direction_hold_us / tick_us - unsure
    if brief.any():
        i = int(np.argmax(brief))
        text = (
            f"direction of {name} is held {hold[i] * tick_us:.3f} us after its pulse, its driver "
            f"asks for {driver.direction_hold_us:g}"
        )
        found.append(("setup", int(trace.turn_tick[later][i]), text))
    return found + _levels(name, trace)


def _levels(name: str, trace: MotorTrace) -> list[Found]:
    """Each pulse goes the way its direction pin says."""
    if not len(trace.turn_tick) or not len(trace.rise):
        return []
    last = np.searchsorted(trace.turn_tick, trace.rise, side="right") - 1
    level = np.where(last >= 0, trace.turn_direction[last], trace.direction)
    wrong = level != trace.direction
    if not wrong.any():
        return []
    i = int(np.argmax(wrong))
    return [("setup", int(trace.rise[i]), f"{name} is told another direction than its pin shows")]


def duals(machine: Any, capture: Capture, parts: list[Stretch], error_s: float) -> list[Found]:
    """Motors of one axis make the same pulses within the step tolerance."""
    slack = 2 * error_s * capture.tick_hz
    found: list[Found] = []
    for axis in range(len(machine.axes)):
        first, *others = [machine.motors[m].name for m in machine.motors_of_axis(axis)]
        for other in others:
            for part in parts:
                a, b = part.edges(capture, first), part.edges(capture, other)
                n = min(len(a.tick), len(b.tick))
                apart = np.abs(a.tick[:n] - b.tick[:n]) > slack
                apart |= a.direction[:n] != b.direction[:n]
                if apart.any():
                    tick = int(min(a.tick[np.argmax(apart)], b.tick[np.argmax(apart)]))
                elif len(a.tick) != len(b.tick):
                    tick = int((a.tick if len(a.tick) > n else b.tick)[n])
                else:
                    continue
                found.append(
                    ("dual", tick, f"{first} and {other} of one axis do not step together")
                )
    return found
