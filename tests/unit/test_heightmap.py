"""Map files: what is in them, what is refused, and where."""

import math
import os
from dataclasses import replace

import pytest

import microfactory as mf
from microfactory.heightmap import HeightMap, geometry_sha256, with_map
from microfactory.heightmap_picture import svg, text

MILL = mf.Machine.load("cnc-machine-centre")
PAGE = HeightMap(
    machine=MILL.name, geometry_sha256=geometry_sha256(MILL), first_x_mm=10.0, first_y_mm=20.0,
    pitch_x_mm=30.0, pitch_y_mm=40.0, zero_z_mm=-100.0, repeat_mm=0.001,
    heights_mm=((0.0, 0.1, 0.2), (-0.1, 0.0, 0.3)),
)  # fmt: skip


def test_a_map_is_what_it_was_after_it_was_written(tmp_path):
    path = tmp_path / "map.toml"
    PAGE.save(path)
    assert HeightMap.load(path) == PAGE
    assert HeightMap.load(path).sha256 == PAGE.sha256
    assert (PAGE.columns, PAGE.rows) == (3, 2)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("0.1, 0.2", "nan, 0.2", r"m.toml:11: point 2 of row 1 is nan, no height"),
        ("0.1, 0.2", "inf, 0.2", r"m.toml:11: point 2 of row 1 is inf"),
        ("0.1, 0.2", "true, 0.2", r"m.toml:11: point 2 of row 1 is True"),
        ("-0.1, 0.0, 0.3", "-0.1, 0.0", r"m.toml:12: row 2 has 2 points and the first 3"),
        ("  [-0.1, 0.0, 0.3],\n", "", r"m.toml:10: map.heights_mm: 1 rows of 3 points are too few"),
        ("pitch_x_mm = 30.0", "pitch_x_mm = 0.0", r"m.toml:6: map.pitch_x_mm: 0 is too small"),
        ("pitch_x_mm = 30.0", "pitch_x = 30.0", r"m.toml:6: map.pitch_x: this key is unknown"),
        ("first_x_mm = 10.0", "first_x_mm = nan", r"m.toml:4: map.first_x_mm: nan is no place"),
        ("zero_z_mm = -100.0\n", "", r"map.zero_z_mm: this key is missing"),
        ("[map]", "[heights]", r"m.toml:1: heights: this key is unknown"),
        ("]\n", "", r"this is not TOML"),
    ],
)
def test_a_map_that_is_none_is_refused_with_its_line(old, new, says):
    assert old in PAGE.dump()
    with pytest.raises(mf.MachineError, match=says):
        HeightMap.parse(PAGE.dump().replace(old, new), "m.toml")


def test_a_map_of_another_machine_is_refused_and_speeds_do_not_make_another():
    assert with_map(MILL, PAGE, "m.toml").heightmap == PAGE
    fast = MILL.with_settings({"motion.max_speed_mm_s": 50.0})
    assert with_map(fast, PAGE, "m.toml").heightmap == PAGE
    other = MILL.with_settings({"axes.x.steps_per_mm": 80.0})
    with pytest.raises(mf.MachineError, match="has other axes, switches, skew or backlash"):
        with_map(other, PAGE, "m.toml")


def test_a_map_must_have_room_to_fade():
    data = MILL.data() | {"compensation": {"fade_begin_mm": -1.0, "fade_end_mm": -0.5}}
    machine = mf.Machine.parse(mf.machine.dump_toml(data), "m.toml")
    page = replace(PAGE, geometry_sha256=geometry_sha256(machine))
    with pytest.raises(mf.MachineError, match=r"do not fade within 0\.5 mm"):
        with_map(machine, page, "m.toml")


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ({"x_slack_mm": 1.5}, "homing takes the slack up on its way off the switch"),
        ({"skew_xy": 0.5}, "out of range"),
        ({"tolerance_mm": math.nan}, "out of range"),
        ({"fade_begin_mm": 1.0, "fade_end_mm": 0.5}, "not above fade_begin_mm"),
        ({"outside": "crash"}, "use one of edge, refuse"),
        ({"skew_yx": 0.1}, "did you mean"),
    ],
)
def test_a_table_that_cannot_be_is_refused(table, says):
    data = MILL.data() | {"compensation": table}
    with pytest.raises(mf.MachineError, match=says):
        mf.Machine.parse(mf.machine.dump_toml(data), "m.toml")


def test_slack_needs_a_switch():
    data = MILL.data() | {"compensation": {"x_slack_mm": 0.1}}
    del data["axes"]["x"]["home"]
    with pytest.raises(mf.MachineError, match="nobody knows on which side its slack is"):
        mf.Machine.parse(mf.machine.dump_toml(data), "m.toml")


def test_a_table_is_what_it_was_after_it_was_dumped():
    data = MILL.data() | {"compensation": {"skew_xy": 0.001, "z_slack_mm": 0.02}}
    machine = mf.Machine.parse(mf.machine.dump_toml(data), "m.toml")
    assert mf.Machine.parse(machine.dump(), "again.toml") == machine


@pytest.mark.skipif(os.geteuid() == 0 and not hasattr(os, "chflags"), reason="root writes anywhere")
def test_a_map_is_never_half_written(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(mf.UsageError, match="nothing was left there"):
        PAGE.save(tmp_path / "map.toml")
    assert not list(tmp_path.iterdir())


def test_a_map_is_drawn_as_text_and_as_a_picture():
    lines = list(text(PAGE))
    assert "from -0.100 to +0.300 mm" in lines[0]
    assert lines[1].split() == ["Y", "60.00", "-100", "+0", "+300"]
    assert svg(PAGE).count("<rect") == 7
