"""TMC2209 drivers on their wire: set, read back, watched; what fails is a fault in words."""

from __future__ import annotations

import json
import random
import re
import textwrap
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from hil.rig_virtual import VirtualLink
from hil.skr import UART, skr, stalling
from hil.stepdrivers import Tmc2209, checksum

import microfactory as mf
from boards import skr_pico
from mfboard import tmc2209 as t
from mfboard.config import ConfigError, parse
from microfactory.board import Board
from microfactory.drivers import PRESETS
from microfactory.machine import MACHINES, Machine


def opened(machine: Machine | None = None, before: Callable[[VirtualLink], None] | None = None):
    """A board whose drivers are as `before` left them, and its link."""
    link = VirtualLink(machine or skr(), plain=False)
    if before:
        before(link)
    return Board(link, link.machine).open(), link


def test_checksums_are_those_of_the_data_sheet():
    for register, crc in ((0x00, 0x48), (0x06, 0x6F)):
        out = bytearray(4)
        t.put_read(out, 0, register)
        assert bytes(out) == bytes([5, 0, register, crc])
    dice = random.Random(5)
    for _ in range(200):
        data = dice.randbytes(dice.randrange(1, 9))
        assert t.crc8(data, len(data)) == checksum(data)


def test_every_register_is_written_and_read_back_before_anything_is_told():
    board, link = opened()
    assert board.status().state == "READY"
    for driver in link.plant.drivers.values():
        r = driver.registers
        assert driver.flags == 0
        assert r[t.GCONF] == 0x1C0  # over the wire, StealthChop
        assert r[t.CHOPCONF] >> 24 & 15 == 4  # 16 microsteps
        assert r[t.CHOPCONF] >> 17 & 1 == 1  # the small range is exact enough
        scale = r[t.IHOLD_IRUN] >> 8 & 31
        assert 0.75 < (scale + 1) / 32 * 0.180 / 0.13 / 2**0.5 <= 0.8
        assert driver.count == 8
    assert all(d.registers[t.SGTHRS] == 0 for d in link.plant.drivers.values())  # no stall input
    assert board.home().position_trusted


def test_a_driver_that_does_not_answer_refuses_motion_with_a_sentence():
    board, _link = opened(before=lambda link: link.plant.drivers[1].power(False))
    assert board.status().state == "FAULT"
    with pytest.raises(
        mf.BoardFault, match=r"driver silent \(motor .*\): a driver does not answer"
    ):
        board.home()


def test_it_is_set_anew_when_the_fault_is_cleared():
    board, link = opened(before=lambda link: link.plant.drivers[1].power(False))
    with pytest.raises(mf.BoardFault, match="driver silent"):
        board.clear()
    link.plant.drivers[1].power(True)
    assert board.clear().state == "ABORTED"
    assert link.plant.drivers[1].registers[t.GCONF] == 0x1C0
    again = Board(link, link.machine).open()
    assert again.home(["x"]).fault == 0


def test_a_register_that_does_not_take_its_value_is_a_fault():
    def spoil(link: VirtualLink) -> None:
        link.plant.drivers[0].stuck[t.CHOPCONF] = 0x10000053

    board, _link = opened(before=spoil)
    with pytest.raises(mf.BoardFault, match="driver did not take its settings"):
        board.home()


@pytest.mark.parametrize("what", ["lost", "flipped", "cut"])
@pytest.mark.parametrize("seed", range(4))
def test_lost_and_damaged_datagrams_are_said_again(what, seed):
    dice = random.Random(seed)
    hits: list[str] = []

    def spoil(kind: str, data: bytes) -> bytes:
        if dice.random() > 0.05 or (hits and hits[-1] == "now"):
            hits.append("")
            return data
        hits.append("now")
        if what == "lost":
            return b""
        if what == "cut":
            return data[: dice.randrange(len(data))]
        at = dice.randrange(len(data))
        return data[:at] + bytes([data[at] ^ 1 << dice.randrange(8)]) + data[at + 1 :]

    board, link = opened(before=lambda link: setattr(link.plant.wire, "spoil", spoil))
    assert "now" in hits
    assert board.status().state == "READY"
    for driver in link.plant.drivers.values():
        assert driver.registers[t.GCONF] == 0x1C0
        assert driver.registers[t.TPOWERDOWN] == 20
    board.wait(2.0)
    assert board.status().fault == 0


@pytest.mark.parametrize(
    ("what", "words"),
    [
        (lambda d: (d.power(False), d.power(True)), "lost its power and its settings"),
        (lambda d: d.power(False), "does not answer on its wire"),
        (lambda d: setattr(d, "status", t.HOT), "too hot or switched itself off"),
        (lambda d: setattr(d, "flags", t.DRIVER_ERROR), "too hot or switched itself off"),
        (lambda d: setattr(d, "status", 0x08), "motor wire shorted"),
        (lambda d: setattr(d, "flags", t.PUMP_LOW), "supply is too low"),
    ],
)
def test_what_happens_to_a_driver_in_a_move_stops_the_machine_in_words(what, words):
    board, link = opened()
    board.home()
    begin: list[int] = []

    def hurt() -> bool:
        if not begin and board.client.status.state == "RUNNING":
            begin.append(link.port.tick)
            what(link.plant.drivers[0])
        return False

    board.wants_hold = hurt
    with pytest.raises(mf.BoardFault, match=words):
        board.move(x=100, speed_mm_s=20)
    status = board.status()
    assert status.state == "FAULT"
    assert not status.position_trusted
    steps = dict(status.steps)
    assert (link.port.tick - begin[0]) / 125e6 < 0.5
    board_after = board.client.ask()
    assert dict(board_after.steps) == steps


