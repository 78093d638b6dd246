"""An SD card on SPI as a block device for MicroPython's file systems (vfs.VfsFat).

Written from the SD Specifications, Part 1, Physical Layer Simplified Specification: chapter 7 (SPI
mode), 4.2 (initialisation), 4.5 (CRC), 5.3 (CSD). Commands carry CRC-7, data CRC-16, and both are
checked, by the card too (CMD59). It never waits without calling `wait`, so that a machine that
moves is looked after. Anything else than the answer of the book is an OSError.
"""

from mfwire.messages import MASK30

BLOCK = 512
IDLE = 1  # bits of R1
ILLEGAL = 4
TOKEN = 0xFE
SLOW_HZ = 400_000
FAST_HZ = 12_000_000
START_US = 1_000_000  # ACMD41, 4.2.3
READ_US = 150_000  # 100 ms by 4.6.2.1
WRITE_US = 500_000  # 250 ms, SDXC 500 ms by 4.6.2.2
TRIES = 3
POLLS = 16  # bytes between two looks at the clock
EIO, ENODEV = 5, 19


def crc7(data, length):
    """Of a command: x^7 + x^3 + 1 (4.5)."""
    crc = 0
    i = 0
    while i < length:
        c = data[i]
        k = 0
        while k < 8:
            crc = crc << 1 & 255
            if (c ^ crc) & 128:
                crc ^= 9
            c = c << 1 & 255
            k += 1
        i += 1
    return crc & 127


def crc16(data, begin, end):
    """Of data: x^16 + x^12 + x^5 + 1 (4.5). mfboard.fast_card has its twin."""
    crc = 0
    i = begin
    while i < end:
        crc ^= data[i] << 8
        k = 0
        while k < 8:
            crc = crc << 1 ^ (0x1021 if crc & 0x8000 else 0)
            crc &= 0xFFFF
            k += 1
        i += 1
    return crc


