"""A board that has MicroPython: its files over the raw REPL, its program into the spare slot.

The slots are changed by the board's own chooser (firmware/mfboot/slots.py), so that a power cut at
any instant leaves the old program or the new one. Identity and calibration are replaced by renames.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from microfactory.errors import FlashError
from microfactory.flash.bus import Bus, SerialPort, repl_of
from microfactory.flash.devices import MICROPYTHON, at
from microfactory.flash.payload import LEAST_MICROPYTHON
from microfactory.flash.repl import Repl, ReplError
from microfactory.flash.selftest import leave_program, prove
from microfactory.flash.units import CALIBRATION, IDENTITY, MACHINE, Unit
from microfactory.machine import Machine

if TYPE_CHECKING:
    from microfactory.flash.flow import Plan

IDENTIFY = """
import sys, json, os
from binascii import hexlify
import machine
s = os.statvfs('/')
print(json.dumps({'machine': sys.implementation._machine, 'number':
 hexlify(machine.unique_id()).decode(), 'version': list(sys.implementation.version[:3]),
 'free': s[0] * s[3], 'names': os.listdir('/')}))
"""
DIGEST = """
def _d(p):
 import hashlib
 from binascii import hexlify
 h = hashlib.sha256()
 try:
  with open(p, 'rb') as f:
   while True:
    b = f.read(1024)
    if not b: break
    h.update(b)
 except OSError: return None
 return hexlify(h.digest()).decode()
"""
SLOTS = "from mfboot import slots\nfrom mfboot.files import Files\nimport json\n_F = Files()"
SPARE_BYTES = 32 * 1024  # littlefs needs room to move


@dataclass(frozen=True)
class Facts:
    """What a MicroPython board is. files: those of ours that are on it."""

    chip: str
    number: str
    version: str
    free_bytes: int
    names: tuple[str, ...]
    files: dict[str, bytes]


def check_version(text: str, what: str) -> None:
    """FlashError: that MicroPython is too old for the firmware."""
    found = re.match(r"v?(\d+)\.(\d+)", text)
    if found is None or (int(found[1]), int(found[2])) < LEAST_MICROPYTHON:
        least = ".".join(map(str, LEAST_MICROPYTHON))
        raise FlashError(
            f"{what}: MicroPython {text or 'of unknown version'} is older than {least}; the board "
            "was not changed; give a newer one with --uf2 FILE"
        )


def port_at(bus: Bus, where: str) -> SerialPort:
    """The REPL's port of the board at a place. FlashError: it has none."""
    board = at(bus, where)
    for port in bus.ports():
        if board is not None and board.kind == MICROPYTHON and port.name == board.ports[0]:
            return port
    raise FlashError(
        f"usb {where}: this board has no MicroPython; it was not touched; give one with --uf2 FILE"
    )


def opened(bus: Bus, port: SerialPort) -> Repl:
    """The raw REPL of a port."""
    return Repl(repl_of(bus, port))


def identify(repl: Repl) -> Facts:
    """What is at the other end. FlashError: too old, or no answer."""
    value = repl.value(IDENTIFY)
    version = ".".join(map(str, value["version"]))
    check_version(version, repl.stream.name)
    chip = re.search(r"RP2\d+", value["machine"])
    files = {}
    if "me" in value["names"]:
        for path in (IDENTITY, MACHINE, CALIBRATION):
            data = repl.get(path)
            if data is not None:
                files[path] = data
    return Facts(
        chip[0] if chip else "",
        value["number"],
        version,
        value["free"],
        tuple(value["names"]),
        files,
    )


def pins(machine: Machine) -> bytes:
    """The levels at which a board's outputs do nothing, for the chooser (mfboot/start.py)."""
    page = dict(machine.board.pins)
    low = [page[name][0] for name in machine.board.switches]
    low += [page[name][0] for name in ("CHARGE_PUMP", "GATE") if name in page]
    high = list(page.get("ENABLE", ()))
    value = {"board": machine.board.name, "low": sorted(low), "high": high}
    return json.dumps(value).encode()


