"""What a motion board leans on in the emulated chip: FIFOs, dividers, DMA chains, pins, USB."""

from __future__ import annotations

import random
from collections.abc import Iterator

import numpy as np
import pytest
from hil.emulated.chip import REPL, WIRE, Chip

JOINED = """
import rp2, machine

@rp2.asm_pio(fifo_join=rp2.PIO.JOIN_TX)
def taker():
    pull(block)

sm = rp2.StateMachine(0, taker, freq=125_000_000)
held = 0
while not machine.mem32[0x50200004] >> 16 & 1:  # FSTAT TXFULL
    sm.put(held)
    held += 1
before = sm.tx_fifo()
machine.mem32[0x502030D0] = 1 << 30  # SHIFTCTRL, FJOIN_TX cleared: what stood there is lost
print(held, before, sm.tx_fifo())
held = 0
while not machine.mem32[0x50200004] >> 16 & 1:
    sm.put(held)
    held += 1
print(held)
"""

DIVIDED = """
import rp2, time
from machine import Pin

@rp2.asm_pio(set_init=rp2.PIO.OUT_LOW)
def blink():
    set(pins, 1)[2]
    set(pins, 0)

@rp2.asm_pio(sideset_init=rp2.PIO.OUT_LOW)
def long():
    set(x, 20).side(0)
    label("d")
    jmp(x_dec, "d").side(1)

pair = (rp2.StateMachine(1, blink, freq=12_500_000, set_base=Pin(5)),
        rp2.StateMachine(5, long, freq=25_000_000, sideset_base=Pin(6)))
for sm in pair:
    sm.active(1)
time.sleep_us(100)
for sm in pair:
    sm.active(0)
"""

# chunks of four words; a ring of eight control words; each pulse is as wide as its word says
CHAIN = """
import rp2, array, time, uctypes, machine
from machine import Pin

@rp2.asm_pio(sideset_init=rp2.PIO.OUT_LOW, out_shiftdir=rp2.PIO.SHIFT_RIGHT)
def wide():
    pull(block).side(0)
    out(x, 32).side(0)
    label("d")
    jmp(x_dec, "d").side(1)

sm = rp2.StateMachine(4, wide, freq=125_000_000, sideset_base=Pin(8))
sm.active(1)
words = array.array("I", [0] * 32)
raw = bytearray(64)
ring = (uctypes.addressof(raw) + 31) & ~31
data, control = rp2.DMA(), rp2.DMA()
D, C = 0x50000000 + data.channel * 64, 0x50000000 + control.channel * 64
data.config(read=words, write=sm, count=4, trigger=False, ctrl=data.pack_ctrl(
    size=2, inc_write=False, treq_sel=8, chain_to=control.channel, irq_quiet=True))
control.config(read=ring, write=D + 0x3C, count=1, trigger=False, ctrl=control.pack_ctrl(
    size=2, inc_write=False, ring_size=5, ring_sel=False, irq_quiet=True))
k = 0
for batch in BATCHES:
    first = k
    for _ in range(batch):
        slot = k & 7
        for i in range(4):
            words[slot * 4 + i] = 40 + 4 * k + i
        machine.mem32[ring + (k + 1 & 7) * 4] = 0
        machine.mem32[ring + slot * 4] = uctypes.addressof(words) + slot * 16
        k += 1
    machine.mem32[C + 0x3C] = ring + (first & 7) * 4
    time.sleep_us(300)
    print(data.active(), control.active(), (control.read - ring) >> 2)
data.active(0)
control.active(0)
data.close()
control.close()
sm.active(0)
"""
BATCHES = [1, 3, 2, 6, 5, 1, 4]

PINS = """
from machine import Pin, PWM
import time
pin = Pin(20, Pin.OUT, value=0)
for _ in range(3):
    pin.on()
    pin.off()
pwm = PWM(Pin(21), freq=10_000, duty_u16=16384)
time.sleep_ms(2)
pwm.deinit()
"""

ECHO = """
import machine

device = machine.USBDevice()
builtin = device.BUILTIN_DEFAULT
itf, ep, name = builtin.itf_max, builtin.ep_max, builtin.str_max
function = bytes((
    8, 11, itf, 2, 2, 2, 0, name, 9, 4, itf, 0, 1, 2, 2, 0, name,
    5, 0x24, 0, 0x20, 1, 5, 0x24, 1, 0, itf + 1, 4, 0x24, 2, 2, 5, 0x24, 6, itf, itf + 1,
    7, 5, 0x80 | ep, 3, 8, 0, 16, 9, 4, itf + 1, 0, 2, 10, 0, 0, 0,
    7, 5, ep + 1, 2, 64, 0, 0, 7, 5, 0x80 | ep + 1, 2, 64, 0, 0))
whole = bytearray(builtin.desc_cfg) + function
whole[2], whole[3] = len(whole) & 255, len(whole) >> 8
whole[4] += 2
room = bytearray(512)
view = memoryview(room)
asked = []

def opened(descriptor):
    device.submit_xfer(ep + 1, room)

def control(stage, request):
    if stage == 1:
        asked.append(bytes(request))
        if request[1] == 0x20:
            return bytearray(7)
    return True

def moved(endpoint, result, count):
    if endpoint == ep + 1:
        device.submit_xfer(0x80 | ep + 1, view[:count])
    else:
        device.submit_xfer(ep + 1, room)

def begin(timer):
    device.active(False)
    device.builtin_driver = builtin
    device.config(builtin.desc_dev, whole, {name: "echo"}, opened, None, control, moved)
    device.active(True)

timer = machine.Timer(period=100, mode=machine.Timer.ONE_SHOT, callback=begin)
"""

