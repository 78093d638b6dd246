"""The PIO programs of the probe: one sees that a pin has changed, another knows when.

They run side by side in one block, started on the same clock. The watcher pushes the levels of all
its pins whenever they differ from those before, and lifts a mark (a pin of its own) for two clocks.
The clock counts two clocks at a time and pushes its count when it sees the mark. Both programs take
six clocks for a change, so changes six clocks apart are all kept, and word n of one belongs to word
n of the other. A full FIFO keeps nothing more and says so (FDEBUG, RXSTALL). RP2040 datasheet 3.
"""

import rp2

CHANGE_CLOCKS = 6  # between two changes that are both kept
LOOK_CLOCKS = 4  # between two looks at pins that rest
COUNT_CLOCKS = 2  # of the clock's count
SEEN_CLOCKS = 3  # from a look at the pins to the mark
CLOCK_BEGIN = 5  # instruction that the clock starts at; the watcher starts at 0


def watcher(pins_count):
    """Pins 0 to pins_count - 1 from its base. The first word is 0 for a restarted machine."""

    @rp2.asm_pio(sideset_init=rp2.PIO.OUT_LOW, in_shiftdir=rp2.PIO.SHIFT_LEFT)
    def program():
        label("changed")
        mov(y, x).side(1)
        push(noblock).side(1)
        wrap_target()
        mov(isr, null).side(0)
        in_(pins, pins_count).side(0)  # the look
        mov(x, isr).side(0)
        jmp(x_not_y, "changed").side(0)
        wrap()

    return program


def clock():
    """Counts x down, one in two clocks whichever way it goes; its jump pin is the mark."""

    @rp2.asm_pio(in_shiftdir=rp2.PIO.SHIFT_LEFT)
    def program():
        label("hit")
        mov(isr, x)
        push(noblock)
        jmp(x_dec, "second")
        label("second")
        jmp(x_dec, "third")
        label("third")
        jmp(x_dec, "wait")
        wrap_target()
        label("wait")
        jmp(pin, "hit")
        jmp(x_dec, "wait")
        wrap()

    return program


def bursts():
    """What the probe plays to itself: word + 1 bursts of four pulses, six clocks high, six low."""

    @rp2.asm_pio(set_init=rp2.PIO.OUT_LOW)
    def program():
        pull(block)
        mov(y, osr)
        label("burst")
        set(x, 3)
        label("pulse")
        set(pins, 1)[5]
        set(pins, 0)[4]
        jmp(x_dec, "pulse")
        set(x, 31)
        label("pause")
        jmp(x_dec, "pause")[31]
        jmp(y_dec, "burst")
        label("end")
        jmp("end")

    return program
