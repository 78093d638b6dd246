"""The wiring page names every wire of a machine once, with the pin that the firmware uses."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree

import pytest

import microfactory as mf
from boards import pico_carrier
from microfactory.cli.main import main
from microfactory.machine import names
from microfactory.wiring import EDGE, page, wires


@pytest.mark.parametrize("name", names())
def test_every_wire_is_there_once_with_the_firmwares_pin(name):
    machine = mf.Machine.load(name)
    found = wires(machine)
    expected = [p for m in machine.motors for p in pico_carrier.STEP[m.connector]]
    expected += [pico_carrier.INPUTS[part.connector] for part in machine.inputs]
    expected += [pico_carrier.OUTPUTS[o.connector] for o in (*machine.outputs, *machine.heaters)]
    expected += [pico_carrier.ANALOG[h.sensor.connector] for h in machine.heaters]
    expected += [*pico_carrier.ENABLE, pico_carrier.CHARGE_PUMP]
    assert sorted(wire.gpio for wire in found) == sorted(expected)
    gates = [wire for wire in found if wire.kind == "power" and wire.connector != "PUMP"]
    assert all("10 k" in wire.parts or "buffer" in wire.parts for wire in gates)
    drawing = page(machine)
    for svg in drawing.split("<svg")[1:]:
        ElementTree.fromstring("<svg" + svg.split("</svg>")[0] + "</svg>")
    assert all(wire.connector in drawing and wire.pin in drawing for wire in found)


def test_a_switch_is_told_by_what_it_does_when_it_is_pressed():
    told = {wire.to.split(" ")[0]: wire.to for wire in wires(mf.Machine.load("d3d-printer"))}
    assert "opens when it is pressed" in told["estop"]  # a broken wire stops the machine
    assert "closes when it is pressed" in told["z_min"]


def test_the_command_writes_the_page_and_tells_the_wires(tmp_path, capsys):
    path = tmp_path / "wiring.html"
    assert main(["wiring", "--machine", "circuit-plotter", "-o", str(path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {row["connector"] for row in told} >= {"M1 STEP", "ENABLE", "PUMP"}
    assert path.read_text() == page(mf.Machine.load("circuit-plotter"))
    assert main(["wiring", "--machine", "circuit-plotter"]) == 0
    assert "GP2, pin 4" in capsys.readouterr().out
    assert main(["wiring", "--machine", "nothing-such"]) == 3


def test_pins_of_the_edge_are_all_different():
    assert len(set(EDGE.values())) == len(EDGE) == 26
