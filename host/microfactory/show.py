"""Any noun as text, one item on a line, stable: for people, golden tests and bug reports.

Each function is lazy and never fails half way for a reason that reading the program could tell.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator

from mfwire.frames import FRAME_BYTES, encode_into
from mfwire.session import Sender
from microfactory.checksum import ZlibCrc
from microfactory.errors import UsageError
from microfactory.machine import Machine
from microfactory.motion.gcode import Program
from microfactory.motion.listing import listing
from microfactory.motion.plan import Section, plan
from microfactory.motion.profile import profile
from microfactory.motion.stretch import AS_BEFORE, Window

HEAD = struct.Struct("<5I4H")
MOTOR = struct.Struct("<i2H")
CHANGE = struct.Struct("<I2H")
SEGMENT = struct.Struct("<2I")
PIECE_BYTES = 480  # of a window in one frame
CONNECT = 1  # the connect id that the shown frames carry


def show(noun: str, program: Program, machine: Machine) -> Iterator[str]:
    """Lines of text of a program's program, moves, profile, steps or frames.

    UsageError: there is no such noun. GcodeError, LimitError: the program must not be run.
    """
    if noun not in NOUNS:
        raise UsageError(f"{noun}: nothing was shown; there is {', '.join(NOUNS)}")
    return NOUNS[noun](program, machine)


def show_program(program: Program, machine: Machine) -> Iterator[str]:
    """The lines as written, with their numbers."""
    for number in range(1, program.lines + 1):
        yield f"{number:>6}  {program.line(number).strip()}".rstrip()


def show_moves(program: Program, machine: Machine) -> Iterator[str]:
    """Where each move goes, in machine coordinates, and what happens in between."""
    return listing(program, machine)


def show_profile(program: Program, machine: Machine) -> Iterator[str]:
    """How fast each move begins, runs and ends."""
    for span in profile(program, machine):
        if span.kind == "dwell":
            yield f"{span.line:>6}  dwell  {span.time_s:.4f} s"
            continue
        yield (
            f"{span.line:>6}  {span.kind:<5}  {span.length_mm:.4f} mm  from {span.enter_mm_s:.3f} "
            f"by {span.peak_mm_s:.3f} to {span.leave_mm_s:.3f} mm/s  up {span.up_s:.4f} "
            f"cruise {span.cruise_s:.4f} down {span.down_s:.4f} s"
        )


def show_steps(program: Program, machine: Machine) -> Iterator[str]:
    """Every window with its segments, motor by motor, as the board plays them."""
    for section in plan(program, machine).sections():
        yield _section(section, machine)
        for window in section.windows:
            yield from _window(window, machine)


def show_frames(program: Program, machine: Machine) -> Iterator[str]:
    """The frames that carry the windows, as they would be sent to a fresh board."""
    sender = Sender()
    sender.begin(CONNECT)
    for section in plan(program, machine).sections():
        yield _section(section, machine)
        first = True
        for window in section.windows:
            for offset in range(0, len(window.data), PIECE_BYTES):
                yield _frame(
                    sender,
                    "WINDOW",
                    number=window.number,
                    offset=offset,
                    total=len(window.data),
                    data=window.data[offset : offset + PIECE_BYTES],
                )
            yield _frame(sender, "COMMIT", number=window.number)
            if first:
                yield _frame(sender, "START", number=window.number)
                first = False


NOUNS: dict[str, Callable[[Program, Machine], Iterator[str]]] = {
    "program": show_program,
    "moves": show_moves,
    "profile": show_profile,
    "steps": show_steps,
    "frames": show_frames,
}


def _section(section: Section, machine: Machine) -> str:
    """One line for what a plan does next."""
    head = f"{section.kind} line {section.line}"
    if section.kind == "home":
        return head + "".join(f" {machine.axes[i].name}" for i in section.axes)
    if section.kind == "wait":
        return f"{head} {machine.heaters[section.heater].name} {section.target_c:.1f} C"
    return head


def _window(window: Window, machine: Machine) -> Iterator[str]:
    """A window's head, its output changes and its segments; the tail's behind "tail"."""
    number, low, high, length, tail, motors, changes, tail_changes, flags = HEAD.unpack_from(
        window.data
    )
    yield (
        f"window {number} begin {high << 30 | low} length {length} tail {tail} "
        f"bytes {len(window.data)}" + (" last" if flags & 1 else "")
    )
    at = HEAD.size
    heads = [MOTOR.unpack_from(window.data, at + i * MOTOR.size) for i in range(motors)]
    at += motors * MOTOR.size
    names = [o.name for o in machine.outputs] + [h.name for h in machine.heaters]
    for i in range(changes + tail_changes):
        tick, output, value = CHANGE.unpack_from(window.data, at + i * CHANGE.size)
        place = "tail " if i >= changes else ""
        yield f"  {place}{names[output]} {value} at {tick}"
    at += (changes + tail_changes) * CHANGE.size
    for place, index in (("", 1), ("tail ", 2)):
        for motor, head in zip(machine.motors, heads, strict=True):
            if head[index] and index == 1:
                yield f"  {motor.name} from {head[0]}"
            if head[index] == AS_BEFORE:
                yield f"    {place}{motor.name} as the motor before"
                continue
            for _ in range(head[index]):
                words = SEGMENT.unpack_from(window.data, at)
                yield f"    {place}{motor.name} {_segment(*words)}"
                at += SEGMENT.size


def _segment(w0: int, w1: int) -> str:
    """Direction, step or wait, count, and the interval with its differences in ticks."""
    kind = ("-", "+")[w0 & 1] if w0 & 2 else ("wait-", "wait+")[w0 & 1]
    count, interval, scale = w0 >> 2 & 127, w0 >> 11, w0 >> 9 & 3
    first, second = _signed(w1 >> 12, 20) << 3 * scale, _signed(w1 & 0xFFF, 12) << 5 * scale
    return f"{kind} {count} x {interval} {first / 256:+.8g} {second / 1024:+.8g}"


def _signed(value: int, bits: int) -> int:
    return value - (1 << bits) if value >> (bits - 1) else value


def _frame(sender: Sender, name: str, **values: int | bytes) -> str:
    """A message's name, sequence number and fields, its frame's length and its payload's CRC-32."""
    payload = sender.payload(name, dict(values))
    sender.acknowledged(sender.next)
    buffer, out = bytearray(payload + bytes(8)), bytearray(FRAME_BYTES + 8)
    length = encode_into(out, buffer, len(payload), ZlibCrc())
    fields = " ".join(
        f"{key} {len(value) if isinstance(value, bytes) else value}"
        for key, value in values.items()
    )
    sequence = payload[2] | payload[3] << 8
    return f"  {name} {sequence} {fields} frame {length} crc {zlib.crc32(payload):08x}"
