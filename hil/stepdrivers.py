"""Simulated TMC2209 drivers on one wire, by their data sheet alone; faults are parameters.

Nothing here knows the board's program: bytes come in with their tick, bytes go out with theirs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

BAUD = 115_200
BITS = 10  # of a byte on the wire
REPLY_BITS = 8  # between a request and its reply (SENDDELAY's least)
POWER_ON = {0x00: 0x141, 0x10: 0x1F00, 0x6C: 0x10000053, 0x70: 0xC10D0024}
READS = {0x00, 0x01, 0x02, 0x06, 0x12, 0x41, 0x6A, 0x6B, 0x6C, 0x6F, 0x70, 0x71, 0x72}


def checksum(data: bytes) -> int:
    """CRC-8 0x07 over bytes with their bits turned round, as a long division."""
    value = 0
    for byte in data:
        value = value << 8 | int(f"{byte:08b}"[::-1], 2)
    value <<= 8
    for bit in range(8 * len(data) + 7, 7, -1):
        if value >> bit & 1:
            value ^= 0x107 << bit - 8
    return value


@dataclass
class Tmc2209:
    """One driver: what was written, what it reports. status: bits of DRV_STATUS."""

    registers: dict[int, int] = field(default_factory=lambda: dict(POWER_ON))
    flags: int = 1  # GSTAT: it was reset
    count: int = 0  # IFCNT
    status: int = 0
    powered: bool = True
    stuck: dict[int, int] = field(default_factory=dict)  # registers that do not take a value

    def power(self, on: bool) -> None:
        """Its motor supply comes or goes; it forgets everything."""
        self.powered = on
        self.registers = dict(POWER_ON)
        self.flags = 1
        self.count = 0

    def write(self, register: int, value: int) -> None:
        """A write datagram with the right checksum."""
        self.count = (self.count + 1) & 255
        if register == 0x01:
            self.flags &= ~value
        else:
            self.registers[register] = self.stuck.get(register, value)

    def read(self, register: int) -> int:
        """A readable register."""
        if register == 0x01:
            return self.flags
        if register == 0x02:
            return self.count
        if register == 0x6F:
            return self.status
        return self.registers.get(register, 0) if register in READS else 0

    def finds_stalls(self) -> bool:
        """Set so that DIAG tells a stall: power, a threshold, a lowest speed, no SpreadCycle."""
        r = self.registers
        quiet = not r.get(0x00, 0) & 4
        return self.powered and quiet and r.get(0x40, 0) > 0 and r.get(0x14, 0) > 0


class OneWire:
    """The wire with its drivers by address. The master hears what it says itself."""

    def __init__(self, drivers: dict[int, Tmc2209], tick_hz: int = 125_000_000) -> None:
        self.drivers = drivers
        self.byte_ticks = BITS * tick_hz // BAUD
        self.coming: list[tuple[int, int]] = []  # (tick, byte) on the way to the master
        self.spoil: Callable[[str, bytes], bytes] | None = None  # "request" or "reply" and bytes

    def send(self, data: bytes, tick: int) -> None:
        """The master says something from this tick on."""
        end = self._put(data, tick)
        self._put(self.answer(data), end + self.byte_ticks * REPLY_BITS // BITS)

    def answer(self, data: bytes) -> bytes:
        """What comes back after a datagram; empty: nothing."""
        if self.spoil:
            data = self.spoil("request", data)
        if len(data) not in (4, 8) or data[0] & 15 != 5 or checksum(data[:-1]) != data[-1]:
            return b""
        driver = self.drivers.get(data[1])
        if driver is None or not driver.powered:
            return b""
        if data[2] & 0x80:
            if len(data) == 8:
                driver.write(data[2] & 0x7F, int.from_bytes(data[3:7], "big"))
            return b""
        if len(data) != 4:
            return b""
        body = bytes([5, 0xFF, data[2]]) + driver.read(data[2]).to_bytes(4, "big")
        reply = body + bytes([checksum(body)])
        return self.spoil("reply", reply) if self.spoil else reply

    def timed(self, data: bytes, end: int) -> list[tuple[int, int]]:
        """The same for a datagram that ended at a tick: bytes with the ticks at which they end."""
        first = end + self.byte_ticks * REPLY_BITS // BITS
        reply = self.answer(data)
        return [(first + (k + 1) * self.byte_ticks, byte) for k, byte in enumerate(reply)]

    def _put(self, data: bytes, tick: int) -> int:
        for byte in data:
            tick += self.byte_ticks
            self.coming.append((tick, byte))
        return tick

    def take(self, tick: int, most: int) -> bytes:
        """What has arrived at the master by now."""
        count = sum(1 for at, _byte in self.coming[:most] if at <= tick)
        out = bytes(byte for _at, byte in self.coming[:count])
        del self.coming[:count]
        return out
