"""From a recorded warming to a heater's model and its PID: what a machine file then says.

The model is one heat capacity with losses behind a dead time and a sensor that lags. For each dead
time and lag the two other numbers follow by least squares from the integrals of the power (lagged,
which commutes) and of the temperature; the pair that leaves the least is taken. PID follows from
it by Skogestad's rules (SIMC, 2003), with a closed loop as slow as the dead time, which hardly
overshoots and bears a wrong model.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from microfactory.errors import UsageError
from microfactory.parts import Pid, Warming

DEAD_MOST_S = 10.0
DEAD_STEP_S = 0.1
LAGS_S = (0.0, 0.3, 0.6, 1.0, 1.5, 2.0, 3.0, 4.5, 6.5)
FILTER_S = 1.0  # what the board's smoothing and its turns add to the dead time
LEAST_C = 10.0  # a warming from which anything can be told


Samples = NDArray[np.float64]


def fit(time_s: Samples, now_c: Samples, duty: Samples) -> Warming:
    """The model of a warming that began cold: times from 0 on, temperatures, duty 0 to 1 that was
    on from each time to the next.

    UsageError: it did not get warm enough, or nothing warms like that.
    """
    cold = int(np.argmax(duty > 0)) + 1  # readings before any power: noise is less in their mean
    above_c = now_c - now_c[:cold].mean()
    if len(time_s) < 20 or above_c.max() < LEAST_C:
        raise UsageError(
            f"it got warmer by {above_c.max():.1f} C only; nothing was changed; look at heater and "
            "sensor, and tune from cold"
        )
    step_s = np.diff(time_s, prepend=time_s[0])
    lost = np.cumsum(above_c * step_s)
    given = np.concatenate([[0.0], np.cumsum(duty[:-1] * np.diff(time_s))])
    best: tuple[float, float, float, float, float] | None = None
    for lag_s in LAGS_S:
        filtered = _lagged(given, time_s, lag_s)
        for dead_s in np.arange(0.0, DEAD_MOST_S + DEAD_STEP_S / 2, DEAD_STEP_S):
            late = np.interp(time_s - dead_s, time_s, filtered, left=0.0)
            found = _least(late, -lost, above_c)
            if found and (best is None or found[0] < best[0]):
                best = (*found, float(dead_s), lag_s)
    if best is None:
        raise UsageError("nothing warms like this; nothing was changed; tune again from cold")
    _off, rate_c_s, loss, dead, lag = best
    return Warming(
        rate_c_s=round(min(max(rate_c_s, 0.01), 20.0), 3),
        time_s=round(min(max(1 / loss, 5.0), 2000.0), 1),
        dead_s=round(dead, 1),
        lag_s=lag,
    )


def _lagged(values: Samples, time_s: Samples, lag_s: float) -> Samples:
    """As a first-order lag passes them on: s' = (v - s) / lag."""
    if lag_s == 0:
        return values
    out = np.empty_like(values)
    now = values[0]
    parts = 1 - np.exp(-np.diff(time_s, prepend=time_s[0]) / lag_s)
    for i, part in enumerate(parts):
        now += (values[i] - now) * part
        out[i] = now
    return out


def _least(x: Samples, y: Samples, goal: Samples) -> tuple[float, float, float] | None:
    """Least squares of goal = a x + b y: what is left, a and b; None: not both above 0."""
    xx, yy, xy, xg, yg = x @ x, y @ y, x @ y, x @ goal, y @ goal
    whole = xx * yy - xy * xy
    if whole <= 0:
        return None
    a, b = (xg * yy - yg * xy) / whole, (yg * xx - xg * xy) / whole
    if a <= 0 or b <= 0:
        return None
    return float(goal @ goal - a * xg - b * yg), float(a), float(b)


def pid_for(model: Warming) -> Pid:
    """Factors for a heater that warms like the model."""
    late_s = model.dead_s + (model.lag_s or 0.0) + FILTER_S
    kp = 1 / (model.rate_c_s * 2 * late_s)
    return Pid(
        kp=round(min(kp, 100.0), 4),
        ki=round(kp / min(model.time_s, 8 * late_s), 5),
        kd=round(min(kp * late_s / 2, 1000.0), 4),
    )


def relay() -> Pid:
    """Full power below the target and none above: what a warming is recorded with."""
    return Pid(kp=10.0, ki=0.0, kd=0.0)
