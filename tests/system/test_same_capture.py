"""The same seed gives the same capture, byte for byte; a program with a dwell more another one."""

from pathlib import Path

import pytest
from hil.capture import Capture
from hil.report.vcd import write_vcd

import microfactory as mf

SCENARIOS = Path(__file__).resolve().parents[2] / "hil/scenarios"


def played(machine: mf.Machine, text: str, journal: Path) -> Capture:
    with mf.connect("virtual", machine, capture=True, seed=3) as board:
        board.run(mf.parse(text), journal=journal)
        capture = board.link.capture()
        assert isinstance(capture, Capture)
        return capture


@pytest.mark.parametrize(
    ("name", "scenario"), [("d3d-printer", "short_print"), ("cnc-torch-table", "short_cut")]
)
def test_the_same_seed_gives_the_same_capture_byte_for_byte(name, scenario, tmp_path):
    machine = mf.Machine.load(name)
    text = (SCENARIOS / f"{scenario}.gcode").read_text()
    kept = []
    for k, program in enumerate((text, text, text.replace("\nG1 ", "\nG4 P1\nG1 ", 1))):
        capture = played(machine, program, tmp_path / f"{k}.jsonl")
        write_vcd(capture, tmp_path / f"{k}.vcd", capture.seconds(capture.runs[-1].tick), 0.3)
        kept.append((capture.text(), (tmp_path / f"{k}.vcd").read_bytes()))
    assert kept[0] == kept[1]
    assert kept[0][0] != kept[2][0]
    assert len(kept[0][1]) > 1000
