"""All heaters of a board: their turns, their targets, and what becomes of them without a host."""

from mfwire import session as s


class Heat:
    """The board calls these; each heater itself is in mfboard.heaters."""

    def __init__(self, board):
        self.board = board

    def turn(self):
        """Read every sensor, regulate, and look for what is wrong."""
        b = self.board
        i = 0
        while i < len(b.heaters):
            heater = b.heaters[i]
            fault = heater.turn(b.port.adc(i))
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
