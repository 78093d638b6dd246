"""Bytes over a wire. `read(timeout_s)` is the only place where time passes.

A link is used by one thread. Its clock is its own: real for a serial port, virtual for a board in
memory, recorded for a replay.
"""

from __future__ import annotations

import json
import time
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Protocol

import serial

from microfactory.errors import LinkError, UsageError
from microfactory.machine import Machine

RIGS = "microfactory.rigs"
USB_PACKET = 64


class Link(Protocol):
    """What a session needs of a wire."""

    def write(self, data: bytes) -> None:
        """Send bytes. LinkError: the wire is gone."""

    def read(self, timeout_s: float) -> bytes:
        """What has come, at the latest after timeout_s; may be empty. LinkError: it is gone."""

    def now_s(self) -> float:
        """The link's clock."""

    def close(self) -> None:
        """Let go of the port; more than once is fine."""


class SerialLink:
    """A board's data interface as a serial port (USB CDC: the rate does not matter)."""

    def __init__(self, port: str) -> None:
        self.port = port
        try:
            self._serial = serial.Serial(port, 115200, timeout=0, write_timeout=2, exclusive=True)
        except (serial.SerialException, ValueError, OSError) as error:
            raise LinkError(_reason(port, error)) from None

    def write(self, data: bytes) -> None:
        if data and len(data) % USB_PACKET == 0:
            data += b"\0"  # an empty frame: a device waits behind a full packet for the next one
        try:
            self._serial.write(data)
        except (serial.SerialException, OSError) as error:
            raise LinkError(
                f"{self.port}: the board is gone ({error}); it stops on its path by itself; look "
                "at cable and power, then `microfactory resume`"
            ) from None

    def read(self, timeout_s: float) -> bytes:
        try:
            self._serial.timeout = max(0.0, timeout_s)
            first: bytes = self._serial.read(1)
            waiting = self._serial.in_waiting if first else 0
            return first + (self._serial.read(waiting) if waiting else b"")
        except (serial.SerialException, OSError, TypeError) as error:
            raise LinkError(
                f"{self.port}: the board is gone ({error}); it stops on its path by itself; look "
                "at cable and power, then `microfactory resume`"
            ) from None

    def now_s(self) -> float:
        return time.monotonic()

    def close(self) -> None:
        self._serial.close()


def _reason(port: str, error: Exception) -> str:
    text = str(error)
    if "No such file" in text or "FileNotFound" in text or "could not open port" in text.lower():
        if "Permission" in text:
            return (
                f"{port}: you may not use this port; nothing was sent; add yourself to its group "
                f"(sudo usermod -aG dialout $USER), then log in again"
            )
        if "Resource busy" in text or "Could not exclusively lock" in text:
            return f"{port}: another program uses this port; nothing was sent; close that program"
        return (
            f"{port}: there is no such port; nothing was sent; plug the board in and look at "
            "`microfactory devices`"
        )
    if "exclusively lock" in text or "busy" in text:
        return f"{port}: another program uses this port; nothing was sent; close that program"
    return f"{port}: the port cannot be used ({text}); nothing was sent"


class ReplayLink:
    """A recorded session: gives back what the board said then, at the times it said it."""

    def __init__(self, path: str | Path) -> None:
        rows = [json.loads(line) for line in Path(path).read_text().splitlines() if line]
        self._rows = [(row["s"], bytes.fromhex(row["in"])) for row in rows if "in" in row]
        self._at = 0
        self._now_s = 0.0
        self.sent: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.sent.append(data)

    def read(self, timeout_s: float) -> bytes:
        until_s = self._now_s + max(0.0, timeout_s)
        if self._at < len(self._rows) and self._rows[self._at][0] <= until_s:
            self._now_s, data = self._rows[self._at]
            self._at += 1
            return data
        self._now_s = until_s
        return b""

    def now_s(self) -> float:
        return self._now_s

    def close(self) -> None:
        """Nothing to let go of."""


class RecordingLink:
    """A link that writes down everything that passes, one JSON line a piece."""

    def __init__(self, link: Link, path: str | Path) -> None:
        self._link = link
        self._file = open(path, "w", encoding="ascii")  # noqa: SIM115 - closed by close()

    def write(self, data: bytes) -> None:
        self._note("out", data)
        self._link.write(data)

    def read(self, timeout_s: float) -> bytes:
        data = self._link.read(timeout_s)
        if data:
            self._note("in", data)
        return data

    def now_s(self) -> float:
        return self._link.now_s()

    def close(self) -> None:
        self._file.close()
        self._link.close()

    def _note(self, way: str, data: bytes) -> None:
        row = {"s": round(self._link.now_s(), 6), way: data.hex()}
        self._file.write(json.dumps(row) + "\n")


def open_link(port: str, machine: Machine, **options: Any) -> Link:
    """A serial port by its name, or a rig by its: `virtual`. UsageError, LinkError."""
    for entry in entry_points(group=RIGS):
        if entry.name == port:
            link: Link = entry.load()(machine, **options)
            return link
    if not port:
        raise UsageError("no port was given; nothing was sent; name one, or `virtual`")
    return SerialLink(port)
