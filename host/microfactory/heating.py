"""What the board must know of a heater: its sensor's curve as whole numbers, and its warming."""

from __future__ import annotations

import math
from typing import Any

from microfactory.parts import Heater, Sensor

ZERO_C = 273.15
FULL = 65535
STEP_DC = 25  # between two places of the table: straight lines are within 0.1 C of the curve
PLACES_MAX = 200
COLDEST_C = -20.0
BEYOND_C = 20.0  # above max_c: the board must still tell how much too hot it is


def share(sensor: Sensor, celsius: float) -> float:
    """Share of the converter's range that a thermistor below its pull-up reads (beta formula)."""
    kelvin = celsius + ZERO_C
    ohm = sensor.r25_ohm * math.exp(sensor.beta_k * (1 / kelvin - 1 / (25 + ZERO_C)))
    return ohm / (ohm + sensor.pullup_ohm)


def curve_config(heater: Heater) -> dict[str, Any]:
    """The table of docs/protocol.md: from_dc, step_dc, and a share of 65535 for each place."""
    begin_dc = round(min(COLDEST_C, heater.min_c) * 10)
    end_dc = round((heater.max_c + BEYOND_C) * 10)
    step_dc = max(STEP_DC, math.ceil((end_dc - begin_dc) / (PLACES_MAX - 2)))
    places = math.ceil((end_dc - begin_dc) / step_dc) + 1
    shares = [
        round(share(heater.sensor, (begin_dc + i * step_dc) / 10) * FULL) for i in range(places)
    ]
    return {"from_dc": begin_dc, "step_dc": step_dc, "shares": shares}


def model_config(heater: Heater) -> dict[str, int] | None:
    """What the board compares readings with; None: the machine file has no model."""
    if heater.model is None:
        return None
    return {
        "rate_mc_s": round(heater.model.rate_c_s * 1000),
        "time_ds": round(heater.model.time_s * 10),
        "dead_ds": round(heater.model.dead_s * 10),
    }
