"""PICOBOOT: the boot ROM's own USB protocol, over pyusb. RP2040 datasheet 2.8.5, RP2350 5.6.

A command is 32 bytes out, then its data, then an empty packet the other way. A stall is a refusal:
the status says why, a reset of the interface clears it. The ROM acknowledges some bad addresses, so
this side checks them itself and whoever writes reads back.
"""

from __future__ import annotations

import errno
import struct
from typing import Any

import usb.core
import usb.util

from microfactory.errors import FlashError
from microfactory.flash.chips import FLASH_BASE, PAGE_BYTES, RP2040, SECTOR_BYTES, Chip

MAGIC = 0x431FD10B
COMMAND = struct.Struct("<IIBBHI16s")
STATUS = struct.Struct("<IIBB6x")
EXCLUSIVE, REBOOT, ERASE, READ, WRITE = 0x01, 0x02, 0x03, 0x84, 0x05
EXIT_XIP, EXEC, REBOOT2, GET_INFO = 0x06, 0x08, 0x0A, 0x8B
IF_RESET, IF_STATUS = 0x41, 0x42
INFO_SYS, CHIP_INFO = 1, 1
NAMES = {
    EXCLUSIVE: "EXCLUSIVE_ACCESS", REBOOT: "REBOOT", ERASE: "FLASH_ERASE", READ: "READ",
    WRITE: "WRITE", EXIT_XIP: "EXIT_XIP", EXEC: "EXEC", REBOOT2: "REBOOT2",
    GET_INFO: "GET_INFO",
}  # fmt: skip
REASONS = (
    "ok", "unknown command", "wrong command length", "wrong transfer length", "wrong address",
    "wrong alignment", "somebody else writes to the drive", "it is rebooting", "unknown error",
    "wrong state", "not permitted", "wrong argument", "buffer too small", "precondition not met",
    "data was modified", "invalid data", "not found", "modification not supported",
)  # fmt: skip
RAM, RAM_ANSWER = 0x20000000, 0x20000100
# Thumb code of ours: select the flash, send 4Bh and twelve zeros through the SSI, which EXIT_XIP
# has left in plain mode, wait for thirteen bytes, keep the last eight at RAM_ANSWER, deselect.
READ_NUMBER = bytes.fromhex(
    "8023002211489b00f0b511490360b63bff3b0b603f3b013b0a60002bfbd10826"
    "0c4d053b2a683242fcd00a685c1c002b01da2300f6e7084fd2b2db191a702300"
    "082cefd1c0239b000360f0bd0c800140600000182800001800010020"
)
TIMEOUT_MS = 3000
LONG_MS = 10_000  # an erase or a write of a worn flash
REBOOT_MS = 500


