"""A chip in its boot ROM, as USB sees it: endpoints that stall, commands, a flash behind it.

Written after the published ROM source and the datasheets (RP2040 2.8.5, RP2350 5.6), with what
hosts stumble over: the RP2040's ROM acknowledges an erase that it did not make, both know nothing
of the size of their flash, and a command sent while an endpoint is halted stalls.
"""

import struct
from collections.abc import Callable

from hil.flash_twin.nor import PAGE, SECTOR, Nor
from hil.flash_twin.rom import BASE, starts
from microfactory.flash.picoboot import READ_NUMBER

COMMAND = struct.Struct("<IIBBHI16s")
FLASH_LAST = BASE + 16 * 1024 * 1024
ROM_END = 0x4000
RAM, RAM_END = 0x20000000, 0x20042000
OK, UNKNOWN, BAD_SIZE, BAD_LENGTH, BAD_ADDRESS, BAD_ALIGNMENT = range(6)
NOT_PERMITTED = 10
KINDS = {
    "RP2040": (0x01, 0x02, 0x03, 0x84, 0x05, 0x06, 0x07, 0x08),
    "RP2350": (0x01, 0x03, 0x84, 0x05, 0x06, 0x07, 0x0A, 0x8B),
}  # those for the RP2350's fuses are left out
SIZES = {1: 1, 2: 12, 3: 8, 4: 8, 5: 8, 6: 0, 7: 0, 8: 4, 0x0A: 16, 0x0B: 16}


class StallError(Exception):
    """The endpoint is halted."""


