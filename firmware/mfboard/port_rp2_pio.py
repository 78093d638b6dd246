"""The three PIO programs: a motor, the gate, the track of output changes.

One GPIO is the gate: every motor and the track wait for it at each word, so one edge starts both
PIO blocks on the same clock, and all stop at the end of their words when it falls. The gate's own
program keeps it high only as long as the service grants it, a millisecond a FIFO word: when the
board's program hangs, the motors stop. RP2040 datasheet chapter 3.
"""

import rp2

STEP_WORD = 8  # clocks of a step word besides delay and pulse
WAIT_WORD = 8  # clocks of a wait word besides delay
TRACK_WORD = 6  # clocks of a word of the track besides delay; one more with its event
PULL_NOBLOCK = 0x8080  # as SMx_INSTR: empties a FIFO word


def motor(gate, loops):
    """A motor: words of direction, step, 30 bits of delay. The pulse is 1 + 16 loops clocks.

    in_base is the input that halts this motor (it must read 1), or the gate again.
    """

    @rp2.asm_pio(
        out_init=rp2.PIO.OUT_LOW, sideset_init=rp2.PIO.OUT_LOW, out_shiftdir=rp2.PIO.SHIFT_RIGHT
    )
    def program():
        wrap_target()
        label("top")
        pull(block).side(0)
        wait(1, gpio, gate).side(0)
        wait(1, pin, 0).side(0)
        out(pins, 1).side(0)
        out(y, 1).side(0)
        out(x, 30).side(0)
        label("delay")
        jmp(x_dec, "delay").side(0)
        jmp(not_y, "top").side(0)
        set(y, loops - 1).side(1)
        label("pulse")
        jmp(y_dec, "pulse").side(1)[15]
        wrap()

    return program


def keeper():
    """The gate: high for as many clocks as the words in the FIFO say, then low."""

    @rp2.asm_pio(sideset_init=rp2.PIO.OUT_LOW)
    def program():
        wrap_target()
        pull(block).side(0)
        mov(x, osr).side(1)
        label("open")
        jmp(x_dec, "open").side(1)
        set(x, 0).side(1)
        pull(noblock).side(1)  # another grant, or x = 0
        mov(x, osr).side(1)
        jmp(x_dec, "open").side(1)
        wrap()

    return program


def track(gate):
    """Changes of outputs: words of event, 31 bits of delay; an event interrupts the processor."""

    @rp2.asm_pio(out_shiftdir=rp2.PIO.SHIFT_RIGHT)
    def program():
        wrap_target()
        label("top")
        pull(block)
        wait(1, gpio, gate)
        out(y, 1)
        out(x, 31)
        label("delay")
        jmp(x_dec, "delay")
        jmp(not_y, "top")
        irq(rel(0))
        wrap()

    return program
