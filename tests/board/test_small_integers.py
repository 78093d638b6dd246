"""Numbers in the board's loop fit the chip's small integers: one from 2^30 on takes memory.

It is 64 bits that the interpreters of the other tests have, so they cannot see it; on the chip a
single `d - (1 << 30)` in the loop took 12 kB a second.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

FIRMWARE = Path(__file__).resolve().parents[2] / "firmware"
ELSEWHERE = ("port_", "sim_", "fast_")  # set-up, the board in memory, viper
# made while the machine stands: a way back into a job, and the first words to a card
AT_REST = {"card_bridge.py": (1 << 60,), "sdcard.py": (0x40000000,)}
FILES = sorted(
    file
    for room in ("mfboard", "mfwire")
    for file in (FIRMWARE / room).glob("*.py")
    if not file.name.startswith(ELSEWHERE)
)


def numbers(tree: ast.AST) -> list[tuple[int, int]]:
    """(line, value) of all constants and shifts of constants, the largest expression only."""
    out = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and type(node.value) is int:
            out.append((node.lineno, node.value))
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.LShift):
            left, right = node.left, node.right
            if isinstance(left, ast.Constant) and isinstance(right, ast.Constant):
                out.append((node.lineno, int(left.value) << int(right.value)))
    return out


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_no_number_of_the_loop_takes_memory(file):
    found = [(line, n) for line, n in numbers(ast.parse(file.read_text())) if n >= 1 << 30]
    found = [(line, n) for line, n in found if n not in AT_REST.get(file.name, ())]
    assert not found
