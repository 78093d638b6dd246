"""The board: bytes in, frames out, and in between the player, inputs, outputs, heaters and doubts.

It never looks at a pin or a clock itself: the port does (docs/port.md). Any doubt ends in `trip`:
motors stopped, heat off, the fault latched and told.
"""

from mfboard import faults, parts, window
from mfboard.answers import Answers
from mfboard.handle import Handler
from mfboard.heat import Heat
from mfboard.heaters import Heater
from mfboard.height_state import TARGET
from mfboard.inputs import Inputs
from mfboard.interlock import Interlock
from mfboard.outputs import KEEP, Outputs
from mfboard.player import ON_TAIL, STOPPED, Player, since, sooner
from mfboard.torch import Torch
from mfboard.upkeep import Upkeep
from mfwire import session as s
from mfwire.crc import Crc
from mfwire.frames import Decoder, encode_into
from mfwire.messages import MASK30

SLOTS = 8
SLOT_BYTES = 8192
HORIZON_US = 310_000  # 250 ms and a window
STATUS_US = 50_000
RETREAT_BYTES = 4096


class Board:
    """A board on a port, with memory for windows (SLOTS * SLOT_BYTES, or fewer slots)."""

    def __init__(self, port, decoder=None, crc=None, running=None, encode=encode_into, memory=None):
        self.port = port
        self.decoder = decoder or Decoder()
        self.hash = running or Crc()  # of the bodies of all committed windows
        self.receiver = s.Receiver()
        self.answers = Answers(self, crc or Crc(), encode)
        self.handler = Handler(self)
        self.upkeep = Upkeep(self)
        memory = memory or bytearray(SLOTS * SLOT_BYTES)
        self.player = Player(port, memory, len(memory) // SLOT_BYTES, SLOT_BYTES, HORIZON_US)
        self.intake = None  # a shorter way for pieces of windows
        self.config = None
        self.config_text = b""  # what it was read from
        self.config_bytes, self.config_got = self.player.memory[0], 0  # nothing is played then
        self.retreat = bytearray(RETREAT_BYTES)
        self.retreat_got = self.retreat_length = 0
        self.left = False  # by the host, while motors still move
        self.retreated = False  # since the last start
        self.inputs = Inputs([])
        self.outputs = Outputs([], port)
        self.heaters = []
        self.heat = Heat(self)
        self.torch = Torch(self)
        self.interlock = Interlock(self)
        self.contactor = self.idle = None
        self.height_motor = -1
        self.drivers = parts.drivers(self)
        self.by_card = False  # a job plays without a host
        self.card = parts.card(self)
        self.state = s.IDLE
        self.why = s.WHY_NONE
        self.fault = faults.NONE
        self.detail = 0
        self.trusted = False
        self.known = 0  # motors whose position the host has set
        self.committed = 0  # windows since the configuration, modulo 2^30
        self.lease_us = 250_000
        self.heard_us = port.us()
        self.status_us = port.us()
        self.changed = False
        port.board = self

    # ---- bytes in

    def receive(self, data, length):
        """Bytes from the host, in pieces of any size. True: more than pieces of windows."""
        at, acted = 0, False
        decoder = self.decoder
        while at < length:
            at = decoder.feed(data, at, length)
            if decoder.length and not (self.intake and self.intake.takes()):
                self._message(decoder.payload, decoder.length)
                acted = True
        if self.receiver.heard:
            self.receiver.heard = False
            self.heard_us = self.port.us()
        if self.receiver.nak:
            self.receiver.nak = False
            self.answers.nak()
        if self.receiver.ack:
            self.receiver.ack = False
            self.answers.ack()
        return acted

    def _message(self, payload, length):
        kind = self.receiver.receive(payload, length)
        if kind:
            self.handler.take(kind, payload, length)

    def welcome(self, connect):
        """Somebody connects: a host's run is brought to rest first, on its path."""
        if self.state == s.RUNNING and not self.by_card:
            self.player.ask_hold(s.WHY_LINK)
            self.hush("lost")
        elif self.state == s.STRIKING and not self.by_card:
            self.torch.end(s.WHY_LINK)
        self.receiver.begin(connect)
        self.heard_us = self.port.us()

    def configure(self, length):
        """The configuration is whole. An empty text, or what is wrong with it."""
        if parts.same(self.config_text, self.config_bytes, length):
            if self.state == s.IDLE and not (self.drivers and self.drivers.busy()):
                self.state = s.READY
            return ""
        found = parts.read(self, length)
        if isinstance(found, str):
            return found
        self.port.unload(("config",))  # it is long, and seldom asked
        text, config = found
        wrong = parts.fetch(self, config)
        if wrong:
            return wrong
        if self.card:
            text = self.card.shared(text)
        self.config = config
        self.config_text = text
        self.port.configure(config)
        self.inputs = Inputs(config["inputs"])
        self.outputs = Outputs(config["outputs"], self.port)
        self.heaters = [Heater(item) for item in config["heaters"]]
        self.lease_us = config["lease_ms"] * 1000
        self.player.motors = len(config["motors"])
        self.player.outputs = len(config["outputs"]) + len(config["heaters"])
        self.height_motor = -1
        if config["height"]:
            self.player.outputs += 2
            self.height_motor = config["height"]["motor"]
        self.torch.forget(config["arc"])
        self.interlock.configure(config["inputs"])
        self.player.forget(0)
        self.retreat_length = 0
        self.known = 0
        self.trusted = False
        self.committed = 0
        self.hash.reset()
        self.outputs.off()
        now = self.port.us()
        for i in range(len(config["inputs"])):
            self.inputs.change(i, self.port.level(i), now)
        self.heat.configure(now)
        self.contactor = parts.contactor(self)
        self.idle = parts.idle(self)
        self.state = s.READY
        if self.drivers:
            self.drivers.configure(config)
        return ""

    # ---- time

    def due_us(self):
        """Until `turn` has something to do; -1: nothing at all."""
        now = self.port.us()
        due = sooner(sooner(-1, self.player.due_us(now)), self.upkeep.due_us(now))
        due = sooner(sooner(due, self.inputs.due_us(now)), self.torch.due_us(now))
        if self.drivers:
            due = sooner(due, self.drivers.due_us(now))
        if self.contactor:
            due = sooner(due, self.contactor.due_us(now))
        if self.card:
            due = sooner(due, self.card.due_us(now))
        if self.idle:
            due = sooner(due, self.idle.due_us(now))
        if self.receiver.connect:
            due = sooner(due, STATUS_US - since(now, self.status_us))
            if self._needs_link():
                due = sooner(due, self.lease_us - since(now, self.heard_us))
        return sooner(due, self.heat.due_us(now))

    def turn(self):
        """Everything that is due now."""
        now = self.port.us()
        if self.player.service(now):
            self._played()
        fault = self.port.engine.fault
        if fault:
            self.port.engine.fault = faults.NONE
            self.trip(fault, 0)
        self.inputs.service(now)
        self.interlock.look()
        if self.contactor:
            self.contactor.turn(now)
        self.torch.turn(now)
        if self.drivers:
            self.drivers.turn(now)
        if self.receiver.connect and self._needs_link():
            if since(now, self.heard_us) >= self.lease_us:
                self.lost(s.WHY_LINK)
        self.heat.service(now)
        if self.receiver.connect and (self.changed or since(now, self.status_us) >= STATUS_US):
            self.status_us = now
            self.changed = False
            self.answers.status()
        self.upkeep.service(now)
        if self.card:
            self.card.turn(now)
        if self.idle:
            self.idle.turn(now)

    def begin(self, number):
        """A run begins at this window now."""
        self.player.start(number, self.port.us())
        self.state = s.RUNNING
        self.why = s.WHY_NONE
        self.retreated = False
        self.changed = True

    def _needs_link(self):
        """Something goes on that must not go on without a host."""
        if self.by_card:
            return False
        if self.state in s.PLAYS or self.state == s.RESTED and self.why == s.WHY_LATE:
            return True  # windows stayed away: if the host is gone, the way out is due
        if self.state == s.READY and self.player.committed != self.player.number:
            return True  # a START that comes late, from a host that was gone, must not move it
        if self.heat.wanted():
            return True
        for value in self.outputs.value:
            if value:
                return True
        return False

    def _played(self):
        """The player has come to a branch."""
        self.changed = True
        player = self.player
        if player.mode == STOPPED:
            self._stopped()
        elif player.mode == ON_TAIL and self.state == s.RUNNING:
            self.state = s.TAIL
            self.why = player.why
            if self.card:
                self.card.stopping()
            if player.why != s.WHY_GUARD:
                self.outputs.hold()

    def _stopped(self):
        player = self.player
        if self.state == s.RETREATING:
            self.state = s.RESTED
        else:
            self.why = player.why
            self.state = s.DONE if player.why in s.ENDS else s.RESTED
            if self.state == s.RESTED and self.why == s.WHY_LINK:
                self._retreat()
        if self.state != s.RETREATING:
            self.leave()

    def leave(self):
        """The host is gone and the way out has ended: a spindle that was kept for it stops."""
        if self.left:
            self.left = False
            self.outputs.leave()

    def _retreat(self):
        """After a lost link, once: the host's moves for this; none where they leave the travel."""
        if not self.retreat_length or not self.trusted or self.retreated:
            return
        self.retreated = True
        if window.keeps_travel(self.retreat, self.config["motors"], self.port.engine):
            self.player.play_alone(self.retreat, self.port.us())
            self.state = s.RETREATING

    # ---- the world

    def timed_output(self, number, value):
        """An output of a window has its tick now."""
        if self.state != s.RUNNING or self._left_alone(number):
            return
        self.set_output(number, value)

    def hush(self, event):
        """Of the outputs only those that keep their value at this event go on with the windows."""
        mask = 0
        i = 0
        while i < len(self.outputs.items):
            if self.outputs.items[i][event] == KEEP:
                mask |= 1 << i
            i += 1
        self.port.hush(mask)

    def _left_alone(self, number):
        """No window switches what a lost link or arc has switched, nor any heat."""
        why = self.player.hold
        if why != s.WHY_LINK and why != s.WHY_BYE and why != s.WHY_ARC:
            return False
        items = self.outputs.items
        event = "hold" if why == s.WHY_ARC else "lost"
        return number >= len(items) or items[number][event] != KEEP

    def set_output(self, number, value):
        """An output, or a heater's target in 0.1 C."""
        if number < len(self.outputs.value):
            self.outputs.set(number, value)
            return
        i = number - len(self.outputs.value)
        if i >= len(self.heaters):
            self.port.steer(TARGET + i - len(self.heaters), value)
        else:
            self.heat.to(i, value)

    def input_changed(self, i, level):
        """A pin of an input has changed."""
        self.inputs.change(i, level, self.port.us())
        self.interlock.look()

    # ---- the end of things

    def lost(self, why):
        """The host is gone: dangerous outputs off at once, the path to rest, heat as granted."""
        self.receiver.begin(0)
        self.changed = True
        if self.by_card:
            return  # its job needs no host
        if self.state == s.STRIKING:
            self.torch.end(why)
        self.hush("lost")
        self.outputs.lost()
        self.left = True
        if self.state in s.PLAYS:
            self.player.ask_hold(why)
            if self.player.mode == ON_TAIL and why == s.WHY_LINK:
                self.player.why = why
        elif self.state == s.RESTED and why == s.WHY_LINK:
            self.why = why
            self._retreat()
        if self.state not in s.MOVES:
            self.leave()
        self.heat.lost(why)

    def trip(self, fault, detail):
        """A doubt: motors stop, heat off, told until it is cleared."""
        moving = self.player.mode != STOPPED
        self.port.hush(0)
        if moving:
            self.player.abort()
            self.trusted = False
        self.outputs.fault()
        self.leave()
        self.heat.cool()
        if self.fault == faults.NONE:
            self.fault = fault
            self.detail = detail
            self.why = s.WHY_FAULT
        self.state = s.FAULT
        self.changed = True

    def stop_now(self):
        """ABORT of the host."""
        if self.state == s.STRIKING:
            self.torch.end(s.WHY_ABORT)
        if self.player.mode != STOPPED:
            self.port.hush(0)
            self.player.abort()
            self.trusted = False
            self.outputs.hold()
            self.leave()
            self.state = s.ABORTED
            self.why = s.WHY_ABORT
            self.changed = True

    def add_hash(self, first, last):
        """Windows first to last (not included) have been committed."""
        k = first
        while k != last:
            length = self.player.length[k % self.player.slots]
            self.hash.feed(self.player.slot(k), 0, length)
            self.committed = (self.committed + 1) & MASK30
            k = (k + 1) & MASK30
