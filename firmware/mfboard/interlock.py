"""What an input that became active does; of a door or a float switch as the machine file says.

rule "hold": the outputs in `off` are off at once and stay so, and the machine comes to rest on its
path. rule "fault": motors stop at once. Nothing starts while a door with a rule is open. Nothing of
it allocates; an input that guards a run (homing, touching off) is left to its guard.
"""

from mfboard import faults
from mfwire import session as s

ALL = 0xFFFF


class Interlock:
    """The board calls `look` when levels may have changed."""

    def __init__(self, board):
        self.board = board
        self.configure([])

    def configure(self, items):
        """Another configuration: its inputs."""
        self.rules = 0  # mask of inputs that have a rule
        self.doors = 0  # those of them that are doors
        self.items = items
        for i in range(len(items)):
            if "rule" in items[i]:
                self.rules |= 1 << i
                if items[i]["role"] == "door":
                    self.doors |= 1 << i

    def closed(self):
        """No door with a rule is open: something may start. A head that lost its float must be
        moved off what it met.
        """
        return not self.doors & self.board.inputs.levels()

    def look(self):
        """Do what inputs that became active ask for; keep off what active ones forbid."""
        b = self.board
        mask = b.inputs.tripped
        if mask:
            b.inputs.tripped = 0
            b.changed = True
            i = 0
            while mask:
                if mask & 1:
                    self._tripped(i)
                mask >>= 1
                i += 1
        if self.rules:
            b.outputs.lock(self._forbidden())

    def _forbidden(self):
        locked = 0
        levels = self.rules & self.board.inputs.levels()
        i = 0
        while levels:
            if levels & 1:
                locked |= self.items[i]["off"]
            levels >>= 1
            i += 1
        return locked

    def _tripped(self, i):
        b = self.board
        role = self.items[i]["role"]
        if role == "estop":
            b.trip(faults.ESTOP, i)
        elif self._guards(i):
            b.player.ask_hold(s.WHY_GUARD)
        elif role == "limit" and b.state in s.MOVES and not b.port.engine.guards:
            b.trip(faults.LIMIT, i)
        elif self.rules >> i & 1:
            self._by_rule(i, role == "door")
        elif role == "door" and b.state in s.MOVES:
            b.trip(faults.DOOR, i)

    def _guards(self, i):
        for guard, _mask in self.board.port.engine.guards:
            if guard == i:
                return True
        return False

    def _by_rule(self, i, door):
        b = self.board
        item = self.items[i]
        b.port.hush(ALL ^ item["off"])
        b.outputs.lock(self._forbidden())
        if b.state == s.RETREATING or item["rule"] == "fault" and b.state in s.MOVES:
            b.trip(faults.DOOR if door else faults.FLOAT, i)
            return
        why = s.WHY_DOOR if door else s.WHY_FLOAT
        if b.state == s.STRIKING:
            b.torch.end(why)
        elif b.state in s.PLAYS:
            b.player.ask_hold(why)
