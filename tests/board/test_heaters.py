"""Heaters regulate, and every doubt about one switches all heat off within its time."""

from __future__ import annotations

import json
import math
import random

import pytest
from kit import MACHINE, Kit, bodies
from small import Small, made_small

from mfboard import faults
from mfboard.heaters import TURN_MS, Heater
from mfboard.residual import NOISE_MOST_MC

CONFIG = json.loads(MACHINE.board_config())["heaters"]
HOTEND, BED = CONFIG[0], CONFIG[1]
ZERO_C = 273.15


def share_of(celsius: float) -> int:
    """What the printer's thermistors read: written apart from the host's table."""
    ohm = 100_000 * math.exp(4092 * (1 / (celsius + ZERO_C) - 1 / (25 + ZERO_C)))
    return round(65535 * ohm / (ohm + 4700))


class Body:
    """A heated thing: one heat capacity, losses, a sensor a second behind."""

    def __init__(self, top_c: float, time_s: float, item: dict) -> None:
        self.top_c, self.time_s, self.item = top_c, time_s, item
        self.celsius = 22.0
        self.late = [22.0] * 10
        self.stuck = -1.0  # a duty that it has whatever the board says
        self.detached = False

    def turn(self, duty: int) -> int:
        share = self.stuck if self.stuck >= 0 else duty / 65535
        goal = 22 + share * (self.top_c - 22)
        self.celsius = goal + (self.celsius - goal) * math.exp(-TURN_MS / 1000 / self.time_s)
        self.late = [*self.late[1:], self.celsius]
        return share_of(22.0 if self.detached else self.late[0])


class Bench:
    """A heater on its body, turn by turn."""

    def __init__(self, item: dict = HOTEND) -> None:
        hot = item is not BED
        self.heater = Heater(item)
        self.body = Body(420.0, 110.0, item) if hot else Body(150.0, 400.0, item)
        self.share = self.body.turn(0)
        self.fault = 0
        self.time_s = 0.0

    def run(self, seconds: float) -> list[float]:
        """Temperatures turn by turn; stops at a fault."""
        seen = []
        for _ in range(round(seconds * 1000 / TURN_MS)):
            self.fault = self.heater.turn(self.share)
            self.time_s += TURN_MS / 1000
            if self.fault:
                assert self.heater.duty == 0
                break
            self.share = self.body.turn(self.heater.duty)
            seen.append(self.body.celsius)
        return seen


@pytest.mark.parametrize("celsius", [-5.0, 22.0, 60.0, 110.0, 205.0, 270.0])
def test_the_temperature_is_that_of_the_beta_formula(celsius):
    read_mc = Heater(HOTEND).curve.millicelsius(share_of(celsius))
    assert read_mc == pytest.approx(celsius * 1000, abs=100)


@pytest.mark.parametrize(("item", "target"), [(HOTEND, 205.0), (HOTEND, 250.0), (BED, 60.0)])
def test_it_reaches_its_target_and_stays_there(item, target):
    bench = Bench(item)
    bench.heater.set_target(round(target * 10))
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
        bench.heater.set_target(target * 10)
        bench.run(500)
        assert bench.fault == 0, f"fault {bench.fault} on the way to {target}"


@pytest.mark.parametrize(
    ("share", "fault"), [(65535, faults.SENSOR_OPEN), (0, faults.SENSOR_SHORT)]
)
def test_a_broken_sensor_is_a_fault_within_200_ms(share, fault):
    bench = Bench()
    bench.heater.set_target(2000)
    bench.run(30)
    before = bench.time_s
    for _ in range(3):
        bench.share = share
        bench.fault = bench.heater.turn(share)
        bench.time_s += TURN_MS / 1000
        if bench.fault:
            break
    assert bench.fault == fault
    assert bench.heater.duty == 0
    assert bench.time_s - before <= 0.2 + 1e-9


def test_one_bad_reading_is_no_fault():
    bench = Bench()
    bench.heater.set_target(2000)
    bench.run(30)
    assert bench.heater.turn(65535) == 0
    bench.run(1)
    assert bench.fault == 0


