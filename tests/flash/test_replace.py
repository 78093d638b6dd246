"""A dead board swapped: the machine is the same to the byte, and plays the same job to the tick."""

from desk import MACHINE, blank, flashed, micropython, no_person, plan
from hil.flash_twin.pico import Desk, Pico

import microfactory as mf
from microfactory.flash import units
from microfactory.flash.flow import planned

TEXT = "G21 G90\nG0 X20 Y20 Z5\nG1 X60 Y35 F900\nG3 X60 Y55 I0 J10\nG0 Z10\nM2\n"


def played(pico: Pico) -> tuple[str, dict[str, tuple[list[int], list[int]]]]:
    """Home and run on this board, with its own machine file; every pulse of the program."""
    text = pico.files().read(units.MACHINE).decode()
    with mf.Board(pico.link, mf.Machine.parse(text)) as board:
        board.home()
        begin = pico.link.port.tick
        board.run(mf.parse(TEXT))
    edges = {}
    for name, motor in pico.link.link.capture().motors.items():
        mine = motor.rise >= begin
        edges[name] = ((motor.rise[mine] - begin).tolist(), motor.direction[mine].tolist())
    return text, edges


def test_the_new_board_plays_the_same_job_with_the_same_pulses():
    tuned = MACHINE.with_settings({"axes.x.steps_per_mm": 80.4})
    first = micropython(1)
    flashed(first, planned(tuned, None, plan(with_uf2=False).payload, name="plotter-of-ada"))
    text, edges = played(first)
    assert sum(len(rises) for rises, _directions in edges.values()) > 5000
    first.unplug()
    second = blank(2)
    result = flashed(second, plan_of(tuned), no_person)
    assert result.unit.name == "plotter-of-ada"
    assert second.presses == 0
    again, more = played(second)
    assert again == text
    assert more == edges


def plan_of(machine: mf.Machine):
    made = plan()
    return planned(machine, made.uf2, made.payload, replace="plotter-of-ada")


def test_two_controllers_may_have_the_same_machine_and_are_told_apart():
    first, second = micropython(1), micropython(2)
    for pico in (first, second):
        flashed(pico, plan(with_uf2=False))
    names = {unit.number: unit.name for unit in units.known()}
    assert len(names) == 2
    assert Desk(first, second).ports()
