"""The emulated chip itself: it boots a stock image, keeps its files, and its PIO keeps time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hil.emulated.chip import Chip

WORDS = [100, 250, 31, 4000, 77, 100, 5000, 64]

PERIODS = f"""
import rp2, array
from machine import Pin

@rp2.asm_pio(sideset_init=rp2.PIO.OUT_LOW, out_shiftdir=rp2.PIO.SHIFT_RIGHT)
def beat():
    pull(block).side(0)
    wait(1, gpio, 25).side(0)
    out(x, 32).side(0)
    label("d")
    jmp(x_dec, "d").side(0)
    nop().side(1)[9]

gate = Pin(25, Pin.OUT, value=0)
words = array.array("I", {WORDS})
kept = []
for machine, pin, count in ((0, 2, 4), (4, 6, 8)):
    sm = rp2.StateMachine(machine, beat, freq=125_000_000, sideset_base=Pin(pin))
    dma = rp2.DMA()
    control = dma.pack_ctrl(size=2, inc_write=False, treq_sel=(machine >> 2) << 3)
    dma.config(read=words, write=sm, count=count, ctrl=control, trigger=True)
    sm.active(1)
    kept.append((sm, dma))
gate.on()
"""

TIMER = """
import machine, time, micropython
seen = [0]
def tick(timer):
    seen[0] += 1
timer = machine.Timer(period=1, mode=machine.Timer.PERIODIC, callback=tick, hard=True)
time.sleep_ms(50)
timer.deinit()
print(seen[0])
"""


@pytest.fixture(scope="module")
def chip() -> Iterator[Chip]:
    chip = Chip()
    chip.boot()
    chip.run(0.5)
    chip.enter()
    yield chip
    chip.close()


def test_a_stock_image_boots_to_its_repl(chip):
    assert chip.execute("import sys; print(1 + 1, sys.platform)").split() == ["2", "rp2"]


def test_one_gate_starts_both_blocks_on_one_clock_and_every_period_is_exact(chip):
    chip.edges()
    chip.execute(PERIODS)
    chip.run(0.001)
    clocks, pins, levels = chip.edges()
    opened = clocks[(pins == 25) & (levels == 1)][0]
    for pin, count in ((2, 4), (6, 8)):
        rises = clocks[(pins == pin) & (levels == 1)]
        falls = clocks[(pins == pin) & (levels == 0)][-count:]
        # out 1, countdown x + 1; then 10 high, pull 1, wait 1
        ends = np.cumsum([word + 2 + 10 + 2 for word in WORDS[:count]]) - 2
        assert len(rises) == count
        assert list(rises - opened) == list(ends - 10 + 1)
        assert list(falls - opened) == list(ends + 1)


def test_a_hard_timer_keeps_its_millisecond(chip):
    assert int(chip.execute(TIMER)) in (49, 50, 51)


def test_files_stay_over_a_reset_and_inputs_are_seen(chip):
    chip.execute("f = open('kept', 'w'); f.write('here'); f.close()")
    chip.reset()
    chip.boot()
    chip.run(0.5)
    chip.enter()
    assert chip.execute("print(open('kept').read())").strip() == "here"
    chip.set_pin(13, 1)
    chip.set_adc(1, 0.25)
    code = "from machine import ADC, Pin\nprint(Pin(13, Pin.IN).value(), ADC(27).read_u16())"
    level, reading = chip.execute(code).split()
    assert level == "1"
    assert int(reading) == pytest.approx(0.25 * 65535, abs=64)
    chip.set_pin(13, 0)
    assert chip.execute("print(Pin(13, Pin.IN).value())").strip() == "0"
