"""The step engine's state: arrays made once, and what their words are.

All state is in arrays made once; each word has one writer. `S` is the engine's state, `M` 32 words
a motor, `IN` and `OUT` 4 words an input or output, `EV` 8 words a change of an output on its way.
Addresses are the RP2040's (datasheet chapters 2.3, 2.5, 2.19, 3.7, 4.6).
"""

from array import array

import uctypes
from micropython import const

MOTORS = 5
INPUTS = 8
OUTPUTS = 12
CHUNKS = const(32)  # of 16 words, for each motor
TRACK = const(128)  # words and changes on the track
CHANGES = const(48)  # of outputs in a window (mfboard.window refuses more)

# S
MODE = const(0)
SLOT = const(1)  # address of the window being expanded
ON_TAIL = const(2)
WANT = const(3)  # from the board: what follows (address, bit 0: its tail)
NEXT = const(4)  # chosen
TOOK = const(5)  # the slot whose tail was taken because nobody said what follows
BRANCH = const(6)  # microsecond at which the list being expanded ends
REST = const(7)  # ticks beyond it
LAST = const(8)  # nothing follows this list
FAULT = const(9)
HALTED = const(10)  # mask of motors halted by a guard
DEADLINE = const(11)  # microseconds before BRANCH at which the tail is taken
BUDGET = const(12)  # chunks of a motor in one service
COUNT = const(13)  # motors
FED = const(14)  # words of the track given to its state machine
FILLED = const(15)  # words of the track that may be given
PREPARED = const(16)  # words of the track written
DONE = const(17)  # changes made
MADE = const(18)  # changes written
ALLOW = const(19)  # mask of outputs that windows may switch
EDGES = const(20)  # inputs whose pin has changed
SEEN = const(21)  # inputs seen active since asked
STOPPER = const(22)  # mask of inputs that stop everything
CALLS = const(23)
LONGEST = const(24)  # us in one service
SPENT = const(25)  # us in all services
BEFORE = const(26)  # us of the service before
GAP = const(27)  # longest us between two services
LATEST = const(28)  # us by which the latest decision came after its time
DRY = const(29)  # chains started again
KEEPER_TOP = const(30)
TRACK_TOP = const(31)
TOLD = const(32)  # changes that the board has been told of
FREE = const(33)  # bytes of memory after the last collection
PASS = const(34)  # us, the longest turn of the loop
COLLECTION = const(35)  # us of the last collection
LATE = const(36)  # motor whose words are made late, and 1; 0: none in this run
MERGES = const(37)  # 1: its lists have not ended
LATE_SLOT = const(38)  # address of the window whose list it has
STEERS = const(39)  # 1: two outputs more of windows steer the height
TAKEN = const(40)  # bytes of memory taken in motion since the last collection
MARK = const(47)  # by which a rig finds the state in memory
MARKED = const(0x1EA7F00D)
# modes
IDLE = const(0)
RUN = const(2)
FLUSH = const(3)  # everything is expanded
STOPPED = const(5)
BROKEN = const(6)
ABORTING = const(7)
# M
RING = const(0)
CTL = const(1)
DATA_DMA = const(2)
CTL_DMA = const(3)
K = const(4)
WP = const(5)
END = const(6)
SEGP = const(7)
SEGS = const(8)
CNT = const(9)
BITS = const(13)
TICKS = const(14)
MASK = const(17)
POS = const(18)
SWITCHED = const(19)
ADDR = const(20)
PIO = const(21)
SM = const(22)
TOP = const(23)
EXPECT = const(24)
BAD = const(26)
PIN_IN = const(29)

S = array("i", [0] * 48)
S[MARK] = MARKED
M = array("i", [0] * (32 * MOTORS))
IN = array("i", [0] * (4 * INPUTS))  # STATUS register, active level, motors it halts, unused
OUT = array("i", [0] * (4 * OUTPUTS))  # kind (0 switch, 1 PWM, 2 servo), pin, CC, TOP registers
H = array("i", [0] * 64)  # of the height, as in mfboard.height_state
EV = array("i", [0] * (8 * TRACK))  # register, keep, value, output, more at the same tick, raw
SCRATCH = array("i", [0] * 8)
WORDS = array("i", [0] * TRACK)
_RINGS = bytearray(MOTORS * CHUNKS * 64)
_LISTS = bytearray(MOTORS * CHUNKS * 4 + CHUNKS * 4)


def rings():
    """Give each motor its ring and its list of chunks, aligned as the control channel wants."""
    lists = (uctypes.addressof(_LISTS) + CHUNKS * 4 - 1) & ~(CHUNKS * 4 - 1)
    for m in range(MOTORS):
        M[32 * m + RING] = uctypes.addressof(_RINGS) + m * CHUNKS * 64
        M[32 * m + CTL] = lists + m * CHUNKS * 4
        M[32 * m + MASK] = (CHUNKS - 1) * 4
