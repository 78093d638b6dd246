"""The probe's requests and replies: the numbers, and where things stand in them (docs/probe.md).

A request is `kind, number, ...`; the reply to it `kind | REPLY, number, flags, running, ...`.
Frames are mfwire's; numbers of more than a byte are little-endian. A request may be repeated.
"""

REPLY = 0x80

IDENTIFY = 1  # -> 8 bytes chip number, u8 pins at most, u32 Hz of the count, version text
# -> u64 microseconds of tick 0
START = 2  # u8 pins, u8 armed, u32 mask, u32 value, u32 post, u8 motors, each step, dir, invert
STOP = 3  # -> u32 total, u32 scanned, u32 last low, u32 last high, u32 fired, u32 lost, u32 longest
READ = 4  # u32 first, u8 count -> u32 first, u32 total, u8 count, words, counts
COUNTERS = 5  # u8 motor -> 96 words (mfprobe.state, M)
SET = 6  # u8 pin, u8 mode, u16 value
CLOCK = 7  # -> u64 microseconds
GAPS = 8  # -> u8 entries, each u32 index, u32 wraps
STATUS = 9  # as STOP, without stopping
LEVELS = 10  # -> u32 levels of all pins
LOOP = 11  # u8 pin, u8 bursts (mfprobe.pio); answered when they are over
LOOP_BURST_EDGES = 8
LOOP_PAUSE_TICKS = 1033  # from a burst's last edge to the next one's first

# modes of SET
RELEASE = 0
LOW = 1
HIGH = 2
PULL_UP = 3
PULL_DOWN = 4
DUTY = 5  # value of 65535
PWM_HZ = 50_000

READ_MOST = 60  # words of one reply: they fit into a frame
NO_SUCH = 0xFF  # as a reply's kind: the request was not understood
