"""A flash chip: erase gives ones, a program only clears bits, and power may go before or within.

A cut within an operation leaves it torn: some of its bits changed, some not, drawn from a seed.
"""

import random

SECTOR = 4096
PAGE = 256


class PowerCutError(Exception):
    """The power went; nothing after this happens until somebody switches it on again."""


class Nor:
    """size bytes. cut_at: number of the operation at which power goes, counted from 0; -1: never.

    torn: None: before the operation; 0 to 1: the share of bits that had changed by then.
    """

    def __init__(self, size: int, seed: int = 1) -> None:
        self.data = bytearray(b"\xff" * size)
        self.seed = seed
        self.cut_at = -1
        self.torn: float | None = None
        self.operations = 0
        self.stuck: dict[int, int] = {}  # address to the bits that still work
        self.erases = [0] * (size // SECTOR)

    def plan_cut(self, at: int, torn: float | None) -> None:
        """The power goes at that operation from now."""
        self.cut_at = self.operations + at if at >= 0 else -1
        self.torn = torn

    def read(self, address: int, size: int) -> bytes:
        """Bytes; addresses wrap as on a chip whose upper address lines are not there."""
        address %= len(self.data)
        first = bytes(self.data[address : address + size])
        for at, works in self.stuck.items():
            if address <= at < address + len(first):
                first = (
                    first[: at - address]
                    + bytes((first[at - address] & works,))
                    + first[at - address + 1 :]
                )
        return first if len(first) == size else first + self.read(0, size - len(first))

    def erase(self, address: int) -> None:
        """One sector."""
        address %= len(self.data)
        self.erases[address // SECTOR] += 1
        self._change(address, b"\xff" * SECTOR)

    def program(self, address: int, data: bytes) -> None:
        """At most a page, within one page: bits go from one to zero, never back."""
        address %= len(self.data)
        assert 0 < len(data) <= PAGE - address % PAGE
        old = self.data[address : address + len(data)]
        self._change(address, bytes(a & b for a, b in zip(old, data, strict=True)))

    def _change(self, address: int, new: bytes) -> None:
        now = self.operations
        self.operations += 1
        if now == self.cut_at:
            self.cut_at = -1
            if self.torn is not None:
                self._tear(address, new, now)
            raise PowerCutError
        self.data[address : address + len(new)] = new

    def _tear(self, address: int, new: bytes, now: int) -> None:
        draw = random.Random(self.seed * 1_000_003 + now)
        share = self.torn or 0.0
        for i, byte in enumerate(new):
            mask = sum(1 << bit for bit in range(8) if draw.random() < share)
            self.data[address + i] = self.data[address + i] & ~mask | byte & mask
