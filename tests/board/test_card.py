"""Jobs from a card: checked before anything moves, played as from a host, held and gone on with."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from cardkit import Bench, changed, made, own, program, pulses
from hil.plant import near_home
from hil.rig_virtual import VirtualLink
from hil.verify import verify

from mfboard.card_file import JOB
from mfwire import card as c
from mfwire import session as s
from microfactory.board import Board
from microfactory.cardjournal import read_journal
from microfactory.errors import BoardFault
from microfactory.jobfile import JobFile, run_file
from microfactory.machine import Machine

HERE = Path(__file__).parent


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
    desk = button.desk()
    press(button, 2.1)
    assert button.it.state == c.NONE  # long, but a host is there
    assert desk.status().state == "NONE"
    button.link.alone(2.1)
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
