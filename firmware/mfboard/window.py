"""A window's bytes: where its parts stand, and whether every count is within bounds.

Never trusts a count: `sound` is asked once when a window is whole. See docs/protocol.md, "Window".
"""

from mfwire.messages import put32, s30, u16, u30

HEAD = 28
MOTOR = 8
EVENT = 8
SEGMENT = 8
LENGTH_MAX = 1 << 24
TAIL_MAX = 1 << 29
AS_BEFORE = 65535  # instead of a count of segments: the motor has the list of the one before
CHANGES = 48  # of outputs in a window, and in its tail
LAST = 1  # flag: the run ends with this window
ARC = 2  # flag: a run that begins with it waits for the arc


def sound(b, length, motors, outputs):
    """True when a body's parts fill its length exactly and its heads are within bounds."""
    if length < HEAD or u16(b, 20) != motors or u30(b, 0) < 0 or u30(b, 4) < 0 or u30(b, 8) < 0:
        return False
    ticks = u30(b, 12)
    tail = u30(b, 16)
    flags = u16(b, 26)
    if ticks < 128 or ticks > LENGTH_MAX and not flags & LAST:
        return False
    if tail < 0 or flags & ~(LAST | ARC) or (tail == 0) != (flags & LAST == LAST) or 0 < tail < 128:
        return False
    main = u16(b, 22)
    if main > CHANGES or u16(b, 24) > CHANGES:
        return False
    total = HEAD + MOTOR * motors + EVENT * (main + u16(b, 24))
    if total > length:
        return False
    m = 0
    while m < motors:
        at = HEAD + MOTOR * m
        if s30(b, at) == -0x20000000:
            return False
        if u16(b, at + 4) == 0 or (tail > 0) != (u16(b, at + 6) > 0):
            return False
        if m == 0 and (u16(b, at + 4) == AS_BEFORE or u16(b, at + 6) == AS_BEFORE):
            return False
        total += SEGMENT * (_own(b, at + 4) + _own(b, at + 6))
        m += 1
    if total != length:
        return False
    return _events_sound(b, motors, main, u16(b, 24), ticks, tail, outputs)


def _events_sound(b, motors, main, tails, ticks, tail, outputs):
    at = HEAD + MOTOR * motors
    before = 0
    k = 0
    while k < main + tails:
        if k == main:
            before = 0
        when = u30(b, at)
        limit = ticks if k < main else tail
        if when < before or when >= limit or u16(b, at + 4) >= outputs:
            return False
        before = when
        at += EVENT
        k += 1
    return True


def _own(b, at):
    """Segments that a count stands for, of its own."""
    count = u16(b, at)
    return 0 if count == AS_BEFORE else count


def list_of(b, motor, tail):
    """The motor whose list this one plays: itself, or one before it."""
    while motor and u16(b, HEAD + MOTOR * motor + (6 if tail else 4)) == AS_BEFORE:
        motor -= 1
    return motor


def list_at(b, motor, tail):
    """Where a motor's segments begin."""
    motors = u16(b, 20)
    motor = list_of(b, motor, tail)
    at = HEAD + MOTOR * motors + EVENT * (u16(b, 22) + u16(b, 24))
    m = 0
    while m < motors:
        if not tail and m == motor:
            return at
        at += SEGMENT * _own(b, HEAD + MOTOR * m + 4)
        m += 1
    m = 0
    while m < motor:
        at += SEGMENT * _own(b, HEAD + MOTOR * m + 6)
        m += 1
    return at


def list_segments(b, motor, tail):
    """How many segments a motor's list has."""
    return u16(b, HEAD + MOTOR * list_of(b, motor, tail) + (6 if tail else 4))


def steps_made(b, motor):
    """Signed steps of a motor's main list."""
    at = list_at(b, motor, False)
    left = list_segments(b, motor, False)
    made = 0
    while left:
        if b[at] & 2:
            count = u16(b, at) >> 2 & 127
            made += count if b[at] & 1 else -count
        at += SEGMENT
        left -= 1
    return made


def start_steps(b, motor):
    """Where the sender thinks that the motor stands when the window begins."""
    return s30(b, HEAD + MOTOR * motor)


def set_start(b, motor, steps):
    """Write a start position: a retreat begins wherever the machine rests."""
    put32(b, HEAD + MOTOR * motor, steps)


def keeps_travel(body, motors, engine):
    """Whether every motor that it moves ends within its travel, from where it rests."""
    m = 0
    while m < len(motors):
        made = steps_made(body, m)
        end = engine.position(m) + made
        if made and not motors[m]["low"] <= end <= motors[m]["high"]:
            return False
        m += 1
    return True
