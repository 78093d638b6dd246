"""The board's three PIO programs on rp2040-pio-emulator, against the edges of the board in memory.

The emulator knows no interrupt and no input base: the track is played word by word up to its `irq`,
and the input that halts a motor is GPIO 0.
"""

from __future__ import annotations

import random
import struct
import sys
import types
from importlib import import_module
from typing import Any

import pioemu
import pytest
from pio_asm import PIO, asm_pio

from mfboard.sim_engine import PlainLists

GATE, HALT, STEP, DIRECTION = 25, 0, 2, 3
TURN_CLOCKS = 3  # the direction pin changes so long after a word's begin, as the emulator counts
LIMIT = 400_000  # clocks


@pytest.fixture(scope="module")
def pio() -> Any:
    """mfboard.port_rp2_pio with this assembler."""
    rp2 = types.ModuleType("rp2")
    rp2.PIO, rp2.asm_pio = PIO, asm_pio  # type: ignore[attr-defined]
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "rp2", rp2)
        patch.delitem(sys.modules, "mfboard.port_rp2_pio", raising=False)
        yield import_module("mfboard.port_rp2_pio")
    sys.modules.pop("mfboard.port_rp2_pio", None)


def open_gate(_clock):
    """Pins from outside: the gate, and a switch that is not pressed."""
    return 1 << GATE | 1 << HALT


def no_pins(_clock):
    return 0


def changes(
    program: Any, words: list[int], pins: tuple[int, ...], source: Any = None
) -> tuple[dict[int, list[tuple[int, int]]], int]:
    """(clock, level) of each change of each pin until the FIFO is dry; words left in it."""
    first = pioemu.State(pin_directions=sum(1 << pin for pin in pins))
    first.transmit_fifo.extend(words)
    out: dict[int, list[tuple[int, int]]] = {pin: [] for pin in pins}
    level = dict.fromkeys(pins, 0)
    still = 0

    def stop(_opcode: int, state: Any) -> bool:
        return state.clock > LIMIT or still > 2600

    steps = pioemu.emulate(
        program.words,
        stop_when=stop,
        initial_state=first,
        input_source=source or open_gate,
        out_base=pins[-1],
        out_count=1,
        side_set_base=pins[0],
        side_set_count=program.side_set_count,
        wrap_target=program.wrap_target,
        wrap_top=program.wrap_top,
    )
    left = len(words)
    for before, after in steps:
        moved = after.program_counter != before.program_counter or after.x_register != (
            before.x_register
        )
        still = 0 if moved else still + 1
        for pin in pins:
            now = after.pin_values >> pin & 1
            if now != level[pin]:
                level[pin] = now
                out[pin].append((before.clock + 1, now))
        left = len(after.transmit_fifo)
    return out, left


