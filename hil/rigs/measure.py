"""Named measurements with unit and limits: our record's, and the same in OpenHTF's shape."""

from __future__ import annotations

import math
from typing import Any

from microfactory import UsageError
from microfactory.record import Measurement

# UN/ECE Recommendation 20: our word, its code, its name
UNITS = {
    "1": ("C62", "one"),
    "%": ("P1", "percent"),
    "ppm": ("59", "part per million"),
    "s": ("SEC", "second [unit of time]"),
    "ms": ("C26", "millisecond"),
    "us": ("B98", "microsecond"),
    "ns": ("C47", "nanosecond"),
    "Hz": ("HTZ", "hertz"),
    "kHz": ("KHZ", "kilohertz"),
    "mm": ("MMT", "millimetre"),
    "mm/s": ("C16", "millimetre per second"),
    "mm/s2": ("M41", "millimetre per second squared"),
    "V": ("VLT", "volt"),
    "mV": ("2Z", "millivolt"),
    "A": ("AMP", "ampere"),
    "ohm": ("OHM", "ohm"),
    "C": ("CEL", "degree Celsius"),
}


class Measures:
    """The `measure` fixture: one test's measurements. properties: pytest's, for JUnit XML."""

    def __init__(self, properties: list[tuple[str, object]] | None = None) -> None:
        self.taken: list[Measurement] = []
        self._properties = properties if properties is not None else []

    def __call__(
        self,
        name: str,
        value: float,
        unit: str = "1",
        lower: float | None = None,
        upper: float | None = None,
    ) -> float:
        """Note a value; the test fails at its end when one is outside its limits.

        UsageError: no number, an unknown unit, a name that was taken, limits the wrong way round.
        """
        number = float(value)
        if not math.isfinite(number):
            raise UsageError(f"measure {name}: {value} is no number; nothing was noted")
        if unit not in UNITS:
            raise UsageError(
                f"measure {name}: the unit {unit!r} is not known; nothing was noted; use one of "
                + ", ".join(UNITS)
            )
        if any(m.name == name for m in self.taken):
            raise UsageError(f"measure {name}: measured in this test already; use another name")
        if lower is not None and upper is not None and lower > upper:
            raise UsageError(f"measure {name}: lower {lower:g} is above upper {upper:g}")
        low, high = (None if limit is None else float(limit) for limit in (lower, upper))
        taken = Measurement(name, number, unit, low, high)
        self.taken.append(taken)
        self._properties.append((name, value_words(taken)))
        return number

    def outside(self) -> str:
        """Those outside their limits, in a sentence; empty: none."""
        return "; ".join(words(m) for m in self.taken if not m.within)


def words(taken: Measurement) -> str:
    """x_pulse_us = 1.2 us, 1.9 <= x <= 2.2, FAIL."""
    return f"{taken.name} = {value_words(taken)}"


def value_words(taken: Measurement) -> str:
    """1.2 us, 1.9 <= x <= 2.2, FAIL."""
    limits = validator(taken)
    unit = "" if taken.unit == "1" else f" {taken.unit}"
    verdict = f", {limits}, {'PASS' if taken.within else 'FAIL'}" if limits else ""
    return f"{taken.value:.6g}{unit}{verdict}"


def validator(taken: Measurement) -> str:
    """The limits as OpenHTF writes them; empty: none."""
    if taken.low is not None and taken.low == taken.high:
        return f"x == {taken.low:g}"
    if taken.low is not None and taken.high is not None:
        return f"{taken.low:g} <= x <= {taken.high:g}"
    if taken.low is not None:
        return f"{taken.low:g} <= x"
    return "" if taken.high is None else f"x <= {taken.high:g}"


def as_openhtf(taken: Measurement) -> dict[str, Any]:
    """The measurement as an OpenHTF test record has it."""
    code, name = UNITS[taken.unit]
    out: dict[str, Any] = {
        "name": taken.name,
        "outcome": "PASS" if taken.within else "FAIL",
        "units": {"name": name, "code": code, "suffix": taken.unit},
        "measured_value": taken.value,
    }
    limits = validator(taken)
    if limits:
        out["validators"] = [limits]
    return out
