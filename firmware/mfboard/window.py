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
    if length < HEAD or u16(b, 20) != motors or not _head_sound(b):
        return False
    total = HEAD + MOTOR * motors + EVENT * (u16(b, 22) + u16(b, 24))
    if total > length or total + SEGMENT * _segments(b, motors) != length:
        return False
    return _events_sound(b, False, outputs) and _events_sound(b, True, outputs)


def _segments(b, motors):
    """How many segments there are; more than fit anywhere: a head is wrong."""
    total = 0
    at = HEAD
    while motors:
        if not _motor_sound(b, at):
            return LENGTH_MAX
        total += _own(b, at + 4) + _own(b, at + 6)
        at += MOTOR
        motors -= 1
    return total


def _head_sound(b):
    if u30(b, 0) < 0 or u30(b, 4) < 0 or u30(b, 8) < 0:
        return False
    ticks = u30(b, 12)
    tail = u30(b, 16)
    flags = u16(b, 26)
    if ticks < 128 or ticks > LENGTH_MAX and not flags & LAST:
        return False
    if tail < 0 or flags & ~(LAST | ARC) or (tail == 0) != (flags & LAST == LAST) or 0 < tail < 128:
        return False
    return u16(b, 22) <= CHANGES and u16(b, 24) <= CHANGES


def _motor_sound(b, at):
    if s30(b, at) == -0x20000000:
        return False
    main = u16(b, at + 4)
    tail = u16(b, at + 6)
    if main == 0 or (u30(b, 16) > 0) != (tail > 0):
        return False
    return at > HEAD or (main != AS_BEFORE and tail != AS_BEFORE)


def _events_sound(b, tail, outputs):
    """Changes of outputs in order of time, within their list, of outputs that there are."""
    at = HEAD + MOTOR * u16(b, 20)
    left = u16(b, 22)
    if tail:
        at += EVENT * left
        left = u16(b, 24)
    before = 0
    while left:
        if u30(b, at) < before or u16(b, at + 4) >= outputs:
            return False
        before = u30(b, at)
        if before >= u30(b, 16 if tail else 12):
            return False
        at += EVENT
        left -= 1
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
