"""Nouns as text: complete, the same each time, and equal to what the nouns themselves say."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from pathlib import Path

import pytest
from hil.verify.windows import decode

from microfactory.errors import GcodeError, UsageError
from microfactory.machine import Machine
from microfactory.motion.gcode import parse
from microfactory.motion.plan import plan
from microfactory.motion.profile import profile
from microfactory.show import NOUNS, show

TOP = Path(__file__).resolve().parents[2]
PRINTER = Machine.load("d3d-printer")
PRINT = parse(TOP / "hil" / "scenarios" / "print.gcode")


@pytest.mark.parametrize("noun", NOUNS)
def test_the_text_is_the_same_each_time_and_one_item_a_line(noun):
    first = list(show(noun, PRINT, PRINTER))
    assert first == list(show(noun, PRINT, PRINTER))
    assert len(first) > 10
    for line in first:
        assert line == line.rstrip()
        assert line.isprintable()


def test_an_unknown_noun_is_refused():
    with pytest.raises(UsageError, match="profile, steps"):
        show("pulses", PRINT, PRINTER)


def test_a_program_that_must_not_be_run_is_not_shown_as_moves():
    with pytest.raises(GcodeError):
        list(show("moves", parse("G0 X5\nG0 X999\n"), PRINTER))


def test_step_lines_add_up_to_where_the_motors_end():
    text = list(show("steps", PRINT, PRINTER))
    counted: Counter[str] = Counter()
    here: Counter[str] = Counter()  # in this window
    names = [motor.name for motor in PRINTER.motors]
    for line in text:
        if line.startswith("window"):
            counted.update(here)
            here.clear()
        match = re.fullmatch(r"    (\w+) ([-+]) (\d+) x .*", line)
        if match:
            here[match[1]] += int(match[3]) * (1 if match[2] == "+" else -1)
        again = re.fullmatch(r"    (\w+) as the motor before", line)
        if again:
            here[again[1]] = here[names[names.index(again[1]) - 1]]
    counted.update(here)
    moved: Counter[str] = Counter()
    for section in plan(PRINT, PRINTER).sections():
        before = section.start_steps
        for window in section.windows:
            for i, motor in enumerate(PRINTER.motors):
                moved[motor.name] += window.end_steps[i] - before[i]
            before = window.end_steps
    assert moved["x"] == 70 * 80
    assert counted == moved


def test_step_lines_are_what_the_verifier_decodes():
    text = iter(show("steps", PRINT, PRINTER))
    for section in plan(PRINT, PRINTER).sections():
        for window in section.windows:
            there = decode(window.data)
            head = next(line for line in text if line.startswith("window"))
            assert head.startswith(f"window {there.number} begin {there.begin} length")
            before = None
            for motor, segments in zip(PRINTER.motors, there.segments, strict=True):
                if not len(segments):
                    continue
                begin = next(line for line in text if line.startswith(f"  {motor.name} from"))
                assert begin.endswith(str(there.start_steps[PRINTER.motors.index(motor)]))
                if segments is before:
                    assert next(text) == f"    {motor.name} as the motor before"
                    continue
                before = segments
                for w0, _ in segments:
                    line = next(text)
                    count, interval = int(w0) >> 2 & 127, int(w0) >> 11
                    assert f" {count} x {interval} " in line


def test_frames_carry_every_byte_of_every_window():
    carried = sum(
        int(match[1])
        for line in show("frames", PRINT, PRINTER)
        if (match := re.match(r"  WINDOW .* data (\d+) ", line))
    )
    whole = sum(
        len(window.data)
        for section in plan(PRINT, PRINTER).sections()
        for window in section.windows
    )
    assert carried == whole > 10_000


def test_the_profile_keeps_speeds_continuous_and_its_time_is_the_plans():
    spans = list(profile(PRINT, PRINTER))
    moving = [span for span in spans if span.kind != "dwell"]
    assert len(moving) == 24
    for before, span in itertools.pairwise(spans):
        if "dwell" not in (before.kind, span.kind):
            assert span.enter_mm_s == pytest.approx(before.leave_mm_s, abs=1e-9)
        assert span.peak_mm_s >= max(span.enter_mm_s, span.leave_mm_s) - 1e-9
    planned = plan(PRINT, PRINTER)
    for section in planned.sections():
        for _ in section.windows:
            pass
    time_s = sum(stretch.figures().time_s for stretch in planned.stretches)
    still_s = 3 * 0.01  # the stretches that only switch heaters last one short window each
    assert sum(span.time_s for span in spans) == pytest.approx(time_s, abs=0.05 + still_s)
