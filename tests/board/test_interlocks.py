"""Doors and floats: what the board does by itself when one becomes active."""

from __future__ import annotations

import pytest
from hil.rig_virtual import VirtualLink
from kit import Kit, bodies

from mfboard import faults
from mfwire.session import LOCKED
from microfactory import Machine
from microfactory.board import Board
from microfactory.errors import BoardFault, MachineError, Stopped
from microfactory.job import run_job
from microfactory.motion.gcode import parse
from microfactory.motion.straight import retreat_body

US = 125  # ticks
MILL = Machine.load("cnc-machine-centre")
TEXT = "G1 X120 F3000\nG1 X10\nG1 X120\n"


def ruled(role: str, rule: str, off: list[str]) -> Machine:
    """The mill with a door, or a float, instead of its probe."""
    return MILL.with_settings(
        {
            "inputs.probe.role": role,
            "inputs.probe.on_active": rule,
            "inputs.probe.off": off,
            "inputs.probe.debounce_ms": 2.0,
        }
    )


def running(machine: Machine, windows: int = 6, retreat: bytes = b"") -> Kit:
    """A run going on, spindle and coolant on."""
    kit = Kit(machine)
    found = bodies(TEXT, machine)
    kit.stand(tuple(0 for _ in machine.motors))
    for at in range(0, len(retreat), 480):
        kit.say("RETREAT", offset=at, total=len(retreat), data=retreat[at : at + 480])
    kit.say("RESET", number=found[0].number)
    kit.say("OUTPUT", output=0, value=30_000)
    kit.say("OUTPUT", output=2, value=65_535)
    assert kit.feed(found, most=windows) == windows
    return kit


def level(kit: Kit, active: int, after_us: int) -> int:
    """The input takes a level; the tick."""
    i = kit.machine.input_id("probe")
    tick = kit.port.tick + after_us * US
    kit.port.at(tick, "level", i, active if kit.machine.inputs[i].active == "high" else 1 - active)
    return tick


def last_edge(kit: Kit) -> int:
    return max(tick for edges in kit.sink.edges.values() for tick, _ in edges)


def changes(kit: Kit, name: str) -> list[tuple[int, int]]:
    return [(tick, value) for who, tick, value in kit.sink.changes if who == name]


@pytest.mark.parametrize(("role", "fault"), [("door", faults.DOOR), ("float", faults.FLOAT)])
def test_with_fault_the_last_step_is_within_a_millisecond_of_the_confirmation(role, fault):
    kit = running(ruled(role, "fault", ["spindle"]))
    tick = level(kit, 1, 60_000)
    kit.run(300_000)
    assert (kit.state, kit.board.fault) == ("FAULT", fault)
    assert kit.board.detail == kit.machine.input_id("probe")
    assert tick < last_edge(kit) <= tick + (2000 + 1000) * US
    assert all(value == 0 for value in kit.board.outputs.value)
    assert not kit.board.trusted


@pytest.mark.parametrize("role", ["door", "float"])
def test_with_hold_outputs_are_off_at_once_and_the_machine_rests_on_its_path(role):
    kit = running(ruled(role, "hold", ["spindle"]))
    tick = level(kit, 1, 60_000)
    kit.run(600_000)
    assert (kit.state, kit.why) == ("RESTED", role)
    assert kit.board.fault == 0
    assert kit.board.trusted
    spindle = changes(kit, "spindle")
    assert spindle[-1][1] == 0
    assert tick + 2000 * US <= spindle[-1][0] <= tick + 3000 * US
    assert kit.board.outputs.value[2] == 65_535  # not named: as its on_hold says
    # the running window, its branch, and braking from 50 mm/s
    assert last_edge(kit) < tick + 250_000 * US


def test_nothing_is_switched_on_and_nothing_starts_while_the_door_is_open():
    kit = running(ruled("door", "hold", ["spindle"]))
    level(kit, 1, 60_000)
    kit.run(600_000)
    assert kit.say("OUTPUT", output=0, value=30_000) == LOCKED
    assert kit.say("OUTPUT", output=0, value=0) == 0
    assert kit.say("OUTPUT", output=2, value=100) == 0
    found = bodies("G1 X30 F1200\n", kit.machine)
    kit.say("RESET", number=found[0].number)
    for motor in range(len(kit.positions())):
        kit.say("POSITION", motor=motor, steps=0)
    kit.window(found[0].data, found[0].number)
    kit.say("COMMIT", number=found[0].number)
    assert kit.say("START", number=found[0].number) == LOCKED
    level(kit, 0, 1000)
    kit.run(20_000)
    assert kit.board.outputs.value[0] == 0  # it does not come back by itself
    assert kit.say("START", number=found[0].number) == 0
    assert kit.say("OUTPUT", output=0, value=30_000) == 0


