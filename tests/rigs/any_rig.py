"""Tests of a board that run on every rig with a probe: copied into a folder and run there."""

import pytest

from microfactory import Board, parse

PROGRAM = parse("G21 G90\nG1 X1 Y1 F1200\nM3\nG1 X2 Y0\nG1 X0\nM5\nM2\n")


def heard(board, name, active):
    until_s = board.link.now_s() + 1.0
    while board.link.now_s() < until_s:
        board.client.pump(0.02)
        if board.status().inputs[name] == active:
            return True
    return False


@pytest.mark.needs("runs")
def test_plays(board, capture, measure):
    board.set_position(**{a.name: a.home.position_mm for a in board.machine.axes if a.home})
    board.run(PROGRAM, home=False)
    capture.judge(PROGRAM, measure)


def test_hears_its_switch(board, operator):
    for name in ("x_min", "probe"):
        for move, active in ((operator.press, True), (operator.release, False)):
            move(name)
            assert heard(board, name, active)


def test_is_reset(board, link, fault, machine):
    board.set_position(x=12)
    fault.reset()
    assert Board(link, machine).open().status().position_mm["x"] == 0


def test_loses_its_power(board, link, fault, machine):
    fault.power(False)
    fault.power(True)
    assert not Board(link, machine).open().status().position_trusted