class SdCard:
    """spi: write, readinto and write_readinto as machine.SPI's. select(level): chip select.

    speed(hz): of the clock. us(): microseconds modulo 2^30. wait(): called while the card is busy.
    """

    def __init__(self, spi, select, speed, us, wait, crc=crc16):
        self.spi = spi
        self.select = select
        self.speed = speed
        self.us = us
        self.wait = wait
        self.crc = crc
        self.blocks = 0
        self.by_block = False  # addresses count blocks; else bytes
        self.errors = 0  # blocks that came damaged and were read again
        self._frame = bytearray(6)
        self._one = bytearray(1)
        self._two = bytearray(2)
        self._data = bytearray(BLOCK)
        self._csd = bytearray(16)

    # ---- the beginning

    def start(self):
        """From power-up to reading. OSError: there is no card, or none that can be used."""
        self.speed(SLOW_HZ)
        self.select(1)
        for _ in range(10):  # 74 clocks and more, 6.4.1
            self.spi.write(b"\xff")
        for _ in range(TRIES):
            answer = self._command(0, 0)
            self._release()
            if answer == IDLE:
                break
        else:
            raise OSError(ENODEV)
        newer = self._newer()
        self._ask(59, 1)  # CRC on
        self._wake(newer)
        self._ask(58, 0, self._ocr)
        if not self.by_block:
            self._ask(16, BLOCK)
        self._read_csd()
        self.speed(FAST_HZ)

    def _newer(self):
        """CMD8: version 2 and later echo it; version 1 does not know it."""
        answer = self._command(8, 0x1AA)
        if answer & ILLEGAL:
            self._release()
            return False
        echo = [self._byte() for _ in range(4)]
        self._release()
        if answer != IDLE or echo[2] & 15 != 1 or echo[3] != 0xAA:
            raise OSError(ENODEV)
        return True

    def _wake(self, newer):
        begin = self.us()
        while True:
            self._command(55, 0)
            self._release()
            answer = self._command(41, 0x40000000 if newer else 0)
            self._release()
            if answer == 0:
                return
            if answer != IDLE or self._over(begin, START_US):
                raise OSError(ENODEV)
            self.wait()

    def _ocr(self):
        ocr = [self._byte() for _ in range(4)]
        self.by_block = bool(ocr[0] & 0x40)

    def _read_csd(self):
        """How many blocks it has, 5.3."""
        if self._command(9, 0):
            self._fail()
        self._token(READ_US)
        self._take(self._csd, 16)
        self._release()
        c = self._csd
        if c[0] >> 6 == 1:
            self.blocks = ((c[7] & 63) << 16 | c[8] << 8 | c[9]) + 1 << 10
        else:
            size = ((c[6] & 3) << 10 | c[7] << 2 | c[8] >> 6) + 1
            shift = ((c[9] & 3) << 1 | c[10] >> 7) + 2 + (c[5] & 15) - 9
            self.blocks = size << shift

    # ---- bytes and commands

    def _byte(self):
        self.spi.readinto(self._one, 0xFF)
        return self._one[0]

    def _over(self, begin, limit_us):
        return self.us() - begin & MASK30 > limit_us

    def _release(self):
        """Chip select off, and eight clocks so that the card lets go (7.2)."""
        self.select(1)
        self._byte()

    def _fail(self):
        self._release()
        raise OSError(EIO)

    def _command(self, number, argument):
        """R1 of a command; chip select stays. 255: no answer."""
        frame = self._frame
        frame[0] = 0x40 | number
        frame[1] = argument >> 24 & 255
        frame[2] = argument >> 16 & 255
        frame[3] = argument >> 8 & 255
        frame[4] = argument & 255
        frame[5] = crc7(frame, 5) << 1 | 1
        self.select(0)
        if number:
            self._ready(WRITE_US)
        self.spi.write(frame)
        if number == 12:
            self._byte()  # a stuff byte, 7.3.2
        for _ in range(9):  # at most eight bytes later, 7.5.2
            answer = self._byte()
            if not answer & 0x80:
                return answer
        return 255

    def _ask(self, number, argument, more=None):
        """A command that must succeed."""
        answer = self._command(number, argument)
        if answer & ~IDLE:
            self._fail()
        if more:
            more()
        self._release()

    def _ready(self, limit_us):
        """Until the card is not busy. OSError: it stays so."""
        begin = self.us()
        while True:
            for _ in range(POLLS):
                if self._byte() == 0xFF:
                    return
            if self._over(begin, limit_us):
                self._fail()
            self.wait()

    def _token(self, limit_us):
        """Until data begin. OSError: the card says that it cannot, or says nothing."""
        begin = self.us()
        while True:
            for _ in range(POLLS):
                c = self._byte()
                if c == TOKEN:
                    return
                if c != 0xFF:
                    self._fail()  # an error token, 7.3.3.3
            if self._over(begin, limit_us):
                self._fail()
            self.wait()

    def _take(self, data, length):
        """Data and their CRC. OSError: it does not fit."""
        self.spi.readinto(data, 0xFF)
        self.spi.readinto(self._two, 0xFF)
        if self.crc(data, 0, length) != self._two[0] << 8 | self._two[1]:
            self.errors += 1
            self._fail()

    # ---- blocks

    def present(self):
        """Whether the card is there and awake, and has been since `start` (CMD13)."""
        try:
            answer = self._command(13, 0)
            self._byte()
            self._release()
        except OSError:
            return False
        return answer == 0

    def _address(self, block):
        if not 0 <= block < self.blocks:
            raise OSError(EIO)
        return block if self.by_block else block * BLOCK

    def _again(self, work, block, data):
        """A block is tried three times before it counts as lost."""
        for k in range(TRIES):
            try:
                work(block, data)
                return
            except OSError:
                if k == TRIES - 1 or not self.present():
                    raise

    def _read(self, block, data):
        if self._command(17, self._address(block)):
            self._fail()
        self._token(READ_US)
        self._take(data, BLOCK)
        self._release()

    def _write(self, block, data):
        if self._command(24, self._address(block)):
            self._fail()
        crc = self.crc(data, 0, BLOCK)
        self._two[0] = 0xFF  # at least one byte before the token, 7.2.4
        self._two[1] = TOKEN
        self.spi.write(self._two)
        self.spi.write(data)
        self._two[0] = crc >> 8
        self._two[1] = crc & 255
        self.spi.write(self._two)
        if self._byte() & 0x1F != 5:
            self._fail()
        self._ready(WRITE_US)
        self._release()
        answer = self._command(13, 0)  # what became of it, 7.2.4
        more = self._byte()
        self._release()
        if answer or more:
            raise OSError(EIO)

    # ---- what a file system asks (docs.micropython.org, vfs.AbstractBlockDev)

    def readblocks(self, first, data, offset=0):
        """Blocks from `first` on into data."""
        if offset or len(data) % BLOCK:
            raise OSError(EIO)
        if len(data) == BLOCK:
            self._again(self._read, first, data)
            return
        view = memoryview(data)
        for at in range(0, len(data), BLOCK):
            self._again(self._read, first + at // BLOCK, view[at : at + BLOCK])

    def writeblocks(self, first, data, offset=0):
        """Data to the blocks from `first` on."""
        if offset or len(data) % BLOCK:
            raise OSError(EIO)
        view = memoryview(data)
        for at in range(0, len(data), BLOCK):
            self._again(self._write, first + at // BLOCK, view[at : at + BLOCK])

    def ioctl(self, what, _value):
        """4: blocks, 5: bytes of one; the rest needs nothing."""
        if what == 4:
            return self.blocks
        if what == 5:
            return BLOCK
        return 0
