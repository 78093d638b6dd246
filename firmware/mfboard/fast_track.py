"""Changes of outputs in viper: what each writes to which register, and when, as words of the track.

RP2040 datasheet chapters 2.3.1.7 SIO registers, 4.5 PWM.
"""

import micropython
from micropython import const

from mfboard.fast_state import EV, OUT, SCRATCH, WORDS, H, S

# as in mfboard.fast_state; a constant of this file is a number in the code
_PREPARED = const(16)
_MADE = const(18)
_STEERS = const(39)
_H_TARGET = const(16)


@micropython.viper
def change(e: ptr32, output: int, value: int):
    """Write what a change of an output does: a register, what of it stays, what comes in."""
    o = ptr32(int(uint(ptr32(OUT))) + (output << 4))
    pin = o[1]
    e[3] = output
    e[5] = value
    if o[0] == 0:
        e[0] = -0x2FFFFFEC  # SIO GPIO_OUT_SET, 0xd0000014
        if value == 0:
            e[0] = -0x2FFFFFE8  # GPIO_OUT_CLR
        e[1] = 0
        e[2] = 1 << pin
    else:
        if o[0] == 2:
            value = 3277 + ((value * 3277) >> 16)  # 1 to 2 ms of 20
        top = (ptr32(o[3])[0] & 0xFFFF) + 1
        level = int(((uint(value) * uint(top)) >> uint(16)))
        if value >= 65535:
            level = top
        e[0] = o[2]
        e[1] = 0xFFFF
        e[2] = level << 16
        if pin & 1 == 0:
            e[1] = -65536
            e[2] = level


@micropython.viper
def put(output: int, value: int):
    """Change an output now."""
    e = ptr32(SCRATCH)
    change(e, output, value)
    r = ptr32(e[0])
    r[0] = (r[0] & e[1]) | e[2]


@micropython.viper
def prepare(slot: int, outputs: int):
    """Write a window's changes of outputs to the track: words that last exactly its length."""
    s = ptr32(S)
    b = ptr16(slot)
    events = int(b[11])
    length = ptr32(slot)[3]
    p = ptr32(slot + 28 + 8 * int(b[10]))
    words = ptr32(WORDS)
    all = int(uint(ptr32(EV)))
    w = s[_PREPARED]
    k = s[_MADE]
    at = 0
    i = 0
    chained = 0
    while i < events:
        when = p[0]
        output = p[1] & 0xFFFF
        value = (p[1] >> 16) & 0xFFFF
        if when < at + 16:
            when = at + 16
        if when > length - 16:
            when = length - 16
        e = ptr32(all + ((k & 127) << 5))
        if output < outputs:
            change(e, output, value)
        elif s[_STEERS] != 0 and output < outputs + 2:
            e[0] = int(uint(ptr32(H))) + ((_H_TARGET + output - outputs) << 2)
            e[1] = 0
            e[2] = value
            e[3] = output
            e[5] = value
        else:
            e[0] = 0
            e[3] = output
            e[5] = value
        e[4] = 0
        if chained and when < at + 24:
            ptr32(all + (((k - 1) & 127) << 5))[4] = 1
        else:
            words[w & 127] = ((when - at - 7) << 1) | 1
            w += 1
            at = when
            chained = 1
        k += 1
        p = ptr32(uint(p) + uint(8))
        i += 1
    words[w & 127] = (length - at - 6) << 1
    s[_MADE] = k
    s[_PREPARED] = w + 1