class Picoboot:
    """A chip in its boot loader, interface claimed. Use as a context manager."""

    def __init__(self, device: Any, chip: Chip, where: str, *, exclusive: bool = True) -> None:
        """device: of pyusb; where: the port as people know it. FlashError: it cannot be used.

        exclusive: the drive that people see is taken away as long as this lasts.
        """
        self.device = device
        self.chip = chip
        self.where = where
        self._token = 0
        try:
            self.interface, self.out, self.into = _interface(device)
            usb.util.claim_interface(device, self.interface)
            self.reset()
            if exclusive:
                self._command(EXCLUSIVE, b"\x02")
            if chip is RP2040:
                self._command(EXIT_XIP)
        except usb.core.USBError as error:
            usb.util.dispose_resources(device)
            raise self._gone(error) from None
        except FlashError:
            usb.util.dispose_resources(device)
            raise

    def __enter__(self) -> Picoboot:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the device; more than once is fine."""
        usb.util.dispose_resources(self.device)

    # ---- what it can do

    def reset(self) -> None:
        """A stall is over, and what went before is forgotten, exclusive access too.

        Only a halted endpoint is cleared: the ROM takes down what another is doing when it is.
        """
        for endpoint in (self.out, self.into):
            state = self.device.ctrl_transfer(0x82, 0, 0, endpoint, 2, TIMEOUT_MS)
            if state[0] & 1:
                self.device.clear_halt(endpoint)
        self.device.ctrl_transfer(0x41, IF_RESET, 0, self.interface, None, TIMEOUT_MS)

    def erase(self, address: int, size: int) -> None:
        """Whole sectors become 0xFF."""
        self._check(address, size, SECTOR_BYTES)
        self._run(ERASE, struct.pack("<II", address, size))

    def write(self, address: int, data: bytes) -> None:
        """Whole pages of erased flash. Zeros may be written over anything."""
        self._check(address, len(data), PAGE_BYTES)
        self._run(WRITE, struct.pack("<II", address, len(data)), data=data)

    def read(self, address: int, size: int) -> bytes:
        """Bytes of flash, whole pages."""
        self._check(address, size, PAGE_BYTES)
        return self._run(READ, struct.pack("<II", address, size), size=size)

    def number(self) -> str:
        """The number that MicroPython gives as machine.unique_id, in hex; empty: not told.

        An RP2040's is that of its flash chip. The ROM does not read it, a program in RAM does.
        """
        if self.chip is RP2040:
            self._run(WRITE, struct.pack("<II", RAM, len(READ_NUMBER)), data=READ_NUMBER)
            self._run(EXEC, struct.pack("<I", RAM))
            return self._run(READ, struct.pack("<II", RAM_ANSWER, 8), size=8).hex()
        answer = self._run(GET_INFO, struct.pack("<IIII", INFO_SYS, CHIP_INFO, 0, 0), size=32)
        words = struct.unpack("<8I", answer)
        return f"{words[4]:08x}{words[3]:08x}" if words[0] >= 4 and words[1] & CHIP_INFO else ""

    def reboot(self) -> None:
        """A normal start in half a second; the device leaves the bus."""
        if self.chip is RP2040:
            self._run(REBOOT, struct.pack("<III", 0, 0, REBOOT_MS))
        else:
            self._run(REBOOT2, struct.pack("<IIII", 0, REBOOT_MS, 0, 0))

    # ---- the wire

    def _run(self, command: int, args: bytes, data: bytes = b"", size: int = 0) -> bytes:
        try:
            return self._command(command, args, data, size)
        except usb.core.USBError as error:
            raise self._gone(error) from None

    def _command(self, command: int, args: bytes = b"", data: bytes = b"", size: int = 0) -> bytes:
        """Send, move the data, acknowledge. FlashError: refused. USBError: the wire."""
        self._token += 1
        length = size or len(data)
        head = COMMAND.pack(MAGIC, self._token, command, len(args), 0, length, args)
        answer = b""
        try:
            self._send(head, TIMEOUT_MS)
            if data:
                self._send(data, LONG_MS)
            if size:
                answer = self._receive(size)
            if command & 0x80:
                self.device.write(self.out, b"", LONG_MS)
            else:
                self._receive(0)
        except usb.core.USBError as error:
            if error.errno != errno.EPIPE:
                raise
            raise self._refused(command) from None
        return answer

    def _send(self, data: bytes, timeout_ms: int) -> None:
        sent = self.device.write(self.out, data, timeout_ms)
        if sent != len(data):
            raise FlashError(
                f"{self.where}: only {sent} of {len(data)} bytes went to the boot loader; the "
                "board stays in its boot loader; take another cable or port and flash it again"
            )

    def _receive(self, size: int) -> bytes:
        """Size bytes; 0: the empty packet that acknowledges."""
        got = bytes(self.device.read(self.into, max(size, 64), LONG_MS))
        if len(got) != size:
            raise FlashError(
                f"{self.where}: the boot loader sent {len(got)} bytes instead of {size}; the board "
                "stays in its boot loader; take another cable or port and flash it again"
            )
        return got

    def _refused(self, command: int) -> FlashError:
        raw = bytes(self.device.ctrl_transfer(0xC1, IF_STATUS, 0, self.interface, 16, TIMEOUT_MS))
        token, status, told, _busy = STATUS.unpack(raw) if len(raw) == 16 else (0, 8, 0, 0)
        if token != self._token or told != command:
            status = 8
        why = REASONS[status] if status < len(REASONS) else f"status {status}"
        name = NAMES.get(command, hex(command))
        self.reset()
        return FlashError(
            f"{self.where}: the boot loader refused {name}: {why}; the board stays in "
            "its boot loader; unplug it, hold BOOTSEL, plug it in and flash it again"
        )

    def _gone(self, error: Any) -> FlashError:
        if error.errno in (errno.EACCES, errno.EPERM):
            return FlashError(
                f"{self.where}: you may not use this board's boot loader; it was not touched; "
                "install the udev rule (`microfactory doctor` prints it), then plug it in again"
            )
        if error.errno == errno.EBUSY:
            return FlashError(
                f"{self.where}: another program uses the boot loader; the board was not touched; "
                "close that program"
            )
        return FlashError(
            f"{self.where}: the board is gone ({error.strerror}); it has its old program whole or "
            "comes back in its boot loader; plug it in and flash it again"
        )

    def _check(self, address: int, size: int, unit: int) -> None:
        """The ROM does not refuse all of these. FlashError."""
        last = FLASH_BASE + 16 * 1024 * 1024
        bad = size <= 0 or address % unit or size % unit
        if bad or address < FLASH_BASE or address + size > last:
            raise FlashError(
                f"{self.where}: {size} bytes at {address:#x} are not whole units of {unit} bytes "
                "of flash; nothing was sent; report it"
            )


def _interface(device: Any) -> tuple[int, int, int]:
    """Number, OUT and IN endpoint of the vendor interface, as the descriptors say."""
    for interface in device.get_active_configuration():
        ends = [end.bEndpointAddress for end in interface]
        outs = [end for end in ends if not end & 0x80]
        ins = [end for end in ends if end & 0x80]
        if interface.bInterfaceClass == 0xFF and len(outs) == len(ins) == 1:
            return interface.bInterfaceNumber, outs[0], ins[0]
    raise FlashError(
        "this boot loader has no PICOBOOT interface; the board was not touched; "
        "unplug it, hold BOOTSEL and plug it in again"
    )
