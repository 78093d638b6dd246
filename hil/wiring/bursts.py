"""What every line plays: a slot of its own, and in it a pattern that no other line has.

Motors step in turn, each its own number of pulses there and back; outputs go on once each; then the
heaters, in longer slots. All levels are those at the board's pins, as the probe sees them.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from hil.wiring.lines import Line
from microfactory import Machine

TICK_HZ = 125_000_000
SLOT = 12 * TICK_HZ // 1000  # of a motor or an output
HEATER_SLOT = 320 * TICK_HZ // 1000  # a heater is turned ten times a second
STEP_TICKS = 62_500
LEAD = 250_000  # ticks of quiet at both ends of a slot
ON, OFF = 250_000, 1_000_000  # an output in its slot
WORDS = 16
PAD_MOST = 2_000_000  # ticks of one word
LAST = 1

Wave = tuple[tuple[int, int], ...]  # from, to: where it is high


def pulses(motor: int) -> int:
    """Pulses of a motor there, and again back."""
    return 3 + motor


@dataclass(frozen=True)
class Plan:
    """A machine's burst: its window, and when each slot begins (ticks from the start)."""

    body: bytes
    motors: int
    outputs: int
    heaters: int

    def slot(self, line: Line) -> int:
        """When the slot of a driven line begins."""
        if line.kind in ("step", "dir"):
            return SLOT * line.number
        if line.kind == "output":
            return SLOT * (self.motors + line.number)
        return self.window_ticks + HEATER_SLOT * line.number

    @property
    def window_ticks(self) -> int:
        """Length of the part that is one window."""
        return SLOT * (self.motors + self.outputs)

    @property
    def edges(self) -> list[int]:
        """Where slots begin, and where the last one ends."""
        short = [SLOT * i for i in range(self.motors + self.outputs)]
        return short + [self.window_ticks + HEATER_SLOT * i for i in range(self.heaters + 1)]


def burst(machine: Machine) -> Plan:
    """The burst of a machine."""
    motors, outputs = len(machine.motors), len(machine.outputs)
    length = SLOT * (motors + outputs)
    lists = [_list(m, length) for m in range(motors)]
    events = b"".join(
        struct.pack("<IHH", SLOT * (motors + i) + at, i, value)
        for i in range(outputs)
        for at, value in ((ON, 65535), (OFF, 0))
    )
    head = struct.pack("<5I4H", 0, 0, 0, length, 0, motors, 2 * outputs, 0, LAST)
    heads = b"".join(struct.pack("<iHH", 0, len(part) // 8, 0) for part in lists)
    body = head + heads + events + b"".join(lists)
    return Plan(body, motors, outputs, len(machine.heaters))


def _list(motor: int, length: int) -> bytes:
    """A motor's words: quiet, its pulses there and back in its slot, quiet; whole chunks of 16."""
    n = pulses(motor)
    before = SLOT * motor + LEAD
    after = length - before - 2 * n * STEP_TICKS
    front = -(-before // PAD_MOST)
    back = -(-after // PAD_MOST)
    back += -(front + back + 2 * n) % WORDS
    words = [(ticks, 0, 1) for ticks in _shared(before, front)]
    words += [(STEP_TICKS, 1, 1)] * n + [(STEP_TICKS, 1, 0)] * n
    words += [(ticks, 0, 1) for ticks in _shared(after, back)]
    return b"".join(
        struct.pack("<II", ticks << 11 | 1 << 2 | step << 1 | way, 0) for ticks, step, way in words
    )


def _shared(ticks: int, words: int) -> list[int]:
    """So many ticks in so many words."""
    return [ticks * (i + 1) // words - ticks * i // words for i in range(words)]


def expected(machine: Machine, plan: Plan, line: Line) -> Wave:
    """Where a driven line is high, from the burst's start to its end."""
    at, end = plan.slot(line), plan.edges[-1]
    if line.kind == "output":
        return ((at + ON, at + OFF),)
    if line.kind == "heater":
        return ((at + 1, at + HEATER_SLOT + 1),)
    n = pulses(line.number)
    begin = at + LEAD
    width = machine.pulse_ticks()
    if line.kind == "step":
        rises = [begin + STEP_TICKS * (i + 1) - width for i in range(2 * n)]
        return tuple((rise, rise + width) for rise in rises)
    turn, back = begin + n * STEP_TICKS, begin + 2 * n * STEP_TICKS
    if machine.motors[line.number].invert:
        return ((turn, back),)
    return ((0, turn), (back, end))
