"""Heaters regulate, and every doubt about one switches all heat off within its time."""

from __future__ import annotations

import json
import math

import pytest
from kit import MACHINE, Kit, bodies

from mfboard import faults
from mfboard.heaters import TURN_MS, Heater

CONFIG = json.loads(MACHINE.board_config())["heaters"]
HOTEND, BED = CONFIG[0], CONFIG[1]
ZERO_C = 273.15


def share_of(celsius: float, item: dict = HOTEND) -> float:
    """What the converter reads: the beta formula turned round, written apart from the board's."""
    curve = item["curve"]
    kelvin = celsius + ZERO_C
    ohm = curve["r25_ohm"] * math.exp(curve["beta"] * (1 / kelvin - 1 / (25 + ZERO_C)))
    return ohm / (ohm + curve["pullup_ohm"])


class Body:
    """A heated thing: one heat capacity, losses, a sensor a second behind."""

    def __init__(self, top_c: float, time_s: float, item: dict) -> None:
        self.top_c, self.time_s, self.item = top_c, time_s, item
        self.celsius = 22.0
        self.late = [22.0] * 10
        self.stuck = -1.0  # a duty that it has whatever the board says
        self.detached = False

    def turn(self, duty: int) -> float:
        share = self.stuck if self.stuck >= 0 else duty / 65535
        goal = 22 + share * (self.top_c - 22)
        self.celsius = goal + (self.celsius - goal) * math.exp(-TURN_MS / 1000 / self.time_s)
        self.late = [*self.late[1:], self.celsius]
        return share_of(22.0 if self.detached else self.late[0], self.item)


class Bench:
    """A heater on its body, turn by turn."""

    def __init__(self, item: dict = HOTEND) -> None:
        hot = item is HOTEND
        self.heater = Heater(item)
        self.body = Body(420.0, 110.0, item) if hot else Body(150.0, 400.0, item)
        self.share = self.body.turn(0)
        self.fault = 0
        self.time_s = 0.0

    def run(self, seconds: float) -> list[float]:
        """Temperatures turn by turn; stops at a fault."""
        seen = []
        for _ in range(round(seconds * 1000 / TURN_MS)):
            self.fault = self.heater.turn(self.share, TURN_MS / 1000)
            self.time_s += TURN_MS / 1000
            if self.fault:
                assert self.heater.duty == 0
                break
            self.share = self.body.turn(self.heater.duty)
            seen.append(self.body.celsius)
        return seen


@pytest.mark.parametrize("celsius", [-5.0, 22.0, 60.0, 110.0, 205.0, 270.0])
def test_the_temperature_is_that_of_the_beta_formula(celsius):
    assert Heater(HOTEND).celsius(share_of(celsius)) == pytest.approx(celsius, abs=1e-6)


@pytest.mark.parametrize(("item", "target"), [(HOTEND, 205.0), (HOTEND, 250.0), (BED, 60.0)])
def test_it_reaches_its_target_and_stays_there(item, target):
    bench = Bench(item)
    bench.heater.set_target(target)
    seen = bench.run(900)
    assert bench.fault == 0
    assert max(seen) < target + 8
    assert all(abs(c - target) < 1.5 for c in seen[-1000:])


@pytest.mark.parametrize(
    ("item", "steps"), [(HOTEND, (215, 205, 150, 205)), (BED, (60, 50, 35, 60))]
)
def test_a_target_that_is_changed_is_no_fault(item, steps):
    bench = Bench(item)
    for target in steps:
        bench.heater.set_target(float(target))
        bench.run(500)
        assert bench.fault == 0, f"fault {bench.fault} on the way to {target}"


@pytest.mark.parametrize(
    ("share", "fault"), [(1.0, faults.SENSOR_OPEN), (0.0, faults.SENSOR_SHORT)]
)
def test_a_broken_sensor_is_a_fault_within_200_ms(share, fault):
    bench = Bench()
    bench.heater.set_target(200.0)
    bench.run(30)
    before = bench.time_s
    for _ in range(3):
        bench.share = share
        bench.fault = bench.heater.turn(share, TURN_MS / 1000)
        bench.time_s += TURN_MS / 1000
        if bench.fault:
            break
    assert bench.fault == fault
    assert bench.heater.duty == 0
    assert bench.time_s - before <= 0.2 + 1e-9


def test_one_bad_reading_is_no_fault():
    bench = Bench()
    bench.heater.set_target(200.0)
    bench.run(30)
    assert bench.heater.turn(1.0, TURN_MS / 1000) == 0
    bench.run(1)
    assert bench.fault == 0


