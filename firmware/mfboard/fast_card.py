"""The viper twin of mfboard.sdcard.crc16, about 12 cycles a byte."""

from array import array

import micropython

from mfboard.sdcard import crc16 as plain

_TABLE = array("H", [plain(bytes([i]), 0, 1) for i in range(256)])


@micropython.viper
def _crc16(data: ptr8, begin: int, end: int, table: ptr16) -> int:
    crc = 0
    p = begin
    while p < end:
        crc = (crc << 8 ^ table[(crc >> 8 ^ data[p]) & 255]) & 0xFFFF
        p += 1
    return crc


def crc16(data, begin, end):
    """Of data begin to end - 1."""
    return _crc16(data, begin, end, _TABLE)
