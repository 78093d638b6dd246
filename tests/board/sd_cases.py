"""The block driver against the simulated card, on CPython and MicroPython alike.

`sd_cases.py FIRMWARE` prints a line for each case. On MicroPython a FAT file system is made on it.
"""

import sys

sys.path.insert(0, sys.argv[1])

from mfboard.sdcard import SdCard, crc7, crc16
from mfboard.sim_sd import NEWER, OLD, STANDARD, SimSd

BLOCKS = 1024


def made(kind):
    sd = SimSd(bytearray(BLOCKS * 512), kind)
    card = SdCard(sd, sd.select, sd.speed, sd.us, sd.wait)
    card.start()
    return sd, card


def fails(work, *args):
    try:
        work(*args)
    except OSError:
        return True
    return False


def pattern(seed, length):
    out = bytearray(length)
    value = seed
    for i in range(length):
        value = (value * 75 + 74) % 65537
        out[i] = value & 255
    return out


def blocks(kind):
    sd, card = made(kind)
    data = pattern(3, 1024)
    card.writeblocks(5, data)
    got = bytearray(1024)
    card.readblocks(5, got)
    at = sd.store[5 * 512 : 7 * 512]
    print(kind, card.blocks, card.by_block, got == data, at == data, card.errors)
    print("beyond the end", fails(card.readblocks, BLOCKS, got))


def faults():
    sd, card = made(NEWER)
    data, got = pattern(9, 512), bytearray(512)
    card.writeblocks(7, data)
    sd.spoil = 2
    card.readblocks(7, got)
    print("two flipped bits", got == data, card.errors)
    sd.spoil = 9
    print("flipped for good", fails(card.readblocks, 7, got))
    sd.spoil = 0
    sd.refuse = 2
    card.readblocks(7, got)
    print("two error tokens", got == data)
    sd.reject = 2
    card.writeblocks(8, data)
    print("two refused writings", sd.store[8 * 512 : 9 * 512] == data)
    sd.late_us, before = 90_000, sd.waits
    card.readblocks(7, got)
    print("90 ms late", got == data, sd.waits > before + 80)
    sd.late_us = 400_000
    print("400 ms late", fails(card.readblocks, 7, got))
    sd.late_us, sd.busy_us, before = 0, 240_000, sd.waits
    card.writeblocks(9, data)
    print("240 ms busy", sd.waits > before + 200)
    sd.busy_us = 0
    print("there", card.present())
    sd.pull()
    print("pulled", card.present(), fails(card.readblocks, 7, got))
    sd.put()
    print("put back, not started", card.present())
    card.start()
    card.readblocks(7, got)
    print("started", card.present(), got == data)
    sd.cut = 200
    print("power cut in a block", fails(card.writeblocks, 7, pattern(1, 512)))
    sd.put()
    card.start()
    card.readblocks(7, got)
    print(
        "half of it", got == pattern(1, 512)[:200] + data[200:], sd.store[8 * 512 : 9 * 512] == data
    )


def absent():
    sd = SimSd(bytearray(BLOCKS * 512))
    sd.in_slot = False
    card = SdCard(sd, sd.select, sd.speed, sd.us, sd.wait)
    print("no card", fails(card.start))


def book():
    """The examples of 4.5 of the specification."""
    print(
        "crc7", [crc7(frame, 5) for frame in (b"\x40\0\0\0\0", b"\x51\0\0\0\0", b"\x11\0\0\x09\0")]
    )
    print("crc16", crc16(b"\xff" * 512, 0, 512))


def files():
    try:
        import vfs
    except ImportError:
        print("files", True, True)
        return
    sd, card = made(NEWER)
    vfs.VfsFat.mkfs(card)
    vfs.mount(vfs.VfsFat(card), "/sd")
    data = pattern(5, 20_000)
    with open("/sd/job.bin", "wb") as file:
        file.write(data)
    vfs.umount("/sd")
    sd.pull()
    sd.put()
    sd.spoil = 2
    card.start()
    vfs.mount(vfs.VfsFat(card), "/sd")
    with open("/sd/job.bin", "rb") as file:
        same = file.read() == data
    sd.pull()
    print("files", same, fails(open, "/sd/other.bin", "rb"))


book()
for kind in (NEWER, STANDARD, OLD):
    blocks(kind)
faults()
absent()
files()
