"""A board and a probe on two emulated RP2040s, their pins joined, in one process (pair.mjs)."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

from hil.emulated.chip import CLOCK_HZ, WIRE, Chip, Emulator
from hil.emulated.firmware import FLASHES, flash
from hil.emulated.link import EmulatedLink
from hil.pages import PAGES
from hil.probe.image import flash as probe_flash
from hil.rigs.rigfile import Channel, RigFile
from microfactory import Machine

SLICE = CLOCK_HZ // 500
FILTER_F = 22e-6  # behind an analog channel's resistor


class ProbeLink:
    """The host's link to an emulated probe. Time passes in `read`, for the board too."""

    def __init__(self, chip: Chip) -> None:
        self.chip = chip

    def write(self, data: bytes) -> None:
        """Bytes for the probe; one more delimiter where a host's packet would not end."""
        self.chip.write(WIRE, data if len(data) % 64 else data + b"\0")

    def read(self, timeout_s: float) -> bytes:
        """Let time pass until the probe says something, at most timeout_s."""
        end = self.chip.now + max(1, round(timeout_s * CLOCK_HZ))
        while True:
            self.chip.run_to(min(end, self.chip.now + SLICE), listen=True)
            data = self.chip.read(WIRE)
            if data or self.chip.now >= end:
                return data

    def now_s(self) -> float:
        return self.chip.now / CLOCK_HZ

    def close(self) -> None:
        self.chip.close()


def probe_file() -> Path:
    """The probe's whole flash, for MF_UF2's MicroPython; made once."""
    data = probe_flash(Path(os.environ["MF_UF2"]))
    path = FLASHES / f"probe-{hashlib.sha256(data).hexdigest()[:16]}.bin"
    if not path.exists():
        FLASHES.mkdir(parents=True, exist_ok=True)
        half = path.with_suffix(f".{id(data)}")
        half.write_bytes(data)
        half.replace(path)
    return path


def open_lone_probe(begin: int = 0) -> ProbeLink:
    """A probe whose pins nobody else has: tests feed them."""
    link = ProbeLink(Chip(probe_file(), begin))
    link.chip.boot(2)
    return link


def open_pair(
    machine: Machine, rig: RigFile, *, ppm: float = 0.0, begin: int = 0, **options: Any
) -> tuple[EmulatedLink, ProbeLink]:
    """A board for this machine, and a probe wired to it as the rig says. ppm: of the probe's clock.

    options: of EmulatedLink.
    """
    board_file = flash(machine, Path(os.environ["MF_UF2"]))
    emulator = Emulator("pair.mjs", flash=board_file, probe=probe_file(), begin=begin, ppm=ppm)
    board = Chip(begin=begin, emulator=emulator, which=0)
    probe = Chip(begin=begin, emulator=emulator, which=1)
    pins = PAGES[machine.board.name]
    for channel in rig.channels:
        wire = wire_of(channel, machine, pins)
        if wire:
            emulator.ask("wire", chip=0, wire=wire)
    if rig.loop:
        driven, heard = rig.loop
        emulator.ask("wire", chip=0, wire={"probe": driven.gpio, "heard": heard.gpio})
    probe.boot(2)
    return EmulatedLink(machine, chip=board, world=False, **options), ProbeLink(probe)


def wire_of(channel: Channel, machine: Machine, page: Any) -> dict[str, Any] | None:
    """As wires.mjs takes it; None: BOOTSEL, which it has not, and the loop."""
    probe = {"probe": channel.gpio}
    if channel.line in ("RUN", "VBUS"):
        return {**probe, "reset": True}
    connector, _, which = channel.line.partition(".")
    pins = dict(machine.board.pins)
    if connector not in pins:
        return None
    gpio = pins[connector][1 if which == "DIR" else 0]
    if channel.direction == "listen":
        gates = {part.connector for part in (*machine.outputs, *machine.heaters)}
        return {**probe, "board": gpio, "pulled": connector in gates}
    if channel.direction == "analog":
        pull = channel.series_ohm / channel.pullup_ohm if channel.pullup_ohm else 0.0
        tau_s = FILTER_F * channel.series_ohm
        return {**probe, "adc": page.ANALOG[connector] - 26, "pull": pull, "tau_s": tau_s}
    return {**probe, "board": gpio, "rest": int(channel.direction == "pull")}
