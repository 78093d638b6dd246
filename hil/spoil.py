"""Spoilt captures: one fault each, as a broken board, planner or wire would leave it.

Each fault says where it is, so that a verifier can be asked whether it finds it there.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hil.capture import Capture, MotorTrace, Signal


class Fault(NamedTuple):
    """A spoilt capture; `tick` is where its first wrong thing is, `what` says it in words."""

    capture: Capture
    tick: int
    what: str


Spoiler = Callable[[Capture, Any, random.Random], Fault | None]


def _with_motor(capture: Capture, name: str, trace: MotorTrace) -> Capture:
    return replace(capture, motors={**capture.motors, name: trace})


def _pick(capture: Capture, rng: random.Random, least: int = 8) -> tuple[str, MotorTrace] | None:
    names = [name for name, m in capture.motors.items() if len(m.rise) >= least]
    name = rng.choice(names) if names else ""
    return (name, capture.motors[name]) if names else None


def lost(capture: Capture, machine: Any, rng: random.Random) -> Fault | None:
    """A step that never comes."""
    name, m = _pick(capture, rng) or ("", None)
    if m is None:
        return None
    i = rng.randrange(len(m.rise))
    kept = np.arange(len(m.rise)) != i
    spoilt = replace(m, rise=m.rise[kept], width=m.width[kept], direction=m.direction[kept])
    tick = int(m.rise[i])
    return Fault(_with_motor(capture, name, spoilt), tick, f"step {i} of {name} lost")


def doubled(capture: Capture, machine: Any, rng: random.Random) -> Fault | None:
    """A step that comes twice: once more half way to the next."""
    name, m = _pick(capture, rng) or ("", None)
    if m is None:
        return None
    i = rng.randrange(len(m.rise) - 1)
    gap = int(min(m.rise[i + 1] - m.rise[i], capture.tick_hz // 500))
    tick = int(m.rise[i]) + gap // 2
    spoilt = replace(
        m,
        rise=np.insert(m.rise, i + 1, tick),
        width=np.insert(m.width, i + 1, m.width[i]),
        direction=np.insert(m.direction, i + 1, m.direction[i]),
    )
    return Fault(_with_motor(capture, name, spoilt), tick, f"step {i} of {name} doubled")


def late(capture: Capture, machine: Any, rng: random.Random) -> Fault | None:
    """A step half an interval late, where a motion within the limits cannot explain it."""
    name, m = _pick(capture, rng) or ("", None)
    if m is None:
        return None
    motor = list(capture.motors).index(name)
    axis = machine.axes[machine.axis_of_motor(motor)]
    gap = np.diff(m.rise) / capture.tick_hz
    before, after = gap[:-1], gap[1:]
    even = (np.abs(before - after) < 0.1 * before) & (m.direction[:-2] == m.direction[2:])
    step_mm = 1 / axis.steps_per_mm
    noise = 4 * machine.motion.step_tolerance_us * 1e-6 * step_mm / before
    clear = step_mm / 2 > 2 * axis.max_accel_mm_s2 * before * before / 2 + noise
    rows = np.flatnonzero(even & clear) + 1
    if not len(rows):
        return None
    i = int(rng.choice(rows))
    rise = m.rise.copy()
    rise[i] += int((m.rise[i + 1] - m.rise[i]) // 2)
    what = f"step {i} of {name} late by {(rise[i] - m.rise[i]) / capture.tick_hz * 1e6:.0f} us"
    return Fault(_with_motor(capture, name, replace(m, rise=rise)), int(m.rise[i]), what)


def flipped(capture: Capture, machine: Any, rng: random.Random) -> Fault | None:
    """A step the wrong way, its direction pin with it."""
    name, m = _pick(capture, rng) or ("", None)
    if m is None:
        return None
    i = rng.randrange(1, len(m.rise) - 1)
    direction = m.direction.copy()
    direction[i] = -direction[i]
    ticks = [(int(m.rise[k]) + int(m.rise[k - 1])) // 2 for k in (i, i + 1)]
    turn_tick = np.concatenate([m.turn_tick, ticks])
    turn_direction = np.concatenate([m.turn_direction, [direction[i], direction[i + 1]]])
    order = np.argsort(turn_tick, kind="stable")
    spoilt = replace(
        m,
        direction=direction,
        turn_tick=turn_tick[order],
        turn_direction=turn_direction[order].astype(np.int8),
    )
    what = f"step {i} of {name} the wrong way"
    return Fault(_with_motor(capture, name, spoilt), int(m.rise[i]), what)


def short_pulse(capture: Capture, machine: Any, rng: random.Random) -> Fault | None:
    """A pulse of half its width."""
    name, m = _pick(capture, rng, 1) or ("", None)
    if m is None:
        return None
    i = rng.randrange(len(m.rise))
    width = m.width.copy()
    width[i] //= 2
    what = f"pulse {i} of {name} short"
    return Fault(_with_motor(capture, name, replace(m, width=width)), int(m.rise[i]), what)


def short_setup(capture: Capture, machine: Any, rng: random.Random) -> Fault | None:
    """A direction set half as long before its pulse as the driver asks."""
    names = [name for name, m in capture.motors.items() if len(m.turn_tick) and len(m.rise)]
    if not names:
        return None
    name = rng.choice(names)
    m = capture.motors[name]
    driver = machine.driver(list(capture.motors).index(name))
    i = rng.randrange(len(m.turn_tick))
    after = int(np.searchsorted(m.rise, m.turn_tick[i]))
    if after >= len(m.rise):
        return None
    turn = m.turn_tick.copy()
    turn[i] = m.rise[after] - int(driver.direction_setup_us * capture.tick_hz / 2e6)
    what = f"direction change {i} of {name} too near its pulse"
    return Fault(_with_motor(capture, name, replace(m, turn_tick=turn)), int(turn[i]), what)


def output_moved(capture: Capture, machine: Any, rng: random.Random) -> Fault | None:
    """An output switched elsewhere on the path: at least ten pulses and 20 ms away."""
    picked = _pick_change(capture, rng)
    if picked is None:
        return None
    name, i, signal = picked
    tick = signal.tick.copy()
    way = int(rng.choice((-1, 1)) * rng.uniform(0.05, 0.4) * capture.tick_hz)
    there = int(tick[i]) + way
    others = np.delete(tick, i)
    first, last = sorted((there, int(tick[i])))
    slack = capture.tick_hz // 50
    pulses = [_pulses(capture, a, b) for a, b in ((first, last - slack), (first + slack, last))]
    if min(pulses) < 10 or ((others >= first) & (others <= last)).any():
        return None
    tick[i] = there
    order = np.argsort(tick, kind="stable")
    moved = Signal(tick[order], signal.value[order])
    what = f"{name} switched {way / capture.tick_hz * 1e3:+.0f} ms away"
    return Fault(_with_output(capture, name, moved), int(signal.tick[i]), what)


def output_lost(capture: Capture, machine: Any, rng: random.Random) -> Fault | None:
    """An output that is not switched."""
    picked = _pick_change(capture, rng)
    if picked is None:
        return None
    name, i, signal = picked
    kept = np.arange(len(signal.tick)) != i
    gone = Signal(signal.tick[kept], signal.value[kept])
    what = f"{name} not switched to {signal.value[i]:g}"
    return Fault(_with_output(capture, name, gone), int(signal.tick[i]), what)


def _signals(capture: Capture) -> Mapping[str, Signal]:
    return {**capture.outputs, **capture.targets}


def _pick_change(capture: Capture, rng: random.Random) -> tuple[str, int, Signal] | None:
    """A change of an output between pulses of the job."""
    first = min((int(m.rise[0]) for m in capture.motors.values() if len(m.rise)), default=0)
    last = max((int(m.rise[-1]) for m in capture.motors.values() if len(m.rise)), default=0)
    choices = []
    for name, signal in _signals(capture).items():
        before = np.concatenate([[0.0], signal.value[:-1]])
        real = (signal.value != before) & (signal.tick > first) & (signal.tick < last)
        choices += [(name, int(i), signal) for i in np.flatnonzero(real)]
    return rng.choice(choices) if choices else None


def _with_output(capture: Capture, name: str, signal: Signal) -> Capture:
    if name in capture.outputs:
        return replace(capture, outputs={**capture.outputs, name: signal})
    return replace(capture, targets={**capture.targets, name: signal})


def _pulses(capture: Capture, first: int, last: int) -> int:
    count = 0
    for m in capture.motors.values():
        a, b = np.searchsorted(m.rise, (first, last))
        count += int(b - a)
    return count


def interval_at(capture: Capture, tick: int) -> NDArray[np.int64]:
    """Longest interval about a tick of any motor that is moving there (two each side)."""
    longest = 0
    for m in capture.motors.values():
        i = int(np.searchsorted(m.rise, tick))
        near = m.rise[max(0, i - 2) : i + 3]
        if len(near) > 1:
            longest = max(longest, int(np.diff(near).max()))
    return np.int64(longest)  # type: ignore[return-value]


SPOILERS: tuple[Spoiler, ...] = (
    lost,
    doubled,
    late,
    flipped,
    short_pulse,
    short_setup,
    output_moved,
    output_lost,
)
