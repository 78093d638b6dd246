"""What must hold whatever broke: no step beside the path, rest, heat off, the fault told.

A path is compared pulse by pulse with the same job without any fault. Which motor of two steps
first may differ by a little in a stop tail; where the tool goes may not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from hil.capture import Capture
from hil.rig_virtual import VirtualLink
from microfactory import Machine

BESIDE_STEPS = 3  # of any motor, pulse by pulse
OWN_NUMBERS = 1 << 29  # moves without a program: on the way home counts mean little
HEAT_S = 0.5  # from the last frame to heat off, without a standby
BEYOND_C = 25.0  # over a heater's limit, with all its lag


@dataclass(frozen=True)
class Path:
    """A run of motion: where it began, and the motors' counts after each pulse."""

    start: tuple[int, ...]
    counts: Any


def paths(capture: Capture) -> list[Path]:
    """Every run of motion of a capture, homing and retreats left out."""
    ends = [run.tick for run in capture.runs[1:]] + [capture.end_tick + 1]
    out = []
    for run, end in zip(capture.runs, ends, strict=True):
        if run.kind != "motion" or run.window >= OWN_NUMBERS:
            continue
        ticks, motors, ways = [], [], []
        for m, trace in enumerate(capture.motors.values()):
            a, b = np.searchsorted(trace.rise, (run.tick, end))
            ticks.append(trace.rise[a:b])
            motors.append(np.full(b - a, m))
            ways.append(trace.direction[a:b].astype(np.int64))
        order = np.argsort(np.concatenate(ticks), kind="stable")
        made = np.zeros((len(order), len(capture.motors)), dtype=np.int64)
        made[np.arange(len(order)), np.concatenate(motors)[order]] = np.concatenate(ways)[order]
        out.append(Path(run.start_steps, np.cumsum(made, axis=0) + np.array(run.start_steps)))
    return out


def beside(found: list[Path], right: list[Path], names: list[str]) -> str:
    """The first pulse that is not on the right path; empty: there is none."""
    if len(found) > len(right):
        return f"{len(found)} runs of motion, where the job has {len(right)}"
    for number, (one, other) in enumerate(zip(found, right, strict=False)):
        if one.start != other.start:
            return f"run {number} began at {one.start}, not at {other.start}"
        count = len(one.counts)
        if count > len(other.counts):
            return f"run {number} made {count} pulses, where the job has {len(other.counts)}"
        away = np.abs(one.counts - other.counts[:count])
        if count and int(away.max()) > BESIDE_STEPS:
            k, m = (int(i) for i in np.argwhere(away > BESIDE_STEPS)[0])
            return f"run {number}: {names[m]} is {away[k, m]} steps beside the path at pulse {k}"
    return ""


def at_rest(link: VirtualLink, capture: Capture, since_tick: int) -> str:
    """Whether the board left alone since a tick has come to rest, cold, with its tools off."""
    port, machine = link.port, link.machine
    if port.config is not None and port.engine.busy():
        return "a motor still moves"
    heated = _heated(link, capture, since_tick)
    if heated:
        return heated
    for part, value in zip(machine.outputs, port.outputs, strict=False):
        if part.role in ("torch", "spindle", "laser") and value:
            return f"{part.name} is still on"
    late = since_tick + round(8.0 * capture.tick_hz)
    for name, trace in capture.motors.items():
        if len(trace.rise) and int(trace.rise[-1]) > late:
            return f"{name} stepped eight seconds after the host was gone"
    return ""


def too_hot(link: VirtualLink, machine: Machine, welded: bool) -> str:
    """No heater beyond its limit; a welded one cannot be stopped, but must be told."""
    for warm, part in zip(link.plant.warm, machine.heaters, strict=True):
        if warm.highest_c > part.max_c + BEYOND_C:
            if not welded:
                return f"{part.name} reached {warm.highest_c:.0f} C, its limit is {part.max_c:g} C"
            if not link.board.fault:
                return f"{part.name} is welded on and too hot, and the board tells no fault"
    return ""


def _heated(link: VirtualLink, capture: Capture, since_tick: int) -> str:
    """Heaters that are on without a host, or were for too long."""
    off = since_tick + round(HEAT_S * capture.tick_hz)
    heaters = zip(link.board.heaters, link.machine.heaters, link.port.duties, strict=False)
    for heater, part, duty in heaters:  # none after a reset
        target = capture.targets.get(part.name)
        if heater.standby_ms >= 0:
            continue
        if duty:
            return f"{part.name} is still heated to {heater.target_dc / 10:g} C"
        kept = heater.standby_dc / 10 if heater.standby_s and link.board.fault else 0.0
        if target is not None and target.at(off) > kept:  # a fault has ended a granted standby
            return f"{part.name} was heated {HEAT_S:g} s after the host was gone"
    return ""
