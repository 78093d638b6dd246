"""An SD card that is not there, on an SPI that is not there, byte for byte, with its faults.

Written from the same specification as mfboard.sdcard, from the card's side: it refuses commands
with a wrong CRC-7 and data with a wrong CRC-16, and answers late. Time is bytes: one lasts byte_us.
"""

from mfboard.sdcard import BLOCK, TOKEN, crc7, crc16

NEWER = "newer"  # kinds: high capacity, addressed by block
STANDARD = "standard"  # version 2, addressed by byte
OLD = "old"  # version 1, which does not know CMD8


class SimSd:
    """The card, its SPI and its clock. store: bytearray of all blocks."""

    def __init__(self, store, kind=NEWER):
        self.store = store
        self.kind = kind
        self.blocks = len(store) // BLOCK
        self.now_us = 0.0
        self.byte_us = 20.0
        self.waits = 0  # how often it was waited for
        self.in_slot = True
        self.late_us = 0  # before the data of a reading
        self.busy_us = 0  # after each writing
        self.spoil = 0  # so many blocks read come with a flipped bit
        self.refuse = 0  # so many readings end in an error token
        self.reject = 0  # so many writings are refused
        self.cut = -1  # bytes of data written until the power goes; -1: it stays
        self.reset()

    def reset(self):
        """Power up: it knows nothing."""
        self.idle = True
        self.awake = False
        self.checks = False
        self.tries = 2
        self.select_level = 1
        self.app = False
        self.frame = bytearray()
        self.answer = []  # bytes to come; (byte, until_us) waits
        self.busy_until = 0.0
        self.then_busy = False  # once the answer is out
        self.data_until = -1.0
        self.block = -1  # being written
        self.data = None

    # ---- what the driver is given

    def select(self, level):
        """Chip select."""
        self.select_level = level
        if level:
            self.frame = bytearray()
            self.answer = []
            self.data_until = -1.0

    def speed(self, hz):
        """The clock of the bus."""
        self.byte_us = 8e6 / hz

    def us(self):
        """Microseconds modulo 2^30."""
        return int(self.now_us) & 0x3FFFFFFF

    def wait(self):
        """The driver has nothing to do for a moment."""
        self.waits += 1
        self.now_us += 1000

    def pull(self):
        """Out of the slot; put back it has lost its power."""
        self.in_slot = False
        self.reset()

    def put(self):
        """Into it."""
        self.in_slot = True
        self.reset()

    def write(self, data):
        """Bytes out."""
        for c in data:
            self._exchange(c)

    def readinto(self, out, value=0):
        """Bytes in."""
        for i in range(len(out)):
            out[i] = self._exchange(value)

    # ---- the card

    def _exchange(self, c):
        self.now_us += self.byte_us
        if not self.in_slot or self.select_level:
            return 0xFF
        if self.now_us < self.busy_until:
            return 0
        if self.data is not None:
            return self._receive(c)
        out = self._next()
        if self.frame or c & 0xC0 == 0x40:
            self.frame.append(c)
            if len(self.frame) == 6:
                self._command()
                self.frame = bytearray()
        return out

    def _next(self):
        if self.answer:
            c = self.answer[0]
            if c is None:
                if self.now_us < self.data_until:
                    return 0xFF
                self.answer.pop(0)
                return self._next()
            self.answer.pop(0)
            if self.then_busy and not self.answer:
                self.then_busy = False
                self.busy_until = self.now_us + self.busy_us
            return c
        return 0xFF

    def _say(self, *answer):
        self.answer = [0xFF] + list(answer)

    def _command(self):
        f = self.frame
        number = f[0] & 63
        argument = f[1] << 24 | f[2] << 16 | f[3] << 8 | f[4]
        app, self.app = self.app, False
        state = 1 if self.idle else 0
        if (self.checks or number in (0, 8)) and f[5] != crc7(f, 5) << 1 | 1:
            self._say(state | 8)
        elif number == 0:
            self.reset()
            self.select_level = 0
            self.awake = True
            self._say(1)
        elif not self.awake:
            self.answer = []  # in the SD mode of its power-up it does not answer here
        elif number == 8 and self.kind != OLD:
            self._say(1, 0, 0, f[3] & 15, f[4])
        elif number == 59:
            self.checks = argument & 1 == 1
            self._say(state)
        elif number == 55:
            self.app = True
            self._say(state)
        elif number == 41 and app:
            self._wake(argument)
        elif number == 58:
            self._say(state, 0xC0 if self.kind == NEWER and not self.idle else 0x80, 0xFF, 0x80, 0)
        elif self.idle:
            self._say(5)
        elif number == 16:
            self._say(0 if argument == BLOCK else 0x40)
        elif number == 9:
            self._say(0, TOKEN, *self._with_crc(self._csd()))
        elif number == 13:
            self._say(0, 0)
        elif number == 17:
            self._send(argument)
        elif number == 24:
            self._begin(argument)
        else:
            self._say(state | 4)

    def _wake(self, argument):
        if self.kind == NEWER and not argument & 0x40000000:
            self._say(1)  # a host that does not know high capacity never wakes it
            return
        self.tries -= 1
        self.idle = self.tries > 0
        self._say(1 if self.idle else 0)

    def _csd(self):
        c = bytearray(16)
        if self.kind == NEWER:
            size = (self.blocks >> 10) - 1
            c[0] = 0x40
            c[7], c[8], c[9] = size >> 16 & 63, size >> 8 & 255, size & 255
        else:  # 512 bytes a block, multiplier 512
            size = (self.blocks >> 9) - 1
            c[5] = 9
            c[6], c[7], c[8] = size >> 10 & 3, size >> 2 & 255, (size & 3) << 6
            c[9], c[10] = 3, 128
        return c

    def _with_crc(self, data):
        crc = crc16(data, 0, len(data))
        return list(data) + [crc >> 8, crc & 255]

    def _place(self, argument):
        if self.kind != NEWER:
            if argument % BLOCK:
                return -1
            argument //= BLOCK
        return argument if argument < self.blocks else -1

    def _send(self, argument):
        block = self._place(argument)
        if block < 0:
            self._say(0x40)
            return
        if self.refuse:
            self.refuse -= 1
            self._say(0, 0x08)
            return
        data = self._with_crc(self.store[block * BLOCK : (block + 1) * BLOCK])
        if self.spoil:
            self.spoil -= 1
            data[block * 7 % 514] ^= 16
        self.data_until = self.now_us + self.late_us
        self._say(0, None, TOKEN, *data)

    def _begin(self, argument):
        self.block = self._place(argument)
        if self.block < 0:
            self._say(0x40)
            return
        self._say(0)
        self.data = bytearray()

    def _receive(self, c):
        """Data of a writing: first the answer to the command, then what comes behind the token."""
        if self.answer:
            return self._next()
        data = self.data
        if not data and c != TOKEN:
            return 0xFF
        data.append(c)
        if self.cut >= 0 and len(data) > 1:
            if self.cut == 0:
                self._torn()
                return 0xFF
            self.cut -= 1
        if len(data) == BLOCK + 3:
            self.data = None
            good = crc16(data, 1, BLOCK + 1) == data[BLOCK + 1] << 8 | data[BLOCK + 2]
            if not good or self.reject:
                self.reject -= 1 if good else 0
                self.answer = [0x0B if not good else 0x0D]
            else:
                self.store[self.block * BLOCK : (self.block + 1) * BLOCK] = data[1 : BLOCK + 1]
                self.answer = [0x05]
                self.then_busy = self.busy_us > 0
        return 0xFF

    def _torn(self):
        """The power goes in the middle of a block: it holds some new bytes and some old ones."""
        data = self.data[1:-1]
        self.store[self.block * BLOCK : self.block * BLOCK + len(data)] = data
        self.cut = -1
        self.pull()
