"""The real rig's path: a serial port, real time, a person at the terminal. No board was harmed."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

from served import Served

TESTS = """
import pytest

@pytest.mark.machine("circuit-plotter")
def test_moves(board, measure):
    board.jog("x", 1.0)
    measure("x_mm", board.status().position_mm["x"], unit="mm", lower=0.999, upper=1.001)

def test_lamp(operator):
    assert operator.confirm("is the lamp lit?")

def test_pins(capture):
    assert False
"""


def test_the_same_tests_run_on_a_serial_port_with_a_person(tmp_path):
    (tmp_path / "test_board.py").write_text(TESTS)
    keyboard, stdin = pty.openpty()
    with Served("circuit-plotter") as served:
        os.write(keyboard, b"maybe\ny\n")
        words = ["--rig", "real", "--port=" + served.port, "-rs", "-p", "no:cacheprovider"]
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *words, str(tmp_path)],
            stdin=stdin,
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
            timeout=60,
        )
    os.close(keyboard)
    os.close(stdin)
    assert "2 passed, 1 skipped" in done.stdout, done.stdout
    assert done.stdout.count("is the lamp lit? [Y/n]") == 2
    assert "needs 'edges'" in done.stdout
