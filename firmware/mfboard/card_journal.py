"""The journal on a card: one record of 64 bytes in each block of 512, only ever the next one.

The file has its full length from the beginning (host/microfactory/cardfiles.py makes it), so the
card's file system is not changed while a job plays. A record counts when its number is its place
and its CRC-32 is right: one that was torn at any byte is no record, and those before it stand in
blocks of their own.
"""

from mfwire.crc import Crc
from mfwire.messages import MASK30, put16, put32, u16, u30

NAME = "journal.bin"
BLOCK = 512
RECORD = 64
KINDS = ("", "begin", "name", "at", "rest", "go", "section", "end", "fault", "power")
BEGIN, FILE, AT, REST, GO, SECTION, END, FAULT, POWER = range(1, 10)
MAGIC = 0x4A4D  # "MJ"


class Journal:
    """Open it where the machine stands; `note` writes one record and hands it to the card."""

    def __init__(self, store):
        self.block = bytearray(BLOCK)
        self.crc = Crc()
        self.store = store
        self.places = store.size(NAME) // BLOCK
        self.file = store.open(NAME, "r+b")
        self.next = self._end()
        self.s = 0  # seconds of this job

    def _read(self, place):
        self.file.seek(place * BLOCK)
        n = self.file.readinto(self.block)
        return n == BLOCK and valid(self.block, place, self.crc)

    def _end(self):
        """The first place without a record: they stand without gaps, so halving finds it."""
        low, high = 0, self.places
        while low < high:
            middle = (low + high) // 2
            if self._read(middle):
                low = middle + 1
            else:
                high = middle
        return low

    def left(self):
        """How many records it has room for."""
        return self.places - self.next

    def last(self):
        """Kind of the last record; 0: there is none. It is in `block` then."""
        if self.next == 0 or not self._read(self.next - 1):
            return 0
        return self.block[2]

    def begin(self, kind, count):
        """A record is begun in `block`: body from byte 12 on, 48 bytes."""
        block = self.block
        i = 0
        while i < RECORD:
            block[i] = 0
            i += 1
        put16(block, 0, MAGIC)
        block[2] = kind
        block[3] = count
        put32(block, 4, self.next & MASK30)
        put32(block, 8, self.s)

    def write(self):
        """It is on the card when this returns. OSError: it is not."""
        if self.next >= self.places:
            raise OSError(28)
        block = self.block
        self.crc.reset()
        self.crc.feed(block, 0, RECORD - 4)
        put16(block, RECORD - 4, self.crc.value_low())
        put16(block, RECORD - 2, self.crc.value_high())
        self.file.seek(self.next * BLOCK)
        self.file.write(block)
        self.file.flush()
        self.next += 1

    def bytes(self, kind, data):
        """A record whose body is these bytes, at most 48."""
        count = min(48, len(data))
        self.begin(kind, count)
        self.block[12 : 12 + count] = data[:count]
        self.write()

    def place(self, kind, number, line, board):
        """Where the job is: window, line, state and the motors' counts."""
        motors = board.player.motors
        self.begin(kind, motors)
        block = self.block
        put32(block, 12, number & MASK30)
        put32(block, 16, line & MASK30)
        block[20] = board.state
        block[21] = board.why
        put16(block, 22, board.fault)
        block[24] = 1 if board.trusted else 0
        m = 0
        while m < motors:
            put32(block, 28 + 4 * m, board.port.engine.position(m))
            m += 1
        self.write()

    def close(self):
        """Nothing more is written."""
        self.file.close()


def valid(block, place, crc):
    """Whether a block holds the record of this place, whole."""
    if u16(block, 0) != MAGIC or u30(block, 4) != place:
        return False
    crc.reset()
    crc.feed(block, 0, RECORD - 4)
    return crc.value_low() == u16(block, RECORD - 4) and crc.value_high() == u16(block, RECORD - 2)
