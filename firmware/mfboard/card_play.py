"""The course of a job from a card, as generators that yield how long they have nothing to do (us).

Check, configure, home, then section by section; how a stop is held, and how it goes on.
"""

from mfboard import card_journal as j
from mfboard.card_feed import LOOK_US
from mfboard.card_file import JOB, KEPT, CardError, CardFile, Ring, Windows, pins_free, same
from mfboard.card_home import Home
from mfwire import card as c
from mfwire import session as s
from mfwire.messages import put16, put32

WAIT_US = 100_000
HOLD_S = 600  # a held job keeps its outputs so long
BAND_MC = 1000  # below its target a heater counts as warm
NOTE_S = 1  # between two places in the journal
SLOW_MOST = 50  # stops by a slow card after which it goes on by itself
ROOM = 100  # records that a job must find free


def play(card):
    """A whole job. CardError, OSError: it has ended, in words."""
    run = Run(card)
    try:
        yield run.check()
        yield run.ready()
        yield run.sections()
        run.note(j.END)
    except CardError:
        run.last_words(j.REST if card.board.trusted else j.FAULT)
        raise
    finally:
        run.close()


class Run:
    """One job being played."""

    def __init__(self, card):
        self.card = card
        self.board = card.board
        self.feed = card.feed
        self.store = card.store
        self.file = None
        self.journal = None
        self.home = Home(card)
        self.way = None  # back into the job, after a stop
        self.ring = Ring()
        self.next_at = 0  # where the windows of the next stretch begin
        self.noted_s = 0
        self.gone = False  # the card could not be read
        self.slow = 0

    def close(self):
        """The card is not needed any more."""
        if self.journal:
            self.journal.close()
        self.store.release()

    # ---- before anything moves

    def check(self):
        """Card, file, hashes, proof, whose it is, homing moves, journal."""
        card = self.card
        self.store.mount()
        if not card.configured():
            self.feed.config(card.bound_config)
            while self.board.drivers and self.board.drivers.busy():
                yield LOOK_US
        pins_free(self.board)
        self.file = yield self._checked()
        card.windows = self.file.windows
        self.next_at = self.file.body_at
        yield self.home.check()
        self._open_journal()
        self.journal.bytes(j.BEGIN, self.file.digest)
        self.journal.bytes(j.FILE, card.name.encode())

    def _checked(self):
        card = self.card
        file = CardFile(self.store, card.name, JOB, self.board.player.motors)
        yield file.check()
        same(card, file)
        verdict = file.header.facts.get("proof.verdict")
        if verdict != "PASS":
            raise CardError(
                card.name + ": its proof says " + str(verdict) + " and not PASS; nothing moved"
            )
        return file

    def _open_journal(self):
        self.journal = j.Journal(self.store)
        if self.journal.left() < ROOM:
            raise CardError(
                "the journal on the card is full; nothing moved; read it with `microfactory card "
                "journal`, then write the job onto the card anew"
            )
        if self.journal.last() not in (0, j.REST, j.END, j.FAULT, j.POWER):
            self.journal.bytes(j.POWER, b"")  # the job before this one was cut off

    def ready(self):
        """Drivers on, what heat may be kept for, and everything homed."""
        card, board, feed = self.card, self.board, self.feed
        while board.contactor and board.contactor.settling(board.port.us()):
            yield LOOK_US
        card.state = c.PLAYING
        card.changed = True
        trusted = board.trusted
        feed.number("RESET", 0)
        put16(feed.p, 8, (1 << board.player.motors) - 1)
        feed.say("ENABLE", 10)
        for i, (most, seconds) in enumerate(card.bound["standby"]):
            put16(feed.p, 8, i)
            put16(feed.p, 10, most)
            put16(feed.p, 12, seconds)
            feed.say("STANDBY", 14)
        if not (trusted and card.flags & c.TRUST):
            yield self._home(None)

    def _home(self, axes):
        """These axes, None: all; axes without a switch count from here when all were homed."""
        yield self.home.axes(axes)
        self.feed.number("RESET", 0)
        if axes is None:
            for motor in self.card.bound["zero"]:
                put16(self.feed.p, 8, motor)
                put32(self.feed.p, 10, 0)
                self.feed.say("POSITION", 14)

    # ---- sections

    def sections(self):
        """All of them in turn."""
        card = self.card
        at = self.file.rows_at()
        for _ in range(self.file.header.sections):
            row = None
            while row is None:
                try:
                    row, at = self.file.row(at)
                except OSError:
                    self.gone = True
                    yield self._pause(c.GONE, "the card cannot be read; it stands")
            card.line = row["line"] or card.line
            kind = row["kind"]
            if kind == "motion":
                yield self._motion(row["windows"])
            elif kind == "home":
                yield self._home(row["axes"])
            elif kind == "wait":
                yield self._warm(row["heater"], int(row["target_c"] * 1000))
            elif kind == "pause":
                yield self._pause(c.PAUSE, "the program waits for an operator")
            if card.wants_hold:
                yield self._pause(c.HOLD, "held between two motions")
            self.note(j.SECTION)

    def _pause(self, why, words):
        self.card.save()
        yield self._held(why, words)
        yield self._restore(())

    def _warm(self, heater, target_mc):
        """Until a heater is at its target."""
        while self.board.heaters[heater].now_mc < target_mc - BAND_MC:
            if self.card.wants_hold:
                yield self._pause(c.HOLD, "held while it heats")
            yield WAIT_US

    def _motion(self, count):
        """A stretch, with as many stops as it takes."""
        card, board = self.card, self.board
        done = card.played
        rests = -1  # where the marks of the window are on whose tail it rests
        behind = count
        while True:
            ended = yield self._stretch(rests, behind, done + count)
            if ended:
                card.played = done + count
                return
            if self.feed.began and board.state not in (s.RESTED, s.READY):
                raise CardError(
                    "the board stopped at once; the position is not trusted; look at "
                    "`microfactory status`, clear the fault and home"
                )
            if self.feed.began and board.state == s.RESTED:
                k = board.player.number % KEPT
                card.line = self.ring.line[k]
                rests, behind = self.ring.at[k], self.ring.left[k]
            yield self._stopped()

    def _stretch(self, rests, left, end):
        """From the beginning of the stretch or from a rest, until the machine stands.

        True: it has ended by itself. False: it has stopped, or could not begin.
        """
        board, store, motors = self.board, self.store, self.board.player.motors
        name = self.card.name
        joined, opened = None, []
        self.feed.began = False
        try:
            if rests < 0:
                yield self._restore(())
                windows = Windows(store, name, self.next_at, left, motors, self.ring)
            else:
                self.way = way = yield self._bridged(name, rests, left)
                yield self._restore(way.changes)
                windows = way.windows(self.ring)
                joined = lambda: opened.append(way.rest(self.ring)) or opened[-1]  # noqa: E731
                if not way.left:
                    joined = None
            opened.append(windows)
            for wait in self.feed.run(windows, joined=joined):
                self._tick(end)
                yield wait
        except OSError:
            self.gone = True
            while board.state in s.PLAYS or board.state == s.STRIKING:
                yield LOOK_US
        finally:
            for windows in opened:
                try:
                    windows.reader.close()
                except OSError:
                    self.gone = True
        if self.feed.began and board.state == s.DONE and board.why != s.WHY_GUARD:
            self.next_at = self.way.at if windows.bridge else windows.reader.tell()
            return True
        return False

    def _bridged(self, name, at, left):
        """The way back; its program is in memory only while it is made. Generator."""
        port = self.board.port
        self.way = None
        try:
            from mfboard import card_words

            yield 0
            from mfboard import card_bridge

            yield 0
            way = yield card_bridge.Bridge(self.card).make(name, at, left)
            del card_words, card_bridge
            return way
        finally:
            port.unload(("card_bridge", "card_warp", "card_words"))

    def _tick(self, end):
        """While it moves: how far it is, and once a second a line in the journal."""
        card = self.card
        number = self.board.player.number
        card.window = number
        if not self.feed.began:
            return
        k = number % KEPT
        card.line = self.ring.line[k]
        card.played = end - self.ring.left[k] - 1
        if card.s - self.noted_s >= NOTE_S:
            card.changed = True
            self.note(j.AT)

    # ---- stops

    def _stopped(self):
        """Held until somebody goes on; by itself after a card that was only slow."""
        card, board = self.card, self.board
        card.save()
        where = " in line " + str(card.line)
        late = board.state == s.RESTED and board.why == s.WHY_LATE
        if late and not self.gone and not card.wants_hold and self.slow < SLOW_MOST:
            self.slow += 1
            self.note(j.REST)
            return
        if self.gone:
            yield self._held(c.GONE, "the card cannot be read; stopped on the path" + where)
        elif late and not card.wants_hold:
            yield self._held(c.LATE, "the card is too slow; stopped on the path" + where)
        elif board.why == s.WHY_ARC:
            yield self._held(c.ARC, "there is no arc; the torch is off" + where)
        else:
            yield self._held(c.HOLD, "held on the path" + where)

    def _held(self, why, words):
        """Heat falls to its standby; until somebody goes on. CardError: it is ended."""
        card, board = self.card, self.board
        board.heat.lost(s.WHY_LINK)
        if why == c.GONE or why == c.LATE:
            board.outputs.lost()
        self.note(j.REST)
        card.state = c.HELD
        card.why = why
        card.words = words
        card.wants_hold = False
        card.changed = True
        begin = card.s
        left = False
        while True:
            if card.wants_stop:
                raise CardError("ended by hand, " + words)
            if card.wants_go:
                card.wants_go = False
                if (yield self._again()):
                    break
            if card.s - begin >= HOLD_S and not left:
                left = True
                board.outputs.lost()
                board.outputs.leave()
            if not self.gone and not self.store.present():
                self.gone = True
            yield WAIT_US
        card.state = c.PLAYING
        card.why = c.WHY_NONE
        card.words = ""
        card.wants_hold = False
        card.changed = True
        self.note(j.GO)

    def _again(self):
        """A card that was away is checked whole, and must be the same. True: go on."""
        card = self.card
        if not self.gone:
            return True
        try:
            self.store.mount()
            file = yield self._checked()
            if file.digest != self.file.digest:
                card.words = card.name + " on this card is another job; put the first one in"
                card.changed = True
                return False
            self._open_journal()
        except (OSError, CardError) as error:
            card.words = "still held: " + (str(error) or "the card cannot be read")
            card.changed = True
            return False
        self.gone = False
        return True

    def _restore(self, changes):
        """Outputs and heat as they were, and as the path up to here has changed them; then warm.

        A torch comes last; one whose arc is waited for is left to START.
        """
        card, board = self.card, self.board
        if card.saved is None:
            return
        outputs, heat = card.saved
        card.saved = None
        values = outputs + heat
        for number, value in changes:
            if number < len(values):
                values[number] = value
        late = card.bound["late"]
        for number, value in enumerate(values):
            if number not in late:
                self._output(number, value)
        most = 0
        for number, ms in enumerate(card.bound["spin_ms"]):
            if values[number] and number not in late:
                most = max(most, ms)
        yield most * 1000
        for i in range(len(heat)):
            target = values[len(outputs) + i] * 100
            if target:
                yield self._warm(i, target)
        for number in late:
            if not board.torch.arc:
                self._output(number, values[number])

    def _output(self, number, value):
        put16(self.feed.p, 8, number)
        put16(self.feed.p, 10, value)
        self.feed.say("OUTPUT", 12)

    # ---- the journal

    def note(self, kind):
        """A line of it. While the card is gone it cannot have one."""
        if self.journal and not self.gone:
            self.noted_s = self.card.s
            self.journal.s = self.card.s
            try:
                self.journal.place(kind, self.card.window, self.card.line, self.board)
            except OSError:
                self.gone = True
                if self.board.state in s.PLAYS:
                    raise

    def last_words(self, kind):
        """The last line, if the card still takes one."""
        try:
            self.note(kind)
        except OSError:
            pass
