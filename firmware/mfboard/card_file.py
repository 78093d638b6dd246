"""Job files on a card: checked whole before anything moves, then read window by window.

The layout is that of host/microfactory/jobfile.py: magic, u32 length, JSON header, for each window
its marks and its body, and the SHA-256 of everything before.
"""

import hashlib
import json
from array import array

from mfboard.card_header import Header
from mfwire.messages import MASK30, PROTOCOL, SCHEMA_HIGH, SCHEMA_LOW, u16, u30

JOB = b"microfactory job 1\n"
HOMING = b"microfactory homing 1\n"
BRIDGE = "bridge.bin"  # windows that mfboard.card_bridge has made
PIECE = 1024
MARK = 48  # bytes: number, end and rest as move, line, distance, then the length of the body
KEPT = 32  # windows whose place is remembered
HASH = 32


class CardError(Exception):
    """What is wrong, what happened, what to do: in words."""


def hexed(digest):
    """Bytes as hex digits."""
    return "".join("%02x" % c for c in digest)


class CardFile:
    """A file of windows. `check` is a generator: it reads the whole file, a piece a turn."""

    def __init__(self, store, name, magic, motors):
        self.store = store
        self.name = name
        self.magic = magic
        self.motors = motors
        self.header = Header()
        self.digest = b""
        self.size = 0
        self.body_at = 0
        self.body_end = 0
        self.windows = 0

    def _wrong(self, what):
        raise CardError(
            self.name + ": " + what + "; nothing moved; write the job onto the card again"
        )

    def check(self):
        """Every byte, its hash and the count of its windows. CardError, OSError."""
        self.size = self.store.size(self.name)
        head = len(self.magic) + 4
        if self.size < head + HASH or self.size > MASK30:
            self._wrong("it is no job file, or cut short")
        whole = hashlib.sha256()
        bodies = hashlib.sha256()
        self._skip = 0
        self._got = 0
        self._walk = bytearray(MARK)
        piece = bytearray(PIECE)
        view = memoryview(piece)
        at = 0
        end = self.size - HASH
        tail = b""
        with self.store.open(self.name) as file:
            while at < self.size:
                n = file.readinto(piece)
                if not n:
                    self._wrong("it is cut short")
                if at == 0:
                    self._begin(piece, n, head, end)
                inside = min(n, end - at) if at < end else 0
                whole.update(view[:inside])
                tail += bytes(view[inside:n])
                first = max(0, min(inside, head - at))
                edge = max(first, min(inside, self.body_at - at))
                self.header.feed(piece, first, edge)
                bodies.update(view[edge:inside])
                self._count(piece, edge, inside)
                at += n
                yield 0
        if whole.digest() != tail:
            self._wrong("its hash does not match, it was changed or damaged")
        told = self.header
        if not told.whole or told.broken or self._skip or self._got:
            self._wrong("its parts do not fit together")
        if told.facts.get("windows_sha256") != hexed(bodies.digest()):
            self._wrong("the hash of its windows does not match")
        if self.windows != told.windows:
            self._wrong("it has another number of windows than it says")
        self.digest = tail

    def _begin(self, piece, n, head, end):
        if n < head or bytes(piece[: len(self.magic)]) != self.magic:
            self._wrong("this is no job file for this firmware")
        length = u30(piece, len(self.magic))
        self.body_at = head + length
        self.body_end = end
        if length < 0 or self.body_at > end:
            self._wrong("its header is longer than the file")

    def _count(self, data, begin, end):
        """Walk from window to window."""
        i = begin
        while i < end:
            if self._skip:
                n = min(self._skip, end - i)
                self._skip -= n
                i += n
            else:
                n = min(MARK - self._got, end - i)
                self._walk[self._got : self._got + n] = data[i : i + n]
                self._got += n
                i += n
                if self._got == MARK:
                    self._got = 0
                    body = u30(self._walk, MARK - 4)
                    if body <= 0 or body > 8192:
                        self._wrong("a window of it has no length that can be")
                    self._skip = 8 * self.motors + body
                    self.windows += 1

    def rows_at(self):
        """Where the first section stands in the file."""
        return len(self.magic) + 4 + self.header.sections_at

    def row(self, at):
        """The section at this place of the checked header, and where the next one stands."""
        reader = Reader(self.store, self.name, at)
        try:
            text = bytearray()
            while True:
                c = reader.byte()
                if c == 123 or text:
                    text.append(c)
                if c == 125:
                    return json.loads(bytes(text)), reader.tell()
        finally:
            reader.close()

    def rows(self):
        """All sections. Generator."""
        at = self.rows_at()
        for _ in range(self.header.sections):
            row, at = self.row(at)
            yield row


