"""Words that the probe's scanner and its program share. Each word has one writer while it runs.

S: one of each. M: 96 words a motor. Times are counts of the clock (mfprobe.pio), 64 bits in two
words where they may be long; 32-bit words are read without a sign.
"""

from array import array

RING_WORDS = 8192
SPAN = 0x20000000  # words that a DMA channel moves before its twin takes over
MOTORS = 5
MOTOR_WORDS = 96
GAPS = 32
# S
WORDS = 0  # address of the ring of pin levels
TIMES = 1  # address of the ring of counts
WORD_DMA = 2  # registers of its two channels
TIME_DMA = 4
READ = 6  # words scanned, modulo 2^30
FLAGS = 7
LAST = 8  # count of the last scanned word, low
HIGH = 9  # and high
BEFORE = 10  # its levels
RUNNING = 11
STEPS = 13  # mask of all their pins
MASK = 14  # trigger: these pins become this value
VALUE = 15
ARMED = 16  # 1 armed, 2 fired
POST = 17  # words after it
FIRED = 18  # index of the word that fired
NOW = 19  # microseconds at the scan before
QUIET = 20  # milliseconds without a word
REST = 21  # microseconds that make no millisecond yet
GAP = 22  # entries of G
LOST = 23  # words that were overwritten before they were scanned
LONGEST = 24  # microseconds of the longest scan
N = 25  # words to scan
MORE = 26  # words in the one ring less those in the other
TOTAL = 27  # words in the rings when it was stopped
CLOCK = 28  # microseconds, two words
COUNTED = 30  # address of M
MARK = 31  # by which a test finds the words in memory
MARKED = 0x0B5E55ED
# FLAGS
OVERFLOW = 1  # a FIFO was full: edges are missing
OVERRUN = 2  # the ring went round before it was scanned: counters are missing edges
UNPAIRED = 4  # as many words as counts do not stand in the rings
MANY_GAPS = 8  # more than GAPS long silences
FROZEN = 16  # the trigger's words are all there: the capture has stopped by itself
# M
STEP = 0  # masks
DIR = 1
INVERT = 2
HAVE = 3  # 1: a rise was seen, 2: a turn, 3: both
RISE = 4
TURN = 6
UP = 8
DOWN = 10
LEAST = 12  # interval between rises
MOST = 13
SETUP = 14  # least, from the turn to the rise
NARROW = 15  # pulse
WIDE = 16
PINS = 17  # both masks
BINS = 18  # 33 of two words: intervals by their bits

S = array("i", [0] * 32)
S[MARK] = MARKED
M = array("i", [0] * (MOTOR_WORDS * MOTORS))
G = array("i", [0] * (2 * GAPS))  # index of a word after a silence, further wraps of the count


def clear():
    """Nothing seen yet. Settings of motors and trigger stay."""
    for i in (READ, FLAGS, LAST, HIGH, BEFORE, FIRED, QUIET, REST, GAP, LOST, LONGEST):
        S[i] = 0
    for m in range(MOTORS):
        at = MOTOR_WORDS * m
        for i in range(HAVE, MOTOR_WORDS):
            M[at + i] = 0
        for i in (LEAST, SETUP, NARROW):
            M[at + i] = -1
