"""Torch height control: what the words of its state are (docs/torch-height.md).

One array of integers, the same on every board: the plain rules (mfboard.height, mfboard.merge) and
their twins on the chip read and write the same words. Q8 is 1/256 step, cV a hundredth of a volt.
"""

# settings, from the configuration
FULL = 0  # cV at the converter's full scale
GAIN = 1  # Q8 steps a millisecond for a cV, times 65536
BAND = 2  # cV by which the arc may be off
MOST = 3  # Q8 steps that the offset may be, either way
RATE = 4  # Q8 steps a millisecond, at most
ACCEL = 5  # Q8 steps a millisecond more or less, each millisecond
DELAY = 6  # ms at full speed with an arc before it controls
SAMPLE = 7  # ms over which the arc's own voltage is taken as the target
SPIKE = 8  # cV off the filtered voltage: no height changes that fast
LOCK = 9  # ms without control after a spike that lasts
LOCK_MOST = 10  # ms of spikes after which the new voltage is believed
FILTER = 11  # 1/256 of a new reading goes into the filtered voltage
GAP = 12  # ticks between two steps, at least
SLICE = 13  # ticks of a chunk, about
WORD = 14  # ticks of the shortest step word
# what it is told
TARGET = 16  # 0: off; 1: what the arc has when control begins; else cV
LIMIT = 17  # 0.1 mm/s: no control below
RAW = 18  # four readings of the converter added up
SPEED = 19  # (0.1 mm/s)^2 along the path, now
ARC = 20  # 1: the source says that there is an arc
FROZEN = 21  # 1: the offset stays: a tail, a retreat, rest
# what it has found
MODE = 24
VOLTS = 25  # filtered, cV times 64
NOW = 26  # cV of the last reading
AIM = 27  # cV to hold; 0: not known yet
SUM = 28
COUNT = 29
WAITED = 30  # ms of DELAY
LEFT = 31  # ms without control still to come
SPIKED = 32  # ms of spikes
GOING = 33  # Q8 steps a millisecond, now
WANT = 34  # Q8 steps, the offset that is wanted
MADE = 35  # steps of offset that are in the words made
OFF = 36  # ms since it was switched off
UPS = 37  # planned steps upwards since the last millisecond
# the list of planned words that is being merged
SEGMENTS = 40  # left in the list
AT = 41  # where the next one stands
WORDS = 42  # left in the segment
KIND = 43  # of its words: 1 direction, 2 step
WHOLE = 44  # interval
FRACTION = 45  # 1/1024 tick
FIRST = 46
SECOND = 47
REST = 48  # ticks left of the word being cut
STEP = 49  # that word's kind
LAST = 50  # 1: nothing follows this list
TICKS = 51  # of the list, taken so far
EXPECT = 52  # ticks that the list should have
FILLED = 53  # words in the open chunk
TIME = 54  # ticks in it
EVERY = 55  # ticks between two steps of offset in it
BAD = 56  # 1: the list was not what its window said
EXTRA = 57  # 1: the last list has ended, and the offset has not
NET = 58  # steps, planned and own, in the words made since somebody took it
SIZE = 64
# modes
OFFLINE = 0  # switched off: the offset is taken back
WAITS = 1  # for the arc, and for full speed
SAMPLES = 2  # the arc's voltage, to hold it
HOLDS = 3  # the height
SLOW = 4  # the path is slower than its limit: no control
SPIKES = 5  # the voltage jumped: no control
STAYS = 6  # frozen
MODES = ("off", "waits", "samples", "holds", "slow", "spike", "stays")

SETTLE_MS = 500  # so long after the end an offset goes down only while the plan goes up
AGAIN_MS = 20  # without control after full speed was reached again
BURST_MS = 2  # so many readings off are left out, and nothing else
FASTEST = 40000  # 0.1 mm/s: more is no limit
FILL = 64  # ticks of a word that only fills a chunk
