"""Plan a program: how long it takes, and every window with the place where it could stop."""

import microfactory as mf

machine = mf.Machine.load("circuit-plotter")
program = mf.parse("G21 G90\nG0 X10 Y10 Z5\nG1 X40 Y10 F1200\nG2 X40 Y30 I0 J10\nM2\n")

seconds = 0.0
for section in mf.plan(program, machine).sections():
    if section.kind == "motion":
        for window in section.windows:
            seconds += window.length_ticks / 125e6
            rest = window.rest
        print(f"line {rest.line} can be stopped {rest.distance_mm:.2f} mm along its move")
print(f"{seconds:.2f} s of motion")