HANG = """
import machine
pin = machine.Pin(22, machine.Pin.OUT, value=1)
machine.WDT(timeout=50)
while True:
    pass
"""


@pytest.fixture(scope="module")
def chip() -> Iterator[Chip]:
    chip = Chip()
    chip.boot()
    chip.run(0.5)
    chip.enter()
    yield chip
    chip.close()


def pulses(edges: tuple, pin: int) -> tuple[np.ndarray, np.ndarray]:
    """(rises, widths) of a pin's whole pulses."""
    clocks, pins, levels = edges
    rises = clocks[(pins == pin) & (levels == 1)]
    falls = clocks[(pins == pin) & (levels == 0)]
    falls = falls[falls > rises[0]]
    count = min(len(rises), len(falls))
    return rises[:count], falls[:count] - rises[:count]


def test_joined_fifos_are_eight_deep_and_empty_when_the_join_changes(chip):
    assert chip.execute(JOINED).split() == ["8", "8", "0", "4"]


def test_a_whole_clock_divider_slows_a_machine_exactly(chip):
    chip.edges()
    chip.execute(DIVIDED)
    edges = chip.edges()
    rises, widths = pulses(edges, 5)
    assert len(rises) > 100
    assert set(np.diff(rises)) == {40}
    assert set(widths[:-1]) == {30}
    rises, widths = pulses(edges, 6)
    assert len(rises) > 50
    assert set(np.diff(rises)) == {5 * 22}
    assert set(widths[:-1]) == {5 * 21}


def test_a_chain_of_control_words_plays_every_word_once(chip):
    chip.edges()
    said = chip.execute(f"BATCHES = {BATCHES}\n{CHAIN}").split("\n")
    ends = np.cumsum(BATCHES)
    # neither channel is busy at its null, and the control channel stands one behind it
    assert [line.split() for line in said if line.strip()] == [
        ["False", "False", str((end & 7) + 1)] for end in ends
    ]
    rises, widths = pulses(chip.edges(), 8)
    assert list(widths) == [40 + n + 1 for n in range(4 * int(ends[-1]))]
    # within a batch nothing waits for the processor: pull and out stand between two pulses
    gaps = rises[1:] - (rises + widths)[:-1]
    assert [i + 1 for i in np.flatnonzero(gaps != 2)] == [4 * end for end in ends[:-1]]


def test_pins_that_the_processor_and_pwm_drive_are_seen(chip):
    chip.edges()
    chip.execute(PINS)
    edges = chip.edges()
    rises, _widths = pulses(edges, 20)
    assert len(rises) == 3
    rises, widths = pulses(edges, 21)
    assert len(rises) >= 18
    assert set(np.diff(rises)[1:]) == {12_500}
    assert np.allclose(widths[1:-1], 3125, atol=1)


def test_a_second_port_gives_back_every_byte(chip):
    """Nearly last, as it plugs the device in again."""
    chip.execute(ECHO)
    assert chip.ports == 1
    chip.boot(2)
    sent = random.Random(1).randbytes(100_000)
    chip.write(WIRE, sent)
    heard = b""
    end = chip.now + 250_000_000
    while len(heard) < len(sent) and chip.now < end:
        chip.run(0.02)
        heard += chip.read(WIRE)
    assert heard == sent
    said = chip.execute("print([r[1] for r in asked if r[0] & 0x60 == 0x20])")
    assert said.strip() == "[32, 34]"  # line coding and line state, once


def test_a_program_that_hangs_is_reset_by_its_watchdog_and_its_pins_let_go(chip):
    chip.edges()
    chip.write(REPL, HANG.encode() + b"\x04")
    end = chip.now + 25_000_000
    while chip.ports and chip.now < end:
        chip.run(0.005)
    clocks, pins, levels = chip.edges()
    mine = pins == 22
    assert list(levels[mine]) == [1, 0]
    high = int(np.diff(clocks[mine])[0])
    assert 50 * 125_000 <= high <= 51 * 125_000
    chip.boot()
    chip.run(0.5)
    chip.enter()
    assert chip.execute("import machine; print(machine.reset_cause())").strip() == "3"
    assert chip.execute("print(machine.mem32[0x50000444])").strip() == "0"  # no abort goes on
