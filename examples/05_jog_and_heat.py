"""Jog an axis, warm the bed, switch the fan; leaving the block switches everything off."""

import microfactory as mf

machine = mf.Machine.load("d3d-printer")
with mf.connect("virtual", machine) as board:
    board.jog("x", 5.0)
    board.jog("x", -5.0, speed_mm_s=20)
    board.output("part_fan", 0.5)
    status = board.heat("bed", 40, wait=True)
    print(f"bed {status.heaters['bed'].temperature_c:.1f} C")
    print("told:", board.events()[-1])
