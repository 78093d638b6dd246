"""Nobody is there for long: axes that would fall are lowered, then all drivers go off.

Only after an orderly end: a run that was cut or held keeps its drivers on, so that it can go on,
and where the height is not known nothing is lowered and nothing is switched off. Lowering is slow,
without a ramp, in pieces that this file writes as lists of their own.
"""

from mfboard import window
from mfboard.player import STOPPED, since
from mfwire import session as s
from mfwire.messages import put16, put32

SECOND_US = 1_000_000
SEGMENT = 112  # words of one
WORDS = 8 * SEGMENT  # of a piece, at most
LONGEST = 1 << 28  # ticks of a piece, at most


class Idle:
    """Of one configuration. item: its `idle`."""

    def __init__(self, board, item):
        self.board = board
        self.after_s = item["after_s"]
        self.rows = item["lower"]  # motor, steps, ticks of a step
        self.body = bytearray(512)
        self.left_s = 0
        self.counting = False
        self.lowering = False
        self.since_us = 0

    def _nobody(self):
        """Nobody is connected, the last run ended by itself, and nothing moves or is warm."""
        b = self.board
        if b.receiver.connect or b.by_card or not b.port.enabled or b.heat.wanted():
            return False
        ended = b.state == s.READY or b.state == s.DONE or b.state == s.ABORTED
        return ended and b.player.mode == STOPPED

    def due_us(self, now):
        """Until `turn` has something to do; -1: nothing."""
        if self.lowering:
            return -1 if self.board.state == s.RETREATING else 0
        if not self._nobody():
            return -1
        if not self.counting:
            return 0
        left = SECOND_US - since(now, self.since_us)
        return left if left > 0 else 0

    def turn(self, now):
        """Count seconds; then lower, piece by piece; then drivers off."""
        if self.lowering:
            if self.board.state != s.RETREATING:
                self._piece(now)
        elif not self._nobody():
            self.counting = False
        elif not self.counting:
            self.counting = True
            self.left_s = self.after_s
            self.since_us = now
        elif since(now, self.since_us) >= SECOND_US:
            self.since_us = now
            self.left_s -= 1
            if self.left_s <= 0:
                self.counting = False
                self._begin(now)

    def _begin(self, now):
        b = self.board
        if self.rows and not b.trusted:
            return  # who knows how high it is
        self.lowering = True
        b.state = s.RESTED
        self._piece(now)

    def _piece(self, now):
        b = self.board
        if b.state != s.RESTED or b.receiver.connect:
            self.lowering = False  # a fault, or somebody has come: it stands where it is
            return
        for row in self.rows:
            away = row[1] - b.port.engine.position(row[0])
            if away:
                self._lower(away, row[2], now)
                return
        self.lowering = False
        b.port.enable(0)
        b.trusted = False
        b.known = 0
        b.state = s.READY
        b.why = s.WHY_NONE
        b.changed = True

    def _lower(self, away, ticks, now):
        """All motors that are as far away, at most a piece of the way."""
        b = self.board
        most = LONGEST // ticks // 16 * 16
        count = min(abs(away), most, WORDS)
        mask = 0
        for row in self.rows:
            if row[2] == ticks and row[1] - b.port.engine.position(row[0]) == away:
                mask |= 1 << row[0]
        write(self.body, b.player.motors, mask, count, 1 if away > 0 else 0, ticks)
        if window.keeps_travel(self.body, b.config["motors"], b.port.engine):
            b.player.play_alone(self.body, now)
            b.state = s.RETREATING
            b.changed = True
        else:
            self.lowering = False


def write(body, motors, mask, count, way, ticks):
    """A list of count steps of the motors in mask, each of so many ticks; the others wait."""
    words = (count + 15) // 16 * 16
    segments = (count + SEGMENT - 1) // SEGMENT + (1 if words > count else 0)
    put32(body, 0, 0)
    put32(body, 4, 0)
    put32(body, 8, 0)
    put32(body, 12, words * ticks)
    put32(body, 16, 0)
    put16(body, 20, motors)
    put16(body, 22, 0)
    put16(body, 24, 0)
    put16(body, 26, window.LAST)
    at = window.HEAD + window.MOTOR * motors
    m = 0
    while m < motors:
        head = window.HEAD + window.MOTOR * m
        put32(body, head, 0)
        put16(body, head + 4, segments)
        put16(body, head + 6, 0)
        left = count
        while left:
            n = left if left < SEGMENT else SEGMENT
            _segment(body, at, way | (mask >> m & 1) << 1, n, ticks)
            at += window.SEGMENT
            left -= n
        if words > count:
            _segment(body, at, way, words - count, ticks)
            at += window.SEGMENT
        m += 1


def _segment(body, at, kind, count, ticks):
    low = kind | count << 2 | (ticks & 31) << 11
    put16(body, at, low)
    put16(body, at + 2, ticks >> 5)
    put32(body, at + 4, 0)
