"""The probe: takes requests from its serial port, and answers them. docs/probe.md, "Requests".

While it captures, this program may be late by as much as the rings hold; the scanner is not.
"""

import gc

import machine
from machine import mem32

from mfboard.fast_wire import FastCrc, FastDecoder, encode
from mfprobe import fast_scan, words
from mfprobe import state as p
from mfprobe.capture import HZ, PINS_MAX, Capture
from mfprobe.pins import Pins
from mfprobe.pio import COUNT_CLOCKS
from mfwire.frames import FRAME_BYTES
from mfwire.messages import u16

VERSION = b"mfprobe 2"
LEVELS = 0xD0000004  # GPIO_IN, RP2040 datasheet 2.3.1.7
STATUS = (p.TOTAL, p.READ, p.LAST, p.HIGH, p.FIRED, p.LOST, p.LONGEST)


def _u32(data, at):
    return u16(data, at) | u16(data, at + 2) << 16


class Probe:
    """usb: an mfboard.port_rp2_usb.Usb; memory: for the rings."""

    def __init__(self, usb, memory):
        machine.freq(HZ)  # first: dividers of state machines are made from it
        self.usb = usb
        self.pins = Pins()
        self.capture = Capture(memory)
        self.decoder = FastDecoder()
        self.crc = FastCrc()
        self.reply = bytearray(FRAME_BYTES + 8)
        self.frame = bytearray(FRAME_BYTES + 8)
        self.scratch = p.array("i", [0])

    def run(self):
        """For ever."""
        try:
            while True:
                self.usb.receive(self)
                self.usb.flush()
                if not self.usb.full:
                    machine.idle()
        finally:
            self.capture.stop()
            self.pins.release()

    def receive(self, data, length):
        """Bytes from the host (called by the port)."""
        at = 0
        while at < length:
            at = self.decoder.feed(data, at, length)
            if self.decoder.length:
                self._answer(self.decoder.payload, self.decoder.length)

    def _answer(self, payload, length):
        out = self.reply
        kind = payload[0]
        answer = ANSWERS.get(kind)
        try:
            end = answer(self, payload, length) if answer else 0
        except (ValueError, IndexError):
            end = 0
        out[0] = kind | words.REPLY if end else words.NO_SUCH
        out[1] = payload[1]
        out[2] = p.S[p.FLAGS]
        out[3] = p.S[p.RUNNING]
        self.usb.send(self.frame, encode(self.frame, out, end or 4, self.crc))

    def _put(self, at, value):
        self.scratch[0] = value
        fast_scan.put_words(self.reply, at, self.scratch, 0, 1)
        return at + 4

    # ---- what is asked; each gives the length of its reply

    def identify(self, _payload, _length):
        """Who this is."""
        number = machine.unique_id()
        self.reply[4:12] = number[:8]
        self.reply[12] = PINS_MAX
        end = self._put(13, HZ // COUNT_CLOCKS)
        self.reply[end : end + len(VERSION)] = VERSION
        return end + len(VERSION)

    def start(self, payload, _length):
        """Capture from now on."""
        count = payload[16]
        if not 1 <= payload[2] <= PINS_MAX or count > p.MOTORS:
            raise ValueError
        motors = [tuple(payload[17 + 3 * m : 20 + 3 * m]) for m in range(count)]
        self.capture.stop()
        p.S[p.ARMED] = payload[3]
        fast_scan.take_trigger(payload)
        self.capture.driven = self.pins.driven
        gc.collect()
        self.capture.start(payload[2], motors)
        fast_scan.put_words(self.reply, 4, p.S, p.CLOCK, 2)
        return 12

    def stop(self, payload, length):
        """Capture no more."""
        self.capture.stop()
        return self.status(payload, length)

    def status(self, _payload, _length):
        """How far it is."""
        if p.S[p.RUNNING]:
            p.S[p.TOTAL] = p.S[p.READ]
        end = 4
        for word in STATUS:
            fast_scan.put_words(self.reply, end, p.S, word, 1)
            end += 4
        return end

    def read(self, payload, _length):
        """Words and counts of the rings; fewer when there are not so many."""
        first = _u32(payload, 2)
        if p.S[p.RUNNING]:
            p.S[p.TOTAL] = p.S[p.READ]
        count = min(payload[6], words.READ_MOST, p.S[p.TOTAL] - first & 0x3FFFFFFF)
        fast_scan.take(self.reply, 13, first, count)
        total = p.S[p.TOTAL]
        if p.S[p.RUNNING]:
            fast_scan.fresh()  # what was written meanwhile may stand where we read
            total = p.S[p.READ] + p.S[p.N] & 0x3FFFFFFF
        end = self._put(self._put(4, first), total)
        self.reply[end] = count
        return 13 + 8 * count

    def counters(self, payload, _length):
        """All that is known of a motor."""
        if payload[2] >= p.MOTORS:
            raise ValueError
        fast_scan.put_words(self.reply, 4, p.M, payload[2] * p.MOTOR_WORDS, p.MOTOR_WORDS)
        return 4 + 4 * p.MOTOR_WORDS

    def set(self, payload, _length):
        """A pin."""
        self.pins.set(payload[2], payload[3], u16(payload, 4))
        self.capture.driven = self.pins.driven
        return 4

    def clock(self, _payload, _length):
        """What its own clock says."""
        fast_scan.look_at_clock()
        fast_scan.put_words(self.reply, 4, p.S, p.CLOCK, 2)
        return 12

    def levels(self, _payload, _length):
        """All pins as they are now."""
        return self._put(4, mem32[LEVELS])

    def loop(self, payload, _length):
        """Bursts on a pin, for another one to hear."""
        self.pins.bursts(payload[2], payload[3])
        self.capture.driven = self.pins.driven
        return 4

    def gaps(self, _payload, _length):
        """Silences in which the count wrapped."""
        count = p.S[p.GAP]
        self.reply[4] = count
        fast_scan.put_words(self.reply, 5, p.G, 0, 2 * count)
        return 5 + 8 * count


ANSWERS = {
    words.IDENTIFY: Probe.identify,
    words.START: Probe.start,
    words.STOP: Probe.stop,
    words.READ: Probe.read,
    words.COUNTERS: Probe.counters,
    words.SET: Probe.set,
    words.CLOCK: Probe.clock,
    words.GAPS: Probe.gaps,
    words.LEVELS: Probe.levels,
    words.LOOP: Probe.loop,
    words.STATUS: Probe.status,
}
