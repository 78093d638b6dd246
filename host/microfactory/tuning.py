"""From a recorded warming to a heater's model and its PID: what a machine file then says.

The model is one heat capacity with losses behind a dead time. For each dead time the two other
numbers follow by least squares from the integrals of the power and of the temperature; the dead
time that leaves the least is taken. PID follows from it by Skogestad's rules (SIMC, 2003), with a
closed loop as slow as the dead time, which hardly overshoots and bears a wrong model.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from microfactory.errors import UsageError
from microfactory.parts import Pid, Warming

DEAD_MOST_S = 10.0
DEAD_STEP_S = 0.1
FILTER_S = 1.0  # what the board's smoothing and its turns add to the dead time
LEAST_C = 10.0  # a warming from which anything can be told


Samples = NDArray[np.float64]


def fit(time_s: Samples, now_c: Samples, duty: Samples) -> Warming:
    """The model of a warming that began cold: times from 0 on, temperatures, duty 0 to 1 that was
    on from each time to the next.

    UsageError: it did not get warm enough, or nothing warms like that.
    """
    above_c = now_c - now_c[0]
    if len(time_s) < 20 or above_c.max() < LEAST_C:
        raise UsageError(
            f"it got warmer by {above_c.max():.1f} C only; nothing was changed; look at heater and "
            "sensor, and tune from cold"
        )
    step_s = np.diff(time_s, prepend=time_s[0])
    lost = np.cumsum(above_c * step_s)
    given = np.concatenate([[0.0], np.cumsum(duty[:-1] * np.diff(time_s))])
    best: tuple[float, float, float, float] | None = None
    for dead_s in np.arange(0.0, DEAD_MOST_S + DEAD_STEP_S / 2, DEAD_STEP_S):
        late = np.interp(time_s - dead_s, time_s, given, left=0.0)
        table = np.column_stack([late, -lost])
        (rate, loss), *_ = np.linalg.lstsq(table, above_c, rcond=None)
        off = float(np.sum((table @ np.array([rate, loss]) - above_c) ** 2))
        if rate > 0 and loss > 0 and (best is None or off < best[0]):
            best = (off, float(rate), 1 / float(loss), float(dead_s))
    if best is None:
        raise UsageError("nothing warms like this; nothing was changed; tune again from cold")
    _off, rate_c_s, loss_s, dead = best
    return Warming(
        rate_c_s=round(min(max(rate_c_s, 0.01), 20.0), 3),
        time_s=round(min(max(loss_s, 5.0), 2000.0), 1),
        dead_s=round(dead, 1),
    )


def pid_for(model: Warming) -> Pid:
    """Factors for a heater that warms like the model."""
    late_s = model.dead_s + FILTER_S
    kp = 1 / (model.rate_c_s * 2 * late_s)
    return Pid(
        kp=round(min(kp, 100.0), 4),
        ki=round(kp / min(model.time_s, 8 * late_s), 5),
        kd=round(min(kp * late_s / 2, 1000.0), 4),
    )


def relay() -> Pid:
    """Full power below the target and none above: what a warming is recorded with."""
    return Pid(kp=10.0, ki=0.0, kd=0.0)
