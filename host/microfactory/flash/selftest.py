"""After a flash: the board runs, is the one that was meant, and takes its machine."""

from __future__ import annotations

from dataclasses import dataclass

from microfactory.client import Client
from microfactory.errors import BoardFault, FlashError, LinkError
from microfactory.flash.bus import Bus
from microfactory.flash.devices import at, number_of
from microfactory.machine import Machine

APPEARS_S = 15.0
WATCHDOG = 12  # mfboard.faults
WATCH_S = 0.8  # longer than a board needs to say of itself that it works, docs/port.md


class SkewError(FlashError):
    """The board's firmware speaks another table of messages than this host."""


@dataclass(frozen=True)
class Tested:
    """What the board said."""

    number: str
    firmware: str
    state: str


def prove(bus: Bus, where: str, machine: Machine) -> Tested:
    """Connect, configure, watch for a fault, leave. FlashError: in words what is wrong."""
    port = _data_port(bus, where)
    link = bus.link(port, machine)
    try:
        client = Client(link, machine)
        client.connect()
        if client.ask().fault == WATCHDOG:  # MicroPython's reset and the ROM's are the watchdog's
            client.send("CLEAR")
            client.settle()
        client.configure()
        begin = link.now_s()
        while link.now_s() - begin < WATCH_S:
            client.pump(0.05)
        status = client.ask()
        assert client.info is not None
        if status.state != "READY":
            raise FlashError(
                f"usb {where}: the board is flashed but says {status.state} {status.why}: "
                f"{'; '.join(client.events)}; motors are off; look at its wiring, then "
                "`microfactory status`"
            )
        client.send("BYE")  # it acknowledges nothing after this
        client.pump(0.02)
        return Tested(number_of(client.info.uid), client.info.firmware, status.state)
    except (LinkError, BoardFault) as error:
        raise FlashError(f"usb {where}: the board is flashed but {error}") from None
    finally:
        link.close()


def leave_program(bus: Bus, where: str, machine: Machine) -> None:
    """A board that runs our program goes to its REPL; refused while armed, hot or moving."""
    board = at(bus, where)
    if board is None or not board.data_port:
        return
    link = bus.link(board.data_port, machine)
    try:
        client = Client(link, machine)
        client.connect()
        client.send("MAINTAIN")
        client.settle()
    except BoardFault as error:
        raise FlashError(
            f"usb {where}: no update while the machine is armed, hot or moving ({error}); the "
            "board goes on as it was; let it cool and rest, then flash again"
        ) from None
    except LinkError as error:
        if "another firmware" in str(error):
            raise SkewError(
                f"usb {where}: {error}: it cannot be asked to leave its program; press its button "
                "while it is plugged in, and give --uf2"
            ) from None
        if "another program" in str(error):
            raise FlashError(f"usb {where}: {error}") from None
        # it went away with its answer: it is starting into its REPL
    finally:
        link.close()
    until = bus.now_s() + APPEARS_S
    while (board := at(bus, where)) is None or board.data_port or not board.ports:
        if bus.now_s() > until:
            raise FlashError(
                f"usb {where}: the board left its program and did not come back; its program is "
                "whole; unplug it, plug it in and flash it again"
            )
        bus.wait(0.1)


def _data_port(bus: Bus, where: str) -> str:
    until = bus.now_s() + APPEARS_S
    while True:
        board = at(bus, where)
        if board is not None and board.data_port:
            return board.data_port
        if bus.now_s() > until:
            seen = board.kind if board else "nothing"
            raise FlashError(
                f"usb {where}: the board is flashed but its program did not start: there is "
                f"{seen}; motors are off; `microfactory doctor` says what it sees"
            )
        bus.wait(0.1)
