"""The host's end of the probe: times that wrap, losses in words, clocks compared, volts to duty."""

from __future__ import annotations

import struct
from dataclasses import replace

import numpy as np
import pytest
from hil.probe import counters, image
from hil.probe.client import Client
from hil.probe.clock import ClockError
from hil.probe.edges import Edges, losses, ticks_of
from hil.probe.probe import duty_of
from hil.rigs.scan import scan

from mfprobe import state, words
from mfwire.crc import Crc
from mfwire.frames import FRAME_BYTES, Decoder, encode_into
from microfactory import LinkError, Machine, UsageError
from microfactory.flash import uf2
from microfactory.flash.chips import FLASH_BASE, RP2040

WRAP = 1 << 32


def counts_of(times):
    """What the probe's clock pushes at these counts since its start."""
    return np.array([~t & 0xFFFFFFFF for t in times], np.uint32)


def test_counts_that_wrap_become_ticks_that_do_not():
    times = [0, 5, WRAP - 3, WRAP + 2, 2 * WRAP, 3 * WRAP - 1]
    found = ticks_of(counts_of(times), 0, [], None)
    assert found.tolist() == [max(2 * t, 3) - 3 for t in times]


def test_silences_longer_than_the_count_are_added():
    times = [0, 10, 10 + 7 * WRAP + 3, 20 + 8 * WRAP, 21 + 90 * WRAP]
    found = ticks_of(counts_of(times), 0, [(2, 7), (3, 1), (4, 82)], None)
    assert found.tolist() == [max(2 * t, 3) - 3 for t in times]


def test_what_is_left_of_a_ring_is_timed_from_its_end():
    times = [9 * WRAP + 7, 10 * WRAP, 10 * WRAP + 400]
    found = ticks_of(counts_of(times), 5000, [(4999, 3)], times[-1])
    assert found.tolist() == [2 * t - 3 for t in times]


def test_an_incomplete_capture_says_why_and_judges_nothing():
    assert losses(0) == ()
    edges = Edges(np.array([8], np.uint64), np.array([4], np.uint32), lost=losses(1 | 2))
    with pytest.raises(UsageError, match=r"faster than its memory.*; its ring went round.*slower"):
        edges.lines()
    assert edges.lines(lossy=True)[2][1].tolist() == [1]


def test_lines_and_changes_are_the_same_edges():
    states = np.array([0b101, 0b100, 0b110], np.uint32)
    edges = Edges(np.array([10, 20, 30], np.uint64), states, before=0b001)
    ticks, pins, levels = edges.changes()
    assert list(zip(ticks.tolist(), pins.tolist(), levels.tolist(), strict=True)) == [
        (10, 2, 1),
        (20, 0, 0),
        (30, 1, 1),
    ]
    assert {g: (t.tolist(), v.tolist()) for g, (t, v) in edges.lines().items()} == {
        0: ([20], [0]),
        1: ([30], [1]),
        2: ([10], [1]),
    }


def test_counters_of_more_than_32_bits_are_whole():
    data = np.zeros(state.MOTOR_WORDS, "<u4")
    data[[state.LEAST, state.SETUP, state.NARROW]] = 0xFFFFFFFF
    data[state.UP : state.UP + 2] = (5, 2)
    data[state.DOWN] = 7
    data[state.MOST] = 0xFFFFFFFF
    data[state.BINS + 2 * 11 : state.BINS + 2 * 11 + 2] = (1, 1)
    found = counters.read(data.tobytes(), 62_500_000)
    assert found.up == 2 * WRAP + 5
    assert found.steps == 2 * WRAP - 2
    assert found.histogram[11] == WRAP + 1
    assert found.interval_most_us is found.interval_least_us is found.setup_least_us is None


def test_clocks_are_compared_by_the_quickest_answers():
    error = ClockError()
    assert error.ppm() is None
    for i in range(20):
        at, late = float(i), 0.02 if i % 3 else 0.0001  # slow answers come late, too
        error.add(at, at + 2 * late, round((at + late * 1.9) * (1 + 25e-6) * 1e6))
    ppm, unsure = error.ppm()
    assert abs(ppm - 25) <= unsure < 12


def test_volts_become_a_duty_against_the_pull_up():
    rig = scan(Machine.load("d3d-printer")).rig
    channel = next(c for c in rig.channels if c.direction == "analog")
    series, pull = channel.series_ohm, channel.pullup_ohm
    for volts in (0.5, 1.65, 3.2):
        own_v = duty_of(channel, volts) / 65535 * 3.3
        assert (own_v * pull + 3.3 * series) / (pull + series) == pytest.approx(volts, abs=1e-3)
    free = replace(channel, pullup_ohm=0.0)
    assert duty_of(free, 1.65) == round(65535 / 2)
    with pytest.raises(UsageError, match=r"3.5 V cannot be made; nothing was set; through 470 ohm"):
        duty_of(channel, 3.5)


def test_every_file_of_the_probe_compiles_for_its_chip():
    files = image.files()
    assert {"main.py", "mfprobe/fast_scan.mpy", "mfwire/frames.mpy"} <= set(files)
    assert sum(map(len, files.values())) < 40_000


def test_the_probes_uf2_has_every_sector_that_is_not_erased():
    flash = bytearray(b"\xff" * image.FLASH_BYTES)
    flash[0:5], flash[9000], flash[-1] = b"begin", 0, 7
    found = uf2.read(image.to_uf2(bytes(flash)), "probe.uf2")
    uf2.check_for(found, RP2040)
    assert sorted(found.sectors()) == [FLASH_BASE + at for at in (0, 8192, len(flash) - 4096)]
    for address, sector in found.sectors().items():
        assert sector == flash[address - FLASH_BASE : address - FLASH_BASE + len(sector)]


class Echo:
    """A probe's port that answers what it is told to, after losing some requests."""

    def __init__(self, answers, lose=0):
        self.answers, self.lose, self.t = answers, lose, 0.0
        self.decoder, self.out = Decoder(), b""

    def write(self, data):
        self.decoder.feed(data, 0, len(data))
        if self.lose:
            self.lose -= 1
            return
        kind, number = self.decoder.payload[:2]
        body = self.answers.get(kind)
        payload = bytearray(
            [kind | words.REPLY if body is not None else words.NO_SUCH, number, 0, 0]
        )
        payload += body or b""
        frame = bytearray(FRAME_BYTES)
        length = encode_into(frame, payload + bytes(4), len(payload), Crc())
        self.out += bytes(frame[:length])

    def read(self, timeout_s):
        self.t += timeout_s
        data, self.out = self.out, b""
        return data

    def now_s(self):
        return self.t


def test_a_lost_request_is_repeated_and_a_silent_probe_is_told():
    answers = {words.IDENTIFY: bytes(range(8)) + struct.pack("<BI", 25, 62_500_000) + b"mfprobe 1"}
    who = Client(Echo(answers, lose=3)).identity()
    assert (who.uid, who.version, who.count_hz) == ("0001020304050607", "mfprobe 1", 62_500_000)
    with pytest.raises(LinkError, match=r"does not answer; nothing is known"):
        Client(Echo(answers, lose=99)).identity()
    with pytest.raises(ValueError, match="refused request 9"):
        Client(Echo(answers)).status()
