"""TMC2209 drivers on the emulated chip's own UART: set, watched, and an axis homed by its stall."""

from __future__ import annotations

import random
from collections.abc import Iterator

import numpy as np
import pytest
from hil.emulated.chip import CLOCK_HZ
from hil.emulated.link import EmulatedLink
from hil.emulated.pins import runs
from hil.emulated.trials import start_steps, stretch
from hil.skr import skr, stalling

from mfboard import tmc2209 as t
from microfactory.board import Board
from microfactory.drive import drive
from microfactory.errors import BoardFault

MOVE = "G28\nG1 X60 Y40 F1500\nM2\n"
STEP_OVER_S = 0.001  # after a stall is told


@pytest.fixture(scope="module")
def board() -> Iterator[Board]:
    link = EmulatedLink(skr(stalling), start_mm={"x": 4, "y": 5, "z": 0})
    board = Board(link, link.machine).open()
    yield board
    link.close()


def motor_y(board: Board) -> int:
    axes = board.machine.axes
    return board.machine.motors_of_axis(axes.index(board.machine.axis("y")))[0]


def step_pins(board: Board) -> list[int]:
    page = board.link.page
    return [page.STEP[motor.connector][0] for motor in board.machine.motors]


def last_step(board: Board) -> int:
    """The clock of the last step seen."""
    board.link.look()
    clocks, pins, levels = (np.concatenate(p) for p in zip(*board.link.edges, strict=True))
    return int(clocks[np.isin(pins, step_pins(board)) & (levels == 1)][-1])


def test_every_register_is_written_and_counted_on_the_chips_own_uart(board):
    assert board.status().state == "READY"
    for m, driver in board.link.plant.drivers.items():
        r = driver.registers
        assert (r[t.GCONF], driver.flags, driver.count) == (0x1C0, 0, 8)
        assert r[t.CHOPCONF] >> 24 & 15 == 4  # 16 microsteps
        assert r[t.IHOLD_IRUN] >> 8 & 31 > 0
        assert (r[t.SGTHRS] == 80) == (m == motor_y(board))


def test_an_axis_homes_by_its_stall_and_stops_within_a_millisecond_of_it(board):
    link, y = board.link, motor_y(board)
    step = step_pins(board)[y]
    homed = board.home(["y"])
    home_mm = board.machine.axis("y").home.position_mm
    assert homed.position_mm["y"] == pytest.approx(home_mm)
    found = link.chip.stop(step)
    assert found["lost"] == 0
    link.look()
    toward = -1 if board.machine.axis("y").home.toward == "min" else 1
    sought = 0
    for run in runs(board.machine, link.page, link.edges):
        told = [clock - run.begin for clock in found["told"] if run.begin < clock < run.end]
        if told and run.steps(y) * toward > 0:
            sought += 1
            late_s = (int(run.rises[y][-1]) - told[0]) / CLOCK_HZ
            assert late_s <= STEP_OVER_S
            print(f"stall: last step {late_s * 1e6:.0f} us after it")
    assert sought == 2  # fast, then slow
    # a stall is felt when the rotor lags: at most a full step behind the hard stop
    micro = board.machine.driver(y).uart.microsteps
    off = link.chip.where(step) - homed.steps["y"]
    assert abs(off) <= micro
    again = board.home(["y"])
    assert link.chip.where(step) - again.steps["y"] == off


def hurt_power(driver):
    driver.power(False)
    driver.power(True)


FAULTS = [
    ("reset", hurt_power, "lost its power and its settings"),
    ("silent", lambda d: d.power(False), "does not answer on its wire"),
    ("hot", lambda d: setattr(d, "status", t.HOT), "too hot or switched itself off"),
    ("short", lambda d: setattr(d, "status", 0x08), "motor wire shorted"),
    ("pump", lambda d: setattr(d, "flags", t.PUMP_LOW), "supply is too low"),
]


@pytest.mark.parametrize(("name", "hurt", "words"), FAULTS, ids=[row[0] for row in FAULTS])
def test_what_happens_to_a_driver_in_a_move_stops_it_in_words(board, name, hurt, words):
    link, machine, client = board.link, board.machine, board.client
    windows = stretch(machine, MOVE)
    board.ready()
    start = start_steps(windows[0], len(machine.motors))
    for m, steps in enumerate(start):
        client.send("POSITION", motor=m, steps=steps)
    client.settle()
    link.place(start)
    link.look()
    link.forget()
    driver = link.plant.drivers[random.Random(name).randrange(len(machine.motors))]
    until = link.now_s() + 0.6
    begin: list[int] = []

    def break_it() -> bool:
        if not begin and link.now_s() > until:
            begin.append(link.chip.now)
            hurt(driver)
        return False

    client.send("RESET", number=windows[0].number)
    with pytest.raises(BoardFault, match=words):
        drive(client, iter(windows), wants_hold=break_it)
    stopped_s = (last_step(board) - begin[0]) / CLOCK_HZ
    assert 0 < stopped_s < 0.5
    status = board.status()
    assert (status.state, status.position_trusted) == ("FAULT", False)
    for m, pin in enumerate(step_pins(board)):
        if m != motor_y(board):  # which may have met its hard stop
            assert link.chip.where(pin) == list(status.steps.values())[m]
    driver.power(True)
    driver.status = 0
    assert board.clear().state == "ABORTED"
    assert driver.registers[t.GCONF] == 0x1C0
    print(f"{name}: last step {stopped_s * 1000:.0f} ms after it")


def test_an_open_coil_is_told_once_while_motors_run_and_stops_nothing(board):
    link, machine, client = board.link, board.machine, board.client
    windows = stretch(machine, MOVE)
    board.ready()
    start = start_steps(windows[0], len(machine.motors))
    for m, steps in enumerate(start):
        client.send("POSITION", motor=m, steps=steps)
    client.settle()
    link.place(start)
    board.events()
    link.plant.drivers[0].status = t.OPEN
    client.send("RESET", number=windows[0].number)
    assert drive(client, iter(windows)).state == "DONE"
    link.plant.drivers[0].status = 0
    assert len([line for line in board.events() if "coil open" in line]) == 1
    assert board.status().fault == 0


@pytest.mark.parametrize("what", ["lost", "flipped"])
def test_damaged_datagrams_are_said_again(board, what):
    dice = random.Random(what)
    hits = [0]

    def spoil(_kind: str, data: bytes) -> bytes:
        if dice.random() > 0.08:
            return data
        hits[0] += 1
        if what == "lost":
            return b""
        at = dice.randrange(len(data))
        return data[:at] + bytes([data[at] ^ 1 << dice.randrange(8)]) + data[at + 1 :]

    board.link.plant.wire.spoil = spoil
    board.wait(1.5)
    board.link.plant.wire.spoil = None
    assert hits[0] > 2
    assert board.status().fault == 0
