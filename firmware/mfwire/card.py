"""States of a job from a card, what may be asked of it, and what it is held for."""

NONE, CHECKING, PLAYING, STOPPING, HELD, ENDED = range(6)
STATES = ("NONE", "CHECKING", "PLAYING", "STOPPING", "HELD", "ENDED")

# why it is held, or has ended
WHY = ("", "hold", "late", "card", "pause", "arc", "end", "stop", "wrong")
WHY_NONE, HOLD, LATE, GONE, PAUSE, ARC, END, STOP, WRONG = range(9)

# act of CARD
ASK, PLAY, ASK_HOLD, GO, ASK_STOP, BIND, FORGET = range(1, 8)
TRUST = 1  # flag of PLAY: no homing where the position is trusted
