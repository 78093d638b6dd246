"""Where a program comes from, and what is refused before a word of it is read."""

from __future__ import annotations

import hashlib
import io
from dataclasses import FrozenInstanceError

import pytest

from microfactory.errors import UsageError
from microfactory.motion import gcode
from microfactory.motion.gcode import parse

TEXT = "G28\nG1 X5 F600\n"


def test_path_text_bytes_and_open_files_give_the_same_program(tmp_path):
    file = tmp_path / "part.gcode"
    file.write_text(TEXT)
    with file.open() as text, file.open("rb") as data:
        programs = [parse(file), parse(str(file)), parse(TEXT), parse(TEXT.encode())]
        programs += [parse(text), parse(data), parse(io.StringIO(TEXT))]
    for program in programs:
        assert program.data == TEXT.encode()
        assert program.sha256 == hashlib.sha256(TEXT.encode()).hexdigest()
        assert program.lines == 2
        assert program.text == TEXT
    assert programs[0].name == "part.gcode"


def test_a_program_is_frozen_and_tells_its_lines():
    program = parse("G28\nG0 X1", name="mine")
    assert program.name == "mine"
    assert (program.lines, program.line(2), program.line(3)) == (2, "G0 X1", "")
    with pytest.raises(FrozenInstanceError):
        program.data = b""


@pytest.mark.parametrize(
    ("name", "data", "part"),
    [
        ("empty.gcode", b" \n\n", "empty"),
        ("binary.gcode", b"G28\n\x00\x01\x02\n", "binary.gcode:2"),
        ("part.stl", b"solid\x00" * 20, "no G-code"),
    ],
)
def test_what_is_no_text_is_refused_in_one_sentence(tmp_path, name, data, part):
    file = tmp_path / name
    file.write_bytes(data)
    with pytest.raises(UsageError) as refused:
        parse(file)
    message = str(refused.value)
    assert name in message
    assert part in message
    assert "nothing was moved" in message
    assert "\n" not in message


def test_a_missing_file_a_directory_and_an_unreadable_name_are_refused(tmp_path):
    for path in (tmp_path / "absent.gcode", tmp_path, tmp_path / ("x" * 300)):
        with pytest.raises(UsageError) as refused:
            parse(path)
        assert str(path) in str(refused.value)
        assert "nothing was moved" in str(refused.value)


def test_a_file_that_is_too_large_is_refused_before_it_is_read(tmp_path, monkeypatch):
    file = tmp_path / "large.gcode"
    file.write_text(TEXT)
    monkeypatch.setattr(gcode, "LARGEST_BYTES", 5)
    with pytest.raises(UsageError, match="large"):
        parse(file)
