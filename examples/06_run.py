"""Run a program and watch it. The record says what was run, on what, and what happened."""

import microfactory as mf

machine = mf.Machine.load("circuit-plotter")
program = mf.parse("G21 G90\nG0 X10 Y10 Z5\nG1 X60 Y10 F1200\nG3 X60 Y40 I0 J15\nG0 Z20\nM2\n")
shown = set()


def watch(progress):
    if progress.doing not in shown:
        shown.add(progress.doing)
        print(f"line {progress.line}: {progress.doing}, {progress.motion_left_s:.1f} s left")


with mf.connect("virtual", machine) as board:
    record = board.run(program, watch=watch)
print(record)
