"""Step rates of the emulated chip: python -m hil.emulated.rates --motors 5 --rate 100000.

Windows of cubic segments go over the wire while the motors step without a pause; every edge is
compared with the board in memory. Emulated: without stalls of the flash cache or of the bus.
"""

from __future__ import annotations

import argparse
import json
import struct
import sys
from array import array
from typing import Any

from hil.emulated.chip import CLOCK_HZ, missing
from hil.emulated.figures import CALLS, GAP, LONGEST, SPENT
from hil.emulated.link import EmulatedLink
from hil.emulated.pins import runs
from hil.emulated.trials import compare, start_steps, twin
from mfboard.expand import expand
from microfactory import Machine
from microfactory.board import Board
from microfactory.drive import drive
from microfactory.motion.stretch import Window

TAIL_TICKS = 16_000
STEPS = 7300  # of a motor in a window: no carriage meets a switch
BEND = 1  # second difference of every segment


def segment(kind: int, words: int, interval: int, first: int, second: int) -> bytes:
    """A segment of words of one kind (docs/protocol.md)."""
    low = kind | words << 2 | interval << 11
    return struct.pack("<II", low, second & 0xFFF | (first & 0xFFFFF) << 12)


def ticks(data: bytes) -> int:
    """How long some segments are."""
    out, kinds = array("i", bytes(4 * 256)), bytearray(256)
    return sum(out[: expand(data, 0, len(data) // 8, out, kinds, 256)])


def pair(kind: int, words: int, interval: int, slope: int) -> bytes:
    """Two cubic segments, slower and faster again, that are exactly 2 * words * interval long."""
    for down in range(slope, slope + 40):
        one = segment(kind, words, interval + 4, -down, BEND)
        for up in range(-2 * slope, 2 * slope):
            for whole in range(interval - 12, interval + 12):
                both = one + segment(kind, words, whole, up, -BEND)
                if ticks(both) == 2 * words * interval:
                    return both
    raise ValueError(f"no pair of segments of {words} words is {2 * words * interval} ticks long")


def windows(machine: Machine, motors: int, interval: int, words: int, seconds: float) -> list[Any]:
    """Windows in which so many motors step all the time, to and fro, each by other segments."""
    pairs = [[pair(kind, words, interval, 3 + m) for m in range(motors)] for kind in (3, 2)]
    many = 8000 // (16 * motors)
    while 2 * words * many % 16 or 2 * words * many > min(STEPS, 6_250_000 // interval):
        many -= 1
    length = 2 * words * many * interval
    rest = segment(1, 16, length // 16, 0, 0)
    out = []
    for k in range(max(5, round(seconds * CLOCK_HZ / length))):
        last = k == max(5, round(seconds * CLOCK_HZ / length)) - 1
        begin, way = k * length, 2 * words * many
        steps = [way * (k & 1) * (m < motors) for m in range(len(machine.motors))]
        lists = [pairs[k & 1][m] * many if m < motors else rest for m in range(len(machine.motors))]
        head = struct.pack(
            "<IIIIIHHHH", k, begin & 0x3FFFFFFF, begin >> 30, length, 0 if last else TAIL_TICKS,
            len(lists), 0, 0, int(last),
        )  # fmt: skip
        for at, data in zip(steps, lists, strict=True):
            head += struct.pack("<iHH", at, len(data) // 8, int(not last))
        tail = b"" if last else segment(1, 16, TAIL_TICKS // 16, 0, 0) * len(lists)
        body = head + b"".join(lists) + tail
        end = tuple(way * (1 - (k & 1)) * (m < motors) for m in range(len(steps)))
        tail_ticks = 0 if last else TAIL_TICKS
        out.append(Window(k, begin, length, tail_ticks, body, None, None, end, end))  # type: ignore[arg-type]
    return out


def measure(machine: Machine, motors: int, rate: int, words: int, seconds: float) -> dict[str, Any]:
    """Play and compare; `wrong` is empty when every edge was on its clock."""
    play = windows(machine, motors, round(CLOCK_HZ / rate), words, seconds)
    link = EmulatedLink(machine)
    try:
        board = Board(link, machine).open()
        board.ready()
        start = start_steps(play[0], len(machine.motors))
        for m, steps in enumerate(start):
            board.client.send("POSITION", motor=m, steps=steps)
        board.client.settle()
        link.place(start)
        board.wait(0.7)
        link.look()
        link.forget()
        for word in (LONGEST, GAP):
            link.clear(word)
        idle, clock, before = link.chip.idle(), link.chip.now, link.state()
        driven = drive(board.client, iter(play))
        clocks, state = link.chip.now - clock, link.state()
        link.look()
        run = runs(machine, link.page, link.edges)[-1]
        played = sum(window.length_ticks for window in play) / CLOCK_HZ
        wrong = compare(machine, run, twin(machine, play).played[0])
        if driven.state != "DONE":
            wrong = f"it ended as {driven.state} {driven.why}"
        return {
            "figure": "step rate on an emulated RP2040 at 125 MHz",
            "motors": motors,
            "steps_per_s_each": round(CLOCK_HZ / round(CLOCK_HZ / rate)),
            "words_of_a_segment": words,
            "pulses": int(sum(len(rises) for rises in run.rises)),
            "wire_bytes_per_s": round(sum(len(window.data) for window in play) / played),
            "cpu_load": round(1 - (link.chip.idle() - idle) / clocks, 3),
            "service_load": round(
                int(state[SPENT] - before[SPENT]) / max(1, int(state[CALLS] - before[CALLS])) / 1e3,
                3,
            ),
            "service_longest_us": int(state[LONGEST]),
            "service_gap_us": int(state[GAP]),
            "wrong": wrong,
        }
    finally:
        link.close()


def main() -> int:
    """0: every edge was right; 1: one was not; 77: there is no emulated rig here, and why."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--machine", default="d3d-printer")
    parser.add_argument("--motors", type=int, default=5)
    parser.add_argument("--rate", type=int, default=100_000, help="steps/s of each motor")
    parser.add_argument("--words", type=int, default=22, help="words of a segment")
    parser.add_argument("--seconds", type=float, default=0.5)
    options = parser.parse_args()
    if missing():
        print(f"skipped: {missing()}", file=sys.stderr)
        return 77
    machine = Machine.load(options.machine)
    found = measure(machine, options.motors, options.rate, options.words, options.seconds)
    print(json.dumps(found))
    return 1 if found["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