def test_a_sensor_that_fell_off_is_a_fault_before_anything_is_hot():
    bench = Bench()
    bench.body.detached = True
    bench.heater.set_target(2000)
    bench.run(60)
    assert bench.fault == faults.NO_RISE
    assert bench.time_s < 20


def test_a_heater_that_cools_at_its_target_is_a_fault():
    bench = Bench()
    bench.heater.set_target(2000)
    bench.run(300)
    before = bench.time_s
    bench.body.stuck = 0.0
    bench.run(120)
    assert bench.fault in (faults.DRIFT, faults.NO_RISE)
    assert bench.time_s - before < 20


@pytest.mark.parametrize("lowered", [False, True])
def test_a_switch_that_is_welded_closed_is_a_fault(lowered):
    bench = Bench()
    bench.heater.set_target(2000)
    bench.run(300)
    bench.body.stuck = 1.0
    if lowered:
        bench.heater.set_target(1500)
    bench.run(120)
    assert bench.fault in (faults.DRIFT, faults.RUNAWAY)
    assert bench.body.celsius < 275.0


def test_a_switch_that_is_welded_closed_while_it_is_off_is_a_fault():
    bench = Bench()
    bench.body.stuck = 1.0
    bench.run(20)
    assert bench.fault == faults.RUNAWAY
    assert bench.body.celsius < 80


@pytest.mark.parametrize("item", [HOTEND, BED])
def test_a_board_that_starts_anew_while_it_is_hot_tells_no_fault(item):
    """What was heated before is still on its way to the sensor, and nobody knows the room."""
    bench = Bench(item)
    target_dc = 2200 if item is HOTEND else 900
    bench.heater.set_target(target_dc)
    bench.run(40 if item is HOTEND else 120)
    assert bench.heater.duty > 60_000
    bench.heater = Heater(item)
    bench.run(3)
    bench.heater.set_target(target_dc)
    bench.run(300)
    assert bench.fault == 0
    assert abs(bench.body.celsius - target_dc / 10) < 2.0


@pytest.mark.parametrize("power", [0.81, 1.21])
@pytest.mark.parametrize("item", [HOTEND, BED])
def test_a_supply_that_is_a_tenth_off_is_no_fault(item, power):
    bench = Bench(item)
    room_c = 22.0
    bench.body.top_c = room_c + power * (bench.body.top_c - room_c)
    bench.heater.set_target(1900 if item is HOTEND else 700)
    bench.run(600)
    assert bench.fault == 0


def test_a_noisy_sensor_is_given_more_room():
    """The bound grows with the noise that is seen, and no further than its most."""
    dice = random.Random(2)
    bounds = []
    for noise_c in (0.02, 0.2, 50.0):
        model = Heater(HOTEND).model
        for _ in range(3000):
            model.turn(60_000 + round(dice.gauss(0, noise_c) * 1000), 0, wanted=False)
        bounds.append(model.bound())
    assert bounds[0] < bounds[1] < bounds[2] <= model.base + NOISE_MOST_MC * 64


def test_a_heater_that_seems_weak_is_asked_with_full_power():
    bench = Bench(BED)
    bench.heater.set_target(600)
    bench.run(600)
    bench.body.top_c = 22 + 0.3 * (bench.body.top_c - 22)
    asked = 0
    while not bench.fault:
        bench.run(0.1)
        asked += bench.heater.model.colder and bench.heater.duty == bench.heater.max_duty
        assert bench.time_s < 660
    assert bench.fault == faults.NO_RISE
    assert asked > 0


@pytest.mark.parametrize("item", [HOTEND, BED])
def test_a_reading_that_freezes_at_its_target_is_a_fault(item):
    bench = Bench(item)
    bench.heater.set_target(600)
    bench.run(600)
    assert bench.fault == 0
    told = [bench.heater.turn(bench.share) for _ in range(200)]
    assert faults.FROZEN in told


