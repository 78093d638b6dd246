"""The slot of an RP2040 board: an SD card on SPI, its FAT file system at /sd.

While the card is busy the board's loop goes on (`port.breathe`), so a slow card delays nobody.
"""

import os

import vfs
from machine import SPI, Pin

from mfboard.fast_card import crc16
from mfboard.sdcard import SLOW_HZ, SdCard

TOP = "/sd"


class Card:
    """Names as mfboard.sim_card; the page's CARD is (SPI, SCK, MOSI, MISO, CS)."""

    def __init__(self, port):
        self.port = port
        self.spi = None
        self.sd = None
        self.mounted = False

    def mount(self):
        """OSError: there is no card, or none that can be used."""
        self.release()
        number, sck, mosi, miso, cs = self.port.page.CARD
        Pin(miso, Pin.IN, Pin.PULL_UP)
        self.spi = SPI(number, SLOW_HZ, sck=Pin(sck), mosi=Pin(mosi), miso=Pin(miso))
        select = Pin(cs, Pin.OUT, value=1)
        self.sd = SdCard(self.spi, select, self._speed, self.port.us, self.port.breathe, crc16)
        self.sd.start()
        vfs.mount(vfs.VfsFat(self.sd), TOP)
        self.mounted = True

    def _speed(self, hz):
        self.spi.init(baudrate=hz)

    def release(self):
        """It is not needed any more."""
        if self.mounted:
            self.mounted = False
            vfs.umount(TOP)

    def present(self):
        """It has been there all the time since `mount`."""
        return self.mounted and self.sd.present()

    def size(self, name):
        """Bytes of a file. OSError: there is no such file."""
        return os.stat(TOP + "/" + name)[6]

    def open(self, name, mode="rb"):
        """A file. OSError: there is none, or it cannot be read."""
        if not self.mounted:
            raise OSError(5)
        return open(TOP + "/" + name, mode)
