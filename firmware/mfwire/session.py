"""Both ends of a session: who may say what when, sequence and connect id, acknowledge and resend.

No clock and no port: the board asks `Receiver` what a payload means, the host keeps what is not yet
acknowledged in `Sender`. docs/protocol.md prints the tables.
"""

from mfwire.messages import (
    HEAD_BYTES,
    NAME,
    NUMBER,
    SEQUENCED,
    pack,
    put16,
    u16,
    u30,
    well_formed,
)

# states of a board
IDLE, READY, RUNNING, TAIL, RESTED, RETREATING, DONE, ABORTED, FAULT, STRIKING = range(10)
STATES = (
    "IDLE", "READY", "RUNNING", "TAIL", "RESTED", "RETREATING", "DONE", "ABORTED", "FAULT",
    "STRIKING",
)  # fmt: skip
# sets of states and reasons, made once: a tuple written where it is used allocates
PLAYS = (RUNNING, TAIL)
MOVES = (RUNNING, TAIL, RETREATING)
RESTS = (READY, RESTED, DONE, ABORTED)

# why a board stopped
WHY = (
    "none", "hold", "late", "link", "guard", "end", "abort", "fault", "bye", "arc", "door",
    "float",
)  # fmt: skip
(
    WHY_NONE, WHY_HOLD, WHY_LATE, WHY_LINK, WHY_GUARD, WHY_END, WHY_ABORT, WHY_FAULT, WHY_BYE,
    WHY_ARC, WHY_DOOR, WHY_FLOAT,
) = range(12)  # fmt: skip
ENDS = (WHY_END, WHY_GUARD)

# which sequenced message is taken in which state; everything else is REFUSED
ALLOWED = (
    ("CONFIG", (IDLE, READY, RESTED, DONE, ABORTED)),
    ("WINDOW", (READY, RUNNING, STRIKING)),
    ("COMMIT", (READY, RUNNING, STRIKING)),
    ("START", (READY,)),
    ("HOLD", (RUNNING, TAIL, STRIKING)),
    ("RESET", (READY, RESTED, DONE, ABORTED)),
    ("OUTPUT", (READY, RUNNING, RESTED, DONE, ABORTED)),
    ("STANDBY", (READY, RUNNING, RESTED, DONE, ABORTED)),
    ("RETREAT", (READY,)),
    ("GUARD", (READY,)),
    ("ENABLE", (READY, RESTED, DONE, ABORTED)),
    ("POSITION", (READY,)),
    ("CLEAR", (IDLE, READY, RESTED, DONE, ABORTED, FAULT)),
    ("BYE", (IDLE, READY, RUNNING, TAIL, RESTED, RETREATING, DONE, ABORTED, FAULT, STRIKING)),
    ("MAINTAIN", (IDLE, READY, RESTED, DONE, ABORTED, FAULT)),
    ("CARD", (IDLE, READY, RUNNING, TAIL, RESTED, RETREATING, DONE, ABORTED, FAULT, STRIKING)),
)
_TABLE = bytearray(128 * len(STATES))
for _name, _states in ALLOWED:
    for _state in _states:
        _TABLE[NUMBER[_name] * len(STATES) + _state] = 1

# reasons of REFUSED
REASONS = (
    "", "not in this state", "out of bounds", "out of order", "no free slot", "too far ahead",
    "not whole", "too late", "unknown output, heater, input or motor", "value out of range",
    "position does not match", "not configured", "drivers are off", "drivers are on",
    "an output is on", "a heater is hot", "a door or float switch is active",
    "a job plays from the card", "no card slot here", "the contactor is open: no power",
)  # fmt: skip
(
    OK, BAD_STATE, BAD_BOUNDS, BAD_ORDER, NO_SLOT, TOO_FAR, NOT_WHOLE, TOO_LATE, UNKNOWN_ID,
    BAD_VALUE, BAD_POSITION, NOT_CONFIGURED, NOT_ENABLED, ENABLED, OUTPUT_ON, HOT, LOCKED,
    BY_CARD, NO_CARD, NO_POWER,
) = range(20)  # fmt: skip


def allowed(kind: int, state: int) -> bool:
    """True when the board may take this sequenced message in this state."""
    return _TABLE[kind * 10 + state] == 1


class Receiver:
    """The board's end. receive returns the message to act on, or 0: drop it. No allocation."""

    def __init__(self) -> None:
        self.connect = 0  # 0: nobody is connected
        self.expected = 0  # sequence number of the next sequenced message
        self.foreign = 0  # frames of another connection, modulo 2^16
        self.heard = False  # a valid frame of this connection came: the lease goes on
        self.ack = False  # tell the host what is expected
        self.nak = False  # a frame is missing
        self._told = False  # the gap has been told already

    def begin(self, connect: int) -> None:
        """A new connection; frames of the one before are foreign from now on."""
        self.connect = connect
        self.expected = 0
        self.ack = False
        self.nak = False
        self._told = False
        self.heard = True

    def receive(self, p: "bytearray | memoryview", length: int) -> int:
        """A decoded payload. Returns its message number when it is to be acted on now."""
        if not well_formed(p, length) or p[0] >= 64:
            self.foreign = (self.foreign + 1) & 0xFFFF
            return 0
        kind = p[0]
        if kind == 1:
            return kind
        if self.connect == 0 or u30(p, 4) != self.connect:
            self.foreign = (self.foreign + 1) & 0xFFFF
            return 0
        self.heard = True
        if not SEQUENCED[kind]:
            return kind
        ahead = (u16(p, 2) - self.expected) & 0xFFFF
        if ahead == 0:
            self.taken()
            self.ack = True
            return kind
        if ahead < 0x8000:
            if not self._told:
                self.nak = True
                self._told = True
        else:
            self.ack = True  # an old one again: it was taken, say so once more
        return 0

    def taken(self) -> None:
        """The sequenced message that was expected has come."""
        self.expected = (self.expected + 1) & 0xFFFF
        self.heard = True
        self._told = False


class Sender:
    """The host's end: numbers what is sequenced and keeps it until it is acknowledged."""

    def __init__(self) -> None:
        self.connect = 0
        self.next = 0
        self.waiting: "list[tuple[int, bytes]]" = []

    def begin(self, connect: int) -> None:
        """A new connection."""
        self.connect = connect
        self.next = 0
        self.waiting = []

    def payload(self, name: str, values: "dict[str, int | bytes]") -> bytes:
        """A payload to send now; sequenced ones are kept until `acknowledged`."""
        if not SEQUENCED[NUMBER[name]]:
            return pack(name, 0, self.connect, values)
        data = pack(name, self.next, self.connect, values)
        self.waiting.append((self.next, data))
        self.next = (self.next + 1) & 0xFFFF
        return data

    def acknowledged(self, expected: int) -> int:
        """The board expects this number: all before it have arrived. How many were freed."""
        freed = 0
        for number, _data in self.waiting:
            if (expected - 1 - number) & 0xFFFF < 0x8000:
                freed += 1
            else:
                break
        self.waiting = self.waiting[freed:]
        return freed

    def resend(self) -> "list[bytes]":
        """Everything that is not acknowledged, oldest first."""
        return [data for _number, data in self.waiting]


def name_of(payload: "bytes | bytearray") -> str:
    """Name of a payload's message."""
    return NAME[payload[0]]


def restamp(p: bytearray, sequence: int) -> None:
    """Write a sequence number into a payload's head."""
    assert len(p) >= HEAD_BYTES
    put16(p, 2, sequence)
