"""Why a board does not answer, in words: what was seen, what it means, what to do.

Looking changes nothing. What a MicroPython prompt can tell is asked only when that is wished, for a
Ctrl-C stops whatever runs there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from microfactory.errors import Error
from microfactory.flash import over_repl
from microfactory.flash.bus import Bus
from microfactory.flash.chips import VENDOR
from microfactory.flash.devices import LOADER, MICROPYTHON, OTHER, PROGRAM, Found
from microfactory.flash.system import GROUP_HINT, INSTALL_RULE, System

LATELY_S = 600.0
OFTEN = 3  # losses at one place lately
REGULAR = 0.25  # of the mean: a watchdog is as regular as that, a loose plug is not
FULL_BYTES = 16 * 1024


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, or worth knowing."""

    where: str
    seen: str
    means: str
    todo: str

    def __str__(self) -> str:
        place = f"usb {self.where}: " if self.where else ""
        return f"{place}{self.seen}: {self.means}; {self.todo}"


def diagnose(boards: list[Found], system: System) -> list[Finding]:
    """Everything that these signs say, the likeliest cause first. Empty: nothing is wrong."""
    out = [
        *_access(boards, system),
        *_restarts(boards, system),
        *_program(boards),
        *_absent(boards, system),
    ]
    if any(0 <= system.now_s - at < LATELY_S for at in system.woken_s):
        out.append(
            Finding(
                "",
                "this computer has just woken from sleep",
                "a sleeping host is a lost link: the machine stopped on its path and is safe",
                "go on with `microfactory resume`, and next time run it under "
                "`systemd-inhibit --what=sleep`",
            )
        )
    return out


# ---- getting at it


def _access(boards: list[Found], system: System) -> Iterator[Finding]:
    where_of = {port: board.where for board in boards for port in board.ports}
    for port in system.ports:
        where = where_of.get(port.name, "")
        if not port.usable:
            yield Finding(
                where,
                f"you may not use {port.name}",
                "the system keeps serial ports to a group",
                f"install the udev rule ({INSTALL_RULE}), or {GROUP_HINT}",
            )
        if port.holders:
            yield Finding(
                where,
                f"{port.name} is in use by {', '.join(port.holders)}",
                "a port has one user at a time",
                "close that program, or wait until its job is done",
            )
    if boards and system.modem_manager and not system.rule_installed:
        yield Finding(
            "",
            "ModemManager runs and no udev rule keeps it away",
            "it talks to every new serial port as to a modem, for half a minute",
            f"install the udev rule: {INSTALL_RULE}",
        )
    if any(board.kind == LOADER for board in boards) and not system.rule_installed:
        yield Finding(
            "",
            "no udev rule names these boards",
            "only root may write to a board in its boot loader",
            f"install it: {INSTALL_RULE}",
        )


# ---- coming and going


def _restarts(boards: list[Found], system: System) -> Iterator[Finding]:
    if system.over_current:
        yield Finding(
            "",
            "the kernel says over-current",
            "a socket switched itself off because too much was drawn from it",
            "feed motors and heaters from their own supply, never from the USB; unplug, look for "
            "a short, plug in again",
        )
    places = {board.where for board in boards}
    for place, times in sorted(system.lost_s.items()):
        late = [at for at in times if 0 <= system.now_s - at < LATELY_S]
        if len(late) < OFTEN or (places and place not in places):
            continue
        gaps = [b - a for a, b in pairwise(late)]
        mean = sum(gaps) / len(gaps)
        regular = all(abs(gap - mean) <= REGULAR * mean for gap in gaps)
        seen = f"the board went {len(late)} times in the last ten minutes"
        if regular and mean < 20:
            yield Finding(
                place,
                f"{seen}, every {mean:.1f} s",
                "its program hangs and its watchdog starts it anew, again and again",
                "an update goes back to the program before by itself after three starts; else "
                "hold BOOTSEL while plugging it in and flash it with --uf2",
            )
        else:
            yield Finding(
                place,
                f"{seen}, at no regular time",
                "its supply breaks down (a brown-out), a plug is loose, or a spark disturbs it",
                "give the board a supply of its own, a shorter cable with a ferrite, and look "
                "whether it goes when a motor or the torch starts",
            )


