"""What a sensor below its pull-up leaves of the supply, by kind: written apart from the host's.

Where the host solves a formula for the resistance, here the resistance is looked for.
"""

from __future__ import annotations

import math
from typing import Any

ZERO_C = 273.15
COLDEST_C = -100.0  # a drift may ask for more, where no sensor has a formula
# (R25, beta), or (C, ohm) three times, of parts that have a name
NAMED: dict[str, Any] = {
    "epcos-b57560g104f": ((25, 100e3), (150, 1641.9), (250, 226.15)),
    "honeywell-135-104lag-j01": (100e3, 3974),
    "ntc-100k-3950": (100e3, 3950),
    "semitec-103at-2": (10e3, 3435),
    "semitec-104gt-2": ((20, 126.8e3), (150, 1360), (300, 80.65)),
    "vishay-ntcle203e3104": (100e3, 4190),
}


def sensor_ohm(sensor: Any, celsius: float) -> float:
    """Resistance of a thermistor or a PT1000."""
    kind, model = sensor.kind, None
    celsius = max(celsius, COLDEST_C)
    if kind == "beta":
        model = (sensor.r25_ohm, sensor.beta_k)
    elif kind == "part":
        model = NAMED[sensor.part]
    if kind == "pt1000":
        t = celsius
        cold = -4.183e-12 * (t - 100) * t**3 if t < 0 else 0.0
        return 1000.0 + 3.9083 * t - 5.775e-4 * t * t + 1000 * cold
    if kind == "table":
        pairs = list(zip(sensor.table_c, sensor.table_ohm, strict=True))
        k = max([0, *(i for i, (c, _r) in enumerate(pairs[:-1]) if c < celsius)])
        (c1, r1), (c2, r2) = pairs[k], pairs[k + 1]
        beta = math.log(r1 / r2) / (1 / (c1 + ZERO_C) - 1 / (c2 + ZERO_C))
        return float(r1 * math.exp(beta * (1 / (celsius + ZERO_C) - 1 / (c1 + ZERO_C))))
    if model is not None and not isinstance(model[0], tuple):
        r25, beta = model
        return float(r25 * math.exp(beta * (1 / (celsius + ZERO_C) - 1 / (25 + ZERO_C))))
    if model is not None:
        return _sought(lambda log: _newton(model, log), celsius)
    a, b, c = sensor.sh_a, sensor.sh_b, sensor.sh_c
    return _sought(lambda log: a + b * log + c * log**3, celsius)


def _newton(pairs: Any, log: float) -> float:
    """1/T at a logarithm: the curve A + B l + C l^3 through three pairs, without its factors."""
    rows = [(1.0, math.log(r), math.log(r) ** 3, 1 / (c + ZERO_C)) for c, r in pairs]
    whole = _det([row[:3] for row in rows])
    factors = [_det([(*r[:k], r[3], *r[k + 1 : 3]) for r in rows]) / whole for k in range(3)]
    return float(factors[0] + factors[1] * log + factors[2] * log**3)


def _det(m: Any) -> float:
    (a, b, c), (d, e, f), (g, h, i) = m
    return float(a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g))


def _sought(inverse_of: Any, celsius: float) -> float:
    low, high = math.log(1e-3), math.log(1e10)
    for _ in range(80):
        middle = (low + high) / 2
        if inverse_of(middle) < 1 / (celsius + ZERO_C):
            low = middle
        else:
            high = middle
    return math.exp(low)


def sensor_share(sensor: Any, celsius: float) -> float:
    """Of the supply, at the connector."""
    own = sensor_ohm(sensor, celsius)
    return own / (own + float(sensor.pullup_ohm))
