"""Nobody is there: an axis that falls is held, or lowered before drivers go off."""

from __future__ import annotations

import pytest
from hil.plant import near_home
from hil.rig_virtual import VirtualLink
from kit import MACHINE

from mfboard import window
from mfboard.idle import WORDS, write
from mfboard.sim_engine import PlainLists
from mfwire import session as s
from microfactory import Machine
from microfactory.board import Board
from microfactory.errors import LimitError, LinkError, MachineError, Stopped, UsageError
from microfactory.motion.gcode import parse
from microfactory.tomlfile import dump

HZ = 125_000_000
AFTER_S = 30
LOW_MM, LOWER_MM_S = 2.0, 0.9


def changed(machine: Machine, changes) -> Machine:
    """With these keys, new tables at the top too."""
    data = machine.data()
    for key, value in changes.items():
        *places, last = key.split(".")
        table = data
        for place in places:
            table = table[place]
        table[last] = value
    return Machine.parse(dump(data))


LOWERS = changed(
    MACHINE,
    {
        "axes.z.when_idle": "lower",
        "axes.z.lower_to_mm": LOW_MM,
        "axes.z.lower_mm_s": LOWER_MM_S,
        "idle": {"after_s": float(AFTER_S)},
    },
)
Z = LOWERS.motors_of_axis(2)[0]


@pytest.fixture(autouse=True)
def _state(tmp_path, monkeypatch):
    monkeypatch.setenv("MICROFACTORY_STATE", str(tmp_path / "state"))


def homed(machine: Machine = LOWERS, **options) -> Board:
    board = Board(
        VirtualLink(machine, start_mm=near_home(machine), capture=True, **options), machine
    )
    board.open()
    board.home()
    board.move(z=12.0, speed_mm_s=10)
    return board


def leave(board: Board) -> None:
    """BYE, and the cable stays in: the board lives on."""
    board.client.send("BYE")


def height_steps(board: Board) -> int:
    return board.link.port.engine.position(Z)


def alone(board: Board, seconds: float) -> None:
    board.link.port.run_until(board.link.port.tick + int(seconds * HZ))


def test_an_axis_that_falls_is_lowered_slowly_and_then_all_drivers_go_off():
    board = homed()
    leave(board)
    alone(board, AFTER_S - 1)
    assert board.link.port.enabled
    assert height_steps(board) == 12 * 80
    begin = board.link.port.tick
    alone(board, 2 + (12.0 - LOW_MM) / LOWER_MM_S / 2)
    assert board.link.board.state == s.RETREATING
    assert board.link.port.enabled  # not before it is low
    alone(board, 2 + (12.0 - LOW_MM) / LOWER_MM_S / 2)
    assert height_steps(board) == LOW_MM * 80
    assert not board.link.port.enabled
    assert board.link.board.state == s.READY
    assert not board.link.board.trusted
    motors = board.link.capture().motors
    z = motors["z"]
    gaps = (z.rise[1:] - z.rise[:-1])[z.rise[1:] > begin]
    assert z.rise[-1] > begin
    assert gaps.min() >= HZ / (LOWER_MM_S * 80) - 1
    assert all(not (m.rise > begin).any() for name, m in motors.items() if name != "z")


def test_somebody_who_comes_stops_it_with_everything_on_and_known():
    board = homed()
    leave(board)
    alone(board, AFTER_S + 3)
    assert board.link.board.state == s.RETREATING
    again = Board(board.link, LOWERS)
    again.client.connect()
    again.wait(3.0)
    status = again.status()
    assert status.state == "RESTED"
    assert status.position_trusted
    assert board.link.port.enabled
    assert LOW_MM * 80 < status.steps["z"] < 12 * 80
    again.open()
    again.move(z=20.0)


@pytest.mark.parametrize("how", ["held", "cut"])
def test_a_run_that_was_stopped_keeps_its_drivers_on(how):
    board = homed()
    program = parse("G21 G90\nG1 X20 Y20 Z12 F3000\nG1 X150 F600\n")
    motion = []

    def watch(progress) -> None:
        motion.append(progress.motion_s)
        if how == "cut" and motion[-1] > 1.0 and board.link.cut_tick is None:
            board.link.cut_tick = board.link.port.tick + HZ // 100

    def wants_hold() -> bool:
        return how == "held" and bool(motion) and motion[-1] > 1.0

    with pytest.raises(Stopped if how == "held" else LinkError):
        board.run(program, watch=watch, wants_hold=wants_hold)
    if how == "held":
        leave(board)
    alone(board, 10 * AFTER_S)
    assert board.link.board.state == s.RESTED
    assert board.link.port.enabled
    assert board.link.board.trusted


