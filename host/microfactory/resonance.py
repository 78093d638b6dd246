"""How a frame rings, and which shaper answers that: a program that shakes an axis, the reading of
an accelerometer's file or of a print's ripples, and a choice.

The shake: at each frequency f lines of A / (16 f^2) to and fro, each from rest to rest, so that the
axis is accelerated by +A and -A in turn, f times a second.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from microfactory.errors import UsageError
from microfactory.machine import Machine
from microfactory.motion.shapers import SHAPERS, impulses
from microfactory.parts import Axis

LOW_HZ, HIGH_HZ = 5.0, 120.0  # a frame's resonances that a shaper can answer lie within
G_MM_S2 = 9806.65
SAMPLES_MIN = 512
LEFT = 0.05  # of the vibration: no more should be left
STEPS_MIN = 2.0  # of a motor, in the shortest line of the shake
NOTHING = 1e-30
FLOOR = 0.05
SMOOTH_HZ = 2.0
ALIKE = 0.01  # shares left that differ by less are the same

Floats = NDArray[np.float64]


def shake(
    machine: Machine, axis: Axis, low_hz: float, high_hz: float, hz_per_s: float, accel: float
) -> Iterator[str]:
    """Lines of G-code that shake an axis about the middle of its travel, from low_hz to high_hz.

    accel in mm/s2. UsageError: the axis cannot.
    """
    if axis.unlimited or axis.home is None:
        raise UsageError(
            f"axis {axis.name} cannot be shaken: it has no travel or finds no home; nothing was "
            "written; name an axis of the frame"
        )
    if not 1.0 <= low_hz < high_hz <= 200.0 or not 0.1 <= hz_per_s <= 20.0:
        raise UsageError(
            f"{low_hz:g} to {high_hz:g} Hz at {hz_per_s:g} Hz/s is no sweep; nothing was written; "
            "use 1 to 200 Hz, the first below the last, and 0.1 to 20 Hz/s"
        )
    most = min(axis.max_accel_mm_s2, machine.motion.max_accel_mm_s2)
    if not 0 < accel <= most:
        raise UsageError(
            f"an acceleration of {accel:g} mm/s2 is more than axis {axis.name} may have; nothing "
            f"was written; use at most {most:g}"
        )
    if accel / (16 * high_hz**2) * axis.steps_per_mm < STEPS_MIN:
        fits = math.sqrt(accel * axis.steps_per_mm / (16 * STEPS_MIN))
        raise UsageError(
            f"at {high_hz:g} Hz a line is shorter than {STEPS_MIN:g} steps of axis {axis.name}; "
            f"nothing was written; end at {fits:.0f} Hz or use more acceleration"
        )
    middle = (axis.min_mm + axis.max_mm) / 2
    yield f"; shakes {axis.letter} at {low_hz:g} to {high_hz:g} Hz, {accel:g} mm/s2 to and fro"
    yield "G28"
    yield "G90"
    yield f"G1 {axis.letter}{middle:.4f} F3000"
    yield "G4 P1000" if machine.kind == "printer" else "G4 P1"
    if machine.kind == "printer":
        yield f"M204 S{accel:g}"
    yield "G61"  # to rest at each end, not round it
    yield "F60000"
    hz = low_hz
    while hz <= high_hz:
        half_mm = accel / (16 * hz * hz) / 2
        yield f"G1 {axis.letter}{middle + half_mm:.5f}"
        yield f"G1 {axis.letter}{middle - half_mm:.5f}"
        hz += hz_per_s / hz  # a cycle lasts 1 / hz
    yield f"G1 {axis.letter}{middle:.4f} F3000"


@dataclass(frozen=True)
class Spectrum:
    """Power of the acceleration at each frequency (one row), summed over the file's axes."""

    hz: Floats
    power: Floats

    @property
    def peak_hz(self) -> float:
        return float(self.hz[int(np.argmax(self.power))])

    def damping(self) -> float:
        """From the width of the highest peak at half its power; 0.1 where none can be told."""
        top = int(np.argmax(self.power))
        half = self.power[top] / 2
        below = np.flatnonzero(self.power[:top] < half)
        above = np.flatnonzero(self.power[top:] < half)
        if not len(below) or not len(above):
            return 0.1
        width = self.hz[top + above[0]] - self.hz[below[-1]]
        return float(np.clip(width / (2 * self.hz[top]), 0.01, 0.4))


def read_samples(path: Path, unit: str) -> tuple[Floats, Floats]:
    """(time s, accelerations mm/s2 in columns) of a CSV file: time first, then one to three
    accelerations in g, m/s2 or mm/s2. UsageError names the line that cannot be read.
    """
    factor = {"g": G_MM_S2, "m/s2": 1000.0, "mm/s2": 1.0}[unit]
    rows: list[list[float]] = []
    with path.open(newline="") as file:
        for number, row in enumerate(csv.reader(file), 1):
            if not row or row[0].lstrip().startswith("#"):
                continue
            try:
                values = [float(word) for word in row[:4]]
                good = len(values) >= 2 and all(map(math.isfinite, values))
            except ValueError:
                if not rows and number <= 2:
                    continue  # names of the columns
                good = False
            if not good or (rows and (len(values) != len(rows[0]) or values[0] <= rows[-1][0])):
                raise UsageError(
                    f"{path}:{number}: this is no later time with one to three accelerations; "
                    "nothing was judged; give a CSV file of time_s,x,y,z"
                )
            rows.append(values)
    if len(rows) < SAMPLES_MIN:
        raise UsageError(
            f"{path}: {len(rows)} samples are too few; nothing was judged; record the whole shake, "
            f"at least {SAMPLES_MIN}"
        )
    table = np.array(rows)
    return table[:, 0], table[:, 1:] * factor