@pytest.mark.parametrize("room_c", [-5.0, 10.0, 40.0])
def test_without_a_model_a_bed_in_any_room_is_heated(room_c):
    bench = Bench({**BED, "model": None, "min_dc": -100})
    bench.body = Body(150.0, 400.0, BED)
    bench.body.celsius, bench.body.late = room_c, [room_c] * 10
    bench.share = bench.body.turn(0)
    bench.heater.set_target(600)
    bench.run(300)
    assert bench.fault == 0
    assert bench.body.celsius > 58


def test_a_cold_machine_with_an_open_sensor_is_no_fault_until_it_is_to_be_hot():
    heater = Heater(HOTEND)
    assert [heater.turn(65535) for _ in range(20)] == [0] * 20
    heater.set_target(1000)
    assert heater.turn(65535) == faults.SENSOR_OPEN


# on the board

WINDOWS = bodies("M109 S200\nG28\nM83\nG1 X60 F1200\nG1 X10\nG1 X60\nG1 X10\n")


def hot(standby_s: int = 0) -> Kit:
    """A board whose hotend is at its target, 200 C, a run going on."""
    kit = Kit()
    hotend, bed = Body(420.0, 110.0, HOTEND), Body(150.0, 400.0, BED)
    hotend.celsius, hotend.late = 200.0, [200.0] * 10
    kit.port.adc = lambda i: (hotend, bed)[i].turn(kit.port.duties[i])
    kit.stand((0, 14000, 14000, 0, 0))
    kit.say("RESET", number=WINDOWS[0].number)
    kit.say("OUTPUT", output=1, value=2000)
    if standby_s:
        kit.say("STANDBY", heater=0, max_dc=1500, seconds=standby_s)
    kit.feed(WINDOWS, most=4)
    return kit


def target_of(kit: Kit) -> float:
    return float(kit.board.heaters[0].target_dc / 10)


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
    kit.run(40_000_000)
    assert target_of(kit) == 200.0


def test_no_grant_outlives_a_goodbye_or_a_fault():
    kit = hot(standby_s=600)
    kit.say("BYE")
    assert target_of(kit) == 0.0
    kit = hot(standby_s=600)
    kit.port.adc = lambda i: 65535
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
    heater.set_target(2000)
    heater.standby_dc, heater.standby_s = 1500, 1
    heater.stand_by()
    turns = 1
    while not heater.standby_over():
        turns += 1
    assert turns == 1000 // TURN_MS + 1


@pytest.mark.parametrize(
    ("rate_mc_s", "time_ds", "dead_ds", "factor"),
    [
        (20_000, 50, 0, 1000.0),
        (20_000, 20_000, 100, 100.0),
        (10, 50, 100, 0.001),
        (3600, 1100, 10, 1),
    ],
)
def test_no_number_of_a_heater_needs_the_heap_whatever_it_reads(
    rate_mc_s, time_ds, dead_ds, factor
):
    item = json.loads(json.dumps(HOTEND)) | {"kp": factor, "ki": factor, "kd": factor}
    item["max_dc"] = 10_000
    shares = [65_535 - 60 * i for i in range(121)]
    item["curve"] = {"from_dc": -2000, "step_dc": 100, "shares": shares}
    item["model"] = {"rate_mc_s": rate_mc_s, "time_ds": time_ds, "dead_ds": dead_ds}
    heater = Heater(item)
    for part in (heater, heater.pid, heater.model, heater.curve):
        made_small(part)
    dice = random.Random(1)
    told = set()
    for k in range(3000):
        if k % 500 == 0:
            heater.set_target(Small(dice.choice([0, 50, 10_000])))
            made_small(heater.pid)
        told.add(heater.turn(Small(dice.choice([60_000, dice.randrange(58_400, 65_200)]))))
    assert faults.NONE in told
    assert type(heater.model.early.less) is Small
    assert type(heater.model.late.more) is Small
    assert type(heater.pid.slope) is Small
