"""Runs on MicroPython: an update cut before and within every flash operation, on its own littlefs.

Prints the number of cut points and the versions that ran afterwards. Arguments: seed.
"""

import hashlib
import json
import random
import sys

import vfs

from mfboot import slots
from mfboot.files import Files

SECTOR = 4096
BLOCKS = 24
SHARES = (None, 30, 128, 225)  # of 256 bits: how far a torn operation had come


class Flash:
    """A block device on simulated flash; without power every call fails."""

    def __init__(self, data):
        self.data = data
        self.left = -1
        self.share = None
        self.done = 0
        self.dead = False

    def readblocks(self, block, buffer, offset=0):
        at = block * SECTOR + offset
        buffer[:] = self.data[at : at + len(buffer)]

    def writeblocks(self, block, buffer, offset=0):
        at = block * SECTOR + offset
        for i in range(0, len(buffer), 256):
            old = self.data[at + i : at + i + 256]
            new = bytes(old[k] & buffer[i + k] for k in range(len(old)))
            if not self.change(at + i, new):
                return -5
        return 0

    def ioctl(self, operation, block):
        if operation == 4:
            return BLOCKS
        if operation == 5:
            return SECTOR
        if operation == 6 and not self.change(block * SECTOR, b"\xff" * SECTOR):
            return -5
        return 0

    def change(self, at, new):
        if self.dead:
            return False
        self.done += 1
        if self.left == 0:
            self.dead = True
            if self.share is not None:
                for i in range(len(new)):
                    mask = 0
                    for bit in range(8):
                        if random.getrandbits(8) < self.share:
                            mask |= 1 << bit
                    self.data[at + i] = self.data[at + i] & ~mask | new[i] & mask
            return False
        self.left -= 1
        self.data[at : at + len(new)] = new
        return True


def mounted(flash):
    vfs.mount(vfs.VfsLfs2(flash, progsize=256), "/flash")
    return Files("/flash")


def program(number):
    return {"app.mpy": bytes((number,)) * 700, "mfwire/crc.mpy": bytes((number, 7)) * 2300}


def manifest(number):
    files = {}
    for name, data in program(number).items():
        digest = "".join("%02x" % byte for byte in hashlib.sha256(data).digest())
        files[name] = [len(data), digest]
    return json.dumps({"number": number, "files": files}).encode()


def update(files, number):
    slot = slots.begin(files)
    for name, data in program(number).items():
        slots.put(files, slot, name, data)
    slots.finish(files, slot, manifest(number))


def runs(files):
    slot, _trial = slots.choose(files)
    number = slots.manifest(files, slot)["number"]
    for name, data in program(number).items():
        assert files.read("/" + slot + "/" + name) == data
    return number


def life(files):
    update(files, 2)
    slot, _trial = slots.choose(files)
    slots.confirm(files, slot)


def main(seed):
    random.seed(seed)
    flash = Flash(bytearray(b"\xff" * (BLOCKS * SECTOR)))
    vfs.VfsLfs2.mkfs(flash, progsize=256)
    files = mounted(flash)
    files.write("/calibration", b"mine")
    update(files, 1)
    start = bytes(flash.data)
    before = flash.done
    life(files)
    operations = flash.done - before
    vfs.umount("/flash")
    count = {1: 0, 2: 0}
    for cut in range(operations):
        for share in SHARES:
            flash = Flash(bytearray(start))
            files = mounted(flash)
            flash.left = cut
            flash.share = share
            try:
                life(files)
            except OSError:
                pass
            vfs.umount("/flash")
            flash.left = -1
            assert flash.dead
            flash.dead = False
            files = mounted(flash)
            count[runs(files)] += 1
            assert files.read("/calibration") == b"mine"
            vfs.umount("/flash")
    print(operations * len(SHARES), count[1], count[2])


main(int(sys.argv[1]))
