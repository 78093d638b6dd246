"""UF2 files are judged whole before any board is touched."""

import hashlib
import struct

import pytest
from hil.flash_twin.images import FAMILY, image, uf2

from microfactory.errors import FlashError
from microfactory.flash import uf2 as u
from microfactory.flash.chips import FLASH_BASE, RP2040, RP2350

DATA = image("RP2040", 3 * 4096 + 700, 1)
FILE = uf2(DATA, FAMILY["RP2040"])


def test_a_file_is_read_back_as_the_bytes_it_was_made_of():
    read = u.read(FILE, "a.uf2")
    assert b"".join(read.pages.values())[: len(DATA)] == DATA
    assert read.sha256 == hashlib.sha256(FILE).hexdigest()
    sectors = read.sectors()
    assert list(sectors) == [FLASH_BASE + 4096 * i for i in range(4)]
    assert b"".join(sectors.values())[: len(DATA)] == DATA
    assert set(sectors[FLASH_BASE + 3 * 4096][700:]) == {0xFF}


def test_the_order_of_blocks_does_not_matter():
    blocks = [FILE[at : at + 512] for at in range(0, len(FILE), 512)]
    assert u.read(b"".join(reversed(blocks)), "a.uf2").pages == u.read(FILE, "a.uf2").pages


def test_a_file_for_another_chip_is_refused_by_its_name():
    u.check_for(u.read(FILE, "a.uf2"), RP2040)
    with pytest.raises(
        FlashError, match=r"is for RP2040 and the board has an RP2350; .* not touched"
    ):
        u.check_for(u.read(FILE, "a.uf2"), RP2350)
    wireless = u.read(uf2(DATA, 0xE48BFF55), "w.uf2")
    with pytest.raises(FlashError, match="CYW43"):
        u.check_for(wireless, RP2040)


def test_a_file_that_is_not_the_one_meant_is_refused():
    read = u.read(FILE, "a.uf2")
    u.check_hash(read, read.sha256.upper())
    with pytest.raises(FlashError, match="no board was touched"):
        u.check_hash(read, "0" * 64)


def spoilt(at: int, kind: str, value: int) -> bytes:
    data = bytearray(FILE)
    struct.pack_into(kind, data, at, value)
    return bytes(data)


BAD = {
    "cut short": (FILE[:-512], "blocks"),
    "half a block": (FILE[:-100], "whole number"),
    "empty": (b"", "whole number"),
    "first mark": (spoilt(512, "<I", 0), "block 1 has not the marks"),
    "last mark": (spoilt(512 + 508, "<I", 0), "block 1 has not the marks"),
    "no family": (spoilt(8, "<I", 0), "for which chip"),
    "two families": (spoilt(28, "<I", FAMILY["RP2350"]), "several chips"),
    "size": (spoilt(16, "<I", 128), "not a page"),
    "alignment": (spoilt(12, "<I", FLASH_BASE + 4), "not a page"),
    "address": (spoilt(12, "<I", 0x20000000), "not flash"),
    "count": (spoilt(24, "<I", 7), "others 7"),
    "beginning": (uf2(DATA, FAMILY["RP2040"], FLASH_BASE + 4096), "beginning of flash"),
    "twice": (FILE + spoilt(40, "<I", 1)[:512], "twice"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_damaged_file_is_refused_in_one_sentence(name):
    data, told = BAD[name]
    with pytest.raises(FlashError, match=told) as caught:
        u.read(data, "bad.uf2")
    assert "no board was touched" in str(caught.value)
