"""Into the boot loader, by the ways that exist, in the order that works.

machine.bootloader() over the REPL; the 1200-baud touch; a rig or relay; at last a person. A board
that nobody can reach otherwise comes up in its boot loader by itself when its flash is not whole.
"""

from __future__ import annotations

from collections.abc import Callable

from microfactory.errors import FlashError
from microfactory.flash.bus import Bus, Loader, repl_of
from microfactory.flash.devices import LOADER, MICROPYTHON, OTHER, at
from microfactory.flash.repl import GoneError, Repl

APPEARS_S = 8.0
LOOK_S = 0.1

PICTURE = r"""
        .-----[ USB ]-----.
        |  o           o  |     1. Unplug the board.
        |     .-----.     |     2. Hold the white button down: BOOTSEL.
        |     |BOOT |<----------
        |     | SEL |     |     3. Plug it in, then let go.
        |     '-----'     |
        |   [  chip  ]    |
        '-----------------'
"""

Person = Callable[[str, str], None]


def find_loader(bus: Bus, where: str, seconds: float) -> Loader | None:
    """The boot loader at a place, waited for."""
    until = bus.now_s() + seconds
    while True:
        for loader in bus.loaders():
            if loader.where == where:
                return loader
        if bus.now_s() >= until:
            return None
        bus.wait(LOOK_S)


def enter(bus: Bus, where: str, person: Person, patience_s: float) -> tuple[Loader, str]:
    """The boot loader of the board at that place, and by which way. FlashError: by none.

    person: told the place and what to do with the button.
    """
    if bus.problem():
        raise FlashError(bus.problem())
    for way, go in (("REPL", _by_repl), ("1200 baud", _by_touch), ("rig", _by_rig)):
        board = at(bus, where)
        if board is not None and board.kind == LOADER:
            loader = find_loader(bus, where, 0)
            if loader is not None:
                return loader, "already in its boot loader"
        if go(bus, where):
            loader = find_loader(bus, where, APPEARS_S)
            if loader is not None:
                return loader, way
    loader = find_loader(bus, where, 0)
    if loader is None:
        person(where, PICTURE)
        loader = find_loader(bus, where, patience_s)
    if loader is None:
        raise FlashError(
            f"usb {where}: the board did not come up in its boot loader; it was not changed; "
            "unplug it, hold BOOTSEL, plug it in into the same socket and flash it again"
        )
    return loader, "button"


def _by_repl(bus: Bus, where: str) -> bool:
    board = at(bus, where)
    if board is None or board.kind != MICROPYTHON:
        return False
    port = next(port for port in bus.ports() if port.where == where)
    try:
        repl = Repl(repl_of(bus, port))
    except GoneError:
        raise
    except FlashError:
        return False
    repl.start("import machine\nmachine.bootloader()")
    repl.stream.close()
    return True


def _by_touch(bus: Bus, where: str) -> bool:
    board = at(bus, where)
    if board is None or board.kind not in (OTHER, MICROPYTHON) or not board.ports:
        return False
    bus.touch(board.ports[0])
    return board.kind == OTHER


def _by_rig(bus: Bus, where: str) -> bool:
    return bus.force(where)