def test_a_sensor_that_fell_off_is_a_fault_before_anything_is_hot():
    bench = Bench()
    bench.body.detached = True
    bench.heater.set_target(200.0)
    bench.run(60)
    assert bench.fault == faults.NO_RISE
    assert bench.time_s <= HOTEND["rise"]["s"] + 1


def test_a_heater_that_cools_at_its_target_is_a_fault():
    bench = Bench()
    bench.heater.set_target(200.0)
    bench.run(300)
    before = bench.time_s
    bench.body.stuck = 0.0
    bench.run(120)
    assert bench.fault == faults.DRIFT
    assert bench.time_s - before < HOTEND["hold"]["s"] + 15


@pytest.mark.parametrize("lowered", [False, True])
def test_a_switch_that_is_welded_closed_is_a_fault(lowered):
    bench = Bench()
    bench.heater.set_target(200.0)
    bench.run(300)
    bench.body.stuck = 1.0
    if lowered:
        bench.heater.set_target(150.0)
    bench.run(120)
    assert bench.fault in (faults.DRIFT, faults.TOO_HOT)
    assert bench.body.celsius < 275.0


def test_a_cold_machine_with_an_open_sensor_is_no_fault_until_it_is_to_be_hot():
    heater = Heater(HOTEND)
    assert [heater.turn(1.0, 0.1) for _ in range(20)] == [0] * 20
    heater.set_target(100.0)
    assert heater.turn(1.0, 0.1) == faults.SENSOR_OPEN


# on the board

WINDOWS = bodies("M109 S200\nG28\nM83\nG1 X60 F1200\nG1 X10\nG1 X60\nG1 X10\n")


def hot(standby_s: int = 0) -> Kit:
    """A board whose sensor reads 200 C, target 200 C, a run going on."""
    kit = Kit()
    kit.port.adc = lambda i: share_of(200.0 if i == 0 else 22.0)
    kit.stand((0, 14000, 14000, 0, 0))
    kit.say("RESET", number=WINDOWS[0].number)
    kit.say("OUTPUT", output=1, value=2000)
    if standby_s:
        kit.say("STANDBY", heater=0, max_dc=1500, seconds=standby_s)
    kit.feed(WINDOWS, most=4)
    return kit


def target_of(kit: Kit) -> float:
    return float(kit.board.heaters[0].target_c)


def test_heat_is_off_half_a_second_after_the_last_frame():
    kit = hot()
    last = kit.port.tick
    while target_of(kit) > 0:
        kit.run(10_000, ping=False)
        assert kit.port.tick - last < 500_000 * 125
    assert kit.board.heaters[0].duty == 0


def test_a_grant_keeps_what_it_says_for_as_long_as_it_says():
    kit = hot(standby_s=20)
    kit.run(1_000_000, ping=False)
    assert target_of(kit) == 150.0
    kit.port.adc = lambda i: share_of(150.0 if i == 0 else 22.0)
    kit.run(18_000_000, ping=False)
    assert target_of(kit) == 150.0
    kit.run(2_500_000, ping=False)
    assert target_of(kit) == 0.0
    assert kit.board.heaters[0].duty == 0


def test_a_grant_ends_when_the_host_is_back_and_heats_again():
    kit = hot(standby_s=20)
    kit.run(1_000_000, ping=False)
    kit.hello()
    assert kit.say("RESET", number=0) == 0
    kit.say("OUTPUT", output=1, value=2000)
    kit.port.adc = lambda i: share_of(199.0 if i == 0 else 22.0)
    kit.run(40_000_000)
    assert target_of(kit) == 200.0


def test_no_grant_outlives_a_goodbye_or_a_fault():
    kit = hot(standby_s=600)
    kit.say("BYE")
    assert target_of(kit) == 0.0
    kit = hot(standby_s=600)
    kit.port.adc = lambda i: 1.0
    kit.run(400_000)
    assert kit.state == "FAULT"
    assert kit.board.fault == faults.SENSOR_OPEN
    assert target_of(kit) == 0.0
    assert all(value == 0 for value in kit.board.outputs.value)
    assert not kit.board.trusted


def test_nothing_heats_above_max_c():
    kit = Kit()
    assert kit.say("OUTPUT", output=1, value=2751) == 9
    assert kit.say("STANDBY", heater=1, max_dc=1201, seconds=9) == 9
    assert kit.say("OUTPUT", output=3, value=1) == 8
    assert target_of(kit) == 0.0


def test_a_standby_lasts_no_turn_less_than_it_was_granted():
    heater = Heater(HOTEND)
    heater.set_target(200.0)
    heater.standby_c, heater.standby_s = 150.0, 1
    heater.stand_by()
    turns = 1
    while not heater.standby_over():
        turns += 1
    assert turns == 1000 // TURN_MS + 1