def test_a_head_that_lost_its_float_is_moved_away_but_its_torch_stays_off():
    machine = ruled("float", "fault", ["spindle"])
    link = VirtualLink(machine)
    link.plant.pressed["probe"] = 1
    with Board(link, machine) as board:
        board.wait(0.05)
        assert board.jog("z", -2.0).position_mm["z"] == pytest.approx(-2.0, abs=0.01)
        with pytest.raises(BoardFault, match="a door or float switch is active"):
            board.output("spindle", 0.5)
        board.client.refused = None
        with pytest.raises(BoardFault, match="has lost its contact"):
            run_job(board, parse("G28\nG1 X5 F600\n"))


def test_an_output_with_a_share_for_a_hold_stays_off_where_the_door_forbids_it():
    machine = ruled("door", "hold", ["spindle"]).with_settings({"outputs.spindle.on_hold": 0.5})
    kit = running(machine)
    level(kit, 1, 60_000)
    kit.run(600_000)
    assert kit.board.outputs.value[0] == 0


def test_a_door_that_opens_at_rest_switches_off_what_it_names_and_is_no_fault():
    kit = Kit(ruled("door", "fault", ["spindle"]))
    kit.stand((0, 0, 0))
    kit.say("OUTPUT", output=0, value=30_000)
    kit.say("OUTPUT", output=2, value=65_535)
    level(kit, 1, 5_000)
    kit.run(50_000)
    assert kit.state == "READY"
    assert kit.board.outputs.value == [0, 0, 65_535]


def test_a_spike_on_a_door_is_counted_under_its_name_and_stops_nothing():
    kit = running(ruled("door", "hold", ["spindle"]), windows=8)
    level(kit, 1, 60_000)
    level(kit, 0, 61_500)
    kit.run(150_000)
    assert (kit.state, kit.board.fault) == ("RUNNING", 0)
    assert kit.board.outputs.value[0] == 30_000
    assert kit.board.inputs.glitches[kit.machine.input_id("probe")] == 1


def test_a_door_that_opens_in_a_retreat_stops_it_at_once():
    machine = ruled("door", "hold", []).with_settings({"axes.z.max_mm": 50.0})
    kit = running(machine, windows=3, retreat=retreat_body(machine))
    while kit.state != "RETREATING":
        kit.run(5_000, ping=False)
    tick = level(kit, 1, 50_000)
    kit.run(100_000, ping=False)
    assert (kit.state, kit.board.fault) == ("FAULT", faults.DOOR)
    assert last_edge(kit) <= tick + 3000 * US


def test_a_job_whose_door_opens_says_so_and_goes_on_after_it_is_closed(tmp_path):
    machine = ruled("door", "hold", ["spindle"])
    link = VirtualLink(machine)
    board = Board(link, machine).open()
    program = parse("G28\nM3 S6000\nG1 X30 F1200\nG1 X60\nM5\n")
    i = machine.input_id("probe")
    opened = []

    def watch(progress: object) -> None:
        if not opened and link.board.state == 2 and link.port.engine.position(0) > 2000:
            link.plant.pressed["probe"] = 1
            link.port.at(link.port.tick + 1000, "level", i, 1)
            opened.append(link.port.tick)

    journal = tmp_path / "journal"
    with pytest.raises(Stopped, match="the door was opened; close it first"):
        run_job(board, program, watch=watch, journal=journal)
    assert board.status().outputs["spindle"] == 0
    assert board.status().inputs["probe"]
    with pytest.raises(BoardFault, match=r"probe \(door\) is open; nothing moved"):
        board.resume(program, journal=journal)
    link.plant.pressed["probe"] = 0
    link.port.at(link.port.tick + 1000, "level", i, 0)
    board.wait(0.05)
    record = board.resume(program, journal=journal)
    assert record.verdict == "NOT JUDGED"
    board.close()


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"inputs.probe.role": "float"}, "nothing says what the board does"),
        ({"inputs.probe.on_active": "hold"}, "only a door and a float"),
        ({"inputs.probe.role": "door", "inputs.probe.off": ["spindle"]}, "on_active"),
        (
            {
                "inputs.probe.role": "door",
                "inputs.probe.on_active": "hold",
                "inputs.probe.off": ["laser"],
            },
            "no output 'laser'",
        ),
        ({"inputs.probe.role": "door", "inputs.probe.on_active": "beep"}, "hold, fault"),
    ],
)
def test_a_machine_file_says_what_it_can_say(settings, says):
    with pytest.raises(MachineError, match=says):
        MILL.with_settings(settings)


def test_without_a_rule_a_door_is_what_it_was():
    before = MILL.with_settings({"inputs.probe.role": "door"}).board_config()
    assert b"rule" not in before
    kit = running(MILL.with_settings({"inputs.probe.role": "door"}))
    level(kit, 1, 60_000)
    kit.run(300_000)
    assert (kit.state, kit.board.fault) == ("FAULT", faults.DOOR)
