"""Drivers on one wire: set and read back before anything moves, then asked for ever.

Each register that is written is counted by the driver (IFCNT), and those that can be read are
compared. One that does not answer, was reset, is hot or short ends in a fault with its motor.
"""

from mfboard import faults
from mfboard import tmc2209 as t
from mfboard.player import since
from mfwire import session as s

OFF, SETTING, READY = range(3)
TRIES = 5
WRITTEN_US = 1500  # a write datagram has passed
REPLY_US = 2500  # a request and its reply have passed, so they are looked for
SILENT_US = 10_000
POLL_US = 20_000  # between two questions, of all drivers in turn
OPEN_TIMES = 5  # in a row, while motors run
_BUFFER = 64


class Drivers:
    """The board calls `configure`, `begin`, `due_us` and `turn`."""

    def __init__(self, board):
        self.board = board
        self.items = []
        self.unanswered = False  # CONFIGURED is still to be said
        self.phase = OFF
        self.address = []
        self.plan = []  # registers of each driver
        self.open = []  # reports of an open coil in a row
        self.warm = 0  # mask: told
        self.error = 0  # of the GSTAT before
        self.out = bytearray(t.WRITE_BYTES)
        self.question = bytearray(t.READ_BYTES)
        self.buffer = bytearray(_BUFFER)
        self.scratch = bytearray(t.REPLY_BYTES)
        self.got = 0
        self.d = 0  # which driver
        self.k = 0  # register of its plan
        self.asked = -1  # register that is waited for, -1: none
        self.writing = False
        self.verify = False  # it is read back
        self.count = -1  # what the driver's IFCNT should be
        self.tries = 0
        self.sent_us = 0

    def configure(self, config):
        """Another configuration: they are set, and until that is done the board is IDLE."""
        self.items = config.get("drivers", ())
        page = self.board.port.page
        motors = config["motors"]
        self.address = [page.DRIVERS[motors[item["motor"]]["at"]] for item in self.items]
        self.plan = [t.settings(item) for item in self.items]
        self.open = [0] * len(self.items)
        self.phase = OFF
        if self.begin():
            self.board.state = s.IDLE

    def busy(self):
        """They are being set: nothing may move yet."""
        return self.phase == SETTING

    def answers(self):
        """True: CONFIGURED is said here, when they have been set."""
        self.unanswered = self.busy()
        return self.unanswered

    def begin(self):
        """Set them all, from the first on. False: there are none."""
        if not self.items:
            return False
        self.phase = SETTING
        self.warm = 0
        self._driver(0)
        return True

    def _driver(self, d):
        self.d = d
        self.k = -1  # first: what does IFCNT say
        self.count = -1
        self.tries = 0
        self.verify = False
        self.asked = -1
        self.writing = False
        self.open[d] = 0

    # ---- time

    def due_us(self, now):
        """Until `turn` has something to do; -1: nothing."""
        if self.phase == OFF:
            return -1
        if self.writing:
            wait = WRITTEN_US
        elif self.asked >= 0:
            wait = REPLY_US if since(now, self.sent_us) < REPLY_US else SILENT_US
        else:
            wait = POLL_US if self.phase == READY else 0
        left = wait - since(now, self.sent_us)
        return left if left > 0 else 0

    def turn(self, now):
        """Look at what has come, ask what is next."""
        if self.phase == OFF or self.due_us(now) > 0:
            return
        if self.writing:
            self.writing = False
            self._ask(t.IFCNT, now)
        elif self.asked < 0:
            self._next(now)
        else:
            self._look(now)

    def _look(self, now):
        self.got += self.board.port.uart_take(self.buffer, self.got)
        at = t.find_reply(self.buffer, self.got, self.asked, self.scratch)
        if at >= 0:
            register = self.asked
            self.asked = -1
            b = self.scratch
            self._answer(register, b[3] << 8 | b[4], b[5] << 8 | b[6], now)
        elif since(now, self.sent_us) >= SILENT_US:
            self.tries += 1
            if self.tries >= TRIES:
                self._fail(faults.DRIVER_SILENT)
            else:
                self._ask(self.asked, now)

    def _next(self, now):
        if self.phase == READY:
            self._ask(t.GSTAT, now)
        elif self.k < 0:
            self._ask(t.IFCNT, now)
        else:
            register, high, low = self.plan[self.d][self.k]
            if self.verify:
                self._ask(register, now)
            else:
                t.put_write(self.out, self.address[self.d], register, high, low)
                self._send(self.out, now)
                self.writing = True

    def _ask(self, register, now):
        t.put_read(self.question, self.address[self.d], register)
        self._send(self.question, now)
        self.asked = register

    def _send(self, data, now):
        port = self.board.port
        while port.uart_take(self.buffer, 0):
            pass  # what is left of before is no answer
        self.got = 0
        self.sent_us = now
        port.uart_send(data)

    # ---- answers

    def _answer(self, register, high, low, now):
        if self.phase == READY:
            self._health(register, low, now)
        elif self.verify:
            _register, high_set, low_set = self.plan[self.d][self.k]
            if high != high_set or low != low_set:
                self._fail(faults.DRIVER_SETTING)
                return
            self._advance(now)
        elif self.k < 0 or low == self.count:
            self.tries = 0
            self.count = low
            self._advance(now)
        else:
            self.tries += 1  # the write was lost on its way
            if self.tries >= TRIES or low != (self.count - 1) & 255:
                self._fail(faults.DRIVER_SETTING)

    def _advance(self, now):
        """The next register; behind the last the next driver; behind that: ready."""
        if self.k >= 0 and not self.verify and self.plan[self.d][self.k][0] in t.READABLE:
            self.verify = True
            return
        self.verify = False
        self.tries = 0
        self.k += 1
        self.count = (self.count + 1) & 255
        if self.k < len(self.plan[self.d]):
            return
        if self.d + 1 < len(self.items):
            self._driver(self.d + 1)
            return
        self._driver(0)
        self.phase = READY
        self.sent_us = now
        self._done()

    def _health(self, register, low, now):
        self.tries = 0
        if register == t.GSTAT:
            if low & t.RESET:
                self._fail(faults.DRIVER_RESET)
            elif low & t.PUMP_LOW:
                self._fail(faults.DRIVER_POWER)
            else:
                self.error = low & t.DRIVER_ERROR
                self._ask(t.DRV_STATUS, now)
            return
        if low & t.SHORT:
            self._fail(faults.DRIVER_SHORT)
        elif low & t.HOT or self.error:  # it has switched itself off
            self._fail(faults.DRIVER_HOT)
        else:
            self._warn(low)
            self.d = (self.d + 1) % len(self.items)

    def _warn(self, low):
        """What does not stop the machine is told once: a warm driver, an open coil."""
        bit = 1 << self.d
        if low & t.WARM and not self.warm & bit:
            self.warm |= bit
            self._tell(": its driver is warm (over 120 C); cool it before it switches off")
        elif not low & t.WARM:
            self.warm &= ~bit
        if not low & t.OPEN or not self.board.port.engine.busy():
            self.open[self.d] = 0
            return
        self.open[self.d] += 1
        if self.open[self.d] == OPEN_TIMES:
            self._tell(": its driver finds a coil open; look at the motor's plug and cable")

    def _tell(self, text):
        motor = self.board.config["motors"][self.items[self.d]["motor"]]
        self.board.answers.log("motor " + motor["name"] + text)

    def _fail(self, fault):
        setting = self.phase == SETTING
        self.phase = OFF
        self.asked = -1
        self.board.trip(fault, self.items[self.d]["motor"])
        if setting:
            self._done()

    def _done(self):
        """All have been set, or one has failed: then there is a fault."""
        b = self.board
        if b.state == s.IDLE:
            b.state = s.READY
        elif b.state == s.FAULT and b.fault == faults.NONE:
            b.state = s.ABORTED
        if self.unanswered:
            self.unanswered = False
            b.answers.configured("")
        b.changed = True
