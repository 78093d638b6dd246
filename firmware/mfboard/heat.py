"""All heaters of a board: their turns, their targets, and what becomes of them without a host."""

from array import array

from mfboard.heaters import TURN_MS
from mfboard.player import HALF30, since, sooner
from mfwire import session as s
from mfwire.messages import MASK30

TURN_US = TURN_MS * 1000


class Heat:
    """The board calls these; each heater itself is in mfboard.heaters."""

    def __init__(self, board):
        self.board = board
        self.turned_us = 0
        self.read_us = array("i")  # when each heater's converter was read
        self.converters = False

    def configure(self, now):
        """Other heaters, from now on."""
        self.turned_us = now
        self.converters = False
        self.read_us = array("i", [now - HALF30 + 1 & MASK30] * len(self.board.heaters))  # at once
        for heater in self.board.heaters:
            self.converters |= heater.converts

    def due_us(self, now):
        """Until `service` has something to do; -1: never."""
        heaters = self.board.heaters
        if not heaters:
            return -1
        left = TURN_US - since(now, self.turned_us)
        due = left if left > 0 else 0
        i = 0
        while self.converters and i < len(heaters):
            if heaters[i].converts:
                left = heaters[i].curve.period_us - since(now, self.read_us[i])
                due = sooner(due, left if left > 0 else 0)
            i += 1
        return due

    def service(self, now):
        """What is due now."""
        if self.converters:
            self._convert(now)
        if self.board.heaters and since(now, self.turned_us) >= TURN_US:
            self.turned_us = now
            self.turn()

    def _convert(self, now):
        """Converters whose time has come. A doubt does not wait for the turn."""
        b = self.board
        i = 0
        while i < len(b.heaters):
            heater = b.heaters[i]
            if heater.converts and since(now, self.read_us[i]) >= heater.curve.period_us:
                self.read_us[i] = now
                if heater.curve.fault(heater.curve.read(b.port, i)):
                    fault = heater.turn(heater.curve.share)
                    b.port.set_heater(i, heater.duty)
                    if fault:
                        b.trip(fault, i)
            i += 1

    def turn(self):
        """Read every sensor, regulate, and look for what is wrong."""
        b = self.board
        i = 0
        while i < len(b.heaters):
            heater = b.heaters[i]
            fault = heater.turn(heater.curve.share if heater.converts else b.port.adc(i))
            b.port.note_temperature(i, heater.now_mc)
            b.port.set_heater(i, heater.duty)
            if fault:
                b.trip(fault, i)
            if heater.standby_over():
                self._off(i)
            i += 1

    def to(self, i, target_dc):
        """A target from the host or from a window; never above max_dc."""
        heater = self.board.heaters[i]
        heater.standby_ms = -1
        heater.set_target(target_dc if target_dc <= heater.max_dc else heater.max_dc)
        if heater.target_dc <= 0:  # at once, and not with the next turn
            heater.duty = 0
            self.board.port.set_heater(i, 0)
        self.board.port.note_target(i, heater.target_dc)

    def cool(self):
        """All heaters off."""
        i = 0
        while i < len(self.board.heaters):
            self._off(i)
            i += 1

    def _off(self, i):
        b = self.board
        heater = b.heaters[i]
        heater.standby_ms = -1
        heater.set_target(0)
        heater.duty = 0
        b.port.set_heater(i, 0)
        b.port.note_target(i, 0)
        b.changed = True

    def standing_by(self):
        """A grant is running for some heater."""
        for heater in self.board.heaters:
            if heater.standby_ms >= 0:
                return True
        return False

    def wanted(self):
        """Some heater has a target."""
        for heater in self.board.heaters:
            if heater.target_dc > 0:
                return True
        return False

    def lost(self, why):
        """The host is gone: heat as granted when the link was lost, else off."""
        port = self.board.port
        i = 0
        while i < len(self.board.heaters):
            heater = self.board.heaters[i]
            if why == s.WHY_LINK:
                heater.stand_by()
                port.note_target(i, heater.target_dc)
                if heater.target_dc <= 0:
                    port.set_heater(i, 0)
            else:
                self._off(i)
            i += 1
