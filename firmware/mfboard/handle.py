"""Messages of the host: checked against the state table and their bounds, then done or refused."""

from mfboard import faults, window
from mfwire import session as s
from mfwire.messages import NUMBER, s30, u16, u30

_CONFIG = NUMBER["CONFIG"]
_WINDOW = NUMBER["WINDOW"]
_COMMIT = NUMBER["COMMIT"]
_START = NUMBER["START"]
_HOLD = NUMBER["HOLD"]
_RESET = NUMBER["RESET"]
_OUTPUT = NUMBER["OUTPUT"]
_STANDBY = NUMBER["STANDBY"]
_RETREAT = NUMBER["RETREAT"]
_GUARD = NUMBER["GUARD"]
_ENABLE = NUMBER["ENABLE"]
_POSITION = NUMBER["POSITION"]
_CLEAR = NUMBER["CLEAR"]
_BYE = NUMBER["BYE"]
_MAINTAIN = NUMBER["MAINTAIN"]
_CARD = NUMBER["CARD"]
_BESIDE = (_HOLD, _BYE, _CARD)  # what a host may say while a job plays from a card


class Handler:
    """Does what messages ask."""

    def __init__(self, board):
        self.board = board

    def take(self, kind, p, length):
        """A payload that the session has let through."""
        b = self.board
        if kind == 7:
            b.stop_now()
        elif kind == 1:
            self._hello(p)
        elif kind == 16:
            b.answers.status()
        elif kind == 9:
            pass  # the lease is renewed by any frame
        else:
            reason = s.OK
            if b.by_card and kind not in _BESIDE:
                reason = s.BY_CARD
            else:
                reason = self.judge(kind, p, length)
            if reason:
                b.answers.refused(u16(p, 2), reason, kind)

    def judge(self, kind, p, length):
        """Do it, from the wire or from a card alike. A reason of REFUSED, or OK."""
        if not s.allowed(kind, self.board.state):
            return s.BAD_STATE
        return self._sequenced(kind, p, length)

    def _hello(self, p):
        b = self.board
        nonce = u30(p, 14)
        if nonce < 0:
            return
        b.welcome(b.port.draw())
        b.answers.welcome(nonce)
        b.changed = True

    def _sequenced(self, kind, p, length):
        b = self.board
        if kind == _WINDOW:
            return b.player.fragment(p, length)
        if kind == _COMMIT:
            return self._commit(u30(p, 8))
        if kind == _START:
            return self._start(u30(p, 8))
        if kind == _HOLD:
            if b.state == s.STRIKING:
                b.torch.end(s.WHY_HOLD)
            else:
                b.player.ask_hold(s.WHY_HOLD)
            return s.OK
        if kind == _OUTPUT:
            return self._output(u16(p, 8), u16(p, 10))
        return self._seldom(kind, p, length)

    def _seldom(self, kind, p, length):
        b = self.board
        if kind == _CONFIG:
            return self._config(u16(p, 8), u16(p, 10), p, 12, length)
        if kind == _RETREAT:
            return self._retreat(u16(p, 8), u16(p, 10), p, 12, length)
        if kind == _RESET:
            if u30(p, 8) < 0:
                return s.BAD_VALUE
            b.player.forget(u30(p, 8))
            b.port.engine.unguard()
            b.state = s.READY
            b.why = s.WHY_NONE
            b.changed = True
            return s.OK
        if kind == _STANDBY:
            return self._standby(u16(p, 8), u16(p, 10), u16(p, 12))
        if kind == _GUARD:
            return self._guard(u16(p, 8), u16(p, 10))
        if kind == _ENABLE:
            if u16(p, 8) and not self._powered():
                return s.NO_POWER
            b.port.enable(u16(p, 8))
            if u16(p, 8) == 0:
                b.trusted = False
                b.known = 0
            return s.OK
        if kind == _POSITION:
            return self._position(u16(p, 8), s30(p, 10))
        if kind == _CLEAR:
            return self._clear()
        if kind == _BYE:
            b.lost(s.WHY_BYE)
            if not b.by_card:
                b.heat.cool()
            return s.OK
        if kind == _MAINTAIN:
            return b.upkeep.leave()
        if kind == _CARD:
            return b.card.ask(u16(p, 8), p, length) if b.card else s.NO_CARD
        return s.BAD_STATE

    def _commit(self, number):
        b = self.board
        first = b.player.committed
        reason = b.player.commit(number, b.port.us())
        if reason == s.OK:
            b.add_hash(first, b.player.committed)
        return reason

    def _start(self, number):
        b = self.board
        if b.config is None:
            return s.NOT_CONFIGURED
        if not self._powered():
            return s.NO_POWER
        if not b.port.enabled:
            return s.NOT_ENABLED
        if not b.interlock.closed():
            return s.LOCKED
        reason = b.player.may_start(number)
        if reason == s.OK and not b.torch.strikes(number, b.port.us()):
            b.begin(number)
        return reason

    def _powered(self):
        """Nothing is switched on that would begin by itself once the contactor closes."""
        return self.board.contactor is None or self.board.contactor.closed()

    def _output(self, number, value):
        b = self.board
        outputs = len(b.outputs.value)
        if number >= b.player.outputs:
            return s.UNKNOWN_ID
        heater = number - outputs
        if 0 <= heater < len(b.heaters) and value > b.heaters[heater].max_dc:
            return s.BAD_VALUE
        if b.outputs.locked >> number & 1 and value:
            return s.LOCKED
        if value and not self._powered():
            return s.NO_POWER
        b.set_output(number, value)
        b.changed = True
        return s.OK

    def _config(self, offset, total, p, begin, end):
        b = self.board
        count = end - begin
        if offset == 0:
            b.config_got = 0
            b.player.forget(b.player.number)
        if offset != b.config_got:
            return s.BAD_ORDER
        if total > len(b.config_bytes) or offset + count > total or count == 0:
            return s.BAD_BOUNDS
        b.port.copy(b.config_bytes, offset, p, begin, end)
        offset += count
        b.config_got = offset
        if offset == total:
            b.config_got = 0
            wrong = b.configure(total)
            if wrong or not (b.drivers and b.drivers.answers()):
                b.answers.configured(wrong)
            if not wrong and not (b.card and b.card.speaks):
                b.upkeep.configured(b.port.us())
            b.changed = True
        return s.OK

    def _retreat(self, offset, total, p, begin, end):
        b = self.board
        count = end - begin
        if offset == 0:
            b.retreat_got = 0
            b.retreat_length = 0
            if total == 0:
                return s.OK
        if offset != b.retreat_got:
            return s.BAD_ORDER
        if total > len(b.retreat) or offset + count > total or count == 0:
            return s.BAD_BOUNDS
        b.port.copy(b.retreat, offset, p, begin, end)
        offset += count
        b.retreat_got = offset
        if offset == total:
            if not window.sound(b.retreat, total, b.player.motors, b.player.outputs):
                return s.BAD_BOUNDS
            if not u16(b.retreat, 26) & window.LAST:
                return s.BAD_BOUNDS
            b.retreat_length = total
        return s.OK

    def _standby(self, heater, max_dc, seconds):
        b = self.board
        if heater >= len(b.heaters):
            return s.UNKNOWN_ID
        if max_dc > b.heaters[heater].max_dc:
            return s.BAD_VALUE
        b.heaters[heater].standby_dc = max_dc
        b.heaters[heater].standby_s = seconds
        return s.OK

    def _guard(self, i, mask):
        b = self.board
        if i >= len(b.inputs.active) or mask >> b.player.motors:
            return s.UNKNOWN_ID
        return s.OK if b.port.engine.guard(i, mask) else s.BAD_BOUNDS

    def _position(self, motor, steps):
        b = self.board
        if motor >= b.player.motors:
            return s.UNKNOWN_ID
        if steps == -0x20000000:
            return s.BAD_VALUE
        b.port.engine.set_position(motor, steps)
        b.known |= 1 << motor
        b.trusted = b.known == (1 << b.player.motors) - 1
        b.changed = True
        return s.OK

    def _clear(self):
        b = self.board
        if b.state == s.FAULT:
            levels = b.inputs.levels()
            i = 0
            while levels >> i:
                if levels >> i & 1 and b.config["inputs"][i]["role"] == "estop":
                    return s.BAD_STATE
                i += 1
            if b.contactor:
                if b.contactor.welded():
                    return s.BAD_STATE
                b.contactor.cleared()
            b.fault = faults.NONE
            b.detail = 0
            b.state = s.FAULT if b.drivers and b.drivers.begin() else s.ABORTED
            b.changed = True
        return s.OK
