"""Values are put into a TOML text, and into a file, without disturbing anything else."""

from __future__ import annotations

import os
import random
import stat
import tomllib

import pytest

from microfactory.tomledit import put, replace_file

TEXT = """# my machine
[a]
x = 1.0  # one
name = "n"

# about b
[a.b]
y = 2

[[list]]
z = 3
"""


def test_a_value_is_changed_where_it_stands_and_its_comment_stays():
    out = put(TEXT, "a", {"x": 2.5})
    assert out == TEXT.replace("x = 1.0  # one", "x = 2.5  # one")


def test_a_missing_key_goes_to_the_end_of_its_table():
    out = put(TEXT, "a", {"w": 4})
    assert out == TEXT.replace('name = "n"\n', 'name = "n"\nw = 4\n')


def test_a_missing_table_goes_behind_its_family():
    out = put(TEXT, "a.c", {"w": 4, "v": "x"})
    assert out == TEXT.replace("y = 2\n", 'y = 2\n\n[a.c]\nw = 4\nv = "x"\n')
    assert put("", "q.r", {"s": 1}) == "\n[q.r]\ns = 1\n"


@pytest.mark.parametrize("seed", range(50))
def test_whatever_is_put_is_read_back_and_the_rest_is_what_it_was(seed):
    dice = random.Random(seed)
    text = TEXT
    wanted = tomllib.loads(TEXT)
    for _ in range(12):
        table = dice.choice(["a", "a.b", "a.c", "d", "d.e"])
        key, value = dice.choice("xyzwv"), dice.choice([1, 2.5, "t", True])
        text = put(text, table, {key: value})
        place = wanted
        for part in table.split("."):
            place = place.setdefault(part, {})
        place[key] = value
        assert tomllib.loads(text) == wanted
    assert "# my machine" in text
    assert "# one" in text


def test_a_file_is_replaced_whole_and_keeps_its_mode(tmp_path):
    path = tmp_path / "m.toml"
    path.write_text("old")
    path.chmod(0o640)
    link = tmp_path / "link.toml"
    link.symlink_to(path)
    replace_file(link, "new\n")
    assert path.read_text() == "new\n"
    assert link.is_symlink()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert os.listdir(tmp_path).__len__() == 2


def test_a_file_that_cannot_be_written_is_what_it_was(tmp_path):
    path = tmp_path / "m.toml"
    path.write_text("old")
    with pytest.raises(UnicodeEncodeError):
        replace_file(path, "half \udc80 of it")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["m.toml"]
