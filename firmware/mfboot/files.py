"""Files as the chooser needs them, on the board's own file system. It decides nothing."""

import binascii
import hashlib
import os

PIECE = 1024


class Files:
    """Paths begin with a stroke. top: put before each, for a file system mounted elsewhere."""

    def __init__(self, top=""):
        self.top = top

    def read(self, path):
        """All bytes of a small file; None: there is none."""
        try:
            with open(self.top + path, "rb") as file:
                return file.read()
        except OSError:
            return None

    def write(self, path, data):
        """A whole file."""
        with open(self.top + path, "wb") as file:
            file.write(data)

    def digest(self, path):
        """Its length and SHA-256 in hex; None: there is none."""
        total = 0
        digest = hashlib.sha256()
        piece = bytearray(PIECE)
        try:
            with open(self.top + path, "rb") as file:
                while True:
                    n = file.readinto(piece)
                    if not n:
                        break
                    total += n
                    digest.update(memoryview(piece)[:n])
        except OSError:
            return None
        return [total, binascii.hexlify(digest.digest()).decode()]

    def rename(self, old, new):
        """In one step: afterwards new is what old was, or nothing has changed."""
        os.rename(self.top + old, self.top + new)

    def remove(self, path):
        """A file or a folder with all that is in it; one that is not there is fine."""
        try:
            names = os.listdir(self.top + path)
        except OSError:
            try:
                os.remove(self.top + path)
            except OSError:
                pass
            return
        for name in names:
            self.remove(path + "/" + name)
        os.rmdir(self.top + path)

    def folder(self, path):
        """A folder, and those above it."""
        at = 0
        while at >= 0:
            at = path.find("/", at + 1)
            part = path if at < 0 else path[:at]
            try:
                os.mkdir(self.top + part)
            except OSError:
                pass  # it is there
