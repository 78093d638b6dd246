"""Spoilt captures are found in place; clean ones raise no alarm (`make verify-mutants`: 1,000)."""

import random

import pytest
from hil.mutants import campaign, clean_captures
from hil.spoil import SPOILERS


@pytest.fixture(scope="module")
def cleans():
    return clean_captures()


def test_clean_captures_of_all_kinds_raise_no_alarm(cleans):
    assert len(cleans) == 4
    for clean in cleans:
        report = clean.report
        assert report.passed, report.text()
        assert report.figures["pulses"] > 10_000


def test_every_fault_is_found_in_place(cleans):
    outcomes = list(campaign(cleans, 96, seed=7))
    missed = [f"{o.name}: {o.what}: {o.missed}" for o in outcomes if o.missed]
    assert len(outcomes) == 96
    assert not missed


def test_each_fault_changes_the_capture(cleans):
    rng = random.Random(1)
    for spoiler in SPOILERS:
        made = [spoiler(clean.capture, clean.machine, rng) for clean in cleans for _ in range(5)]
        faults = [(f, c) for f, c in zip(made, [c for c in cleans for _ in range(5)], strict=True)]
        assert any(fault is not None for fault, _ in faults)
        for fault, clean in faults:
            assert fault is None or fault.capture is not clean.capture
