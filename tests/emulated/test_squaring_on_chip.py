"""Squaring and the contactor on the emulated chip: each motor halted by its own switch in hardware,
and no motion without power.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hil.emulated.link import EmulatedLink

from mfboard import faults
from microfactory import Machine
from microfactory.board import Board
from microfactory.errors import BoardFault

MACHINE = Machine.load("gantry-mill")
CONTACTOR = MACHINE.contactor()


@pytest.fixture(scope="module")
def board() -> Iterator[Board]:
    link = EmulatedLink(MACHINE, start_mm={"x": 4.0, "y": 4.0, "z": -4.0})
    link.plant.rack("y2", 1.5)
    link.place(link.plant.offset)
    board = Board(link, MACHINE)
    yield board
    link.close()


def toggles(board: Board) -> int:
    """Edges of the charge pump's pin so far."""
    board.link.look()
    pump = board.link.page.CHARGE_PUMP
    return int(sum(np.count_nonzero(pins == pump) for _, pins, _ in board.link.edges))


def close(board: Board, active: bool) -> None:
    assert CONTACTOR is not None
    board.link.chip.set_pin(board.link.page.INPUTS[CONTACTOR.connector], int(active))


def test_the_pump_waits_for_the_configuration_and_nothing_begins_without_power(board):
    board.client.connect()
    assert toggles(board) <= 1
    board.open()
    assert toggles(board) > 100
    assert "no power: drivers stay off" in board.events()
    with pytest.raises(BoardFault, match="release the emergency stop"):
        board.home(["y"])


def test_a_racked_gantry_is_square_after_homing(board):
    close(board, True)
    board.wait(0.1)
    board.home(["y"])
    status = board.status()
    assert status.steps["y1"] == status.steps["y2"] == 0
    for name in ("y1", "y2"):
        motor = next(m for m in MACHINE.motors if m.name == name)
        step, _direction = board.link.page.STEP[motor.connector]
        assert abs(board.link.chip.where(step)) <= 2, name


def test_power_that_goes_is_a_fault(board):
    close(board, False)
    with pytest.raises(BoardFault, match="power lost"):
        board.wait(0.5)
    assert board.status().fault == faults.POWER_LOST
    assert not board.status().position_trusted