def test_a_warm_driver_and_an_open_coil_are_told_once_and_stop_nothing():
    board, link = opened()
    board.home()
    board.events()
    link.plant.drivers[0].status = t.WARM
    board.wait(2.0)
    told = [line for line in board.events() if "warm" in line]
    assert len(told) == 1
    link.plant.drivers[0].status = t.OPEN
    board.wait(2.0)
    assert not [line for line in board.events() if "coil" in line]  # says nothing at rest
    board.move(x=60, speed_mm_s=10)
    told = [line for line in board.events() if "coil open" in line]
    assert len(told) == 1
    assert board.status().fault == 0


def test_an_axis_homes_by_its_stall_when_its_driver_is_set_for_it():
    machine = skr(stalling)
    board, link = opened(machine)
    y = machine.motors_of_axis(machine.axes.index(machine.axis("y")))[0]
    assert link.plant.drivers[y].registers[t.SGTHRS] == 80
    assert 0 < link.plant.drivers[y].registers[t.TCOOLTHRS] < 2**20
    home_mm = machine.axis("y").home.position_mm
    assert board.home(["y"]).position_mm["y"] == pytest.approx(home_mm)
    assert link.plant.place_mm(link.port.engine)["Y"] == pytest.approx(home_mm, abs=0.02)
    link.plant.drivers[y].registers[t.SGTHRS] = 0  # as after a write that went astray
    with pytest.raises(mf.BoardFault, match="did not trip"):
        board.home(["y"])


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("current_a = 0.8", "current_a = 9.0", "out of range"),
        ("stall_threshold = 80", "sense_ohm = 0.5", "more than 0.5 ohm"),
        ("hold_a = 0.4", "hold_a = 0.9", "above current_a"),
        ("microsteps = 16", "microsteps = 12", "no power of two"),
        ("microsteps = 16", "microstep = 16", "microsteps"),
        ('kind = "tmc2209"', 'kind = "tmc2208"', "a4988, drv8825, tmc2209"),
        ('kind = "tmc2209"', 'kind = "dm542"\npulse_us = 1.0', "at least 2.5"),
        ('kind = "tmc2209"', 'kind = "drv8825"\nmax_step_hz = 300000.0', "at most 250000"),
        ("stall_threshold = 80", "stealth = false", "finds none"),
        ('input = "x_min"', 'input = "y_min"', "tells the stall of one motor"),
    ],
)
def test_what_is_wrong_in_a_drivers_table_is_told_with_its_line(old, new, told):
    with pytest.raises(mf.MachineError, match=r"^skr.toml:\d+: ") as caught:
        skr(lambda text: stalling(text).replace(old, new, 1))
    assert told in str(caught.value)


def test_a_board_without_the_wire_refuses_the_table():
    text = (MACHINES / "circuit-plotter.toml").read_text()
    table = UART.replace("tmc", "a4988") + "\n[inputs.x_min]"
    with pytest.raises(mf.MachineError, match=r"^p.toml:\d+: .*no driver on a wire at 'M1'"):
        Machine.parse(text.replace("[inputs.x_min]", table, 1), "p.toml")


def test_what_is_dumped_gives_the_same_machine():
    machine = skr(stalling)
    assert Machine.parse(machine.dump()) == machine
    assert b'"drivers":[{"cool":' in machine.board_config()


@pytest.mark.parametrize(("key", "value"), [("run", 32), ("motor", 9), ("cool", -1), ("x", 0)])
def test_the_board_takes_no_driver_that_cannot_be(key, value):
    config = json.loads(skr().board_config())
    config["drivers"][0][key] = value
    with pytest.raises(ConfigError, match="driver"):
        parse(json.dumps(config).encode(), skr_pico)
    config["drivers"] = [config["drivers"][1]] * 2
    with pytest.raises(ConfigError, match="none on a wire"):
        parse(json.dumps(config).encode(), skr_pico)


def test_a_simulated_driver_forgets_everything_without_power():
    driver = Tmc2209()
    driver.write(t.SGTHRS, 5)
    driver.power(False)
    driver.power(True)
    assert driver.registers.get(t.SGTHRS) is None
    assert driver.count == 0


@pytest.mark.parametrize("kind", PRESETS)
def test_a_kind_gives_its_timings_and_the_page_tells_them(kind):
    text = (MACHINES / "d3d-printer.toml").read_text()
    old = text[text.index("pulse_us = 1.0") : text.index("[inputs.x_min]")]
    machine = Machine.parse(text.replace(old, f'kind = "{kind}"\n\n', 1))
    driver = machine.driver(0)
    pulse_us, setup_us, hold_us, most_hz = PRESETS[kind]
    assert (driver.pulse_us, driver.max_step_hz) == (pulse_us, most_hz)
    assert (driver.direction_setup_us, driver.direction_hold_us) == (setup_us, hold_us)
    assert machine.pulse_ticks() >= pulse_us * 125
    page = (Path(__file__).resolve().parents[2] / "docs/drivers.md").read_text()
    cells = f"{pulse_us:g} | {setup_us:g} | {hold_us:g} | {most_hz:.0f}"
    assert f"| `{kind}` | {cells} |" in page


def test_the_tables_of_the_page_are_a_machine_file():
    page = (Path(__file__).resolve().parents[2] / "docs/drivers.md").read_text()
    blocks = re.findall(r"(?:^    .*\n|^\n(?=    ))+", page, re.MULTILINE)
    tables = tomllib.loads(textwrap.dedent("".join(blocks[1:])))
    assert tables["drivers"]["y"]["uart"]["current_a"] == 0.8
    assert tables["inputs"]["y_stall"]["role"] == "stall"
    given = textwrap.dedent("".join(blocks[1:2])).split("[drivers.y.uart]")[1]
    assert skr(lambda text: text.replace(UART.split("]")[1], given)).driver(0).uart.hold_a == 0.4
