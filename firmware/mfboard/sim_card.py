"""A card that is not there: a folder as its file system, and everything that can go wrong with it.

The same names as mfboard.port_rp2_card. Faults are parameters: pulled, slow, unreadable from some
block on, and power that goes while a byte is written.
"""

import os

EIO = 5


class SimCard:
    """A folder. The port's clock runs while it is waited for."""

    def __init__(self, folder):
        self.folder = folder
        self.port = None
        self.pulled = False
        self.mounted = False
        self.slow = None  # called with the number of a reading: microseconds that it takes
        self.bad = None  # called with it: True, this reading fails
        self.power = -1  # bytes that are written before the power goes; -1: it stays
        self.readings = 0
        self.files = []  # that are open

    def mount(self):
        """OSError: there is none."""
        if self.pulled:
            raise OSError(EIO)
        self.mounted = True

    def release(self):
        """It is not needed any more."""
        self.mounted = False
        for file in self.files:
            file.close()
        self.files = []

    def present(self):
        """It has been there all the time since `mount`."""
        return self.mounted and not self.pulled

    def pull(self):
        """Out of its slot."""
        self.pulled = True
        self.release()

    def put(self):
        """Into its slot; it must be mounted anew."""
        self.pulled = False

    def size(self, name):
        """Bytes of a file. OSError: there is no such file."""
        self.check()
        return os.stat(self.folder + "/" + name)[6]

    def open(self, name, mode="rb"):
        """A file. OSError: there is none, or it cannot be read."""
        self.check()
        file = SimFile(self, name, mode)
        self.files = [other for other in self.files if not other.closed]
        self.files.append(file)
        return file

    def check(self):
        """OSError: it is not there."""
        if not self.mounted or self.pulled:
            raise OSError(EIO)

    def reading(self):
        """A reading begins, and takes its time. OSError: it fails."""
        self.check()
        self.readings += 1
        if self.slow:
            us = self.slow(self.readings)
            if us:
                self.port.run_until(self.port.tick + us * self.port.ticks_per_us)
        if self.bad and self.bad(self.readings):
            raise OSError(EIO)
        self.check()


class SimFile:
    """A file of it. It opens itself anew where the card's folder has become another one."""

    def __init__(self, card, name, mode):
        self.card = card
        self.name = name
        self.mode = mode
        self.at = 0
        self._open()

    def _open(self):
        self.closed = False
        self.folder = self.card.folder
        self.file = open(self.folder + "/" + self.name, self.mode)
        self.file.seek(self.at)

    def _look(self):
        self.card.check()
        if self.folder != self.card.folder:
            self._open()

    def __enter__(self):
        return self

    def __exit__(self, *_args):
        self.close()

    def readinto(self, buffer):
        """Bytes into a buffer; how many."""
        self.card.reading()
        self._look()
        n = self.file.readinto(buffer)
        self.at += n
        return n

    def seek(self, at):
        """Where the next byte is."""
        self._look()
        self.at = at
        return self.file.seek(at)

    def write(self, data):
        """Bytes; when the power goes some of them have arrived."""
        card = self.card
        self._look()
        self.at += len(data)
        if card.power >= 0:
            if len(data) >= card.power:
                self.file.write(data[: card.power])
                self.file.flush()
                card.power = -1
                card.pull()
                raise OSError(EIO)
            card.power -= len(data)
        return self.file.write(data)

    def flush(self):
        """It is on the card now."""
        self._look()
        self.file.flush()

    def close(self):
        """It is not needed any more."""
        self.closed = True
        self.file.close()