def spectrum(time_s: Floats, accel: Floats) -> Spectrum:
    """Welch's mean of windowed periodograms, 0.5 Hz or finer where the file is long enough.

    time_s need not be even: it is put on an even grid. UsageError: too slow to see HIGH_HZ.
    """
    rate = (len(time_s) - 1) / (time_s[-1] - time_s[0])
    if rate < 2.2 * HIGH_HZ:
        raise UsageError(
            f"{rate:.0f} samples a second cannot show {HIGH_HZ:g} Hz; nothing was judged; "
            f"record at {2.5 * HIGH_HZ:.0f} or more"
        )
    even = np.linspace(time_s[0], time_s[-1], len(time_s))
    size = min(len(even), int(2 ** math.ceil(math.log2(2.0 * rate))))
    window = np.hanning(size)
    power = np.zeros(size // 2 + 1)
    begins = range(0, len(even) - size + 1, size // 2)
    for column in accel.T:
        values = np.interp(even, time_s, column)
        for begin in begins:
            part = values[begin : begin + size]
            power += np.abs(np.fft.rfft((part - part.mean()) * window)) ** 2
    hz = np.fft.rfftfreq(size, 1 / rate)
    wide = max(1, round(SMOOTH_HZ / hz[1]))
    power = np.convolve(power, np.ones(wide) / wide, mode="same")
    seen = (hz >= LOW_HZ) & (hz <= HIGH_HZ)
    if power[seen].max(initial=0.0) < NOTHING:
        raise UsageError(
            "the accelerations do not change; nothing was judged; look whether the sensor was read"
        )
    return Spectrum(hz[seen], power[seen] / len(begins))


@dataclass(frozen=True)
class Choice:
    """One shaper at its best frequency: what it leaves of the vibration, and how far an axis is off
    its path by it at an acceleration.
    """

    shaper: str
    hz: float
    left: float
    off_mm: float


def left_of(found: Spectrum, shaper: str, hz: float, damping: float) -> float:
    """The share of the vibration that a shaper leaves, as a root of powers. What is below a
    twentieth of the highest peak is the sensor's noise and the shake itself, and counts nothing.
    """
    parts = impulses(shaper, hz, damping)
    phases = np.exp(-2j * np.pi * np.outer(found.hz, [p.delay_s for p in parts]))
    answer = np.abs(phases @ np.array([p.weight for p in parts])) ** 2
    floor = FLOOR * found.power.max()
    after = np.maximum(found.power * answer - floor, 0.0).sum()
    return float(np.sqrt(after / np.maximum(found.power - floor, 0.0).sum()))


def off_mm(shaper: str, hz: float, damping: float, accel: float) -> float:
    """Half the acceleration times the variance of the impulses."""
    parts = impulses(shaper, hz, damping)
    mean = sum(p.weight * p.delay_s for p in parts)
    return accel / 2 * sum(p.weight * (p.delay_s - mean) ** 2 for p in parts)


def choices(found: Spectrum, damping: float, accel: float) -> list[Choice]:
    """The best frequency of every shaper, gentlest (least off the path) first."""
    out = []
    for name in SHAPERS:
        grid = np.arange(max(10.0, found.peak_hz / 2), min(200.0, found.peak_hz * 2), 0.5)
        left = np.array([left_of(found, name, float(hz), damping) for hz in grid])
        good = grid[left <= left.min() + ALIKE]
        best = float(good[int(np.argmin(np.abs(good - found.peak_hz)))])
        leaves = left_of(found, name, best, damping)
        out.append(Choice(name, best, leaves, off_mm(name, best, damping, accel)))
    return sorted(out, key=lambda choice: choice.off_mm)


def best(found: Sequence[Choice]) -> Choice:
    """The gentlest that leaves little enough; if none does, the one that leaves least."""
    enough = [choice for choice in found if choice.left <= LEFT]
    return enough[0] if enough else min(found, key=lambda choice: choice.left)


def from_ripples(speed_mm_s: float, spacing_mm: float, ratio: float | None) -> tuple[float, float]:
    """(frequency Hz, damping ratio) of ripples on a print behind a corner that was left at
    speed_mm_s. spacing_mm: from crest to crest; ratio: height of a crest over the one before.
    """
    if not (speed_mm_s > 0 and spacing_mm > 0) or (ratio is not None and not 0 < ratio < 1):
        raise UsageError(
            "speed and spacing are above 0 and a crest's ratio is between 0 and 1; nothing was "
            "judged; measure along the wall, from crest to crest"
        )
    hz = speed_mm_s / spacing_mm
    if ratio is None:
        return hz, 0.1
    decrement = -math.log(ratio)
    return hz, decrement / math.hypot(2 * math.pi, decrement)
