"""Simulated MAX31855 and MAX6675: frames, a conversion that takes its time, faults.

Written from the data sheets apart from the board's own decoder. A conversion begins when CS goes
high and is lost when CS goes low before it has ended; what is told is the last one that ended.
"""

from __future__ import annotations

from dataclasses import dataclass

BITS = {"max31855": 32, "max6675": 16}
CONVERSION_S = {"max31855": 0.100, "max6675": 0.220}  # the longest of the data sheets


@dataclass
class Thermocouple:
    """One converter. fault: "", open, short_gnd, short_vcc; broken: "", zeros, ones, noise.

    The data sheets do not say when in a conversion the wires are looked at: flag_at end or begin.
    """

    kind: str
    conversion_s: float = 0.0
    junction_c: float = 25.0  # its own temperature
    fault: str = ""
    broken: str = ""
    flag_at: str = "end"
    told: int = 0  # the frame of the last conversion
    begun_s: float = 0.0
    begun_fault: str = ""  # when the conversion began that is under way
    flips: int = 0  # so many of the next frames come with a bit of them turned over

    def __post_init__(self) -> None:
        self.conversion_s = self.conversion_s or CONVERSION_S[self.kind]
        self.told = self.frame(self.junction_c)

    def frame(self, celsius: float) -> int:
        """What a conversion makes of a temperature."""
        if self.kind == "max6675":
            quarters = min(max(int(celsius * 4), 0), 4095)
            return quarters << 3 | (4 if self.fault == "open" else 0)
        flags = {"": 0, "open": 1, "short_gnd": 2, "short_vcc": 4}[self.fault]
        quarters = int(celsius * 4) & 0x3FFF
        inside = int(self.junction_c * 16) & 0xFFF
        return quarters << 18 | (1 << 16 if flags else 0) | inside << 4 | flags

    def read(self, now_s: float, celsius: float) -> bytes:
        """CS goes low, all bits are clocked out, CS goes high."""
        if now_s - self.begun_s >= self.conversion_s - 1e-9:
            fault, self.fault = self.fault, self._seen()
            self.told = self.frame(celsius)
            self.fault = fault
        self.begun_s = now_s
        self.begun_fault = self.fault
        bits = BITS[self.kind]
        value = {"zeros": 0, "ones": (1 << bits) - 1, "noise": 0x5A5A5A5A >> (32 - bits)}.get(
            self.broken, self.told
        )
        if self.flips:
            self.flips -= 1
            value ^= 1 << (17 if bits == 32 else 15)
        return value.to_bytes(bits // 8, "big")

    def _seen(self) -> str:
        """The fault that the conversion under way shows when it ends."""
        return self.fault if self.flag_at == "end" else self.begun_fault


class Wires:
    """The same converter at three pins, for whoever clocks it: cs(level), sck(level), so()."""

    def __init__(self, twin: Thermocouple, celsius: float = 25.0) -> None:
        self.twin, self.celsius, self.now_s = twin, celsius, 0.0
        self.left: list[int] = []
        self.level = {"cs": 1, "sck": 0}
        self.clocks = 0

    def cs(self, level: int) -> None:
        if level == 0 and self.level["cs"] == 1:
            data = self.twin.read(self.now_s, self.celsius)
            self.left = [byte >> k & 1 for byte in data for k in range(7, -1, -1)]
        self.level["cs"] = level

    def sck(self, level: int) -> None:
        if level == 0 and self.level["sck"] == 1 and self.level["cs"] == 0:
            self.left = self.left[1:]
            self.clocks += 1
        self.level["sck"] = level

    def so(self) -> int:
        return self.left[0] if self.left and self.level["cs"] == 0 else 1
