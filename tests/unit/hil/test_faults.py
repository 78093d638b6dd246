"""Faults on the virtual machine: nothing goes wrong, and when it does, the least of it is kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from hil.faults.__main__ import cases
from hil.faults.fault import KINDS, Case, Fault, load
from hil.faults.shrink import shrink
from hil.faults.trial import play

import microfactory as mf
from mfboard.board import Board

SCENARIOS = Path(__file__).resolve().parents[3] / "hil/scenarios"


def test_under_every_kind_of_fault_nothing_moves_wrongly_and_nothing_stays_hot():
    drawn = list(cases(len(KINDS), 3))
    assert {case.faults[0].kind for case in drawn} == set(KINDS)
    outcomes = {case: play(case) for case in drawn}
    assert not [f"{case.faults}: {o.wrong}" for case, o in outcomes.items() if o.wrong]
    assert {"finished", "LinkError", "BoardFault", "host killed"} <= {
        o.ended for o in outcomes.values()
    }


def test_the_same_case_ends_the_same_way():
    case = next(case for case in cases(40, 4) if len(case.faults) > 1)
    assert play(case) == play(case)


def test_a_granted_standby_that_a_weak_heater_ends_is_no_wrong():
    program = (SCENARIOS / "short_print.gcode").read_text()
    faults = (
        Fault("heater weak", 45.535955, 2.5, 0.2399, "hotend"),
        Fault("delay", 45.779334, 0.16869726678125, 0.4513, "to board"),
    )
    outcome = play(Case("d3d-printer", program, 2100771, faults))
    assert (outcome.ended, outcome.wrong) == ("LinkError", "")


def test_a_board_that_stays_hot_without_a_host_is_found_and_the_case_shrunk_to_the_cut(
    monkeypatch, tmp_path
):
    program = (SCENARIOS / "short_print.gcode").read_text()
    faults = (
        Fault("flip", 60.0, 1.0, 0.2, "to board"),
        Fault("thermistor noise", 20.0, 5.0, 0.5, "bed"),
        Fault("cut", 84.0, 5.0),
        Fault("duplicate", 40.0, 5.0, 0.5, "both"),
        Fault("clock", 0.0, 999.0, 120.0),
    )
    whole = Case("d3d-printer", program, 9, faults)
    assert play(whole).wrong == ""
    with monkeypatch.context() as defect:
        defect.setattr(Board, "lost", lambda self, why: self.receiver.begin(0))
        assert "still heated" in play(whole).wrong
        small = shrink(whole, lambda case: bool(play(case).wrong))
        assert [fault.kind for fault in small.faults] == ["cut"]
        assert small.faults[0].for_s < 0.1  # how long it lasts does not matter
        path = tmp_path / "kept/case.json"
        small.save(path, wrong=play(small).wrong)
        assert load(path) == small
        assert play(load(path)).wrong == play(small).wrong
    assert play(load(path)).wrong == ""


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "no case of faults"),
        ('{"schema": 1}', "no case of faults"),
        ('{"schema": 2, "machine": "x", "program": "", "seed": 1, "faults": []}', "schema 2"),
        (
            '{"schema": 1, "machine": "x", "program": "", "seed": 1,'
            ' "faults": [{"kind": "ghost", "at_s": 0, "for_s": 1}]}',
            "the fault ghost is unknown",
        ),
    ],
)
def test_a_file_that_is_no_case_is_refused_in_a_sentence(tmp_path, text, told):
    path = tmp_path / "case.json"
    path.write_text(text)
    with pytest.raises(mf.UsageError, match=told):
        load(path)
