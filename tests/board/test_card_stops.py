"""What a held job from a card keeps, what ends it, and what is left after a power cut."""

from __future__ import annotations

import gc
from dataclasses import replace
from pathlib import Path

from cardkit import Bench, changed, go, own, program, pulses
from hil.verify import verify

from mfboard import faults
from mfwire import card as c
from mfwire import session as s
from microfactory.cardjournal import entries, read_journal
from microfactory.machine import Machine

HERE = Path(__file__).parent


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
    before = bench.it
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
    bench.until_moving()
    del before  # a board without power closes nothing when somebody tidies up later
    gc.collect()
    assert bench.end() == "played to its end"
    kinds = [entry.kind for entry in entries((bench.folder / "journal.bin").read_bytes())]
    assert kinds.count("power") == 1
