"""Machine files: what comes along loads, dump equals load, what is wrong is told with its line."""

import math
import random

import pytest
from hil.pages import PAGES
from hypothesis import given, settings
from hypothesis import strategies as st

import microfactory as mf
from microfactory.machine import BOARDS, MACHINES, names
from microfactory.machine_read import read_board

PRINTER = mf.Machine.load("d3d-printer")
TEXT = (MACHINES / "d3d-printer.toml").read_text()


@pytest.mark.parametrize("name", names())
def test_a_machine_that_comes_along_loads_and_its_dump_gives_it_again(name):
    machine = mf.Machine.load(name)
    again = mf.Machine.parse(machine.dump())
    assert again == machine
    assert again.sha256 == machine.sha256
    assert len(machine.board_config()) < 8192


def test_the_four_kinds_are_there():
    assert {mf.Machine.load(name).kind for name in names()} == {
        "printer", "torch", "mill", "plotter",
    }  # fmt: skip


def test_the_printer_has_the_published_figures():
    x, y, z, _ = PRINTER.axes
    assert [axis.steps_per_mm for axis in (x, y, z)] == [80.0] * 3
    assert y.motors == ("y1", "y2")
    assert y.home is not None
    assert y.home.toward == "max"
    assert (x.max_speed_mm_s, z.max_speed_mm_s) == (300.0, 10.0)
    assert [heater.role for heater in PRINTER.heaters] == ["hotend", "bed"]


FLOATS = st.floats(min_value=1.0, max_value=500.0, allow_nan=False)


@given(FLOATS, FLOATS, st.one_of(FLOATS, st.just(math.inf)), st.booleans())
@settings(max_examples=100)
def test_dump_equals_load_whatever_the_values(speed, accel, jerk, invert):
    changed = PRINTER.with_settings(
        {
            "motion.max_speed_mm_s": speed,
            "motion.max_accel_mm_s2": accel,
            "axes.x.max_jerk_mm_s3": jerk,
            "motors.x.invert": invert,
        }
    )
    assert mf.Machine.parse(changed.dump()) == changed


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("max_speed_mm_s = 300.0", "max_speed = 300.0", "max_speed_mm_s"),
        ("max_accel_mm_s2 = 3000.0", "max_accel_mm_s2 = nan", "out of range"),
        ("max_accel_mm_s2 = 3000.0", "max_accel_mm_s2 = inf", "out of range"),
        ("steps_per_mm = 80.0", 'steps_per_mm = "80"', "should be a number"),
        ("steps_per_mm = 80.0", "steps_per_mm = true", "should be a number"),
        ('kind = "printer"', 'kind = "lathe"', "printer, torch"),
        ('board = "pico-carrier"', 'board = "arduino"', "pico-carrier"),
        ('connector = "M2"', 'connector = "M1"', "used by"),
        ('connector = "M2"', 'connector = "M9"', "no connector"),
        ('motors = ["y1", "y2"]', 'motors = ["y1", "y3"]', "no motor"),
        ('motors = ["y1", "y2"]', 'motors = ["y1"]', "names this motor"),
        ("max_mm = 175.0", "max_mm = -1.0", "no length"),
        ('letter = "Y"', 'letter = "X"', "twice"),
        ('toward = "min"', 'toward = "left"', "min, max"),
        ('on_hold = "keep"', "on_hold = 2", "neither"),
        ("max_c = 275.0", "max_c = 2.0", "max_c"),
        ('driver = "a4988"', 'driver = "a5000"', "no driver"),
        ("[machine]", "[machine", "not TOML"),
        ("pulse_us = 1.0", "pulse_us = 40.0", "out of range"),
        ("max_speed_mm_s = 25.0", "max_speed_mm_s = 900.0", "steps/s"),
    ],
)
def test_what_is_wrong_is_told_in_one_sentence_with_its_line(old, new, told):
    assert old in TEXT
    with pytest.raises(mf.MachineError) as refused:
        mf.Machine.parse(TEXT.replace(old, new, 1), "d3d.toml")
    text = str(refused.value)
    assert text.startswith("d3d.toml:")
    assert told in text
    assert "\n" not in text


def test_the_line_that_is_told_is_the_line_of_the_key():
    lines = TEXT.splitlines()
    at = lines.index("steps_per_mm = 408.0")
    lines[at] = "steps_per_mm = 0.0"
    with pytest.raises(mf.MachineError, match=f"^d3d.toml:{at + 1}: axes.e.steps_per_mm"):
        mf.Machine.parse("\n".join(lines), "d3d.toml")


