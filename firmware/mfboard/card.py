"""A job from a card, without a host: checked whole, played as a host would, held, gone on with.

Nothing here plays a step: windows go as messages to the same handler as those of the wire, so every
check of the board holds (docs/card.md). A card is played only by a board that was told by a host
which machine it is (BIND). Nothing begins by itself: somebody presses a button or asks over USB.
"""

import json

from mfboard.card_feed import LOOK_US, Feed
from mfboard.card_file import CardError
from mfboard.card_play import play
from mfboard.parts import same
from mfboard.player import since
from mfwire import card as c
from mfwire import session as s
from mfwire.messages import MASK30

BUTTON = "job.mfjob"  # what a button plays
HOST_US = 3_000_000  # a host that was silent for so long is none
LONG_US = 2_000_000  # a press that long begins, or ends


class Card:
    """The board calls `due_us`, `turn`, `stopping` and `ask`."""

    def __init__(self, board):
        self.board = board
        self.feed = Feed(self)
        self.store = board.port.card
        self.state = c.NONE
        self.why = c.WHY_NONE
        self.bound = None  # what a host has told of this machine
        self.bound_config = b""
        self.name = ""
        self.words = ""
        self.window = 0  # being played, or last played
        self.played = 0  # windows of the job that are behind us
        self.windows = 0
        self.line = 0
        self.flags = 0
        self.wants_hold = False
        self.wants_go = False
        self.wants_stop = False
        self.speaks = False  # a message comes from here
        self.changed = False
        self.moved = False  # when it was looked at last
        self.saved = None  # outputs and heat before the stop
        self.s = 0  # seconds since the job began
        self._rest_us = 0
        self._us = board.port.us()
        self._wake_us = 0
        self._script = None  # generators, each waiting for the one behind it
        self._inside = False
        self._pressed_us = -1
        self._was = 0
        self._read_bond()

    def _read_bond(self):
        data = self.board.port.kept()
        if data:
            try:
                head = data.index(b"\n")
                self.bound = json.loads(data[:head])
                self.bound_config = data[head + 1 :]
            except (ValueError, KeyError):
                self.bound = None

    # ---- time

    def due_us(self, now):
        """Until `turn` has something to do; -1: nothing."""
        if self._inside:
            return -1
        if self.changed and self.board.receiver.connect:
            return 0
        if self._script:
            left = since(self._wake_us, now)
            return left if left > 0 else 0
        return LOOK_US * 10 if self.bound else -1

    def turn(self, now):
        """Everything that is due. Never twice at a time: a card that is waited for calls us."""
        if self._inside:
            return
        self._inside = True
        self._count(now)
        if self.bound:
            self._button(now)
        if self._script and since(self._wake_us, now) <= 0:
            self._step(now)
        if self.changed and self.board.receiver.connect:
            self.changed = False
            self.board.answers.carded(self)
        self._inside = False

    def _count(self, now):
        self._rest_us += since(now, self._us)
        self._us = now
        self.s += self._rest_us // 1_000_000
        self._rest_us %= 1_000_000

    def _step(self, now):
        try:
            wrong = ""
            if self.board.state == s.FAULT:
                wrong = "the board has latched a fault; motors stopped, heat off"
            elif self.board.state == s.ABORTED and self.moved:
                wrong = "it was stopped at once from USB; the position is not trusted"
            wait = self._resume(CardError(wrong) if wrong else None)
            self.moved = self.board.state in s.MOVES
            self._wake_us = (now + wait) & MASK30
        except StopIteration:
            self._end(c.END, "played to its end")
        except CardError as error:
            self._end(c.STOP if self.wants_stop else c.WRONG, str(error))
        except OSError:
            self._end(c.GONE, "the card cannot be read or written; the machine stands")
        except (MemoryError, RuntimeError):  # of the heap, or of the stack
            self._end(c.WRONG, "the board has no memory left for it; the machine stands")
        except (ValueError, KeyError, IndexError):
            self._end(c.WRONG, "what is on the card does not fit together; the machine stands")

    def _resume(self, error):
        """The last generator goes on; one that it yields comes behind it, until that has ended.

        `yield from` would take a piece of the chip's small stack for each of them.
        """
        script = self._script
        value = None
        while True:
            try:
                got = script[-1].throw(error) if error else script[-1].send(value)
                value = error = None
                if isinstance(got, int):
                    return got
                script.append(got)
            except StopIteration as end:
                script.pop()
                if not script:
                    raise
                value, error = end.value, None
            except Exception as raised:
                script.pop()
                if not script:
                    raise
                value, error = None, raised

    def _end(self, why, words):
        """Nothing is played any more: heat and outputs go off, as when a host says goodbye."""
        board = self.board
        self._script = None
        if board.state in s.PLAYS:
            board.player.ask_hold(s.WHY_BYE)
        elif board.state == s.STRIKING:
            board.torch.end(s.WHY_BYE)
        board.hush("lost")
        board.outputs.lost()
        board.left = True
        if board.state not in s.MOVES:
            board.leave()
        board.heat.cool()
        for heater in board.heaters:
            heater.standby_dc = heater.standby_s = 0  # what it was granted for this job
        board.by_card = False
        self.state = c.ENDED
        self.why = why
        self.words = words
        self.changed = True

    # ---- what is asked

    def ask(self, act, p, length):
        """CARD of a host. A reason of REFUSED, or OK; what is asked is done in `turn`."""
        self.changed = True
        if act == c.ASK:
            return s.OK
        if act == c.PLAY:
            if length < 12:
                return s.BAD_BOUNDS
            return self.begin(bytes(p[11:length]).decode(), p[10])
        if act == c.BIND or act == c.FORGET:
            return self._bind(bytes(p[10:length]) if act == c.BIND else b"")
        if not self.board.by_card:
            return s.BAD_STATE
        if act == c.ASK_HOLD:
            self.wants_hold = True
        elif act == c.GO:
            if self.state != c.HELD:
                return s.BAD_STATE
            self.wants_go = True
        elif act == c.ASK_STOP:
            self.wants_hold = True
            self.wants_stop = True
        else:
            return s.BAD_VALUE
        return s.OK

    def _bind(self, text):
        """Remember over power cuts which machine this board is, as its host has configured it."""
        board = self.board
        if board.by_card or board.state in s.MOVES:
            return s.BAD_STATE
        if text and not board.config_text:
            return s.NOT_CONFIGURED
        board.port.keep(text + b"\n" + board.config_text if text else b"")
        self.bound = None
        self._read_bond()
        board.config_text = self.shared(board.config_text)
        return s.OK if self.bound or not text else s.BAD_VALUE

    def begin(self, name, flags):
        """Play a file of the card. A reason of REFUSED, or OK."""
        board = self.board
        if board.by_card:
            return s.BY_CARD
        if board.state in s.MOVES or board.state in (s.STRIKING, s.FAULT):
            return s.BAD_STATE
        if not self.bound:
            return s.NOT_CONFIGURED
        board.by_card = True
        self.state = c.CHECKING
        self.why = c.WHY_NONE
        self.name = name
        self.words = ""
        self.window = self.played = self.windows = self.line = 0
        self.flags = flags
        self.wants_hold = self.wants_go = self.wants_stop = False
        self.saved = None
        self.s = 0
        self._script = [play(self)]
        self._wake_us = board.port.us()
        self.changed = True
        return s.OK

    def _button(self, now):
        """Short: hold, or go on. Two seconds: begin, or end."""
        board = self.board
        level = 0
        if board.config:
            i = 0
            while i < len(board.inputs.active):
                if board.config["inputs"][i]["role"] == "button":
                    level |= board.inputs.active[i]
                i += 1
        if level and not self._was:
            self._pressed_us = now
            if self.state == c.PLAYING:
                self.wants_hold = True  # at once: a hand on a button means stop
                self._pressed_us = -1
        elif level and self._pressed_us >= 0 and since(now, self._pressed_us) >= LONG_US:
            self._pressed_us = -1
            if self.state == c.HELD:
                self.wants_stop = True
            elif not board.by_card and not self._host(now):
                self.begin(BUTTON, 0)
        elif self._was and not level and self._pressed_us >= 0:
            self._pressed_us = -1
            if self.state == c.HELD:
                self.wants_go = True
        self._was = level

    def _host(self, now):
        """A host has said something a moment ago: the machine is in its hands."""
        board = self.board
        return board.receiver.connect and since(now, board.heard_us) < HOST_US

    # ---- the board's stops

    def stopping(self):
        """A tail begins: outputs and heat as they are, to go on with."""
        if self.board.by_card:
            self.save()

    def save(self):
        """Remember outputs and heat, once for each stop."""
        board = self.board
        if self.saved is None:
            heat = [heater.target_dc for heater in board.heaters]
            self.saved = list(board.outputs.value), heat

    def shared(self, text):
        """The configuration as it is kept here, where it is the same: one of them is enough."""
        return self.bound_config if self.bound_config == text else text

    def configured(self):
        """Whether the board has the configuration that it was bound with."""
        text = self.bound_config
        return self.board.config is not None and same(self.board.config_text, text, len(text))
