"""A first rig.toml from a machine and its board: every line a wire of its own, pin by pin.

The rig that comes out clips onto the header of the board's own Pico: 3.3 V on both sides, a
resistor in each wire. Lines that no pin is left for are told, never dropped in silence.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from hil.rigs.rigfile import Channel, Head, RigFile
from hil.rigs.rigfile_check import HEADER_GPIOS, LOOP
from microfactory import Machine

FILTER_OHM = 470.0


class Scanned(NamedTuple):
    """A rig, and the lines that had no pin left."""

    rig: RigFile
    left_out: tuple[str, ...]


def scan(machine: Machine, name: str = "bench", machine_file: str = "") -> Scanned:
    """The wires of a rig for this machine's board, the most telling first.

    machine_file: how the rig's file names the machine; empty: by the machine's own name.
    """
    listened = _listened(machine)
    most = len(HEADER_GPIOS) - len(LOOPED)
    rows = [*listened[:most], *LOOPED, *_moved(machine), *listened[most:]]
    channels = [
        Channel(
            name=row.name,
            line=row.line,
            gpio=gpio,
            direction=row.direction,
            shift=row.shift,
            series_ohm=row.ohm,
            pullup_ohm=row.pullup_ohm,
        )
        for row, gpio in zip(rows, HEADER_GPIOS, strict=False)
    ]
    head = Head(name=name, board=machine.board.name, machine=machine_file or machine.name)
    rig = RigFile(head, machine.board, tuple(channels), Path())
    return Scanned(rig, tuple(row.line for row in rows[len(HEADER_GPIOS) :]))


class Row(NamedTuple):
    """A wire that is wanted, before it has a pin."""

    line: str
    name: str
    direction: str = "listen"
    shift: str = "none"
    ohm: float = 1000.0
    pullup_ohm: float = 0.0


LOOPED = (Row(LOOP, "loop_in"), Row(LOOP, "loop_out", "drive"))


def _listened(machine: Machine) -> list[Row]:
    out: list[Row] = []
    for motor in machine.motors:
        out.append(Row(f"{motor.connector}.STEP", f"{motor.name}_step"))
        out.append(Row(f"{motor.connector}.DIR", f"{motor.name}_dir"))
    out += [Row(part.connector, part.name) for part in (*machine.outputs, *machine.heaters)]
    if any(connector == "ENABLE" for connector, _ in machine.board.pins):
        out.append(Row("ENABLE", "enable"))
    return out


def _moved(machine: Machine) -> list[Row]:
    out = [
        Row(part.connector, part.name, "pull" if part.pull == "up" else "drive")
        for part in machine.inputs
    ]
    for heater in machine.heaters:
        sensor = heater.sensor
        name = f"{heater.name}_sensor"
        out.append(Row(sensor.connector, name, "analog", "filter", FILTER_OHM, sensor.pullup_ohm))
    if machine.height:
        out.append(Row(machine.height.connector, "arc_voltage", "analog", "filter", FILTER_OHM))
    out.append(Row("RUN", "run", "pull"))
    out.append(Row("BOOTSEL", "bootsel", "pull"))
    out.append(Row("VBUS", "usb_power", "drive", "transistor"))
    return out