def test_where_the_height_is_not_known_nothing_is_lowered_and_nothing_goes_off():
    board = homed()
    leave(board)
    board.link.board.trusted = False
    before = height_steps(board)
    alone(board, 5 * AFTER_S)
    assert height_steps(board) == before
    assert board.link.port.enabled


def test_heat_that_was_granted_keeps_it_waiting():
    board = homed()
    board.grant_standby({"bed": 60.0}, 2.0)
    board.heat("bed", 60)
    alone(board, 1.0)  # the lease is over
    assert board.link.board.heat.wanted()
    alone(board, 100.0)
    assert board.link.port.enabled
    alone(board, 20.0 + AFTER_S + (12.0 - LOW_MM) / LOWER_MM_S + 5)
    assert not board.link.board.heat.wanted()
    assert not board.link.port.enabled


def test_without_the_table_or_with_a_host_there_drivers_stay_on():
    for machine, stays in ((MACHINE, False), (LOWERS, True)):
        board = homed(machine)
        if not stays:
            leave(board)
            alone(board, 20 * AFTER_S)
        else:
            board.wait(5 * AFTER_S)
        assert board.link.port.enabled
        assert board.link.board.trusted


def test_release_lowers_or_says_that_it_holds():
    board = homed()
    status = board.release()
    assert status.steps["z"] == LOW_MM * 80
    assert not status.position_trusted
    assert not board.link.port.enabled
    with pytest.raises(LimitError, match="height is not known"):
        board.release()
    board = homed(MACHINE)
    with pytest.raises(UsageError, match="z would fall, and the machine file says to hold it"):
        board.release()
    assert board.link.port.enabled


def test_a_fault_on_the_way_down_leaves_drivers_on():
    board = homed()
    leave(board)
    alone(board, AFTER_S + 3)
    estop = LOWERS.input_id("estop")
    board.link.port.at(board.link.port.tick + 1, "level", estop, 1)
    alone(board, 5 * AFTER_S)
    assert board.link.board.state == s.FAULT
    assert board.link.port.enabled
    assert not board.link.board.idle.lowering


@pytest.mark.parametrize("count", [1, 15, 16, 17, 112, 113, 128, 500, WORDS - 1, WORDS])
@pytest.mark.parametrize("way", [0, 1])
def test_a_piece_is_a_sound_window_of_so_many_steps(count, way):
    body = bytearray(512)
    write(body, 5, 0b01010, count, way, 5000)
    length = window.list_at(body, 4, False) + 8 * window.list_segments(body, 4, False)
    assert length <= 512
    assert window.sound(body, length, 5, 0)
    made = PlainLists().expand(body, False, 5)
    sign = 1 if way else -1
    assert [sum(steps) for _, steps, _ in made] == [0, sign * count, 0, sign * count, 0]
    ticks = window.u30(body, 12)
    assert [ends[-1] for ends, _, _ in made] == [ticks] * 5
    assert all(len(ends) % 16 == 0 for ends, _, _ in made)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"axes.x.unpowered": "falls"}, "what becomes of x when nobody is there"),
        ({"axes.x.when_idle": "hold"}, "for an axis that falls"),
        ({"axes.z.lower_to_mm": 3.0}, "needs it"),
        ({"axes.z.when_idle": "lower"}, "needs a home, lower_to_mm and lower_mm_s"),
        ({"idle": {"after_s": 60.0}}, "none would ever go off"),
        ({"idle": {"after_s": 0.0}}, "out of range"),
    ],
)
def test_what_says_half_of_it_is_refused(changes, words):
    with pytest.raises(MachineError, match=words):
        changed(MACHINE, changes)


def test_a_height_or_a_speed_that_cannot_be_is_refused():
    for key, value, words in (
        ("axes.z.lower_to_mm", 500.0, "outside the travel"),
        ("axes.z.lower_mm_s", 3.0, "too fast to begin without a ramp"),
        ("axes.z.lower_mm_s", 0.1, "slower than a board can"),
    ):
        with pytest.raises(MachineError, match=words):
            LOWERS.with_settings({key: value})