# ---- what runs on it


def _program(boards: list[Found]) -> Iterator[Finding]:
    for board in boards:
        if board.kind == LOADER:
            yield Finding(
                board.where,
                f"an {board.chip} in its boot loader",
                "it is blank, a flash of it was cut short, or its button was held",
                "flash it: `microfactory flash --machine M --uf2 FILE`",
            )
        elif board.kind == MICROPYTHON:
            yield Finding(
                board.where,
                "MicroPython answers, and not our program",
                "it was never flashed, or neither of its slots is whole, or it is in maintenance",
                "unplug it and plug it in; if it stays so: `microfactory flash --machine M`",
            )
        elif board.kind == OTHER:
            yield Finding(
                board.where,
                f"a program that is not ours ({board.note or 'of somebody else'})",
                "the wrong firmware is on it",
                "flash it: `microfactory flash --machine M --uf2 FILE`",
            )
        elif board.kind == PROGRAM:
            yield from _ours(board)
        if board.note.startswith("seen twice"):
            yield Finding(board.where, board.note, "one of the two is not there", "plug it in anew")


def _ours(board: Found) -> Iterator[Finding]:
    if "another firmware" in board.note:
        yield Finding(
            board.where,
            "its firmware is of another version than this host",
            "they speak different tables of messages and refuse each other",
            "flash it: press its button while plugging it in, and give --uf2",
        )
    elif board.state == "does not answer":
        yield Finding(
            board.where,
            "its program has its port open and says nothing",
            "it hangs without a watchdog, or is starting",
            "unplug it and plug it in; if it stays so, flash it with --uf2",
        )
    elif board.state.startswith("FAULT"):
        yield Finding(
            board.where,
            f"a fault is latched ({board.state})",
            "the machine stopped by itself and waits for you",
            f"`microfactory status --machine {board.machine or 'M'} --port {board.data_port}` says "
            "which and what to do",
        )


def _absent(boards: list[Found], system: System) -> Iterator[Finding]:
    listed = {board.where for board in boards}
    for place, vendor, product in system.usb:
        if vendor == VENDOR and place not in listed:
            yield Finding(
                place,
                f"the kernel sees a board (2e8a:{product:04x}) and no port of it can be opened",
                "its driver has not taken it, or it may only be used by root",
                f"wait ten seconds; then install the udev rule: {INSTALL_RULE}",
            )
    if not boards and not any(vendor == VENDOR for _place, vendor, _product in system.usb):
        yield Finding(
            "",
            "no board is on the USB",
            "the cable carries power and no data, the socket is dead, or the board has no power; "
            "a lit lamp on the board says nothing about the data wires",
            "take a cable that has carried data before, into a socket of the computer itself; "
            "then hold BOOTSEL while plugging in: a board that is not broken always shows up",
        )


# ---- asking a prompt


def ask(bus: Bus, boards: list[Found]) -> Iterator[Finding]:
    """What the prompts of MicroPython boards tell. This stops what runs there."""
    for board in boards:
        if board.kind != MICROPYTHON:
            continue
        try:
            with over_repl.opened(bus, over_repl.port_at(bus, board.where)) as repl:
                facts = over_repl.identify(repl)
                slots = ""
                if "mfboot" in facts.names:
                    repl.run(over_repl.SLOTS)
                    slots = str(
                        repl.value("print(json.dumps([x for x in 'ab' if slots.whole(_F, x)]))")
                    )
        except Error as error:
            yield Finding(board.where, "its prompt does not answer", str(error), "flash it anew")
            continue
        if facts.free_bytes < FULL_BYTES:
            yield Finding(
                board.where,
                f"{facts.free_bytes} bytes are free in its file system",
                "it is full: no update fits and no calibration can be kept",
                "delete files of yours from it, or flash it with --uf2, which makes it anew and "
                "keeps its calibration",
            )
        if slots == "[]":
            yield Finding(
                board.where,
                "neither slot holds a whole program",
                "files were changed by hand, or its flash is worn",
                "flash it: `microfactory flash --machine M`",
            )
