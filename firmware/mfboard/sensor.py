"""A sensor's curve as a table of whole numbers, made by the host; nothing here allocates.

The table says which share of the converter's range (0 to 65535) the sensor reads at each of many
temperatures, equally far apart. Between two of them it is straight. Beyond its ends it stays.
"""

from array import array

from mfboard import faults

FULL = 65535
OPEN = 65273  # 0.996 of the range: a broken wire
SHORT = 262


class Curve:
    """From the converter's reading to a temperature, in thousandths of a degree."""

    doubts = 2  # so many readings in a row are believed: 200 ms

    def __init__(self, curve):
        self.from_mc = curve["from_dc"] * 100
        self.step_mc = curve["step_dc"] * 100
        self.shares = array("H", curve["shares"])
        self.falls = self.shares[0] > self.shares[1]  # warmer reads less: a thermistor
        # colder than the machine file allows
        self.cold = faults.SENSOR_OPEN if self.falls else faults.SENSOR_SHORT

    def fault(self, share):
        """A reading that no temperature gives, or NONE."""
        if SHORT < share < OPEN:
            return faults.NONE
        return faults.SENSOR_OPEN if share >= OPEN else faults.SENSOR_SHORT

    def millicelsius(self, share):
        """The temperature at a reading; the table's end where the reading is beyond it."""
        shares = self.shares
        low = 0
        high = len(shares) - 1
        if (share >= shares[0]) == self.falls or share == shares[0]:
            return self.from_mc
        if (share <= shares[high]) == self.falls or share == shares[high]:
            return self.from_mc + high * self.step_mc
        while high - low > 1:
            middle = (low + high) >> 1
            if (shares[middle] >= share) == self.falls:
                low = middle
            else:
                high = middle
        part = (share - shares[low]) * self.step_mc // (shares[high] - shares[low])
        return self.from_mc + low * self.step_mc + part
