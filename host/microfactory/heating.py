"""What the board must know of a heater: its sensor's curve as whole numbers, and its warming."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

from microfactory.parts import Heater, Sensor
from microfactory.sensors import CONVERTERS, ohm
from microfactory.tomlfile import TomlFile

FULL = 65535
STEP_DC = 25  # between two places of the table: straight lines are within 0.1 C of the curve
PLACES_MAX = 200
COLDEST_C = -20.0
BEYOND_LEAST_C = 10.0  # too hot must be told from a short
SHORT = 262  # as mfboard.sensor has them
OPEN = 65273
BEYOND_C = 20.0  # above max_c: the board must still tell how much too hot it is


def share(sensor: Sensor, celsius: float) -> float:
    """Share of the converter's range that a sensor below its pull-up reads."""
    assert sensor.pullup_ohm is not None
    own_ohm = ohm(sensor, celsius)
    return own_ohm / (own_ohm + sensor.pullup_ohm)


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


def sensor_config(heater: Heater) -> dict[str, Any]:
    """How the board reads a heater's sensor: a curve, or a converter by its name."""
    kind = heater.sensor.kind
    return {"converter": kind} if kind in CONVERTERS else {"curve": curve_config(heater)}


def check_curve(heater: Heater, file: TomlFile) -> None:
    """MachineError: with this pull-up the sensor reads like a wire at a temperature it may have."""
    if heater.sensor.kind in CONVERTERS:
        return
    place = ("heaters", heater.name, "sensor", "pullup_ohm")
    for celsius in (heater.min_c, heater.max_c + BEYOND_LEAST_C):
        reads = share(heater.sensor, celsius) * FULL
        if not SHORT < reads < OPEN:
            word = "a short" if reads <= SHORT else "a broken wire"
            raise file.error(
                place,
                f"at {celsius:g} C it reads like {word}, {reads / FULL:.2%} of the range",
                "use another pull-up or sensor, or closer limits",
            )
    shares = curve_config(heater)["shares"]
    rises = shares[1] > shares[0]
    if any(b == a or (b > a) != rises for a, b in pairwise(shares)):
        raise file.error(place, "its readings are too close together", "use another pull-up")


def model_config(heater: Heater) -> dict[str, int] | None:
    """What the board compares readings with; None: the machine file has no model."""
    if heater.model is None:
        return None
    return {
        "rate_mc_s": round(heater.model.rate_c_s * 1000),
        "time_ds": round(heater.model.time_s * 10),
        "dead_ds": round(heater.model.dead_s * 10),
    }
