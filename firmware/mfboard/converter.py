"""A thermocouple's converter: its frame to a reading, or to what is wrong. Nothing here allocates.

After the data sheets of Maxim's MAX31855 (19-5793, tables 2 to 5) and MAX6675 (19-2235, "Serial
Interface"). A frame that cannot be is read once more before it is believed. Readings are quarters
of a degree above -500 C, so that they are never a doubt's number.
"""

from mfboard import faults

KINDS = ("max31855", "max6675")
ZERO = 2000  # the reading of 0 C
OPEN = 65535
SILENT = 65534  # no frame of this converter
SHORT = 0
# between two readings: the longest conversion (100 ms and 220 ms) and no more, for reading ends a
# conversion and begins another: one that is read too soon is lost, and told late is what it shows
PERIOD_US = (102_000, 221_000)
COLDEST = -40 * 16  # of the reference junction, in sixteenths: what the part is made for
WARMEST = 125 * 16


class Converter:
    """One converter, in the place of a sensor's curve."""

    doubts = 1  # so many readings in a row are believed: each has been read twice

    def __init__(self, kind):
        self.long = kind == "max31855"
        self.period_us = PERIOD_US[KINDS.index(kind)]
        self.data = bytearray(4 if self.long else 2)
        self.share = SILENT  # the last reading, or a doubt
        self.cold = faults.SENSOR_OPEN  # colder than the machine file allows

    def read(self, port, i):
        """The converter of heater i, twice where the first frame is a doubt."""
        port.convert(i, self.data)
        self.share = self._decode()
        if self.fault(self.share):
            port.convert(i, self.data)
            self.share = self._decode()
        return self.share

    def fault(self, share):
        """What a reading says is wrong, or NONE."""
        if share == OPEN:
            return faults.SENSOR_OPEN
        if share == SILENT:
            return faults.CONVERTER
        return faults.SENSOR_SHORT if share == SHORT else faults.NONE

    def millicelsius(self, share):
        """The temperature of a reading that is no doubt."""
        return (share - ZERO) * 250

    def _decode(self):
        d = self.data
        high = d[0] << 8 | d[1]
        return self._long(high, d[2] << 8 | d[3]) if self.long else self._short(high)

    def _long(self, high, low):
        """MAX31855. high: D31 to D16, low: D15 to D0."""
        wrong = low & 7
        if high & 2 or low & 8 or (high & 1) != (wrong != 0):
            return SILENT  # D17 and D3 are 0; D16 is what D2 to D0 say
        inside = low >> 4
        if inside & 0x800:
            inside -= 0x1000
        if not COLDEST <= inside <= WARMEST or not high | low:
            return SILENT
        if wrong & 1:
            return OPEN
        if wrong:
            return SHORT  # D2: to VCC, D1: to GND
        quarters = high >> 2
        if quarters & 0x2000:
            quarters -= 0x4000
        return ZERO + quarters if quarters >= -1100 else SILENT

    def _short(self, high):
        """MAX6675: D15 and D1 are 0; 0 C to the bit is a wire that is low."""
        if high & 0x8002 or high < 8 and not high & 4:
            return SILENT
        return OPEN if high & 4 else ZERO + (high >> 3)
