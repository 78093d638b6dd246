"""Torch height control on the emulated chip, over a simulated arc: what its pins did."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import numpy as np
import pytest
from hil.emulated.link import EmulatedLink
from hil.emulated.pins import runs
from hil.emulated.trials import AFTER_GATE, compare, start_steps, twin

from microfactory import Machine
from microfactory.board import Board
from microfactory.drive import drive
from microfactory.motion.gcode import parse
from microfactory.motion.plan import plan
from microfactory.motion.straight import retreat_body
from microfactory.motion.stretch import Window
from microfactory.torch import gap_ticks

TABLE = Machine.load("cnc-plasma-table")
Z = 3
Z_STEP = 8  # GPIO
GAP = gap_ticks(TABLE, Z)
LONGEST = 24  # us of a service, of mfboard.fast_state
CUT = """G21 G90 G64 P0.05
M3
G4 P0.05
G1 Z1.5 F1200
{}G1 X70 Y22 F2400
M5
G0 Z8
M2
"""


def torch_on(text: str) -> list[Window]:
    """The windows from the program's M3 on."""
    sections = plan(parse("G0 X20 Y20 Z6\n" + text), TABLE).sections()
    return [list(section.windows) for section in sections][1]


HELD = torch_on(CUT.format(""))
PLAIN = torch_on(CUT.format("M62 P2\n"))


def warped(x_mm: float, y_mm: float) -> float:
    """1.2 mm high in the middle of the cut."""
    return 1.2 * math.sin((x_mm - 20) / 50 * math.pi)


@pytest.fixture(scope="module")
def table() -> Iterator[Board]:
    link = EmulatedLink(TABLE)
    board = Board(link, TABLE).open()
    link.plant.fire.sheet = warped
    yield board
    link.close()


def begin(board: Board, windows: list) -> None:
    """The motors stand where the windows begin, and nothing was seen yet."""
    board.ready()
    start = start_steps(windows[0], len(TABLE.motors))
    for m, steps in enumerate(start):
        board.client.send("POSITION", motor=m, steps=steps)
    board.client.settle()
    board.client.load_retreat(retreat_body(TABLE))
    board.client.hash = board.client.ask().hash
    board.link.place(start)
    board.link.plant.fire.heights.clear()
    board.link.look()
    board.link.forget()


def last_run(board: Board):
    board.link.look()
    return runs(TABLE, board.link.page, board.link.edges)[-1]


def test_without_control_every_edge_is_where_the_plan_has_it(table):
    """Z goes through the merging, and nothing is merged."""
    begin(table, PLAIN)
    driven = drive(table.client, iter(PLAIN))
    assert (driven.state, driven.why) == ("DONE", "end")
    assert compare(TABLE, last_run(table), twin(TABLE, PLAIN).played[0]) == ""


def test_the_height_is_held_and_no_other_edge_moves(table):
    link = table.link
    begin(table, HELD)
    link.clear(LONGEST)
    driven = drive(table.client, iter(HELD))
    assert (driven.state, driven.why) == ("DONE", "end")
    run, planned = last_run(table), twin(TABLE, PLAIN).played[0]
    for m in range(Z):  # X and both Y: as if there were no control
        assert np.array_equal(run.rises[m], planned[m][0] + AFTER_GATE)
        assert np.array_equal(run.signs[m], planned[m][1])
    rises, signs = run.rises[Z], run.signs[Z]
    own = ~np.isin(rises, planned[Z][0] + AFTER_GATE)
    assert own.sum() > 300
    assert signs.sum() == planned[Z][1].sum()  # the offset is gone, to the step
    near = [b - a for (a, x), (b, y) in itertools.pairwise(zip(rises, own, strict=True)) if x or y]
    assert min(near) >= GAP
    assert (run.widths[Z] == TABLE.pulse_ticks()).all()
    status = table.status()
    assert status.height.offset_steps == 0
    assert link.chip.where(Z_STEP) == status.steps["z"]
    above = [z - warped(x, y) for _, x, y, z in link.plant.fire.heights if x > 50]
    assert len(above) > 800  # read twice a millisecond
    assert max(above) - min(above) < 0.5
    plan_alone = [1.5 - warped(x, y) for _, x, y, _ in link.plant.fire.heights if x > 50]
    assert max(plan_alone) - min(plan_alone) > 0.9
    assert int(link.state()[LONGEST]) < 800


def test_a_hold_keeps_the_offset_and_every_count(table):
    link = table.link
    begin(table, HELD)
    until = link.now_s() + 1.4
    driven = drive(table.client, iter(HELD), wants_hold=lambda: link.now_s() > until)
    assert (driven.state, driven.why) == ("RESTED", "hold")
    status = table.status()
    assert status.height.offset_steps != 0
    assert link.chip.where(Z_STEP) == status.steps["z"] + status.height.offset_steps
    assert tuple(status.steps.values()) == driven.steps


def test_an_arc_that_goes_out_stops_on_the_path(table):
    link = table.link
    begin(table, HELD)
    link.plant.fire.out_at_s = 0.9
    driven = drive(table.client, iter(HELD))
    assert (driven.state, driven.why) == ("RESTED", "arc")
    status = table.status()
    assert status.outputs["torch"] == 0
    assert link.chip.where(Z_STEP) == status.steps["z"] + status.height.offset_steps


def test_an_abort_in_the_middle_knows_where_the_torch_is(table):
    link, client = table.link, table.client
    begin(table, HELD)
    until = link.now_s() + 1.3

    def stop() -> bool:
        if link.now_s() > until:
            client.send("ABORT")
        return False

    drive(client, iter(HELD), wants_hold=stop)
    link.alone(0.05)
    status = table.status()
    assert status.state == "ABORTED"
    assert status.height.offset_steps == 0
    assert link.chip.where(Z_STEP) == status.steps["z"]
