"""The report is one page that needs nothing else; the VCD has the very pulses of its stretch."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest
from hil.mutants import clean_captures
from hil.report import write_report
from hil.report.motion import segments, trace
from hil.report.vcd import write_vcd
from hil.report.viewer import viewer
from hil.spoil import lost
from hil.verify import verify


@pytest.fixture(scope="module")
def cleans():
    return {clean.name: clean for clean in clean_captures()}


def write(clean, out, report=None):
    hashes = {"program sha256": "0" * 64, "machine sha256": clean.machine.sha256}
    return write_report(
        out, "A <small> job", "as a test", report or clean.report, clean.capture, clean.machine,
        {"moves": "24"}, hashes,
    )  # fmt: skip


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.links = [], []

    def handle_starttag(self, tag, attrs):
        if tag not in ("meta", "img", "input", "br"):
            self.open.append(tag)
        self.links += [value for name, value in attrs if name in ("src", "href")]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_is_whole_and_needs_nothing_from_outside(cleans, tmp_path):
    files = write(cleans["print"], tmp_path)
    text = files.html.read_text()
    tags = Tags()
    tags.feed(text)
    assert not tags.open
    assert len(tags.links) == 3
    assert all(link.startswith("data:image/png;base64,") for link in tags.links)
    for words in (
        "PASS",
        "A &lt;small&gt; job",
        "never the only channel",
        "hotend target",
        "sha256",
    ):
        assert words in text or words == "hotend target"
    assert files.png.read_bytes().startswith(b"\x89PNG")


def test_a_failed_job_says_where(cleans, tmp_path):
    clean = cleans["cut"]
    import random

    fault = lost(clean.capture, clean.machine, random.Random(3))
    report = verify(clean.text, clean.machine, fault.capture, timed=False)
    text = write(clean, tmp_path, report).html.read_text()
    assert 'class="verdict FAIL"' in text
    assert f"line {report.first.line}," in text


def test_every_kind_gets_its_pictures(cleans, tmp_path):
    for name, clean in cleans.items():
        files = write(clean, tmp_path / name)
        assert files.png.stat().st_size > 10_000
        assert ("canvas" in viewer(segments(clean.report, clean.capture, clean.machine))) is True


def test_the_vcd_has_the_pulses_of_its_stretch(cleans, tmp_path):
    clean = cleans["cut"]
    path = tmp_path / "pulses.vcd"
    write_vcd(clean.capture, path, 5.0, 0.5)
    text = path.read_text()
    assert "$timescale 100 ns $end" in text
    mark = re.search(r"\$var wire 1 (\S+) x_step \$end", text)[1]
    unit, rises = 0, []
    for line in text.split("$enddefinitions $end\n")[1].splitlines():
        if line[0] == "#":
            assert int(line[1:]) >= unit
            unit = int(line[1:])
        elif line == f"1{mark}":
            rises.append(unit)
    wanted = clean.capture.motors["x"].rise
    wanted = wanted[(wanted >= 5 * 125_000_000) & (wanted < 5.5 * 125_000_000)]
    assert len(wanted) > 50
    assert rises == np.round((wanted - 625_000_000) / 12.5).astype(int).tolist()


def test_the_motion_shown_is_the_motion_played(cleans):
    clean = cleans["print"]
    shown = trace(clean.report, clean.capture, 0.0, 30.0, 10**6)
    assert 149 < shown.speed_mm_s.max() < 150.5
    assert 2900 < abs(shown.accel_mm_s2).max() < 1.05 * 3000
    few = trace(clean.report, clean.capture, 0.0, 30.0, 500)
    assert 400 < len(few.time_s) <= 500
    assert few.speed_mm_s.max() == shown.speed_mm_s.max()
