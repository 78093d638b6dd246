"""The rig's self-test: what it finds, how long it holds, what is refused without it."""

from __future__ import annotations

import datetime
import random
from dataclasses import replace

import numpy as np
import pytest
from hil import spoil
from hil.rigs import selftest
from hil.rigs.rig import EmulatedRig, RealRig, VirtualRig
from hil.rigs.scan import scan

from microfactory import LinkError, Machine, UsageError
from microfactory.cli.main import main
from microfactory.machine import names

PLOTTER = Machine.load("circuit-plotter")


@pytest.fixture(autouse=True)
def kept(tmp_path, monkeypatch):
    monkeypatch.setenv("MICROFACTORY_STATE", str(tmp_path))


class Spoilt(VirtualRig):
    """A virtual rig that sees wrongly."""

    def __init__(self, spoiler) -> None:
        super().__init__()
        self._spoiler = spoiler

    def seen(self, link):
        return self._spoiler(super().seen(link))


def shifted(capture):
    """One pulse of one motor a microsecond late."""
    m = capture.motors["y"]
    if len(m.rise) < 20:
        return capture
    late = m.rise + 125 * (np.arange(len(m.rise)) == 10)
    return replace(capture, motors={**capture.motors, "y": replace(m, rise=late)})


def spoilt(fault):
    def spoil_it(capture):
        found = fault(capture, PLOTTER, random.Random(3))
        return found.capture if found else capture

    return spoil_it


@pytest.mark.parametrize("name", names())
def test_a_whole_rig_passes_with_every_machine(name):
    record = selftest.run(VirtualRig(), Machine.load(name))
    assert record.verdict == "PASS"
    assert selftest.refusal(VirtualRig()) == ""


@pytest.mark.parametrize(
    ("spoiler", "found"),
    [
        (spoilt(spoil.lost), "pulses_lost"),
        (spoilt(spoil.doubled), "pulses_extra"),
        (shifted, "edge_error_ticks"),
        (lambda capture: replace(capture, motors={
            **capture.motors, "z": replace(capture.motors["z"],
                                           width=capture.motors["z"].width + 1)}),
         "width_error_ticks"),
        (lambda capture: replace(capture, motors={
            **capture.motors, "z": replace(capture.motors["z"],
                                           direction=-capture.motors["z"].direction)}),
         "pulses_turned"),
        (lambda capture: replace(capture, motors={
            name: replace(m, rise=m.rise[:0], width=m.width[:0], direction=m.direction[:0])
            for name, m in capture.motors.items()}),
         "pulses_lost"),
    ],
    ids=["lost", "doubled", "late", "wide", "turned", "blind"],
)  # fmt: skip
def test_a_rig_that_sees_wrongly_fails_and_certifies_nothing(spoiler, found):
    selftest.run(VirtualRig(), PLOTTER)  # an earlier pass does not count
    record = selftest.run(Spoilt(spoiler), PLOTTER)
    assert record.verdict == "FAIL"
    assert found in record.why
    assert "failed its self-test" in selftest.refusal(VirtualRig())


def test_a_board_with_another_firmware_proves_nothing():
    record = selftest.run(VirtualRig(firmware="0123456789abcdef"), PLOTTER)
    assert record.verdict == "FAIL"
    assert "0123456789abcdef" in record.why
    assert [m.name for m in record.measurements] == ["wrong_firmware"]  # it was not moved


def test_a_self_test_that_breaks_off_has_failed():
    class Cut(VirtualRig):
        def open(self, machine):
            link = super().open(machine)
            link.inner.cut_tick = 5_000_000
            return link

    selftest.run(VirtualRig(), PLOTTER)
    with pytest.raises(LinkError):
        selftest.run(Cut(), PLOTTER)
    assert "failed its self-test (virtual: the link is cut" in selftest.refusal(VirtualRig())


def test_a_self_test_is_for_one_rig_and_holds_for_its_hours():
    rig = VirtualRig(scan(PLOTTER).rig)
    assert "has never been tested" in selftest.refusal(rig)
    selftest.run(VirtualRig(), PLOTTER)
    assert "has never been tested" in selftest.refusal(rig)
    selftest.run(rig, PLOTTER)
    now = datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
    hour = datetime.timedelta(hours=1)
    assert selftest.refusal(rig, now + 23.9 * hour) == ""
    assert "24.1 h old and holds 24 h" in selftest.refusal(rig, now + 24.1 * hour)
    assert "lies in the future" in selftest.refusal(rig, now - hour)
    moved = replace(rig.file, channels=rig.file.channels[1:])
    assert "changed since its self-test" in selftest.refusal(VirtualRig(moved))


def test_a_rig_that_sees_no_edges_cannot_be_tested():
    with pytest.raises(UsageError, match="sees no edges"):
        selftest.run(RealRig(None, "/dev/none"), PLOTTER)


def test_the_command_says_what_it_found(capsys):
    assert main(["hil", "selftest", "--machine", "circuit-plotter"]) == 0
    said = capsys.readouterr().out
    assert "pulses_lost = 0, x == 0, PASS" in said
    assert "rig self-test virtual on circuit-plotter: PASS" in said
    assert main(["hil", "selftest", "--rig", "real"]) == 2


@pytest.mark.needs("edges")
def test_the_emulated_rig_sees_every_edge_of_the_plan(rig):
    """With --rig emulated: the real firmware's pins against the very windows that were sent."""
    record = selftest.run(rig, PLOTTER)
    assert record.verdict == "PASS", record.why
    assert isinstance(rig, (VirtualRig, EmulatedRig))
