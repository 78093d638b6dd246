"""A verdict's figures as named measurements, each with the limit that the verifier holds it to."""

from __future__ import annotations

import math
from collections.abc import Mapping

from hil.rigs.measure import Measures
from hil.verify import Report
from hil.verify.happenings import SLACK_S
from hil.verify.limits import ACCEL_SLACK
from microfactory import Machine


def note(
    measure: Measures,
    report: Report,
    machine: Machine,
    tick_hz: int,
    name: str = "",
    error_ticks: int = 0,
) -> None:
    """Of one judged program; name: stands before each measurement's own. error_ticks: of the rig.

    Shares are of what program and machine allow. A motor that made no pulse, or never turned, has
    no width or set-up to measure.
    """
    begin = f"{name}_" if name else ""
    figures = report.figures
    measure(f"{begin}violations", len(report.violations), upper=0)
    measure(f"{begin}pulses", figures["pulses"], lower=1)
    measure(f"{begin}speed_share", figures["max_speed_ratio"], upper=1.0)
    measure(f"{begin}accel_share", figures["max_accel_ratio"], upper=ACCEL_SLACK)
    measure(f"{begin}timing_share", figures["max_timing_ratio"], upper=1.0)
    measure(f"{begin}change_off_ms", figures["worst_change_ms"], "ms", upper=SLACK_S * 1e3)
    unsure_us = (0.5 + error_ticks) * 1e6 / tick_hz
    for m, motor in enumerate(machine.motors):
        driver = machine.driver(m)
        for what, asked_us in (("pulse", driver.pulse_us), ("setup", driver.direction_setup_us)):
            least: Mapping[str, float] = figures[f"least_{what}_us"]
            if math.isfinite(least.get(motor.name, math.inf)):
                measure(
                    f"{begin}{motor.name}_{what}_us",
                    least[motor.name],
                    "us",
                    lower=max(0.0, asked_us - unsure_us),
                )
