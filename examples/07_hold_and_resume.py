"""Hold in the middle of a job: the machine stops on its path. Then go on inside the same move."""

import microfactory as mf

machine = mf.Machine.load("circuit-plotter")
program = mf.parse("G21 G90\nG0 X10 Y10 Z5\nG1 X150 Y150 F1800\nG1 X10 Y150\nM2\n")
far = []

with mf.connect("virtual", machine) as board:
    try:
        board.run(
            program,
            watch=lambda progress: far.append(progress.motion_s),
            wants_hold=lambda: bool(far) and far[-1] > 3.0,
        )
    except mf.Stopped as stopped:
        print(stopped)
    record = board.resume(program)
    print(record)
    print("ended at", board.status().position_mm)