def test_more_motors_than_the_chip_holds_are_refused_in_words():
    more = TEXT.replace('motors = ["x"]', 'motors = ["x", "x2"]').replace(
        "[motors.y1]", '[motors.x2]\nconnector = "M1"\ndriver = "a4988"\n\n[motors.y1]'
    )
    board = PRINTER.board
    assert board.motors_max == 5
    with pytest.raises(mf.MachineError, match=r"used by|more than the RP2040"):
        mf.Machine.parse(more)


def mutated(text: str, rng: random.Random) -> str:
    lines = text.splitlines()
    for _ in range(rng.randint(1, 4)):
        i = rng.randrange(len(lines))
        kind = rng.randrange(7)
        if kind == 0:
            lines.insert(i, lines[rng.randrange(len(lines))])
        elif kind == 1:
            del lines[i]
        elif kind == 2 and lines[i]:
            k = rng.randrange(len(lines[i]))
            lines[i] = lines[i][:k] + chr(rng.randrange(1, 300)) + lines[i][k:]
        elif kind == 3 and "=" in lines[i]:
            words = ["nan", "-inf", "1e308", '"x"', "[]", "true", "{}", "-1", "0", "[[1]]"]
            lines[i] = lines[i].split("=")[0] + "= " + rng.choice(words)
        elif kind == 4 and len(lines[i]) > 2:
            k = rng.randrange(len(lines[i]) - 1)
            lines[i] = lines[i][:k] + lines[i][k + 1 :]
        elif kind == 5:
            lines[i] = lines[i].replace("_mm", "_cm").replace("[", "[[", 1)
        else:
            lines = lines[:i] or lines
    return "\n".join(lines)


def test_a_thousand_spoilt_machine_files_are_loaded_or_refused_but_never_crash():
    rng = random.Random(7)
    texts = [(MACHINES / f"{name}.toml").read_text() for name in names()]
    refused = 0
    told: list[str] = []
    for _ in range(1000):
        text = mutated(rng.choice(texts), rng)
        try:
            machine = mf.Machine.parse(text)
        except mf.MachineError as error:
            refused += 1
            told.append(str(error))
            continue
        assert mf.Machine.parse(machine.dump()) == machine
    assert 500 < refused < 1000
    assert not [text for text in told if "\n" in text or "nothing was loaded" not in text]


def test_a_missing_machine_names_those_that_are_there():
    with pytest.raises(mf.MachineError, match="d3d-printer"):
        mf.Machine.load("nonsense")
    with pytest.raises(mf.MachineError, match="no such file"):
        mf.Machine.load("nonsense.toml")


def test_an_unknown_setting_is_refused():
    with pytest.raises(mf.MachineError, match="max_speed_mm_s"):
        PRINTER.with_settings({"motion.max_sped_mm_s": 1.0})
    with pytest.raises(mf.MachineError, match="no table"):
        PRINTER.with_settings({"nonsense.key": 1.0})


def test_a_board_has_a_page_on_both_sides():
    assert sorted(path.stem for path in BOARDS.glob("*.toml")) == sorted(PAGES)


@pytest.mark.parametrize("name", PAGES)
def test_the_board_page_of_the_host_is_the_page_of_the_chip(name):
    chip = PAGES[name]
    page = read_board(BOARDS / f"{name}.toml")
    pins = dict(page.pins)
    assert page.name == chip.NAME
    assert page.chip == chip.CHIP
    assert page.motors_max == chip.MOTORS_MAX
    assert {name: pins[name] for name in page.step} == chip.STEP
    assert {name: pins[name][0] for name in page.inputs} == chip.INPUTS
    assert {name: pins[name][0] for name in (*page.switches, *page.pwm)} == chip.OUTPUTS
    assert {name: pins[name][0] for name in page.analog} == chip.ANALOG
    assert pins["GATE"][0] == chip.GATE
    assert pins["ENABLE"] == chip.ENABLE
    assert pins["CHARGE_PUMP"][0] == chip.CHARGE_PUMP
    converters = {name: pins.pop(name) for name in page.converters}
    assert converters == getattr(chip, "CONVERTERS", {})
    used = [pin for group in pins.values() for pin in group]
    assert len(used) == len(set(used))
    assert all(0 <= pin < 30 for pin in used)
    assert all(pin >= 26 for pin in chip.ANALOG.values())  # where the converter is
