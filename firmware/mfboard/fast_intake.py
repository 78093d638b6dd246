"""The short way in for pieces of windows, which are nearly all that a board hears while it moves.

Twin of mfwire.session.Receiver.receive and mfboard.player.Player.fragment for a piece that comes in
order and does not end its window; whatever else comes goes the plain way. Tested equal to it
(tests/board/test_intake.py).
"""

from array import array

import micropython

from mfboard.player import PIECE
from mfwire import session as s
from mfwire.messages import MASK30, NUMBER

TELL = 8  # pieces taken before the host is told, when nothing else is to be told
_WINDOW = NUMBER["WINDOW"]
# words: 0 sequence number expected, 1 connect id, 2 window, 3 bytes of it so far, 4 of a slot


@micropython.viper
def _count(w: ptr32, payload: ptr8, length: int) -> int:
    """Bytes of a piece that is the next one and not its window's last; else 0."""
    h = ptr16(payload)
    p = ptr32(payload)
    count = length - 16
    if count <= 0 or payload[1] != 0 or h[1] != w[0] or p[1] != w[1]:
        return 0
    end = int(h[6]) + count
    total = int(h[7])
    if p[2] != w[2] or h[6] != w[3] or total > w[4] or end >= total:
        return 0
    return count


class Intake:
    """Made once for a board."""

    def __init__(self, board):
        self.board = board
        self.payload = board.decoder.payload
        self.words = array("i", [0] * 5)
        self.words[4] = board.player.slot_bytes
        self.untold = 0

    def takes(self):
        """True: what the decoder holds was a piece of a window, and is where it belongs."""
        board = self.board
        if self.payload[0] != _WINDOW or board.by_card or not s.allowed(_WINDOW, board.state):
            return False
        receiver = board.receiver
        player = board.player
        if receiver.connect == 0 or (player.whole - player.number) & MASK30 >= player.slots:
            return False
        self.words[0] = receiver.expected
        self.words[1] = receiver.connect
        self.words[2] = player.whole
        self.words[3] = player.got
        count = _count(self.words, self.payload, board.decoder.length)
        if count == 0:
            return False
        player.put(self.payload, count + PIECE)
        receiver.taken()
        self.untold += 1
        if self.untold < TELL:
            return True
        self.untold = 0
        receiver.ack = True
        return True
