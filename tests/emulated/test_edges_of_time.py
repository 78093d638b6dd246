"""Awkward moments: counters that wrap, commits and holds on top of the start, a damaged wire."""

from __future__ import annotations

import random

import pytest
from hil.emulated.link import EmulatedLink
from hil.emulated.pins import runs
from hil.emulated.trials import compare, start_steps, stretch, twin

from microfactory import Machine
from microfactory.board import Board
from microfactory.drive import drive
from microfactory.motion.straight import straight

MACHINE = Machine.load("circuit-plotter")
WRAPS = {"microseconds of the loop": 1 << 30, "microseconds of the service": 1 << 32}
BEFORE_US = 3_900_000  # it boots, then moves over the wrap
TEXT = "G28\nG1 X20 Y20 F3000\nG1 X40 Y25\nG1 X20 Y10\nM2\n"


def opened(begin: int = 0) -> Board:
    return Board(EmulatedLink(MACHINE, begin=begin), MACHINE).open()


def stand(board: Board, steps: list[int]) -> None:
    board.ready()
    for m, count in enumerate(steps):
        board.client.send("POSITION", motor=m, steps=count)
    board.client.settle()
    board.link.place(steps)


@pytest.mark.parametrize("wrap_us", WRAPS.values(), ids=WRAPS)
def test_time_may_wrap_while_it_moves(wrap_us):
    board = opened((wrap_us - BEFORE_US) * 125)
    link = board.link
    try:
        start = [round(10 * MACHINE.steps_per_mm(m)) for m in range(len(MACHINE.motors))]
        stand(board, start)
        last = (1 << 30) - 3  # numbers of windows wrap too
        windows = list(straight(MACHINE, start, {"x": 60.0, "y": 40.0}, 40.0, first_number=last))
        assert windows[-1].number < 100
        driven = drive(board.client, iter(windows))
        assert (driven.state, driven.why) == ("DONE", "end")
        link.look()
        run = runs(MACHINE, link.page, link.edges)[-1]
        assert run.begin < wrap_us * 125 < run.end
        assert compare(MACHINE, run, twin(MACHINE, windows).played[0]) == ""
    finally:
        link.close()


def test_commits_and_a_hold_right_at_the_start():
    board = opened()
    link, client = board.link, board.client
    try:
        windows = stretch(MACHINE, TEXT)
        for hold_after in (0, 1, 3):
            stand(board, start_steps(windows[0], len(MACHINE.motors)))
            client.send("RESET", number=windows[0].number)
            for window in windows[:5]:
                client.send_window(window.number, window.data)
            client.send("COMMIT", number=windows[0].number)
            client.send("START", number=windows[0].number)
            for k in range(1, 4):
                if hold_after == k - 1:
                    client.send("HOLD")
                client.send("COMMIT", number=windows[k].number)
            while board.status().state not in ("RESTED", "DONE"):
                board.wait(0.02)
            client.refused = None
            status = board.status()
            link.look()
            run = runs(MACHINE, link.page, link.edges)[-1]
            count = status.window - windows[0].number + 1
            assert compare(MACHINE, run, twin(MACHINE, windows[:count]).played[0]) == ""
            assert status.position_trusted
            assert not status.fault
    finally:
        link.close()


def test_a_wire_that_flips_bits_makes_no_wrong_edge():
    board = opened()
    link, client = board.link, board.client
    rng = random.Random(3)
    whole = link.write
    flipped = 0

    def write(data: bytes) -> None:
        nonlocal flipped
        spoilt = bytearray(data)
        if rng.random() < 0.1:
            spoilt[rng.randrange(len(spoilt))] ^= 1 << rng.randrange(8)
            flipped += 1
        whole(bytes(spoilt))

    try:
        windows = stretch(MACHINE, TEXT)
        for _ in range(2):
            stand(board, start_steps(windows[0], len(MACHINE.motors)))
            client.hash = client.ask().hash
            link.write = write
            driven = drive(client, iter(windows))
            link.write = whole
            link.look()
            run = runs(MACHINE, link.page, link.edges)[-1]
            count = len(windows)
            if driven.state == "RESTED":
                count = board.status().window - windows[0].number + 1
            assert compare(MACHINE, run, twin(MACHINE, windows[:count]).played[0]) == ""
        assert flipped > 5
        assert board.status().bad_frames > 0
    finally:
        link.close()
