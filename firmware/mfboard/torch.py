"""The torch's arc: waited for before the path begins, and missed when it goes out.

A window with the flag ARC begins a run only when the source says that there is an arc. The torch
is switched on for it here, so that nothing of the host's time lies between torch, arc and path.
"""

from mfboard import height_state as w
from mfboard import window
from mfboard.player import since
from mfwire import session as s
from mfwire.messages import u16


class Torch:
    """The board calls `turn` and `due_us`; START asks `begins`."""

    def __init__(self, board):
        self.board = board
        self.forget(None)

    def forget(self, arc):
        """Another configuration: its `arc`, None without one."""
        self.arc = arc
        self.input = arc["input"] if arc else 0
        self.output = arc["torch"] if arc else 0
        self.wait_us = arc["wait_ms"] * 1000 if arc else 0
        self.lost_us = arc["lost_ms"] * 1000 if arc else 0
        self.number = 0  # of the window that waits
        self.since_us = 0  # when the torch went on, or the arc out
        self.burning = False  # there was an arc since the torch went on

    def burns(self):
        """The source says that there is an arc."""
        return self.board.inputs.active[self.input] == 1

    def strikes(self, number, now):
        """A START: whether the arc is waited for first. Then the torch is on."""
        b = self.board
        if self.arc is None or not u16(b.player.slot(number), 26) & window.ARC:
            return False
        b.set_output(self.output, 65535)
        self.number = number
        self.since_us = now
        b.state = s.STRIKING
        b.why = s.WHY_NONE
        b.changed = True
        return True

    def end(self, why):
        """It is not waited for any more: nothing has moved, and nothing is committed."""
        b = self.board
        b.outputs.hold()
        b.set_output(self.output, 0)
        b.player.forget(b.player.number)
        b.state = s.READY
        b.why = why
        b.changed = True

    def due_us(self, now):
        """Until `turn` has something to do; -1: nothing."""
        if self.arc is None:
            return -1
        if self.board.state == s.STRIKING:
            left = self.wait_us - since(now, self.since_us)
            return 0 if left < 0 or self.burns() else left
        if self.burning and not self.burns():
            left = self.lost_us - since(now, self.since_us)
            return left if left > 0 else 0
        return -1

    def turn(self, now):
        """Look at the arc."""
        if self.arc is None:
            return
        b = self.board
        burns = self.burns()
        b.port.engine.steer(w.ARC, 1 if burns else 0)
        if b.state == s.STRIKING:
            if burns:
                b.begin(self.number)
            elif since(now, self.since_us) >= self.wait_us:
                self.end(s.WHY_ARC)
        elif not b.outputs.value[self.output] or b.state != s.RUNNING:
            self.burning = False
            return
        if burns:
            self.burning = True
            self.since_us = now
        elif self.burning and since(now, self.since_us) >= self.lost_us:
            self.burning = False
            b.outputs.hold()
            b.set_output(self.output, 0)
            b.hush("hold")
            b.player.ask_hold(s.WHY_ARC)
            b.changed = True
