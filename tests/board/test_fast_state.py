"""The words of the engine's state have one number each, in every file that names them."""

from __future__ import annotations

import re
from pathlib import Path

FIRMWARE = Path(__file__).resolve().parents[2] / "firmware" / "mfboard"
LINE = re.compile(r"^(_?)([A-Z_0-9]+) = const\((\w+)\)", re.MULTILINE)


def test_each_word_has_the_same_number_everywhere():
    state = {
        name: number for _, name, number in LINE.findall((FIRMWARE / "fast_state.py").read_text())
    }
    compared = 0
    for file in FIRMWARE.glob("fast_*.py"):
        for private, name, number in LINE.findall(file.read_text()):
            if private:
                assert state[name] == number, f"{file.name}: {name}"
                compared += 1
    assert compared > 60
