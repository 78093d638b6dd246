"""One board from whatever it is to a checked machine controller: look, keep, write, prove, record.

With a UF2 file the whole flash is written through the boot ROM, file system and all. Without one
the files go over the REPL into the slot that is not good. What is wrong with a file, a machine or a
release is found before any board is touched.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from microfactory.errors import FlashError, LinkError
from microfactory.flash import devices, image, over_repl, units
from microfactory.flash.binaryinfo import BinaryInfo, of_pages
from microfactory.flash.burn import burn
from microfactory.flash.bus import Bus
from microfactory.flash.chips import CHIPS, Chip, chip_named
from microfactory.flash.loader import Person, enter
from microfactory.flash.payload import Payload, build, chooser
from microfactory.flash.picoboot import Picoboot
from microfactory.flash.repl import GoneError
from microfactory.flash.selftest import SkewError, leave_program, prove
from microfactory.flash.uf2 import Uf2, check_for
from microfactory.flash.units import Unit
from microfactory.machine import Machine
from microfactory.places import records_path
from microfactory.record import Record, append

Told = Callable[[float, str], None]
TRIES = 3


@dataclass(frozen=True)
class Plan:
    """What is to be on every board of this run. Made by `planned`, which checks it."""

    machine: Machine
    chip: Chip
    payload: Payload
    chooser: dict[str, bytes]
    uf2: Uf2 | None = None
    info: BinaryInfo = field(default_factory=BinaryInfo)
    name: str = ""
    replace: str = ""
    renew: bool = False
    older: bool = False
    who: str = ""
    patience_s: float = 120.0


@dataclass
class Result:
    """One board that was flashed."""

    where: str
    unit: Unit
    record: Record
    record_sha256: str
    way: str
    changed: int

    def data(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            "where": self.where,
            "name": self.unit.name,
            "number": self.unit.number,
            "way": self.way,
            "changed_sectors": self.changed,
            "verdict": self.record.verdict,
            "record": self.record_sha256,
            "hashes": self.record.hashes,
        }


def planned(machine: Machine, uf2: Uf2 | None, payload: Payload | None = None, **rest: Any) -> Plan:
    """Everything that can be checked without a board. FlashError, UsageError."""
    chip = chip_named(machine.board.chip)
    info = BinaryInfo()
    if uf2 is not None:
        check_for(uf2, chip)
        info = of_pages(uf2.pages)
        if not info.drive_bytes or "micropython" not in info.program.lower():
            raise FlashError(
                f"{uf2.name}: this is {info.program or 'no program'} {info.version} and not a "
                "MicroPython with a file system; no board was touched; take MicroPython's UF2 "
                "file of that board"
            )
        over_repl.check_version(info.version, uf2.name)
    if rest.get("replace"):
        unit = units.load(rest["replace"])
        if unit.machine != machine.name:
            raise FlashError(
                f"{unit.name} is a {unit.machine} and not a {machine.name}; no board was touched; "
                f"add --machine {unit.machine}"
            )
    payload = payload or build(machine, chip)
    if payload.board != machine.board.name or payload.chip != chip.name:
        raise FlashError(
            f"this release is for {payload.board} ({payload.chip}) and {machine.name} is on "
            f"{machine.board.name}; no board was touched; take the release for that board"
        )
    return Plan(machine, chip, payload, chooser(chip), uf2, info, **rest)


def flash(bus: Bus, where: str, plan: Plan, told: Told, person: Person) -> Result:
    """Flash the board at that place. FlashError, UsageError: in words; docs say what is left."""
    for _ in range(TRIES):
        try:
            return _Flashing(bus, where, plan, told, person).run()
        except GoneError:  # it was just starting its program: look again
            bus.wait(1.0)
        except LinkError as error:
            raise FlashError(f"usb {where}: {error}; flash it again") from None
    raise FlashError(
        f"usb {where}: the board comes and goes, and was not changed; take another cable or socket"
    )


class _Flashing:
    def __init__(self, bus: Bus, where: str, plan: Plan, told: Told, person: Person) -> None:
        self.bus, self.where, self.plan = bus, where, plan
        self.told, self.person = told, person
        self.begin_s = bus.now_s()
        self.way = ""
        self.changed = 0
        self.micropython = ""
        self.number = ""
        self.hashes: dict[str, str] = {}

    def run(self) -> Result:
        self.told(0.0, "looking")
        board = devices.at(self.bus, self.where)
        if board is None:
            raise FlashError(
                f"usb {self.where}: no board is there; nothing was touched; plug it in and look at "
                "`microfactory devices`"
            )
        self._right_chip(board.chip)
        if board.kind == devices.PROGRAM:
            machine = devices.machine_of(units.of_number(board.number))
            try:
                leave_program(self.bus, self.where, machine)
            except SkewError:
                if self.plan.uf2 is None:
                    raise  # with a UF2 file there are other ways into the boot loader
        unit = self._whole() if self.plan.uf2 else self._by_repl()
        self.told(0.92, "self-test")
        tested = prove(self.bus, self.where, self.plan.machine)
        if self.number and tested.number != self.number:
            raise FlashError(
                f"usb {self.where}: another board answers here ({tested.number}) than was flashed "
                f"({self.number}); plug boards in one by one"
            )
        if not self.plan.uf2:
            over_repl.check_stays(self.bus, self.where, self.plan)
        unit = replace(unit, number=tested.number)
        units.keep(unit)
        self.told(1.0, "done")
        return self._record(unit, tested.firmware)

    # ---- the whole flash

    def _whole(self) -> Unit:
        plan = self.plan
        assert plan.uf2 is not None
        self.told(0.02, "into its boot loader")
        loader, self.way = enter(self.bus, self.where, self.person, plan.patience_s)
        self._right_chip(loader.chip.name)
        with Picoboot(loader.device, loader.chip, f"usb {self.where}") as boot:
            self.number = boot.number()
            old = self._old_files(boot)
            unit = self._unit(units.from_board(old))
            drive = drive_of(plan, unit)
            sectors = {**plan.uf2.sectors(), **image.sectors(drive, plan.info.drive_address)}
            self.hashes["uf2_sha256"] = plan.uf2.sha256
            self.hashes["drive_sha256"] = hashlib.sha256(drive).hexdigest()
            self.changed = burn(
                boot, sectors, lambda share, text: self.told(0.1 + 0.8 * share, text)
            )
            boot.reboot()
        self.micropython = plan.info.version
        return unit

    def _old_files(self, boot: Picoboot) -> dict[str, bytes]:
        """What the board has now, so that a calibration that only it knows is not lost."""
        info = self.plan.info
        self.told(0.05, "looking for its calibration")
        data = b""
        while len(data) < info.drive_bytes:
            data += boot.read(info.drive_address + len(data), min(65536, info.drive_bytes))
        files = image.read(data[: info.drive_bytes])
        return files or {}

    # ---- over the REPL

    def _by_repl(self) -> Unit:
        self.told(0.05, "over its REPL")
        self.way = "REPL"
        port = over_repl.port_at(self.bus, self.where)
        with over_repl.opened(self.bus, port) as repl:
            facts = over_repl.identify(repl)
            self.number = facts.number
            self.micropython = facts.version
            self._right_chip(facts.chip)
            unit = self._unit(units.from_board(facts.files))
            over_repl.install(repl, self.plan, unit, lambda share, text: self.told(share, text))
        return unit

    # ---- who it is

    def _unit(self, on_board: Unit | None) -> Unit:
        """The identity that this board is to have, kept on the host before it is written."""
        plan = self.plan
        if plan.replace:
            unit = units.with_machine(units.load(plan.replace), plan.machine)
        elif on_board is not None and not plan.renew:
            if on_board.machine != plan.machine.name:
                raise FlashError(
                    f"usb {self.where}: this board is {on_board.name}, a {on_board.machine}, and "
                    f"not a {plan.machine.name}; it was not changed; add --new to make it another "
                    "machine, or take another board"
                )
            unit = units.with_machine(on_board, plan.machine)
        else:
            known = units.of_number(self.number) if not plan.renew else None
            if known is not None and known.machine == plan.machine.name:
                unit = units.with_machine(known, plan.machine)  # its file system is a fresh one
            else:
                unit = units.new(plan.machine, plan.name)
        if plan.name and plan.name != unit.name:
            raise FlashError(
                f"usb {self.where}: this board is {unit.name} already; it was not changed; leave "
                "--name away, or add --new to make it another"
            )
        unit = replace(unit, number=self.number)
        units.keep(unit)
        return unit

    def _right_chip(self, chip: str) -> None:
        known = [each.name for each in CHIPS]
        if chip in known and chip != self.plan.chip.name:
            raise FlashError(
                f"usb {self.where}: the board has an {chip} and {self.plan.machine.name} is for an "
                f"{self.plan.chip.name}; it was not changed; take the right board or machine file"
            )

    def _record(self, unit: Unit, firmware: str) -> Result:
        plan = self.plan
        record = Record(
            "flash", unit.name, plan.payload.sha256, plan.machine.name, plan.machine.sha256
        )
        record.who = plan.who
        record.board = {
            "uid": unit.number,
            "firmware": firmware,
            "chip": plan.chip.name,
            "micropython": self.micropython,
            "where": self.where,
        }
        self.hashes["manifest_sha256"] = plan.payload.sha256
        for name, data in sorted(plan.payload.files.items()):
            self.hashes[name] = hashlib.sha256(data).hexdigest()
        record.hashes = self.hashes
        seconds = self.bus.now_s() - self.begin_s
        record.event(seconds, f"flashed by {self.way}; every byte read back; self-test READY")
        record.measure("time", round(seconds, 3), "s")
        record.close("PASS")
        digest = append(records_path(plan.machine.name), record)
        return Result(self.where, unit, record, digest, self.way, self.changed)


def drive_of(plan: Plan, unit: Unit) -> bytes:
    """The board's whole file system, for a flash that holds nothing else of ours."""
    files = {**plan.chooser, **_slot_files("a", plan.payload), **unit.files()}
    files["pins.json"] = over_repl.pins(plan.machine)
    files["sel"] = json.dumps({"good": "a"}).encode()
    return image.make(files, plan.info.drive_bytes)


def _slot_files(slot: str, payload: Payload) -> dict[str, bytes]:
    files = {f"{slot}/{name}": data for name, data in payload.files.items()}
    files[f"{slot}/MANIFEST"] = payload.manifest
    return files
