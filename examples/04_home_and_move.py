"""Home, then move to places; a place outside the travel is refused before anything moves."""

import microfactory as mf

machine = mf.Machine.load("d3d-printer")
with mf.connect("virtual", machine) as board:
    board.home()
    print("homed:", board.status().position_mm)
    board.move(x=50, y=60, z=10)
    print("moved:", board.status().position_mm)
    try:
        board.move(x=500)
    except mf.LimitError as error:
        print("refused:", error)