class Reader:
    """Bytes of a file in turn, through one buffer. OSError: the card cannot be read."""

    def __init__(self, store, name, at):
        self.file = store.open(name)
        self.file.seek(at)
        self.buffer = bytearray(PIECE)
        self.first = at  # where the buffer begins in the file
        self.at = 0
        self.have = 0

    def fill(self):
        """The next piece; the card may take its time."""
        self.first += self.have
        self.at = 0
        self.have = 0
        n = self.file.readinto(self.buffer)
        if not n:
            raise OSError(5)
        self.have = n

    def byte(self):
        """One byte."""
        if self.at == self.have:
            self.fill()
        self.at += 1
        return self.buffer[self.at - 1]

    def take(self, out, at, count):
        """Count bytes to out, from at on."""
        while count:
            if self.at == self.have:
                self.fill()
            n = self.have - self.at
            n = count if count < n else n
            i = 0
            while i < n:
                out[at + i] = self.buffer[self.at + i]
                i += 1
            at += n
            self.at += n
            count -= n

    def skip(self, count):
        """Pass over count bytes."""
        while count:
            if self.at == self.have:
                self.fill()
            n = self.have - self.at
            n = count if count < n else n
            self.at += n
            count -= n

    def tell(self):
        """Where the next byte is."""
        return self.first + self.at

    def close(self):
        """The file is not needed any more."""
        self.file.close()


def same(card, file):
    """CardError: the file is for another machine, another firmware, or another wire."""
    told = file.header.facts
    running = bytes(card.board.answers.firmware).decode().split(" ")[-1]
    schema = "%04x%04x" % (SCHEMA_HIGH, SCHEMA_LOW)
    for key, mine, what in (
        ("machine.sha256", card.bound["sha256"], "machine file"),
        ("firmware", running, "firmware"),
        ("protocol", str(PROTOCOL), "protocol"),
        ("schema", schema, "schema"),
    ):
        if told.get(key) != mine:
            raise CardError(
                file.name + ": it was made for another " + what + " (" + str(told.get(key))
                + ") than this board's (" + mine + "); nothing moved; compile it for this one"
            )  # fmt: skip


def pins_free(board):
    """CardError: the machine uses a pin of the card's slot for something else."""
    page = board.port.page
    pins = page.CARD[1:]
    for kind, known in (("motors", page.STEP), ("inputs", page.INPUTS), ("outputs", page.OUTPUTS)):
        for item in board.config[kind]:
            at = known[item["at"]]
            for pin in at if isinstance(at, tuple) else (at,):
                if pin in pins:
                    raise CardError(
                        item["at"]
                        + " of "
                        + item["name"]
                        + " is a pin of the card's slot; nothing "
                        "moved; use another connector, or a board without a card"
                    )
    for item in board.config["heaters"]:
        if page.OUTPUTS[item["at"]] in pins or page.ANALOG[item["sensor"]] in pins:
            raise CardError(item["name"] + " uses a pin of the card's slot; nothing moved")


class Ring:
    """Of the last windows that the board was given: where in the job each stands."""

    def __init__(self):
        self.at = array("I", [0] * KEPT)  # where its marks are in the job file
        self.left = array("I", [0] * KEPT)  # windows behind it in its stretch
        self.line = array("I", [0] * KEPT)  # of the program, where its tail rests


class Windows:
    """Windows of a file in turn: `next` reads the marks, the body is taken from `reader`.

    bridge: they were made by mfboard.card_bridge, and their marks say which of the job they play.
    """

    def __init__(self, store, name, at, left, motors, ring, bridge=False):
        self.reader = Reader(store, name, at)
        self.left = left
        self.motors = motors
        self.ring = ring
        self.bridge = bridge
        self.mark = bytearray(MARK)
        self.number = -1
        self.length = 0
        self.base = None  # positions that are added to where it begins
        self.shift_low = 0  # ticks that are added to when it begins, as two u30
        self.shift_high = 0

    def next(self):
        """Marks of the next window. Its body comes next from `reader`."""
        at = self.reader.tell()
        mark = self.mark
        self.reader.take(mark, 0, MARK)
        self.left -= 1
        self.number = u30(mark, 0)
        self.length = u30(mark, MARK - 4)
        k = self.number % KEPT
        self.ring.at[k] = u30(mark, 24) if self.bridge else at
        self.ring.left[k] = u30(mark, 4) if self.bridge else self.left
        self.ring.line[k] = u16(mark, 32) | u16(mark, 34) << 16
        self.reader.skip(8 * self.motors)


class Way:
    """From where a stop has left the machine back into the job: windows made, then those behind."""

    def __init__(self, bridge):
        self.name = bridge.card.name
        self.store = bridge.store
        self.motors = bridge.motors
        self.changes = bridge.changes
        self.count = bridge.count
        self.at = bridge.at
        self.left = bridge.left
        self.shift = bridge.shift

    def windows(self, ring):
        """Those that were made."""
        return Windows(self.store, BRIDGE, 0, self.count, self.motors, ring, True)

    def rest(self, ring):
        """Those of the job behind them."""
        windows = Windows(self.store, self.name, self.at, self.left, self.motors, ring)
        windows.shift_low = self.shift & MASK30
        windows.shift_high = self.shift >> 30 & MASK30
        return windows