def install(repl: Repl, plan: Plan, unit: Unit, told: Callable[[float, str], None]) -> None:
    """All files, each read back; then a hard reset. FlashError."""
    repl.run(DIGEST)
    outside = {f"/{name}": data for name, data in plan.chooser.items()}
    outside["/pins.json"] = pins(plan.machine)
    _chooser(repl, outside)
    slot = _slot(repl, plan, told)
    repl.run("_F.folder('/me')")
    for path, data in unit.files().items():
        _keep(repl, path, data)
    told(0.9, f"slot {slot} is whole")
    repl.start("import machine\nmachine.reset()")


def _chooser(repl: Repl, outside: dict[str, bytes]) -> None:
    """Only onto a board that has none: a whole one is left alone, whatever its version, for files
    changed one by one could be cut in between. Boot files last, so that a start finds all it needs.
    """
    names = sorted(outside)
    missing = repl.value(f"import json\nprint(json.dumps([n for n in {names!r} if _d(n) is None]))")
    _keep(repl, "/pins.json", outside["/pins.json"])
    if not missing:
        repl.run(SLOTS)
        return
    repl.run("import os\nif 'mfboot' not in os.listdir('/'): os.mkdir('/mfboot')")
    for path in sorted(outside, key=lambda name: (name in ("/boot.py", "/main.py"), name)):
        _keep(repl, path, outside[path])
    repl.run(SLOTS)


def _keep(repl: Repl, path: str, data: bytes) -> None:
    """A file outside the slots: beside it, read back, renamed. Left alone when it is right."""
    wanted = hashlib.sha256(data).hexdigest()
    if repl.value(f"import json\nprint(json.dumps(_d({path!r})))") == wanted:
        return
    repl.put(path + ".new", data)
    if repl.value(f"print(json.dumps(_d({path + '.new'!r})))") != wanted:
        raise FlashError(
            f"{repl.stream.name}: {path} reads back otherwise than it was written; what the board "
            "runs was not changed; flash the whole board with --uf2"
        )
    repl.run(f"import os\nos.rename({path + '.new'!r}, {path!r})")


def _slot(repl: Repl, plan: Plan, told: Callable[[float, str], None]) -> str:
    files = plan.payload.files
    total = sum(map(len, files.values()))
    slot = str(repl.value("print(json.dumps(slots.begin(_F)))"))
    free = int(repl.value("import os\ns = os.statvfs('/')\nprint(s[0] * s[3])"))
    if free < total + SPARE_BYTES:
        raise FlashError(
            f"{repl.stream.name}: {free} bytes are free and {total + SPARE_BYTES} are needed; the "
            "board runs what it ran before; delete files of yours, or flash it with --uf2"
        )
    folders = sorted({name.rpartition("/")[0] for name in files if "/" in name})
    for folder in folders:
        repl.run(f"_F.folder('/{slot}/{folder}')")
    done = 0
    for name, data in sorted(files.items()):
        told(0.1 + 0.75 * done / total, f"writing {name}")
        repl.put(f"/{slot}/{name}", data)
        done += len(data)
    told(0.86, "reading back")
    repl.put(f"/{slot}/MANIFEST.new", plan.payload.manifest)
    try:
        repl.run(f"slots.finish(_F, {slot!r}, _F.read('/{slot}/MANIFEST.new'), {plan.older})", 60.0)
    except ReplError as error:
        found = re.search(r"SlotError: (.*)", error.trace)
        if found is None:
            raise
        raise FlashError(
            f"{repl.stream.name}: the board refuses this release: {found[1]}; it runs what it ran "
            "before; add --older if an older one is meant"
        ) from None
    return slot


def check_stays(bus: Bus, where: str, plan: Plan) -> None:
    """The new program is no longer on trial and none has fallen back; then it runs on."""
    leave_program(bus, where, plan.machine)
    with opened(bus, port_at(bus, where)) as repl:
        repl.run(SLOTS)
        value: dict[str, Any] = repl.value("print(json.dumps(slots.selection(_F)))") or {}
        manifest = repl.get(f"/{value.get('good', 'a')}/MANIFEST")
        repl.start("import machine\nmachine.reset()")
    if manifest != plan.payload.manifest or "try" in value:
        raise FlashError(
            f"usb {where}: the new program did not prove itself and the board went back to the one "
            "before; it works as it did; report it with `microfactory doctor`"
        )
    prove(bus, where, plan.machine)
