"""The probe's two programs on rp2040-pio-emulator: levels of pins in, words and counts out."""

from __future__ import annotations

import sys
import types
from importlib import import_module
from typing import Any

import pioemu
import pytest
from pio_asm import PIO, asm_pio

BEGIN_COUNT = 0xFFFFFFFF
MARK = 25


def programs(pins: int) -> tuple[Any, Any, Any]:
    """mfprobe.pio, and its watcher and clock assembled."""
    rp2 = types.ModuleType("rp2")
    rp2.PIO, rp2.asm_pio = PIO, asm_pio  # type: ignore[attr-defined]
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "rp2", rp2)
        patch.delitem(sys.modules, "mfprobe.pio", raising=False)
        module = import_module("mfprobe.pio")
        return module, module.watcher(pins), module.clock()


def watch(program: Any, levels: list[int]) -> tuple[list[int], list[int]]:
    """What the watcher pushes, and the mark's level at each clock, for pin levels at each clock."""
    mark, words = [], []
    last = len(levels) - 1
    steps = pioemu.emulate(
        program.words,
        stop_when=lambda _opcode, state: state.clock > last,
        initial_state=pioemu.State(pin_directions=1 << MARK),
        input_source=lambda clock: levels[min(clock, last)],
        shift_isr_right=False,
        side_set_base=MARK,
        side_set_count=program.side_set_count,
        wrap_target=program.wrap_target,
        wrap_top=program.wrap_top,
    )
    for _before, state in steps:
        mark.append(state.pin_values >> MARK & 1)
        while state.receive_fifo:
            words.append(state.receive_fifo.popleft())
    return words, mark


def count(
    program: Any, mark: list[int], begin: int, x: int = BEGIN_COUNT, *, read: bool = True
) -> list[int]:
    """What the clock pushes, for the mark's level at each clock. read: nothing stays in the FIFO.

    begin: the instruction, x: the count it starts with.
    """
    counts: list[int] = []
    steps = pioemu.emulate(
        program.words,
        stop_when=lambda _opcode, state: state.clock >= len(mark),
        initial_state=pioemu.State(program_counter=begin, x_register=x),
        input_source=lambda clock: mark[min(clock, len(mark) - 1)] << MARK,
        shift_isr_right=False,
        jmp_pin=MARK,
        wrap_target=program.wrap_target,
        wrap_top=program.wrap_top,
    )
    state = pioemu.State()
    for _before, state in steps:
        while read and state.receive_fifo:
            counts.append(state.receive_fifo.popleft())
    return counts if read else list(state.receive_fifo)


def play(program: Any, word: int, clocks: int, pin: int = 3) -> list[int]:
    """Clocks at which a program's pin changes, with a word in its FIFO."""
    out: list[int] = []
    level = 0
    first = pioemu.State(pin_directions=1 << pin)
    first.transmit_fifo.append(word)
    steps = pioemu.emulate(
        program.words,
        stop_when=lambda _opcode, state: state.clock > clocks,
        initial_state=first,
        set_base=pin,
        set_count=1,
    )
    for before, state in steps:
        if (state.pin_values >> pin & 1) != level:
            level ^= 1
            out.append(before.clock)
    return out
