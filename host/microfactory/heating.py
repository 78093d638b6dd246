"""What the board must know of a heater: its sensor's curve as whole numbers, and its warming."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

from microfactory.parts import Heater, Sensor
from microfactory.sensors import CONVERTERS, ohm
from microfactory.tomlfile import TomlFile

FULL = 65535
TURN_S = 0.1  # of the board's regulation
LAG_LEAST_S = 0.5
OBSERVER_PER_S = 0.7
HORIZON_LEAST_S = 2.0
HORIZON_SHARE = 1.0  # of dead time and lag
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
    lag_s = heater.model.lag_s
    return {
        "rate_mc_s": round(heater.model.rate_c_s * 1000),
        "time_ds": round(heater.model.time_s * 10),
        "dead_ds": round(heater.model.dead_s * 10),
        **({} if lag_s is None else {"lag_ds": round(lag_s * 10)}),
    }


def predict_config(heater: Heater) -> dict[str, Any]:
    """What the board needs to control by its model; nothing where the file does not say so.

    The observer is x' = A x + l (read - sensor), x = (sensor, body, wind): its three poles are
    put on one place w, from (p + w)^3 = det(p I - A + l C), and its gains are those of a turn.
    """
    model = heater.model
    if heater.control != "model" or model is None or model.lag_s is None:
        return {}
    lag_s = max(model.lag_s, LAG_LEAST_S)
    dead_s = max(0.0, model.dead_s + model.lag_s - lag_s)
    pole = max(OBSERVER_PER_S, 0.36 / lag_s)
    sensor = 3 * pole - 1 / lag_s - 1 / model.time_s
    body = lag_s * (3 * pole**2 - (1 / lag_s + sensor) / model.time_s)
    wind = lag_s * pole**3
    horizon_s = max(HORIZON_LEAST_S, HORIZON_SHARE * (dead_s + lag_s))
    return {
        "predict": {
            "dead_ms": round(dead_s * 10) * 100,
            "lag_ms": round(lag_s * 1000),
            "horizon_ms": round(horizon_s * 1000),
            "sensor": round(sensor * TURN_S * 4096),
            "body": round(body * TURN_S * 4096),
            "wind": round(wind * TURN_S**2 * 64 * 4096),
        }
    }
