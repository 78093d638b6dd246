"""Temperature sensors: resistance at a temperature, by kind, and what a machine file must say.

Thermistors by the beta formula, by Steinhart and Hart's three coefficients (1/T = A + B ln R +
C (ln R)^3, Deep-Sea Research 15, 1968), by a table of pairs, or by the name of a part whose data
sheet gives one of these; platinum by IEC 60751. Thermocouples come through a converter that tells
degrees (mfboard.converter), so they have no resistance here.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from microfactory.tomlfile import TomlFile

if TYPE_CHECKING:
    from microfactory.parts import Heater, Sensor

ZERO_C = 273.15
CONVERTERS = ("max31855", "max6675")
DIVIDED = ("connector", "kind", "pullup_ohm")
KEYS = {  # that a kind must have, beside those of every one that is read on a divider
    "beta": ("r25_ohm", "beta_k"),
    "steinhart-hart": ("sh_a", "sh_b", "sh_c"),
    "table": ("table_c", "table_ohm"),
    "part": ("part",),
    "pt1000": (),
}
RANGE_C = {"max31855": (-200.0, 1350.0), "max6675": (0.5, 1023.0)}  # of K on them, data sheets
PLATINUM = (3.9083e-3, -5.775e-7, -4.183e-12)  # IEC 60751:2008, A, B, C
# R25 and beta as the makers publish them; or three pairs of their tables, (C, ohm)
BETAS = {
    "honeywell-135-104lag-j01": (100_000.0, 3974.0),  # 135 series, B25/85
    "ntc-100k-3950": (100_000.0, 3950.0),  # sold by many under this figure, B25/50
    "semitec-103at-2": (10_000.0, 3435.0),  # AT series, B25/85
    "vishay-ntcle203e3104": (100_000.0, 4190.0),  # NTCLE203E3, B25/85
}
PAIRS = {
    "epcos-b57560g104f": ((25.0, 100_000.0), (150.0, 1641.9), (250.0, 226.15)),
    "semitec-104gt-2": ((20.0, 126_800.0), (150.0, 1360.0), (300.0, 80.65)),
}
PARTS = tuple(sorted([*BETAS, *PAIRS]))


def ohm(sensor: Sensor, celsius: float) -> float:
    """Resistance of a sensor that has one, at a temperature above -200 C."""
    if sensor.kind == "beta":
        assert sensor.r25_ohm is not None
        assert sensor.beta_k is not None
        return by_beta(sensor.r25_ohm, sensor.beta_k, celsius)
    if sensor.kind == "steinhart-hart":
        assert sensor.sh_a is not None
        assert sensor.sh_b is not None
        assert sensor.sh_c is not None
        return by_coefficients((sensor.sh_a, sensor.sh_b, sensor.sh_c), celsius)
    if sensor.kind == "table":
        return by_table(sensor.table_c or (), sensor.table_ohm or (), celsius)
    if sensor.kind == "part":
        assert sensor.part is not None
        if sensor.part in BETAS:
            return by_beta(*BETAS[sensor.part], celsius)
        return by_coefficients(coefficients(PAIRS[sensor.part]), celsius)
    a, b, c = PLATINUM
    below = c * (celsius - 100) * celsius**3 if celsius < 0 else 0.0
    return 1000 * (1 + a * celsius + b * celsius**2 + below)


def by_beta(r25_ohm: float, beta_k: float, celsius: float) -> float:
    """The beta formula."""
    return r25_ohm * math.exp(beta_k * (1 / (celsius + ZERO_C) - 1 / (25 + ZERO_C)))


def coefficients(pairs: tuple[tuple[float, float], ...]) -> tuple[float, float, float]:
    """Steinhart and Hart's A, B, C through three pairs of Celsius and ohm."""
    (l1, l2, l3) = (math.log(r) for _c, r in pairs)
    (y1, y2, y3) = (1 / (c + ZERO_C) for c, _r in pairs)
    g2, g3 = (y2 - y1) / (l2 - l1), (y3 - y1) / (l3 - l1)
    c = (g3 - g2) / (l3 - l2) / (l1 + l2 + l3)
    b = g2 - c * (l1**2 + l1 * l2 + l2**2)
    return y1 - (b + l1**2 * c) * l1, b, c


