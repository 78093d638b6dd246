"""Connect to a machine and ask how it is. `virtual` is a board in memory; a port works alike."""

import microfactory as mf

machine = mf.Machine.load("d3d-printer")
with mf.connect("virtual", machine) as board:
    status = board.status()
    print("state", status.state, "- position known:", status.position_trusted)
    for name, heater in status.heaters.items():
        print(f"  {name}: {heater.temperature_c:.1f} C")
    for name, active in status.inputs.items():
        print(f"  {name}: {'active' if active else 'not active'}")
