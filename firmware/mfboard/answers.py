"""Frames to the host, each built in memory that was there before."""

from mfboard import height_state as w
from mfboard import identity
from mfwire.frames import FRAME_BYTES, PAYLOAD_BYTES
from mfwire.messages import (
    FIXED_BYTES,
    HEAD_BYTES,
    NONE30,
    NUMBER,
    PROTOCOL,
    SCHEMA_HIGH,
    SCHEMA_LOW,
    put16,
    put32,
    put_head,
    u16,
)

_WELCOME = NUMBER["WELCOME"]
_ACK = NUMBER["ACK"]
_NAK = NUMBER["NAK"]
_REFUSED = NUMBER["REFUSED"]
_CONFIGURED = NUMBER["CONFIGURED"]
_STATUS = NUMBER["STATUS"]
_LOG = NUMBER["LOG"]
_CARDED = NUMBER["CARDED"]


class Answers:
    """What a board says."""

    def __init__(self, board, crc, encode):
        self.board = board
        self.crc = crc
        self.firmware = identity.text()
        self.encode = encode  # mfwire.frames.encode_into, or its fast twin
        self.payload = bytearray(PAYLOAD_BYTES + 8)
        self.frame = bytearray(FRAME_BYTES + 8)

    def _send(self, length):
        n = self.encode(self.frame, self.payload, length, self.crc)
        self.board.port.send(self.frame, n)

    def _head(self, kind):
        put_head(self.payload, kind, 0, self.board.receiver.connect)

    def welcome(self, nonce):
        """To HELLO."""
        from mfboard import board as b

        p = self.payload
        port = self.board.port
        self._head(_WELCOME)
        put32(p, 8, nonce)
        put16(p, 12, PROTOCOL)
        put16(p, 14, SCHEMA_LOW)
        put16(p, 16, SCHEMA_HIGH)
        put32(p, 18, port.tick_hz)
        put16(p, 22, self.board.player.slots)
        put16(p, 24, b.SLOT_BYTES)
        put16(p, 26, port.page.MOTORS_MAX)
        put32(p, 28, port.lead_us * port.ticks_per_us)
        put16(p, 32, b.HORIZON_US // 1000)
        put16(p, 34, self.board.lease_us // 1000)
        i = 0
        while i < 4:
            put16(p, 36 + 2 * i, port.uid(i))
            i += 1
        self._text(44, self.firmware)

    def _text(self, at, text):
        n = len(text)
        if n > PAYLOAD_BYTES - at:
            n = PAYLOAD_BYTES - at
        i = 0
        while i < n:
            self.payload[at + i] = text[i]
            i += 1
        self._send(at + n)

    def ack(self):
        """What is expected next, and how much room there is."""
        p = self.payload
        player = self.board.player
        self._head(_ACK)
        put16(p, 8, self.board.receiver.expected)
        put16(p, 10, player.free())
        put32(p, 12, player.whole)
        put32(p, 16, player.committed)
        self._send(20)

    def nak(self):
        """A frame is missing: this one is expected."""
        self._head(_NAK)
        put16(self.payload, 8, self.board.receiver.expected)
        self._send(10)

    def refused(self, sequence, reason, detail):
        """In order, but not taken."""
        p = self.payload
        self._head(_REFUSED)
        put16(p, 8, sequence)
        put16(p, 10, reason)
        put32(p, 12, detail)
        self._send(16)

    def configured(self, text):
        """An empty text: it is in force."""
        self._head(_CONFIGURED)
        put16(self.payload, 8, 0 if text else 1)
        self._text(10, text.encode())

    def log(self, text):
        """A line for people."""
        self._head(_LOG)
        self._text(8, text.encode())

    def carded(self, card):
        """What is played from the card, or was."""
        p = self.payload
        self._head(_CARDED)
        p[8] = card.state
        p[9] = card.why
        p[10] = 1 if card.bound else 0
        p[11] = 1 if self.board.trusted else 0
        put32(p, 12, card.window)
        put32(p, 16, card.played)
        put32(p, 20, card.windows)
        put32(p, 24, card.line)
        self._text(28, (card.name + "\n" + card.words).encode())

    def status(self):
        """Everything, as it is now."""
        self._head(_STATUS)
        self._machine()
        self._run()
        at = HEAD_BYTES + FIXED_BYTES[_STATUS]
        m = 0
        while m < self.board.player.motors:
            self._motor(m, at)
            at += 8
            m += 1
        self._send(self._rest(at))

    def _machine(self):
        b = self.board
        p = self.payload
        p[8] = b.state
        p[9] = b.why
        put16(p, 10, b.fault)
        put16(p, 12, b.detail)
        p[14] = 1 if b.trusted else 0
        p[15] = 1 if b.heat.standing_by() else 0
        p[16] = b.player.motors
        p[17] = len(b.inputs.active)
        p[18] = len(b.outputs.value)
        p[19] = len(b.heaters)

    def _run(self):
        b = self.board
        p = self.payload
        put32(p, 20, b.player.number)
        put32(p, 24, b.player.begin_low)
        put32(p, 28, b.player.begin_high)
        put16(p, 32, b.decoder.bad)
        put16(p, 34, b.hash.value_low())
        put16(p, 36, b.hash.value_high())
        put32(p, 38, b.committed)
        put16(p, 42, b.inputs.levels())
        put16(p, 44, 0)  # motors that a guard has stopped
        engine = b.port.engine
        p[46] = engine.told(w.MODE)
        put16(p, 47, engine.told(w.NOW))
        put16(p, 49, engine.told(w.AIM))
        put16(p, 51, engine.offset())

    def _motor(self, m, at):
        """Steps of a motor, as planned, and where a guard has stopped it."""
        engine = self.board.port.engine
        beside = engine.offset() if m == self.board.height_motor else 0
        put32(self.payload, at, engine.position(m) - beside)
        if engine.latched[m] is None:
            put32(self.payload, at + 4, NONE30)
        else:
            put32(self.payload, at + 4, engine.latched[m] - beside)
            put16(self.payload, 44, u16(self.payload, 44) | 1 << m)

    def _rest(self, at):
        b = self.board
        p = self.payload
        i = 0
        while i < len(b.inputs.active):
            put16(p, at, b.inputs.glitches[i])
            at += 2
            i += 1
        i = 0
        while i < len(b.outputs.value):
            put16(p, at, b.outputs.value[i])
            at += 2
            i += 1
        i = 0
        while i < len(b.heaters):
            heater = b.heaters[i]
            put16(p, at, (heater.now_mc + 50) // 100)
            put16(p, at + 2, heater.target_dc)
            put16(p, at + 4, heater.duty)
            at += 6
            i += 1
        return at
