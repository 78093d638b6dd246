"""docs/protocol.md says what the code does: messages, states, reasons, faults, and its example."""

from __future__ import annotations

import json
import re
import struct
from array import array
from pathlib import Path

from mfboard import faults
from mfboard.config import CONFIG_BYTES, parse
from mfboard.expand import DIRECTION, STEP, expand
from mfwire import messages
from mfwire import session as s
from microfactory.machine import Machine
from microfactory.motion.core import ffi, lib
from microfactory.status import FAULTS

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "protocol.md").read_text()
KINDS = {"B": "u8", "H": "u16", "h": "s16", "I": "u30", "i": "s30", "*": "rest"}


def table(head: str) -> list[list[str]]:
    """Cells of the rows of the table whose first cells are these."""
    body = PAGE.split(f"\n| {head} |")[1].splitlines()[2:]
    rows = []
    for line in body:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def test_messages_are_those_of_the_table():
    assert table("number | name | to") == [
        [
            str(number),
            name,
            to,
            "S" if sequenced else "",
            ", ".join(f"{KINDS[kind]} {field}" for field, kind in fields),
        ]
        for number, name, to, sequenced, fields in messages.TABLE
    ]
    for _, name, *_ in messages.TABLE:
        if name not in ("NAK", "CONFIGURED", "LOG", "PING"):
            assert f"**{name}" in PAGE or f", {name}**" in PAGE, f"{name} is not explained"
    schema = messages.SCHEMA_HIGH << 16 | messages.SCHEMA_LOW
    assert f"Protocol {messages.PROTOCOL}, schema `{schema:08x}`" in PAGE


def test_states_reasons_and_faults_are_those_of_the_code():
    assert [row[:2] for row in table("number | state")] == [
        [str(i), name] for i, name in enumerate(s.STATES)
    ]
    assert table("message | states") == [
        [name, ", ".join(s.STATES[state] for state in states)] for name, states in s.ALLOWED
    ]
    assert table("reason | what") == [[str(i), text] for i, text in enumerate(s.REASONS) if i]
    assert [row[:2] for row in table("fault | name")] == [
        [str(number), name.lower().replace("_", " ")]
        for name, number in vars(faults).items()
        if name.isupper() and number
    ]
    assert list(FAULTS) == [int(row[0]) for row in table("fault | name")]
    assert "`why`: " + ", ".join(f"{i} {word}" for i, word in enumerate(s.WHY)) + "." in PAGE


def test_the_example_segment_plays_as_it_says():
    match = re.search(r"Example: `([0-9a-f ]+)` \(w0 = (\w+), w1 = (\w+)\) is (.*)\.", PAGE)
    assert match is not None
    data = bytes.fromhex(match[1])
    assert struct.unpack("<2I", data) == (int(match[2], 16), int(match[3], 16))
    ticks, kinds = array("I", bytes(400)), bytearray(100)
    count = expand(data, 0, 1, ticks, kinds, 99)
    assert set(kinds[:count]) == {DIRECTION | STEP}
    shown = ", ".join(str(tick) for tick in ticks[:count])
    assert match[4] == f"{count} positive steps of {shown} ticks"
    words = ffi.new("mf_word[]", 100)
    made = ffi.new("size_t *")
    segment = ffi.new("uint32_t[]", [int(match[2], 16), int(match[3], 16)])
    assert lib.mf_segments_play(segment, 1, words, 100, made) == lib.MF_OK
    assert [words[i].ticks for i in range(made[0])] == list(ticks[:count])


def test_the_configuration_on_the_page_is_one_that_a_board_takes():
    from boards import pico_carrier

    text = PAGE.split("## Configuration")[1].split("`at` is")[0]
    shown = json.loads(text[text.index("{") : text.rindex("}") + 1])
    assert parse(json.dumps(shown).encode(), pico_carrier) == shown
    whole = json.loads(Machine.load("d3d-printer").board_config())
    assert shown.keys() == whole.keys()
    for key in ("motors", "inputs", "outputs", "heaters"):
        assert shown[key] == whole[key][:1]
    assert f"at most {CONFIG_BYTES} bytes" in PAGE
