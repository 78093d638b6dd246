"""The wire's checksum by zlib, with the names of mfwire.crc.Crc; tests compare the two."""

from __future__ import annotations

import zlib

from mfwire.crc import Crc


class ZlibCrc(Crc):
    """A running CRC-32."""

    def __init__(self) -> None:
        super().__init__()
        self.value = 0

    def reset(self) -> None:
        self.value = 0

    def feed(self, data: bytearray | memoryview | bytes, begin: int, end: int) -> None:
        self.value = zlib.crc32(memoryview(data)[begin:end], self.value)

    def value_low(self) -> int:
        return self.value & 0xFFFF

    def value_high(self) -> int:
        return self.value >> 16