def random_list(draw: random.Random, least: int) -> bytes:
    """A window of one motor with 32 words, in segments of a few each."""
    segments, left, way = b"", 32, 1
    while left:
        count = draw.randint(1, min(left, 12))
        step = draw.random() < 0.7
        way = -way if draw.random() < 0.4 else way
        first = draw.randint(-40, 40) * 64 if count > 1 else 0
        interval = draw.randint(least + 160, 900)
        w0 = (1 if way > 0 else 0) | (2 if step else 0) | count << 2 | interval << 11
        segments += struct.pack("<2I", w0, (first & 0xFFFFF) << 12)
        left -= count
    head = struct.pack("<5I4H", 0, 0, 0, 0, 0, 1, 0, 0, 1)
    return head + struct.pack("<i2H", 0, len(segments) // 8, 0) + segments


def fifo_words(lists: Any, pulse: int, pio: Any) -> list[int]:
    """The words that the expander puts into the motor's ring for a list."""
    out, begin = [], 0
    for end, step, way in zip(*lists, strict=True):
        fixed = pio.STEP_WORD + pulse if step else pio.WAIT_WORD
        delay = end - begin - fixed
        assert delay >= 0
        out.append((1 if way > 0 else 0) | (2 if step else 0) | delay << 2)
        begin = end
    return out


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("loops", [1, 8, 32])
def test_a_motor_makes_the_edges_of_the_board_in_memory_for_random_words(pio, seed, loops):
    draw = random.Random(100 * loops + seed)
    pulse = 1 + 16 * loops
    slot = random_list(draw, pio.STEP_WORD + pulse)
    plain = PlainLists()
    lists = plain.expand(slot, False, 1)[0]
    rises, signs, turns, turned, end, _way = plain.edges(lists, 0, pulse, -1)
    seen, left = changes(pio.motor(GATE, loops), fifo_words(lists, pulse, pio), (STEP, DIRECTION))
    assert left == 0
    ups = [clock for clock, level in seen[STEP] if level]
    downs = [clock for clock, level in seen[STEP] if not level]
    base = ups[0] - rises[0]
    assert [clock - base for clock in ups] == list(rises)
    assert [clock - base for clock in downs] == [tick + pulse for tick in rises]
    wanted = [
        (tick + TURN_CLOCKS, 1 if way > 0 else 0) for tick, way in zip(turns, turned, strict=True)
    ]
    assert [(clock - base, level) for clock, level in seen[DIRECTION]] == wanted
    assert downs[-1] - base <= end
    assert len(ups) == sum(abs(sign) for sign in signs)


@pytest.mark.parametrize("pin", [GATE, HALT])
@pytest.mark.parametrize("seed", range(6))
def test_a_motor_stops_at_the_end_of_its_word_when_gate_or_switch_say_so_and_goes_on_whole(
    pio, pin, seed
):
    draw = random.Random(seed)
    pulse, loops = 129, 8
    slot = random_list(draw, pio.STEP_WORD + pulse)
    plain = PlainLists()
    lists = plain.expand(slot, False, 1)[0]
    rises = list(plain.edges(lists, 0, pulse, 1)[0])
    words = fifo_words(lists, pulse, pio)
    free, _ = changes(pio.motor(GATE, loops), words, (STEP, DIRECTION))
    base = next(clock for clock, level in free[STEP] if level) - rises[0]
    shut = base + draw.randrange(int(lists[0][-1]))
    opened = shut + draw.randrange(1, 2500)

    def source(clock):
        both = 1 << GATE | 1 << HALT
        return both & ~(1 << pin) if shut <= clock < opened else both

    seen, left = changes(pio.motor(GATE, loops), words, (STEP, DIRECTION), source)
    assert left == 0
    ups = [clock - base for clock, level in seen[STEP] if level]
    ends = [0, *(int(end) for end in lists[0])]
    word = next(k for k in range(len(ends)) if ends[k] > shut - base)  # the first that waits
    late = [up for up in ups if up > ends[word]]
    assert [up for up in ups if up <= ends[word]] == [rise for rise in rises if rise <= ends[word]]
    waited = {
        up - rise for up, rise in zip(late, [r for r in rises if r > ends[word]], strict=True)
    }
    assert len(waited) <= 1  # all later ones together, none is lost
    assert all(0 <= each <= opened - shut for each in waited)


@pytest.mark.parametrize("grants", [[12_500], [90, 40, 7], [400] * 9, [1]])
def test_the_gate_is_high_for_what_was_granted_and_falls_when_nobody_grants_more(pio, grants):
    seen, left = changes(pio.keeper(), grants, (GATE,), no_pins)
    (up, high), (down, low) = seen[GATE]
    assert (high, low, left) == (1, 0, 0)
    assert down - up == sum(grants) + 4 * len(grants) + 2


@pytest.mark.parametrize("delay", [0, 1, 2, 6250])
def test_the_track_interrupts_at_the_clock_of_its_change(pio, delay):
    program = pio.track(GATE)
    for event in (0, 1):
        first = pioemu.State()
        first.transmit_fifo.append(event | delay << 1)
        steps = pioemu.emulate(
            program.words,
            stop_when=lambda _opcode, state: state.clock > 0 and state.program_counter == 0,
            initial_state=first,
            input_source=open_gate,
            wrap_target=program.wrap_target,
            wrap_top=program.wrap_top,
        )
        last = [after for _before, after in steps][-1]
        assert last.clock == pio.TRACK_WORD + delay
        assert program.words[last.program_counter] >> 13 == (6 if event else 4)
