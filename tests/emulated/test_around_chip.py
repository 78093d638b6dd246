"""What stands around the emulated chip, and the firmware's drivers for it: card, converter."""

from __future__ import annotations

import hashlib
import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from hil.emulated.chip import Chip
from hil.emulated.fatimage import contents, image
from hil.emulated.firmware import flash
from hil.emulated.link import SLOT, SLOT_PINS

from microfactory import Machine

DATA = random.Random(3).randbytes(20_000)
PORT = """
import sys, hashlib, time
sys.path.insert(0, '/a')
from mfboard.port_rp2_card import Card
class Page:
    CARD = %r
class Port:
    page = Page
    waits = 0
    def us(self):
        return time.ticks_us() & 0x3FFFFFFF
    def breathe(self):
        self.waits += 1
def mounted():
    global port, card
    port = Port()
    card = Card(port)
    card.mount()
def digest():
    h = hashlib.sha256()
    with card.open('some file.data') as f:
        while True:
            b = f.read(1024)
            if not b:
                return h.digest().hex()
            h.update(b)
"""


def test_an_image_holds_its_files():
    files = {"a.bin": b"1", "long name.mfjob": DATA, "empty.txt": b""}
    assert contents(image(files)) == files


@pytest.fixture(scope="module")
def chip(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chip]:
    """The firmware's files are on it, and it stays in its REPL."""
    card = tmp_path_factory.mktemp("card") / "card.img"
    card.write_bytes(image({"some file.data": DATA, "journal.bin": bytes(4096)}))
    chip = Chip(flash(Machine.load("circuit-plotter"), Path(os.environ["MF_UF2"]), SLOT))
    chip.card(image=card, slot=dict(zip(SLOT_PINS, SLOT, strict=True)))
    chip.boot()
    chip.enter()  # before the program has switched that off
    chip.execute("open('/maintain', 'w').close()")
    chip.reset()
    chip.boot()
    chip.run(1.0)
    chip.enter()
    chip.execute(PORT % (SLOT,))
    yield chip
    chip.close()


def test_the_firmwares_driver_reads_files_of_the_card_and_tells_damage(chip):
    chip.execute("mounted()", 10.0)
    right = hashlib.sha256(DATA).hexdigest()
    assert chip.execute("print(digest())", 10.0).strip() == right
    chip.card(spoil=2)
    assert chip.execute("print(digest(), card.sd.errors)", 10.0).split() == [right, "2"]
    chip.card(refuse=-1)
    with pytest.raises(RuntimeError, match="OSError"):
        chip.execute("print(digest())", 10.0)
    chip.card(refuse=0)
    assert chip.execute("print(digest())", 10.0).strip() == right


def test_a_late_card_is_waited_for_and_one_that_is_too_late_is_an_error(chip):
    chip.card(late=12_500_000)  # 100 ms, what the specification allows
    assert int(
        chip.execute("n = port.waits; f = card.open('journal.bin'); print(len(f.read(512)))")
    )
    assert int(chip.execute("print(port.waits - n)")) > 10
    chip.card(late=25_000_000)
    with pytest.raises(RuntimeError, match="OSError"):
        chip.execute("f.read(2048)", 10.0)
    chip.card(late=0)


def test_what_is_written_is_on_the_card_and_a_pulled_one_is_missed(chip, tmp_path):
    chip.card(busy=2_000_000)
    chip.execute(
        "f = card.open('journal.bin', 'r+b'); f.seek(512); f.write(b'written' * 8); f.close()"
    )
    chip.card(save=tmp_path / "after.img", busy=0)
    files = contents((tmp_path / "after.img").read_bytes())
    assert files["journal.bin"][512:568] == b"written" * 8
    assert files["journal.bin"][568:] == bytes(4096 - 568)
    assert files["some file.data"] == DATA
    assert chip.execute("print(card.present())").strip() == "True"
    chip.card(inside=False)
    assert chip.execute("print(card.present())", 10.0).strip() == "False"
    chip.card(inside=True)
    assert chip.execute("print(card.present())", 10.0).strip() == "False"  # it has lost its power
    chip.execute("card.mount()", 10.0)
    assert chip.execute("print(card.present())").strip() == "True"


def test_the_firmwares_driver_reads_a_converters_frame(chip):
    chip.converter({"sck": 2, "so": 3, "cs": 4}, bits=32, frame=0x01900000, conversion=125_000)
    chip.execute("""
from machine import Pin
from mfboard.port_rp2_spi import Spi
spi = Spi(Pin(2, Pin.OUT, value=0), Pin(3, Pin.IN), Pin(4, Pin.OUT, value=1))
out = bytearray(4)
def look():
    spi.read(out)
    print(out.hex())
time.sleep_ms(2)
""")
    assert chip.execute("look()").strip() == "01900000"
    chip.converter(frame=0xFFFC0001, conversion=12_500_000)
    assert chip.execute("look()").strip() == "01900000"  # its conversion has not ended
    assert chip.execute("time.sleep_ms(120); look()").strip() == "fffc0001"
