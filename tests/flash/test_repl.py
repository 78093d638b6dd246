"""The raw REPL: code, files, refusals; over a real serial device of the system; cut anywhere."""

import contextlib
import os
import pty
import shutil
import subprocess
import sys
import tty
from pathlib import Path

import hil.flash_twin
import pytest
from desk import flashed, micropython, payload, plan
from hil.flash_twin.pico import NAMES, Desk, Pico

from microfactory.errors import FlashError
from microfactory.flash.bus import SerialStream, UsbBus
from microfactory.flash.over_repl import identify
from microfactory.flash.repl import Repl, ReplError


@pytest.fixture
def repl():
    pico = micropython()
    with Repl(Desk(pico).open(pico.port_name)) as found:
        yield found


def test_code_runs_and_what_it_raises_is_told(repl):
    assert repl.run("print(6 * 7)") == "42\n"
    assert repl.value("import json\nprint(json.dumps({'a': [1]}))") == {"a": [1]}
    with pytest.raises(ReplError, match="ZeroDivisionError") as caught:
        repl.run("1 / 0")
    assert "Traceback" in caught.value.trace
    assert repl.run("print('goes on')") == "goes on\n"
    with pytest.raises(FlashError, match="the board answered 'no'"):
        repl.value("print('no', end='')")


def test_code_longer_than_the_window_keeps_the_flow_control(repl):
    text = "x = '" + "m" * 3000 + "'\nprint(len(x))"
    assert repl.run(text) == "3000\n"


@pytest.mark.parametrize("size", [0, 1, 383, 384, 385, 1536, 5000])
def test_every_byte_of_a_file_comes_back(repl, size):
    data = bytes(i * 7 & 255 for i in range(size))
    repl.put("/file", data)
    assert repl.get("/file") == data
    assert repl.get("/nothing") is None


def test_a_board_says_what_it_is(repl):
    facts = identify(repl)
    assert facts.chip == "RP2040"
    assert facts.number == "e660c0d1c7000001"
    assert facts.free_bytes > 1_000_000


def test_the_same_over_a_serial_device_of_the_system(tmp_path):
    image = tmp_path / "flash"
    image.write_bytes(b"\xff" * (64 * 4096))
    leader, follower = pty.openpty()
    tty.setraw(follower)
    program = shutil.which("micropython", path=Path(sys.executable).parent)
    script = Path(hil.flash_twin.__file__).with_name("on_micropython.py")
    name = os.ttyname(follower)
    with subprocess.Popen(
        [program, script, image, "0011223344556677", NAMES["RP2040"]], stdin=leader, stdout=leader
    ) as process:
        with Repl(SerialStream(name)) as found:
            assert found.run("print(1 + 1)") == "2\n"
            found.put("/file", bytes(range(256)) * 9)
            assert found.get("/file") == bytes(range(256)) * 9
        UsbBus().touch(name)  # opening at 1200 baud does no harm to MicroPython
        process.kill()
    os.close(leader)
    os.close(follower)


def test_a_port_where_nobody_answers_is_told(monkeypatch):
    monkeypatch.setattr("microfactory.flash.repl.ENTER_S", 0.2)
    leader, follower = pty.openpty()
    tty.setraw(follower)
    with pytest.raises(FlashError, match="no MicroPython prompt answers"):
        Repl(SerialStream(os.ttyname(follower)))
    os.close(leader)
    os.close(follower)


class Cutting(Desk):
    """The cable goes after so many writes to a REPL."""

    def __init__(self, pico: Pico, writes: int) -> None:
        super().__init__(pico)
        self.left = writes

    def open(self, name: str):
        pipe = super().open(name)
        write = pipe.write

        def counted(data: bytes) -> None:
            self.left -= 1
            if self.left < 0:
                self.picos[0].unplug()
            write(data)

        pipe.write = counted
        return pipe


def test_an_update_that_is_cut_anywhere_leaves_the_old_program_or_the_new_one():
    from microfactory.flash.flow import flash

    seen = set()
    for writes in range(4, 400, 79):
        pico = micropython()
        flashed(pico, plan(with_uf2=False))
        desk = Cutting(pico, writes)
        with contextlib.suppress(FlashError):
            flash(desk, pico.where, plan(with_uf2=False, number=2), lambda s, t: None, None)
        cut = desk.left < 0
        pico.plug_in()
        if pico.state == "repl":  # it was cut in maintenance: the next start runs the program
            pico.plug_in()
        assert pico.state == "app"
        files = pico.files()
        for name, data in payload().files.items():
            assert files.read(f"/{pico.slot}/{name}") == data
        assert files.read("/me/identity.json")
        seen.add((cut, pico.slot))
        pico.unplug()
    assert (True, "a") in seen
