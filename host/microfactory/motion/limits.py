"""What the core is told of a machine before a stretch of motion."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from microfactory.kinematics import core_axes
from microfactory.machine import TICK_HZ, Machine
from microfactory.motion.core import ffi, lib

MASK30 = 2**30 - 1


def stretch_config(
    machine: Machine,
    start_mm: Sequence[float],
    start_steps: Sequence[int],
    first_number: int,
) -> Any:
    """The core's `mf_plan_config` for one stretch."""
    c = ffi.new("mf_plan_config *")
    c.axes, c.motors = len(machine.axes), len(machine.motors)
    for i, axis in enumerate(machine.axes):
        c.path_axis[i] = not axis.unlimited
        c.steps_per_mm[i] = axis.steps_per_mm
        c.max_speed_mm_s[i] = axis.max_speed_mm_s
        c.max_accel_mm_s2[i] = axis.max_accel_mm_s2
        c.max_jerk_mm_s3[i] = axis.max_jerk_mm_s3
        c.start_mm[i] = start_mm[i]
    for m in range(len(machine.motors)):
        c.motor_axis[m] = machine.axis_of_motor(m)
        c.setup_ticks[m] = round(machine.driver(m).direction_setup_us * TICK_HZ / 1e6) + 1
        c.start_steps[m] = start_steps[m]
        c.motor_speed_mm_s[m] = machine.motors[m].max_speed_mm_s
        c.motor_accel_mm_s2[m] = machine.motors[m].max_accel_mm_s2
    if core := core_axes(machine):
        c.kinematics = lib.MF_COREXY
        c.core_axis = core
    motion = machine.motion
    c.path_speed_mm_s = motion.max_speed_mm_s
    c.path_accel_mm_s2 = motion.max_accel_mm_s2
    c.path_jerk_mm_s3 = motion.max_jerk_mm_s3
    c.corner_tolerance_mm = motion.corner_tolerance_mm
    c.step_tolerance_ticks = motion.step_tolerance_us * TICK_HZ / 1e6
    c.tick_hz = TICK_HZ
    c.window_s = motion.window_ms / 1000
    c.pulse_ticks = machine.pulse_ticks(TICK_HZ)
    c.beam_output = machine.output_of_role("laser")
    c.first_number = first_number & MASK30
    return c