def by_coefficients(abc: tuple[float, float, float], celsius: float) -> float:
    """The real root of C l^3 + B l + A - 1/T = 0, l = ln R (Cardano; B and C are not negative)."""
    a, b, c = abc
    rest = 1 / (celsius + ZERO_C) - a
    if c <= 0:
        return math.exp(rest / b)
    half = rest / c / 2
    root = math.sqrt((b / (3 * c)) ** 3 + half**2)
    return math.exp(math.cbrt(half + root) + math.cbrt(half - root))


def by_table(at_c: tuple[float, ...], at_ohm: tuple[float, ...], celsius: float) -> float:
    """Between two pairs the logarithm is straight over 1/T: a beta of its own in each gap."""
    i = 1
    while i < len(at_c) - 1 and celsius > at_c[i]:
        i += 1
    low, high = 1 / (at_c[i - 1] + ZERO_C), 1 / (at_c[i] + ZERO_C)
    part = (1 / (celsius + ZERO_C) - low) / (high - low)
    return at_ohm[i - 1] * math.exp(part * math.log(at_ohm[i] / at_ohm[i - 1]))


def check_sensor(heater: Heater, file: TomlFile) -> None:
    """MachineError: a sensor whose keys do not fit its kind, or that cannot tell these degrees."""
    sensor = heater.sensor
    place = ("heaters", heater.name, "sensor")
    converts = sensor.kind in CONVERTERS
    wanted = ("connector", "kind") if converts else (*DIVIDED, *KEYS[sensor.kind])
    for key in sensor.__dataclass_fields__:
        has = getattr(sensor, key) is not None
        if has != (key in wanted):
            what = "does not belong to" if has else "is missing in"
            raise file.error(
                (*place, key),
                f"this key {what} kind {sensor.kind!r}",
                f"it has {', '.join(wanted)}",
            )
    if converts:
        low, high = RANGE_C[sensor.kind]
        if heater.min_c < low or heater.max_c > high:
            raise file.error(
                (*place, "kind"),
                f"a {sensor.kind} tells {low:g} to {high:g} C",
                "change the limits",
            )
    if sensor.kind == "part" and sensor.part not in PARTS:
        raise file.error(
            (*place, "part"), f"{sensor.part!r} is not known", f"use one of {', '.join(PARTS)}"
        )
    if sensor.kind == "table":
        _check_table(heater, file, place)


def _check_table(heater: Heater, file: TomlFile, place: tuple[str, ...]) -> None:
    at_c, at_ohm = heater.sensor.table_c or (), heater.sensor.table_ohm or ()
    if len(at_c) != len(at_ohm) or len(at_c) < 2:
        raise file.error(
            (*place, "table_ohm"),
            f"{len(at_ohm)} resistances for {len(at_c)} temperatures",
            "write two or more pairs, as many of one as of the other",
        )
    steps = list(zip(at_c, at_c[1:], at_ohm, at_ohm[1:], strict=False))
    rises = at_ohm[1] > at_ohm[0]
    if any(c2 <= c1 or r2 == r1 or (r2 > r1) != rises for c1, c2, r1, r2 in steps):
        raise file.error(
            (*place, "table_c"),
            "temperatures must rise, and resistances rise or fall all the way",
            "put the pairs in order",
        )
    if at_c[0] > heater.min_c or at_c[-1] < heater.max_c:
        raise file.error(
            (*place, "table_c"),
            f"it tells {at_c[0]:g} to {at_c[-1]:g} C, and the heater has {heater.min_c:g} to "
            f"{heater.max_c:g} C",
            "add pairs, or change the heater's limits",
        )