class Bootsel:
    """chip: "RP2040" or "RP2350". Starts in its ROM when there is nothing else to start."""

    def __init__(self, chip: str, flash: Nor, number: int = 0x1122334455667788) -> None:
        self.chip = chip
        self.flash = flash
        self.number = number
        self.ram = bytearray(RAM_END - RAM)
        self.on_reboot: Callable[[], None] = lambda: None
        self.power_on(held=True)

    def power_on(self, held: bool = False) -> bool:
        """held: somebody holds the button. Whether it is in its boot loader now."""
        self.halted = {"out": False, "in": False}
        self.exclusive = 0
        self.xip = True
        self.phase: tuple[str, int] = ("command", 0)
        self.waiting = b""
        self.status = (0, OK, 0, 0)
        self.command = (0, b"", 0)
        self.in_rom = held or not starts(self.chip, self.flash.data)
        return self.in_rom

    # ---- the control pipe

    def control(self, kind: int, request: int, size: int) -> bytes:
        """Vendor requests of the interface."""
        if (kind, request) == (0x41, 0x41):
            self.halted = {"out": False, "in": False}
            self.phase = ("command", 0)
            self.status = (0, OK, 0, 0)
            self.exclusive = 0
            return b""
        if (kind, request, size) == (0xC1, 0x42, 16):
            return struct.pack("<IIBB6x", *self.status)
        raise StallError

    # ---- the bulk pipes

    def write(self, data: bytes) -> int:
        """A transfer of the host to OUT; the bytes taken."""
        if self.halted["out"]:
            raise StallError
        phase, left = self.phase
        if phase == "command":
            self._begin(data)
        elif phase == "data":
            self._data(data, left)
        elif phase == "ack out":
            if data:
                raise StallError
            self.phase = ("command", 0)
        else:
            raise StallError
        return len(data)

    def read(self, size: int) -> bytes:
        """A transfer from IN, at most so many bytes."""
        if self.halted["in"]:
            raise StallError
        phase, _left = self.phase
        if phase == "ack in":
            self.phase = ("command", 0)
            if self.command[0] in (0x02, 0x0A) and self.status[1] == OK:
                self.on_reboot()
            return b""
        if phase != "send":
            raise StallError
        piece = self.waiting[:size]
        self.waiting = self.waiting[size:]
        if not self.waiting:
            self.phase = ("ack out", 0)
        return piece

    def _begin(self, data: bytes) -> None:
        if len(data) != COMMAND.size or data[:4] != struct.pack("<I", 0x431FD10B):
            self._halt(self.status[0], UNKNOWN)
            return None
        _magic, token, kind, arg_size, _zero, length, args = COMMAND.unpack(data)
        self.status = (token, OK, kind, 1)
        self.command = (kind, args, length)
        number = kind & 0x7F
        if kind not in KINDS[self.chip]:
            return self._halt(token, UNKNOWN)
        if arg_size != SIZES[number]:
            return self._halt(token, BAD_SIZE)
        address, size = struct.unpack_from("<II", args)
        wanted = size if number in (4, 5) else length if number == 0x0B else 0
        if length != wanted:
            return self._halt(token, BAD_LENGTH)
        if number == 5:
            self.phase = ("data", length)
            return None
        if number == 4:
            return self._send(self._memory(address, size))
        if number == 0x0B:
            return self._send(self._info(address, size, length))
        code = self._do(kind, args)
        # The RP2040's ROM forgets the result of a command without data (async_task, _atc_ack).
        if code != OK and self.chip == "RP2350":
            return self._halt(token, code)
        self.phase = ("ack in", 0)
        self.status = (token, OK, kind, 0)
        return None

    def _do(self, kind: int, args: bytes) -> int:
        address, size = struct.unpack_from("<II", args)
        if kind == 1:
            self.exclusive = args[0]
        elif kind == 6:
            self.xip = False
        elif kind == 7:
            self.xip = True
        elif kind == 8:
            self._execute(address - RAM)
        elif kind == 3:
            if address % SECTOR or size % SECTOR:
                return BAD_ALIGNMENT
            if not BASE <= address <= address + size < FLASH_LAST:
                return BAD_ADDRESS
            for at in range(address, address + size, SECTOR):
                if self._flash_is_ours():
                    self.flash.erase(at - BASE)
        return OK

    def _execute(self, at: int) -> None:
        """The one program that this twin knows: tests/flash/test_boot_rom.py runs it for real."""
        assert self.ram[at : at + len(READ_NUMBER)] == READ_NUMBER, "an unknown program"
        if not self.xip:
            self.ram[0x100:0x108] = self.number.to_bytes(8, "big")

    def _flash_is_ours(self) -> bool:
        """Flash takes commands only after it has left execute-in-place (RP2040)."""
        return self.chip == "RP2350" or not self.xip

    def _data(self, data: bytes, left: int) -> None:
        """The data of a WRITE, page by page as they fill; each page is on flash when it is full."""
        address, size = struct.unpack_from("<II", self.command[1])
        at = address + size - left
        for start in range(0, min(len(data), left), PAGE):
            code = self._page(at + start, data[start : start + PAGE])
            if code != OK:
                self.halted["out"] = True
                self.status = (self.status[0], code, self.status[2], 0)
                self.phase = ("command", 0)
                raise StallError
        left -= len(data)
        self.phase = ("data", left) if left > 0 else ("ack in", 0)

    def _page(self, address: int, data: bytes) -> int:
        if RAM <= address < RAM_END:
            self.ram[address - RAM : address - RAM + len(data)] = data
            return OK
        if not BASE <= address < FLASH_LAST:
            return BAD_ADDRESS
        if address % PAGE:
            return BAD_ALIGNMENT
        if self._flash_is_ours():
            self.flash.program(address - BASE, data.ljust(PAGE, b"\0"))
        return OK

    def _memory(self, address: int, size: int) -> bytes | int:
        if address + size <= ROM_END:
            return bytes(size)  # its own code, which the twin has not
        if RAM <= address <= address + size <= RAM_END:
            return bytes(self.ram[address - RAM : address - RAM + size])
        if not BASE <= address <= address + size < FLASH_LAST:
            return BAD_ADDRESS
        if address % PAGE:
            return BAD_ALIGNMENT
        return self.flash.read(address - BASE, size)

    def _info(self, kind: int, flags: int, length: int) -> bytes | int:
        if kind != 1 or length % 4 or length > 256:
            return NOT_PERMITTED
        words = [flags & 1]
        if flags & 1:
            words += [0, self.number & 0xFFFFFFFF, self.number >> 32]
        answer = struct.pack(f"<{len(words) + 1}I", len(words), *words)
        return answer.ljust(length, b"\0")[:length]

    def _send(self, answer: bytes | int) -> None:
        if isinstance(answer, int):
            self.halted["in"] = True
            self.status = (self.status[0], answer, self.status[2], 0)
            self.phase = ("command", 0)
            return
        self.waiting = answer
        self.phase = ("send", 0)

    def _halt(self, token: int, code: int) -> None:
        self.halted = {"out": True, "in": True}
        self.status = (token, code, self.status[2], 0)
        self.phase = ("command", 0)
