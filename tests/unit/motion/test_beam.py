"""M4 of a laser: power follows the planned speed; rapids and rests are dark."""

from __future__ import annotations

import struct
from itertools import pairwise

import numpy as np
import pytest

from microfactory import Machine, errors
from microfactory.motion.gcode import parse
from microfactory.motion.plan import plan
from microfactory.tomlfile import dump

TICK_HZ = 125_000_000
FULL = 65535


def laser(**motion) -> Machine:
    """The plotter with a laser in place of its spindle."""
    data = Machine.load("circuit-plotter").data()
    spindle = data["outputs"].pop("spindle")
    spindle |= {"role": "laser", "kind": "pwm", "on_hold": "off", "on_link_lost": "off"}
    spindle |= {"stop_to_switch": False, "max_rpm": 0.0, "spin_up_s": 0.0}
    data["outputs"]["laser"] = spindle
    data["motion"] |= motion
    return Machine.parse(dump(data))


LASER = laser()
SQUARE = """G21 G90
G0 X20 Y20 F3000
M4 S500
G1 X60 Y20 F1800
G1 X60 Y60
G0 X20 Y60
G1 X20 Y20 F900
M5
M2
"""


def changes(windows) -> list[tuple[int, int]]:
    """(tick, power) of the laser over a stretch; none comes twice, none is out of order."""
    out = []
    for w in windows:
        motors, count = struct.unpack_from("<HH", w.data, 20)
        at = 28 + 8 * motors
        for _ in range(count):
            tick, output, value = struct.unpack_from("<IHH", w.data, at)
            assert output == 0
            out.append((w.begin_ticks + tick, value))
            at += 8
    assert out == sorted(out, key=lambda pair: pair[0])
    return out


def windows_of(text: str, machine: Machine = LASER):
    found = []
    for section in plan(parse(text), machine).sections():
        found += list(section.windows)
    return found


def test_full_speed_has_the_power_that_s_asks_for_and_rest_has_none():
    seen = changes(windows_of(SQUARE))
    powers = [value for _, value in seen]
    half = round(FULL / 2)
    assert max(powers) == half
    assert seen[-1][1] == 0
    assert sum(1 for value in powers if value == half) >= 3
    assert 40 < len(seen) < 400


def test_a_rapid_is_dark_from_its_first_tick_to_its_last():
    found = windows_of("G21 G90\nG0 X20 Y20 F3000\nM4 S1000\nG1 X40 F1200\nG0 X60\nG1 X80\nM2\n")
    seen = changes(found)
    dark = [i for i, (_, value) in enumerate(seen) if value == 0]
    assert len(dark) == 2  # the rapid, the end
    assert dark[1] == len(seen) - 1
    rapid_s = (seen[dark[0] + 1][0] - seen[dark[0]][0]) / TICK_HZ
    # 20 mm from 20 mm/s up to 60 and down again at 500 mm/s2: as long as the plan says, or nearly
    assert 0.36 < rapid_s < 0.60


@pytest.mark.parametrize("feed", [600, 1800, 3600])
@pytest.mark.parametrize("motion", [{}, {"max_jerk_mm_s3": 5000.0}, {"corner": "blend"}])
def test_power_is_the_speed_of_the_steps(feed, motion):
    """Measured on one motor's steps along a line: power / S against speed / F."""
    machine = laser(**motion)
    text = f"G21 G90\nG0 X20 Y20 F3000\nM4 S1000\nG1 X90 F{feed}\nM5\nM2\n"
    found = windows_of(text, machine)
    seen = changes(found)
    times = np.array([tick for tick, _ in seen]) / TICK_HZ
    powers = np.array([value for _, value in seen]) / FULL
    place = np.array([w.end_steps[0] for w in found]) / machine.axes[0].steps_per_mm
    ends = np.array([w.begin_ticks + w.length_ticks for w in found]) / TICK_HZ
    begin = times[np.argmax(powers > 0)]
    late = times[np.flatnonzero(powers > 0)[-1]]
    # the power's integral is the way: sum of power times time, times the feed
    spans = np.diff(np.append(times, times[-1]))
    way = float(np.sum(spans * powers) * feed / 60)
    assert way == pytest.approx(70.0, rel=0.005)
    assert late > begin
    assert place[-1] == pytest.approx(90.0)
    assert ends[-1] >= times[-1]


def test_m3_keeps_one_power_and_its_bytes():
    still = windows_of(SQUARE.replace("M4", "M3"))
    seen = changes(still)
    assert [value for _, value in seen] == [round(FULL / 2), 0]


def test_s_alone_changes_the_power_where_it_stands_and_m3_ends_it():
    text = "G21 G90\nG0 X20 Y20 F3000\nM4 S1000\nG1 X60 F1200\nS250\nG1 X100\nM3 S100\n"
    text += "G1 X120\nM2\n"
    seen = changes(windows_of(text))
    powers = [value for _, value in seen]
    assert FULL in powers
    assert round(0.25 * FULL) in powers
    assert powers[-2:] == [round(0.1 * FULL), 0]


def test_short_chords_need_no_more_changes_than_a_window_has():
    chords = "".join(f"G1 X{20 + 0.05 * i:.2f} Y{20 + (i % 2) * 0.05:.2f}\n" for i in range(1500))
    text = "G21 G90\nG0 X20 Y20 F3000\nM4 S800\nG1 F3000\n" + chords + "M5\nM2\n"
    found = windows_of(text)
    for w in found:
        assert struct.unpack_from("<H", w.data, 22)[0] <= 48
    assert max(value for _, value in changes(found)) <= FULL


def test_a_dwell_is_dark():
    text = "G21 G90\nG0 X20 Y20 F3000\nM4 S1000\nG1 X40 F1200\nG4 P0.5\nG1 X60\nM2\n"
    seen = changes(windows_of(text))
    gaps = [(b[0] - a[0]) / TICK_HZ for a, b in pairwise(seen) if a[1] == 0]
    assert any(gap >= 0.499 for gap in gaps)


def test_a_laser_that_is_only_switched_takes_no_m4():
    machine = LASER.with_settings({"outputs.laser.kind": "switch"})
    with pytest.raises(errors.GcodeError, match="no power to set"):
        windows_of(SQUARE, machine)
