"""A simulated frame is shaken, measured, told its shaper, and rings no more with it."""

from __future__ import annotations

import dataclasses
import json
import math
import struct
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.append(str(Path(__file__).parent / "motion"))
from plain_edges import lists

from microfactory import resonance as ring
from microfactory.cli.main import main
from microfactory.errors import UsageError
from microfactory.machine import TICK_HZ, Machine
from microfactory.motion.gcode import parse
from microfactory.motion.plan import plan

PRINTER = Machine.load("d3d-printer")
RATE = 2000.0


def commanded(text: str, machine: Machine) -> tuple[np.ndarray, float]:
    """Where X is commanded to be, from the bytes of the windows, at RATE; and how long it takes."""
    ticks, places, count, end = [0], [0], 0, 0
    for section in plan(parse(text), machine).sections():
        for window in section.windows:
            if window.number == 0 or not ticks[1:]:
                count = struct.unpack_from("<i", window.data, 28)[0]
                places[0] = places[0] or count
            for tick, way in lists(window.data, machine.pulse_ticks())[0][0]:
                count += way
                ticks.append(window.begin_ticks + tick)
                places.append(count)
            end = window.begin_ticks + window.length_ticks
    time_s = np.arange(0, end / TICK_HZ + 0.5, 1 / RATE)
    mm = np.interp(time_s, np.array(ticks) / TICK_HZ, np.array(places) / 100.0)
    return mm * 100.0 / machine.axes[0].steps_per_mm, end / TICK_HZ


def swung(mm: np.ndarray, hz: float, damping: float) -> tuple[np.ndarray, np.ndarray]:
    """Place and acceleration of a mass that a spring holds at the commanded place."""
    w, dt = 2 * math.pi * hz, 1 / RATE
    x, v = mm[0], 0.0
    at, accel = np.empty(len(mm)), np.empty(len(mm))
    for i, target in enumerate(mm):
        a = w * w * (target - x) - 2 * damping * w * v
        v += a * dt
        x += v * dt
        at[i], accel[i] = x, a
    return at, accel


@pytest.mark.parametrize(("hz", "damping"), [(31.0, 0.04), (52.0, 0.08)])
def test_a_frame_that_is_shaken_is_told_its_frequency_and_rings_no_more(hz, damping, tmp_path):
    shake = "\n".join(ring.shake(PRINTER, PRINTER.axes[0], 20, 70, 4.0, 2000))
    mm, _ = commanded(shake, PRINTER)
    rng = np.random.default_rng(3)
    _, accel = swung(mm, hz, damping)
    accel += rng.normal(0, 300, len(accel))  # a cheap sensor
    file = tmp_path / "samples.csv"
    rows = (f"{i / RATE:.6f},{a / ring.G_MM_S2:.5f},0.01,1.0\n" for i, a in enumerate(accel))
    file.write_text("time_s,x,y,z\n" + "".join(rows))
    found = ring.spectrum(*ring.read_samples(file, "g"))
    assert found.peak_hz == pytest.approx(hz, abs=2.5)
    choice = ring.best(ring.choices(found, found.damping(), 2000))
    corner = "G28\nG1 X20 F6000\nG1 X80\n"
    still, with_it = (ringing_after(corner, m, hz, damping) for m in (PRINTER, shaped(choice)))
    assert still > 0.05  # mm, without a shaper
    assert with_it < 1 / PRINTER.axes[0].steps_per_mm  # what a single step does


def shaped(choice: ring.Choice) -> Machine:
    x = dataclasses.replace(PRINTER.axes[0], shaper=choice.shaper, shaper_hz=choice.hz)
    return dataclasses.replace(PRINTER, axes=(x, *PRINTER.axes[1:]))


def ringing_after(text: str, machine: Machine, hz: float, damping: float) -> float:
    """How far a frame swings, from top to bottom, once the commanded motion has ended."""
    mm, _ = commanded(text, machine)
    at, _ = swung(mm, hz, damping)
    moving = np.flatnonzero(np.abs(np.diff(mm)) > 0)
    after = at[moving[-1] + 2 :]
    return float(after.max() - after.min())


def test_ripples_of_a_print_tell_frequency_and_damping():
    hz, damping = ring.from_ripples(100.0, 2.5, 0.6)
    assert hz == 40.0
    assert math.exp(-2 * math.pi * damping / math.sqrt(1 - damping**2)) == pytest.approx(0.6)
    with pytest.raises(UsageError, match="from crest to crest"):
        ring.from_ripples(100.0, 0.0, None)


def test_the_command_writes_a_shake_that_the_machine_takes(tmp_path, capsys):
    out = tmp_path / "shake.gcode"
    words = ["resonance", "shake", "--machine", "d3d-printer", "--axis", "y", "-o", str(out)]
    assert main([*words, "--to-hz", "60", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["lines"] > 500
    assert main(["check", "nothing.toml", "--json"]) != 0
    capsys.readouterr()
    assert main(["plan", str(out), "--machine", "d3d-printer", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["job_time_s"] == pytest.approx(56, rel=0.1)
    assert main([*words, "--to-hz", "300"]) == 2
    assert "is no sweep" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("time_s,x\n0,1\n0.001,2\n", "2 samples are too few"),
        ("time_s,x\n0,1\n0.001,two\n", ":3: this is no later time"),
        ("0,1\n0,1\n", ":2: this is no later time"),
        ("".join(f"{i / 50},{i % 2}\n" for i in range(600)), "50 samples a second cannot show"),
        ("".join(f"{i / 1000},1\n" for i in range(3000)), "the accelerations do not change"),
    ],
)
def test_a_file_that_tells_nothing_is_refused_in_a_sentence(text, said, tmp_path):
    file = tmp_path / "samples.csv"
    file.write_text(text)
    with pytest.raises(UsageError) as refused:
        ring.spectrum(*ring.read_samples(file, "mm/s2"))
    assert said in str(refused.value)


def test_the_picture_is_one(tmp_path, capsys):
    file, out = tmp_path / "samples.csv", tmp_path / "rings.png"
    wave = (f"{i / 1000},{math.sin(2 * math.pi * 44 * i / 1000):.6f}\n" for i in range(8000))
    file.write_text("".join(wave))
    words = ["resonance", "read", str(file), "--machine", "d3d-printer", "-o", str(out)]
    assert main([*words, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["peak_hz"] == pytest.approx(44, abs=0.6)
    assert told["shaper"] in ("zv", "mzv", "ei", "2hei")
    assert out.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
