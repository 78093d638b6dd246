"""The words of the engine's state have one number each, in every file that names them."""

from __future__ import annotations

import re
from pathlib import Path

from mfboard import height_state

FIRMWARE = Path(__file__).resolve().parents[2] / "firmware" / "mfboard"
LINE = re.compile(r"^(_?)([A-Z_0-9]+) = const\((\w+)\)", re.MULTILINE)
OF_THE_HEIGHT = ("fast_height.py", "fast_merge.py")
OWN = {"AHEAD", "AHEAD_TICKS", "MOST", "NEAR", "TRIES", "FASTEST", "H_WAIT"}  # one file's


def test_each_word_has_the_same_number_everywhere():
    lines = LINE.findall((FIRMWARE / "fast_state.py").read_text())
    state = {name: number for _, name, number in lines}
    state |= {f"H_{name}": str(value) for name, value in vars(height_state).items()}
    compared = 0
    for file in FIRMWARE.glob("fast_*.py"):
        for private, name, number in LINE.findall(file.read_text()):
            if private:
                known = f"H_{name}" if file.name in OF_THE_HEIGHT else name
                if known in OWN:
                    continue
                assert state[known] == number, f"{file.name}: {name}"
                compared += 1
    assert compared > 60
