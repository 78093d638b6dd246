"""CRC-32 (IEEE 802.3, reflected, as in zlib) in two halves of 16 bits.

Never makes an integer of 2^30 or more: on a 32-bit MicroPython those allocate. This plain version
is the specification; faster twins are handed to whoever needs one and are tested equal.
"""

from array import array

# Halves of the table's 256 words.
LOW = array("H", bytes(512))
HIGH = array("H", bytes(512))


def _fill() -> None:
    for i in range(256):
        low, high = i, 0
        for _ in range(8):
            bit = low & 1
            low = low >> 1 | (high & 1) << 15
            high = high >> 1
            if bit:
                low ^= 0x8320
                high ^= 0xEDB8
        LOW[i] = low
        HIGH[i] = high


_fill()


class Crc:
    """A running CRC-32: reset, feed, then read low and high (16 bits each)."""

    def __init__(self) -> None:
        self.low = 0xFFFF
        self.high = 0xFFFF

    def reset(self) -> None:
        """Begin anew."""
        self.low = 0xFFFF
        self.high = 0xFFFF

    def feed(self, data: "bytearray | memoryview | bytes", begin: int, end: int) -> None:
        """Bytes begin to end - 1. No allocation."""
        low = self.low
        high = self.high
        table_low = LOW
        table_high = HIGH
        i = begin
        while i < end:
            k = (low ^ data[i]) & 255
            low = (low >> 8 | (high & 255) << 8) ^ table_low[k]
            high = (high >> 8) ^ table_high[k]
            i += 1
        self.low = low
        self.high = high

    def value_low(self) -> int:
        """Low 16 bits of the checksum so far."""
        return self.low ^ 0xFFFF

    def value_high(self) -> int:
        """High 16 bits of the checksum so far."""
        return self.high ^ 0xFFFF
