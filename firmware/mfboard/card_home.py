"""Homing without a host: the moves were planned by one, and lie on the card, relative and hashed.

As microfactory.homing does it: off the switch, fast to it, back off, slowly to it again, then from
where it tripped to the homed place. Any count is exact from then on.
"""

from mfboard.card_file import HOMING, CardError, CardFile, Ring, Windows, same
from mfwire import session as s
from mfwire.messages import put16, put32

NAME = "homing.bin"


class Home:
    """Moves of homing.bin, by axis."""

    def __init__(self, card):
        self.card = card
        self.feed = card.feed
        self.board = card.board
        self.file = None
        self.rows = {}  # (axis, part): where its row stands in the file's header
        self.order = []
        self.ring = Ring()

    def check(self):
        """The file, whole; where its rows stand is kept. Generator."""
        card = self.card
        file = CardFile(card.store, NAME, HOMING, self.board.player.motors)
        for _ in file.check():
            yield 0
        same(card, file)
        self.file = file
        self.rows = {}
        order = {}
        at = file.rows_at()
        for _ in range(file.header.sections):
            row, end = file.row(at)
            self.rows[row["axis"], row["part"]] = at
            order[row["order"]] = row["axis"]
            at = end
            yield 0
        self.order = sorted(order.items())

    def _row(self, axis, part):
        return self.file.row(self.rows[axis, part])[0]

    def axes(self, wanted):
        """Home these axes, lifting ones first. Generator."""
        for _order, axis in self.order:
            if wanted is None or axis in wanted:
                yield self.axis(axis)

    def axis(self, axis):
        """One axis. Generator; CardError: its switch does not do what it should."""
        board = self.board
        row = self._row(axis, "fast")
        name, number, mask = row["name"], row["input"], row["mask"]
        if board.inputs.active[number]:
            yield self._move(axis, "off", None)
        yield self._seek(axis, "fast", name, number, mask)
        yield self._move(axis, "off", None)
        if board.inputs.active[number]:
            raise CardError("the switch of " + name + " stays pressed; look at it, then play anew")
        yield self._seek(axis, "slow", name, number, mask)
        past = self._count(row, mask)
        if (axis, "final" + str(past)) not in self.rows:
            raise CardError(
                "homing of " + name + ": the motor went " + str(past) + " steps past its switch; "
                "the machine stands; home it from a host"
            )
        yield self._move(axis, "final" + str(past), None)

    def _seek(self, axis, part, name, number, mask):
        yield self._move(axis, part, (number, mask))
        m = 0
        while m < self.board.player.motors:
            if mask >> m & 1:
                if self.board.port.engine.latched[m] is None:
                    raise CardError(
                        "the switch of " + name + " did not trip; the machine stands; look at the "
                        "switch, its wiring and the motor's direction, then play anew"
                    )
                return
            m += 1

    def _count(self, row, mask):
        """From where the switch tripped, counts are exact. Steps past it, away from the bed's."""
        board = self.board
        engine = board.port.engine
        most = 0
        pasts = []
        m = 0
        while m < board.player.motors:
            if mask >> m & 1:
                past = engine.position(m) - engine.latched[m]
                pasts.append((m, past))
                most = abs(past) if abs(past) > most else most
            m += 1
        self.feed.number("RESET", 0)
        for m, past in pasts:
            put16(self.feed.p, 8, m)
            put32(self.feed.p, 10, row["at_switch"] + past)
            self.feed.say("POSITION", 14)
        return most

    def _move(self, axis, part, guard):
        """One planned move, from where the motors stand. Generator."""
        row = self._row(axis, part)
        board = self.board
        engine = board.port.engine
        count = row["windows"]
        if not count:
            return
        motors = board.player.motors
        windows = Windows(
            self.card.store, NAME, self.file.body_at + row["at"], count, motors, self.ring
        )
        windows.base = [engine.position(m) for m in range(motors)]
        try:
            yield self.feed.run(windows, guard)
        finally:
            windows.reader.close()
        if board.state != s.DONE:
            raise CardError(
                "homing of " + row["name"] + " was stopped; the machine stands; play the job anew"
            )
