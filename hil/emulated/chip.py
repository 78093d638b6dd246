"""One emulated RP2040: run it by clocks, talk to its USB ports, read its pins' edges.

A node process does the emulation (chip.mjs, rp2040js from npm); requests and answers take turns on
its stdin and stdout. docs/emulated-rig.md says what is modelled and what is not.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

CLOCK_HZ = 125_000_000
HERE = Path(__file__).parent
REPL = 0
WIRE = 1


def missing() -> str:
    """Why there is no emulated rig here; empty: there is one."""
    for name in ("MF_UF2", "MF_BOOTROM"):
        if not os.environ.get(name):
            return f"{name} names no file: make hil-emulated UF2=... BOOTROM=..."
        if not Path(os.environ[name]).exists():
            return f"{name}: there is no file {os.environ[name]}"
    if not shutil.which("node"):
        return "node is not installed: apt install nodejs npm"
    if not (HERE / "node_modules" / "rp2040js").exists():
        return "rp2040js is not installed: make hil-emulated does it"
    return ""


class Emulator:
    """A node process that runs one of our emulators (MF_BOOTROM is its boot ROM)."""

    def __init__(self, script: str, **options: Any) -> None:
        command = ["node", str(HERE / script), "--bootrom", os.environ["MF_BOOTROM"]]
        for name, value in options.items():
            command += [f"--{name}", str(value)]
        self.now = int(options.get("begin", 0))  # clocks since the first reset
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, op: str, **values: Any) -> dict[str, Any]:
        """A request's answer. RuntimeError: the emulator has ended."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps({"op": op, **values}).encode() + b"\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the emulator has ended with {self._process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        self.now = int(answer.get("now", self.now))
        return answer

    def close(self) -> None:
        """End it; more than once is fine."""
        if self._process.stdin:
            self._process.stdin.close()
        self._process.wait(10)
        if self._process.stdout:
            self._process.stdout.close()


