"""The RP2040's own boot ROM behind pyusb's backend interface, on an emulated chip.

Needs node, the npm package rp2040js (MF_RP2040JS: the path of its dist/esm/index.js, else that of
hil/emulated) and a boot ROM (MF_BOOTROM: a file). Nothing of these is in this repository.
"""

import base64
import errno
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from usb.core import USBError, USBTimeoutError

from hil.flash_twin.usb_bus import GONE, PIPE, TIMED_OUT, Bus

USB_IDS = bytes.fromhex("8a2e0300")  # in its device descriptor
HERE = Path(__file__).parent
EMULATOR = HERE.parent / "emulated/node_modules/rp2040js/dist/esm/index.js"


def missing() -> str:
    """What is not here, in words; empty: everything is."""
    if shutil.which("node") is None:
        return "node is not installed"
    if not emulator().is_file():
        return "rp2040js is not installed (MF_RP2040JS)"
    rom = Path(os.environ.get("MF_BOOTROM", "/nowhere"))
    if not rom.is_file():
        return "no boot ROM was given (MF_BOOTROM)"
    if USB_IDS not in rom.read_bytes():
        return f"{rom} has no USB descriptors: it was cut short (a build of it may be over 16 kB)"
    return ""


def emulator() -> Path:
    """The emulator's module."""
    return Path(os.environ.get("MF_RP2040JS", EMULATOR))


class RomChip:
    """An emulated RP2040 with this flash, in its boot ROM or whatever that starts."""

    def __init__(self, flash: bytes) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="boot-rom-")
        self._flash = Path(self._folder.name) / "flash"
        self._flash.write_bytes(flash)
        self.process = subprocess.Popen(
            ["node", HERE / "boot_rom.mjs", emulator(), os.environ["MF_BOOTROM"], self._flash],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.state = ""
        self.plug_in()

    def plug_in(self, held: bool = True) -> str:
        """Power comes, and somebody holds the button, or not: "boot loader", or "other"."""
        self.state = self.ask("power", held=held)["state"]
        return self.state

    def flash(self) -> bytes:
        """Its flash now."""
        self.ask("flash")
        return self._flash.read_bytes()

    def ask(self, op: str, **values: Any) -> dict[str, Any]:
        """One request. USBError: the chip says nothing, or is gone."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps({"op": op, **values}) + "\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        if answer.get("error") == "timeout":
            raise USBTimeoutError("Operation timed out", TIMED_OUT, errno.ETIMEDOUT)
        if "error" in answer:
            raise USBError(answer["error"], GONE, errno.ENODEV)
        if answer.get("stall"):
            raise USBError("Pipe error", PIPE, errno.EPIPE)
        return answer

    def close(self) -> None:
        """The end of it."""
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe
            pipe.close()
        self._folder.cleanup()


class RomDevice:
    """What usb_bus.Bus lists."""

    def __init__(self, chip: RomChip) -> None:
        self.chip = chip
        self.port = (1, 2)
        self.address = 1
        self.transfers = 0
        self.product = 0x0003
        self.fault: Callable[[int], bool] = lambda number: False

    @property
    def plugged(self) -> bool:
        """Whether it is on the bus as a boot loader."""
        return self.chip.state == "boot loader"

    def step(self) -> None:
        """Before each transfer: the cable may go here."""
        if self.fault(self.transfers):
            self.chip.state = "unplugged"
        self.transfers += 1
        if not self.plugged:
            raise USBError("No such device (it may have been disconnected)", GONE, errno.ENODEV)


class RomBus(Bus):
    """pyusb's calls as transfers of the emulated controller."""

    def bulk_write(self, dev_handle: Any, ep: int, intf: int, data: Any, timeout: int) -> int:
        dev_handle.step()
        text = base64.b64encode(bytes(data)).decode()
        dev_handle.chip.ask("out", endpoint=ep & 15, data=text)
        return len(data)

    def bulk_read(self, dev_handle: Any, ep: int, intf: int, buff: Any, timeout: int) -> int:
        dev_handle.step()
        answer = dev_handle.chip.ask("in", endpoint=ep & 15, size=len(buff))
        data = base64.b64decode(answer["data"])
        buff[: len(data)] = type(buff)("B", data)
        return len(data)

    def ctrl_transfer(
        self, dev_handle: Any, kind: int, request: int, value: int, index: int, data: Any,
        timeout: int,
    ) -> int:  # fmt: skip
        dev_handle.step()
        setup = [kind, request, value & 255, value >> 8, index & 255, index >> 8]
        setup += [len(data) & 255, len(data) >> 8]
        answer = dev_handle.chip.ask("control", setup=setup)
        got = base64.b64decode(answer["data"])
        data[: len(got)] = type(data)("B", got)
        return len(got)

    def clear_halt(self, dev_handle: Any, ep: int) -> None:
        dev_handle.step()
        dev_handle.chip.ask("control", setup=[2, 1, 0, 0, ep, 0, 0, 0])
