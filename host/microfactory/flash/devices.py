"""Every board on the USB, one line each, whatever it runs now. Looking changes nothing on a board.

A board that runs our program is asked for its name and state, unless its port is in use. A board
that runs something else is not talked to: a Ctrl-C could stop a machine.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from microfactory.client import Client
from microfactory.errors import Error, FlashError
from microfactory.flash.bus import Bus, Loader, SerialPort
from microfactory.flash.chips import MICROPYTHON_IDS, STDIO_IDS, VENDOR
from microfactory.flash.picoboot import Picoboot
from microfactory.flash.units import Unit, of_number
from microfactory.machine import Machine, names

OURS = "microfactory"  # name of our data interface
LOADER, MICROPYTHON, PROGRAM, OTHER = "boot loader", "MicroPython", "microfactory", "other program"


@dataclass
class Found:
    """One board. where: its place; number: of its flash or chip; ports: all that are its."""

    where: str
    kind: str
    chip: str = ""
    number: str = ""
    ports: list[str] = field(default_factory=list)
    data_port: str = ""
    firmware: str = ""
    name: str = ""
    machine: str = ""
    state: str = ""
    note: str = ""
    ours_to_flash: bool = True  # False: a product that only looks like one of these boards

    def data(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)


def find(bus: Bus, *, ask: bool = True) -> list[Found]:
    """All boards by place. ask: also those of ours how they are."""
    found: dict[str, Found] = {}
    for loader in bus.loaders():
        number = loader.number.lower() or (_number(loader) if ask else "")
        found[loader.where] = Found(loader.where, LOADER, loader.chip.name, number)
    for port in bus.ports():
        if port.vendor == VENDOR:
            _add(found, port)
    for board in found.values():
        _remember(board)
        if ask and board.data_port:
            _ask(bus, board)
    _twice(list(found.values()))
    return [found[where] for where in sorted(found)]


def _number(loader: Loader) -> str:
    """A chip's number, asked through its boot loader; empty: it may not be used by us."""
    try:
        with Picoboot(loader.device, loader.chip, loader.where, exclusive=False) as boot:
            return boot.number()
    except FlashError:
        return ""


def at(bus: Bus, where: str) -> Found | None:
    """The board at a place now, not asked anything."""
    return next((board for board in find(bus, ask=False) if board.where == where), None)


def place_of(bus: Bus, port: str) -> str | None:
    """The place of a serial port's name, or of a place itself."""
    for board in find(bus, ask=False):
        if port == board.where or port in board.ports:
            return board.where
    return None


def _add(found: dict[str, Found], port: SerialPort) -> None:
    known = MICROPYTHON_IDS + STDIO_IDS
    kind = MICROPYTHON if port.product in MICROPYTHON_IDS else OTHER
    board = found.setdefault(port.where, Found(port.where, kind, number=port.number.lower()))
    if board.kind == LOADER:
        board.note = "seen twice here: its port from before is still listed; plug it in again"
        return
    board.ports.append(port.name)
    if port.interface.startswith(OURS):
        board.kind = PROGRAM
        board.data_port = port.name
    elif port.product not in known:
        board.ours_to_flash = False
        board.note = f"USB product {port.product:04x} is none of the boards known here"


def _remember(board: Found) -> None:
    unit = of_number(board.number)
    if unit is not None:
        board.name, board.machine = unit.name, unit.machine


def _ask(bus: Bus, board: Found) -> None:
    """A greeting and a look; without a farewell, which would end a granted standby."""
    machine = machine_of(of_number(board.number))
    try:
        link = bus.link(board.data_port, machine)
    except Error as error:
        board.state = "in use" if "another program" in str(error) else "not to be opened"
        board.note = str(error)
        return
    try:
        client = Client(link, machine)
        client.connect()
        status = client.ask()
        assert client.info is not None
        board.firmware = client.info.firmware
        board.state = f"{status.state} {status.why}".strip()
    except Error as error:
        board.state = "does not answer"
        board.note = str(error)
    finally:
        link.close()


def machine_of(unit: Unit | None) -> Machine:
    """A unit's machine as it was flashed; any, for a board that nobody knows."""
    return Machine.parse(unit.machine_toml) if unit else Machine.load(names()[0])


def number_of(uid: str) -> str:
    """WELCOME's uid, four words in hex, as the chip's number in hex."""
    return "".join(uid[i + 2 : i + 4] + uid[i : i + 2] for i in range(0, 16, 4))


def _twice(boards: list[Found]) -> None:
    """The same number in two places is one board seen twice, or a copy of its flash."""
    for board in boards:
        others = [
            other.where for other in boards if other is not board and other.number == board.number
        ]
        if board.number and others:
            board.note = f"seen twice: the same number at {', '.join(others)}"
        elif len(board.ports) > 1 and not board.note:
            board.note = f"one board with {len(board.ports)} ports"
