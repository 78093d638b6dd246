"""A converter's frame over three pins, bit by bit: any pins do, and nothing is sent.

SCK rests low; each bit is at SO before its clock, and the next one comes with the falling edge
(MAX31855 and MAX6675 data sheets, "Serial Interface"). They take 5 and 4.3 MHz; this is far slower.
"""


class Spi:
    """One converter. Pins are callables: pin() is its level, pin(level) sets it."""

    def __init__(self, sck, so, cs):
        self.sck = sck
        self.so = so
        self.cs = cs
        cs(1)
        sck(0)

    def read(self, out):
        """As many bytes as out has; highest bit first."""
        sck = self.sck
        so = self.so
        self.cs(0)
        i = 0
        while i < len(out):
            byte = 0
            bit = 0
            while bit < 8:
                byte = byte << 1 | so()
                sck(1)
                sck(0)
                bit += 1
            out[i] = byte
            i += 1
        self.cs(1)