class Chip:
    """The chip, from its reset on. flash: a file with the whole flash, instead of the UF2.

    begin: the clock that it starts at, so that its counters of time wrap soon. emulator: one that
    runs already, which has this chip as its number `which`.
    """

    def __init__(
        self,
        flash: Path | None = None,
        begin: int = 0,
        emulator: Emulator | None = None,
        which: int = 0,
    ) -> None:
        image = {"flash": flash} if flash else {"uf2": os.environ["MF_UF2"]}
        self.emulator = emulator or Emulator("chip.mjs", begin=begin, **image)
        self.which = which
        self.ports = 0  # CDC functions that the host has opened
        self._heard = [bytearray(), bytearray()]
        self._drivers: Callable[[bytes, int], list[tuple[int, int]]] | None = None

    @property
    def now(self) -> int:
        """Clocks since the first reset; the same for all chips of an emulator."""
        return self.emulator.now

    def _ask(self, op: str, **values: Any) -> dict[str, Any]:
        return self.emulator.ask(op, chip=self.which, **values)

    def run(self, seconds: float, *, listen: bool = False) -> None:
        """Let time pass; listen: only until the host hears something."""
        self.run_to(self.now + round(seconds * CLOCK_HZ), listen=listen)

    def run_to(self, clock: int, *, listen: bool = False) -> None:
        """Let time pass until a clock."""
        while True:
            answer = self._ask("run", until=clock, listen=listen)
            self.ports = answer["ports"]
            for heard, text in zip(self._heard, answer["heard"], strict=True):
                heard += base64.b64decode(text)
            said = answer.get("said")
            if not said:
                return
            assert self._drivers
            self._ask("say", bytes=self._drivers(bytes(said["bytes"]), said["clock"]))
            if self.now >= clock or (listen and any(answer["heard"])):
                return

    def write(self, port: int, data: bytes) -> None:
        """Bytes to a port, as fast as the device takes them."""
        self._ask("write", port=port, data=base64.b64encode(data).decode())

    def read(self, port: int) -> bytes:
        """What has come from a port."""
        data = bytes(self._heard[port])
        self._heard[port].clear()
        return data

    def edges(self) -> tuple[Any, Any, Any]:
        """(clocks, pins, levels) of all changes of output pins since this was asked."""
        flat = np.frombuffer(base64.b64decode(self._ask("edges")["edges"]), dtype="<f8")
        pins = flat[1::2].astype(np.int64)
        return flat[0::2].astype(np.int64), pins & 127, pins >> 7

    def set_pin(self, gpio: int, level: int) -> None:
        """An input pin has this level from now on."""
        self._ask("pin", gpio=gpio, level=bool(level))

    def feed(self, changes: list[tuple[int, int, int]]) -> None:
        """Input pins will change so: (clock, gpio, level), in order of time."""
        self._ask("feed", changes=changes)

    def poke(self, address: int, value: int) -> None:
        """Write a word into the chip's address space."""
        self._ask("poke", address=address, value=value)

    def motor(
        self, step: int, direction: int, up: int, at: int, switches: list[Any], stop: Any = None
    ) -> None:
        """A motor on these pins: up is +1 when a high direction pin counts up, `at` its count now.

        switches: of {gpio, active, at, below}, closed below or from a count on. stop: a hard stop
        that its driver feels (hil/emulated/motors.mjs).
        """
        motor = {"direction": direction, "up": up, "at": at, "switches": switches, "stop": stop}
        self._ask("motor", step=step, motor=motor)

    def where(self, step: int) -> int:
        """The count of a motor."""
        return int(self._ask("where", step=step)["at"])

    def stop(self, step: int, **values: Any) -> dict[str, Any]:
        """Of a motor with a hard stop: change it; clocks of stalls told, turns lost, SG_RESULT."""
        return self._ask("stop", step=step, set=values)

    def drivers(self, uart: int, answer: Callable[[bytes, int], list[tuple[int, int]]]) -> None:
        """Drivers on the wire of a UART. answer: a datagram and the clock of its end to the bytes
        that come back, each with the clock of its own end.
        """
        self._drivers = answer
        self._ask("drivers", uart=uart)

    def card(
        self,
        *,
        image: Path | None = None,
        slot: dict[str, int] | None = None,
        inside: bool | None = None,
        save: Path | None = None,
        **values: int,
    ) -> dict[str, Any]:
        """An SD card in a slot (pins as sd.mjs has them); its faults; how much was read."""
        told: dict[str, Any] = {"set": values}
        if image:
            told |= {"image": str(image), "slot": slot}
        if inside is not None:
            told["inside"] = inside
        if save:
            told["save"] = str(save)
        return self._ask("card", **told)

    def converter(self, pins: dict[str, int] | None = None, number: int = 0, **values: int) -> None:
        """A thermocouple converter at pins (sck, so, cs), or other values of one."""
        told = {"pins": pins} if pins else {"number": number}
        self._ask("converter", set=values, **told)

    def set_adc(self, channel: int, share: float) -> None:
        """A converter's channel reads this share of its range."""
        self._ask("adc", channel=channel, value=round(share * 4095))

    def cut(self, cut: bool = True) -> None:
        """No byte passes the cable any more, or again."""
        self._ask("cut", cut=cut)

    def memory(self, address: int, length: int) -> bytes:
        """What stands in the chip's address space."""
        return base64.b64decode(self._ask("memory", address=address, length=length)["data"])

    def hang(self, interrupts: bool) -> None:
        """The program goes no further; interrupts: they are still served."""
        self._ask("hang", interrupts=interrupts)

    def reset(self) -> None:
        """Reset: the flash stays."""
        self._ask("reset")
        self.ports = 0

    def idle(self) -> int:
        """Clocks in which the processor waited."""
        return int(self._ask("stats")["idle"])

    def close(self) -> None:
        """End the emulator."""
        self.emulator.close()

    # ---- the REPL, as a person's tool uses it

    def wait_for(self, text: bytes, seconds: float) -> bytes:
        """Run until the REPL has said this. RuntimeError: it has not."""
        heard = self.read(REPL)
        end = self.now + round(seconds * CLOCK_HZ)
        while text not in heard:
            if self.now >= end:
                raise RuntimeError(f"the REPL has not said {text!r} but {heard[-400:]!r}")
            self.run(0.002, listen=True)
            heard += self.read(REPL)
        return heard

    def boot(self, ports: int = 1, seconds: float = 20.0) -> None:
        """Run until the host has opened so many ports."""
        end = self.now + round(seconds * CLOCK_HZ)
        while self.ports < ports:
            if self.now >= end:
                raise RuntimeError(f"the host has opened {self.ports} ports, not {ports}")
            self.run(0.01)

    def enter(self) -> None:
        """Into the raw REPL."""
        self.write(REPL, b"\r\x03\x03\x01")
        self.wait_for(b"raw REPL; CTRL-B to exit\r\n>", 2.0)

    def execute(self, code: str, seconds: float = 5.0) -> str:
        """Run code in the raw REPL; what it printed. RuntimeError: it raised."""
        data = code.encode()
        for at in range(0, len(data), 256):
            self.write(REPL, data[at : at + 256])
            self.run(0.004)
        self.write(REPL, b"\x04")
        heard = self.wait_for(b"\x04>", seconds)
        said, error = heard[heard.index(b"OK") + 2 :].split(b"\x04")[:2]
        if error:
            raise RuntimeError(error.decode())
        return said.decode()
