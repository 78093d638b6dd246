"""Load a machine that comes along and look at it. No board is needed."""

import microfactory as mf

machine = mf.Machine.load("d3d-printer")
print(machine.name, "is a", machine.kind, "with", len(machine.motors), "motors")
for axis in machine.axes:
    travel = "no end" if axis.unlimited else f"{axis.min_mm:g} to {axis.max_mm:g} mm"
    print(f"  {axis.name}: {travel}, at most {axis.max_speed_mm_s:g} mm/s")

slower = machine.with_settings({"motion.max_speed_mm_s": 100.0})
print("slower:", slower.motion.max_speed_mm_s, "mm/s; the file is as it was")
