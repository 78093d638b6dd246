"""Where boards are plugged in: what is there now, and how to open it. The real one and its walls.

A board keeps its place (the USB path, such as "1-2.3") through every reboot; its ports' names and
numbers change. What differs between systems is behind system.py.
"""

from __future__ import annotations

import shlex
import subprocess
import time
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Any, Protocol

import serial
import usb.core
from serial.tools import list_ports
from usb.backend import libusb1

from microfactory.errors import FlashError, LinkError, UsageError
from microfactory.flash.chips import VENDOR, Chip, chip_of_bootsel
from microfactory.flash.repl import Stream
from microfactory.flash.system import usb_where
from microfactory.link import Link, SerialLink
from microfactory.machine import Machine

BUSES = "microfactory.buses"
NO_LIBUSB = (
    "libusb is not installed, so no boot loader can be seen; nothing was touched; install it (sudo "
    "apt install libusb-1.0-0)"
)


@dataclass(frozen=True)
class SerialPort:
    """A serial port of the USB. interface: its own name, "microfactory" for our data port."""

    name: str
    where: str
    vendor: int
    product: int
    number: str
    interface: str


@dataclass(frozen=True)
class Loader:
    """A chip in its boot loader. device: of pyusb."""

    where: str
    chip: Chip
    number: str
    device: Any


class Bus(Protocol):
    """What flashing needs of the world."""

    def ports(self) -> list[SerialPort]:
        """Serial ports now."""

    def loaders(self) -> list[Loader]:
        """Chips in their boot loader now."""

    def problem(self) -> str:
        """Why boot loaders cannot be seen here; empty: they can."""

    def open(self, name: str) -> Stream:
        """A serial port's bytes. LinkError."""

    def link(self, name: str, machine: Machine) -> Link:
        """A board's data port. LinkError."""

    def touch(self, name: str) -> None:
        """Open at 1200 baud and close: firmware of the SDK and of Arduino goes to its loader."""

    def force(self, where: str) -> bool:
        """RUN and BOOTSEL by a rig or relay; False: there is none."""

    def now_s(self) -> float:
        """A clock."""

    def wait(self, seconds: float) -> None:
        """Let time pass."""


class SerialStream:
    """A serial port as a Stream."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._link = SerialLink(name)

    def write(self, data: bytes) -> None:
        self._link.write(data)

    def read(self, timeout_s: float) -> bytes:
        return self._link.read(timeout_s)

    def close(self) -> None:
        self._link.close()


class UsbBus:
    """The USB of this computer. command: puts the board at {where} into its boot loader."""

    def __init__(self, command: str = "") -> None:
        self._command = command

    def ports(self) -> list[SerialPort]:
        return [
            SerialPort(
                port.device,
                usb_where(port.location or port.device),
                port.vid,
                port.pid or 0,
                port.serial_number or "",
                port.interface or "",
            )
            for port in list_ports.comports()
            if port.vid is not None
        ]

    def loaders(self) -> list[Loader]:
        try:
            return loaders_of(list(usb.core.find(find_all=True, idVendor=VENDOR)))
        except usb.core.NoBackendError:
            return []  # `problem` says so

    def problem(self) -> str:
        if libusb1.get_backend() is None:
            return NO_LIBUSB
        return ""

    def open(self, name: str) -> Stream:
        return SerialStream(name)

    def link(self, name: str, machine: Machine) -> Link:
        return SerialLink(name)

    def touch(self, name: str) -> None:
        try:
            serial.Serial(name, 1200, exclusive=True).close()
        except (serial.SerialException, OSError):
            return  # it may vanish while it is opened; whether it worked is seen by who waits

    def force(self, where: str) -> bool:
        if not self._command:
            return False
        words = [word.replace("{where}", where) for word in shlex.split(self._command)]
        try:
            done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=30)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise UsageError(f"{self._command}: {error}; no board was touched") from None
        return done.returncode == 0

    def now_s(self) -> float:
        return time.monotonic()

    def wait(self, seconds: float) -> None:
        time.sleep(seconds)


def loaders_of(devices: list[Any]) -> list[Loader]:
    """Those of pyusb's devices that are chips in their boot loader."""
    out = []
    for device in devices:
        chip = chip_of_bootsel(device.idProduct)
        if chip is not None:
            path = ".".join(str(number) for number in device.port_numbers or (device.address,))
            try:
                number = str(device.serial_number or "")
            except (ValueError, usb.core.USBError):
                number = ""  # it may not be opened; whoever flashes it is told why
            if chip.name == "RP2040":
                number = ""  # the same for all of them: datasheet 2.8.4.1
            out.append(Loader(f"{device.bus}-{path}", chip, number, device))
    return out


def open_bus(name: str, command: str = "") -> Bus:
    """By name: usb, or a simulated one. UsageError: there is no such."""
    if name == "usb":
        return UsbBus(command)
    found = {entry.name: entry for entry in entry_points(group=BUSES)}
    kind, _colon, options = name.partition(":")
    if kind not in found:
        raise UsageError(
            f"--bus {name}: there is no such bus; nothing was touched; known are "
            + ", ".join(["usb", *sorted(found)])
        )
    bus: Bus = found[kind].load()(options)
    return bus


def repl_of(bus: Bus, port: SerialPort) -> Stream:
    """Open a port for its REPL. FlashError in the words of flashing."""
    try:
        return bus.open(port.name)
    except LinkError as error:
        raise FlashError(str(error)) from None
