"""Windows from a card to the player, as the same messages and through the same checks as a host's.

It keeps all slots full and commits as far ahead as the board allows, so a card may be silent for as
long as what is committed lasts; when it is silent for longer the player takes the tail.
"""

from mfboard import window
from mfboard.card_file import CardError
from mfwire import session as s
from mfwire.frames import PAYLOAD_BYTES
from mfwire.messages import MASK30, NUMBER, put16, put32, s30, u30

PIECE = 480
LOOK_US = 5000
ENOUGH_US = 200_000  # committed before a run begins
TAKES = (s.READY, s.RUNNING, s.STRIKING)
STILL = (s.RESTED, s.DONE, s.ABORTED, s.FAULT)


class Feed:
    """Says messages in the board's own voice."""

    def __init__(self, card):
        self.card = card
        self.board = card.board
        self.p = bytearray(PAYLOAD_BYTES + 8)
        self.began = False

    # ---- messages

    def offer(self, name, length):
        """What is in p, as this message. A reason of REFUSED, or OK."""
        p = self.p
        p[0] = NUMBER[name]
        p[1] = 0
        self.card.speaks = True
        reason = self.board.handler.judge(p[0], p, length)
        self.card.speaks = False
        return reason

    def say(self, name, length=8):
        """The same; CardError: it was refused."""
        reason = self.offer(name, length)
        if reason:
            raise CardError(
                "the board refused " + name + ": " + s.REASONS[reason] + "; the machine stands"
            )

    def number(self, name, number):
        """A message whose one field is a u30."""
        put32(self.p, 8, number)
        self.say(name, 12)

    def pair(self, name, a, b):
        """A message of two u16."""
        put16(self.p, 8, a)
        put16(self.p, 10, b)
        self.say(name, 12)

    def config(self, text):
        """The configuration, in pieces."""
        at = 0
        while at < len(text):
            n = min(PIECE, len(text) - at)
            put16(self.p, 8, at)
            put16(self.p, 10, len(text))
            self.p[12 : 12 + n] = text[at : at + n]
            self.say("CONFIG", 12 + n)
            at += n

    # ---- one run

    def run(self, windows, guard=None, joined=None):
        """Play windows until the machine stands. Generator; OSError: the card is gone.

        guard: (input, mask). joined: where these windows end it gives those that follow.
        """
        board = self.board
        player = board.player
        self.began = False
        asked = False
        windows.next()
        first = windows.number
        self.number("RESET", first)
        if guard:
            put16(self.p, 8, guard[0])
            put16(self.p, 10, guard[1])
            put16(self.p, 12, 1)
            self.say("GUARD", 14)
        ready = True  # the marks of the next window have been read
        while True:
            if self.began and (board.state in STILL or board.state == s.READY):
                return
            if self.card.wants_hold and not asked:
                if not self.began:
                    return
                asked = self._hold()
            if not ready and not windows.left and joined:
                windows = joined()
                joined = None
            more = ready or windows.left > 0
            if more and board.state in TAKES and player.free() > 0:
                if not ready:
                    windows.next()
                ready = not self._window(windows)
                more = ready or windows.left > 0 or joined is not None
            self._commit(first, more)
            yield 0 if more and player.free() > 0 and board.state in TAKES else LOOK_US

    def _hold(self):
        if self.board.state not in (s.RUNNING, s.STRIKING):
            return True  # it stops already
        return self.offer("HOLD", 8) == s.OK

    def _window(self, windows):
        """All pieces of a window, from the file to its slot. False: the board is stopping."""
        total = windows.length
        reader = windows.reader
        at = 0
        while at < total:
            n = PIECE if total - at > PIECE else total - at
            reader.take(self.p, 16, n)
            if at == 0:
                self._place(windows)
            put32(self.p, 8, windows.number)
            put16(self.p, 12, at)
            put16(self.p, 14, total)
            reason = self.offer("WINDOW", 16 + n)
            if reason:
                if self.board.state not in TAKES:
                    return False  # it began to stop while the card was read
                raise CardError("the board refused a window: " + s.REASONS[reason])
            at += n
        return True

    def _place(self, windows):
        """A relative window begins where the machine stands; one that goes on, later."""
        p = self.p
        if windows.base is not None:
            m = 0
            while m < len(windows.base):
                at = 16 + window.HEAD + window.MOTOR * m
                put32(p, at, s30(p, at) + windows.base[m])
                m += 1
        if windows.shift_low or windows.shift_high:
            low = u30(p, 20) + windows.shift_low
            put32(p, 20, low & MASK30)
            put32(p, 24, (u30(p, 24) + windows.shift_high + (low >> 30)) & MASK30)

    def _commit(self, first, more):
        """As far ahead as the board takes it; then the run may begin."""
        board = self.board
        player = board.player
        if board.state not in TAKES:
            return
        while player.committed != player.whole:
            put32(self.p, 8, player.committed)
            reason = self.offer("COMMIT", 12)
            if reason == s.TOO_FAR:
                break
            if reason:
                return
        if self.began or player.committed == first:
            return
        if player.committed_us >= ENOUGH_US or not more or player.free() == 0:
            if not self.card.wants_hold:
                self.number("START", first)
                self.began = True
                self.card.changed = True
