"""The figures of a plan: what `microfactory plan --json` prints. The names are a contract."""

from __future__ import annotations

import math
import resource
import time
from collections.abc import Callable
from typing import Any

from microfactory.machine import TICK_HZ, Machine
from microfactory.motion.gcode import Program
from microfactory.motion.plan import plan

US = 1e6 / TICK_HZ


def plan_figures(
    program: Program, machine: Machine, watch: Callable[[int], None] | None = None
) -> dict[str, Any]:
    """Plan it all and count. GcodeError, LimitError: it must not be run. watch: gets lines."""
    wall = time.perf_counter()
    cpu = time.process_time()
    whole = plan(program, machine)
    windows = 0
    for section in whole.sections():
        for window in section.windows:
            windows += 1
            if watch and windows % 50 == 0:
                watch(window.end.line)
    totals = [stretch.figures() for stretch in whole.stretches]
    steps = {motor.name: sum(f.steps[m] for f in totals) for m, motor in enumerate(machine.motors)}
    segments = {
        motor.name: sum(f.segments[m] for f in totals) for m, motor in enumerate(machine.motors)
    }
    count = sum(steps.values())
    square = sum(f.error_sum2_ticks2 for f in totals)
    tail = sum(f.tail_bytes for f in totals)
    return {
        "program": {key: whole.counts[key] for key in ("lines", "moves", "arcs")},
        "job_time_s": sum(f.time_s for f in totals),
        "motors": {name: {"steps": steps[name], "segments": segments[name]} for name in steps},
        "wire": {
            "windows": sum(f.windows for f in totals),
            "bytes": sum(f.bytes for f in totals) - tail,
            "tail_bytes": tail,
        },
        "step_error_us": {
            "max": max((f.error_max_ticks for f in totals), default=0.0) * US,
            "rms": math.sqrt(square / count) * US if count else 0.0,
        },
        "limits": {
            "violations": sum(f.over_tolerance for f in totals),
            "max_speed_ratio": max((f.max_speed_ratio for f in totals), default=0.0),
            "max_accel_ratio": max((f.max_accel_ratio for f in totals), default=0.0),
            "max_jerk_ratio": max((f.max_jerk_ratio for f in totals), default=0.0),
            "max_deviation_mm": 0.5 / min(axis.steps_per_mm for axis in machine.axes),
        },
        "cost": {
            "wall_s": time.perf_counter() - wall,
            "cpu_s": time.process_time() - cpu,
            "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        },
    }
