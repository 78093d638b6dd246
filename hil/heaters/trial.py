"""One random heater: tuned, heated, held, changed and switched off in peace; then broken.

In peace the board must tell no fault and not get beyond its target by more than its band. Copies of
the heater at drawn instants are then broken in every way, and the board has 20 s to tell.
"""

from __future__ import annotations

import copy
import random
from dataclasses import dataclass, replace

import numpy as np

from hil.heaters.sure import Sure
from hil.heaters.thermal import SENSOR, SENSORS, TURN_S, Thermal
from hil.heaters.weather import LOSSES, VOLTS
from mfboard.heaters import Heater
from mfboard.residual import Residual
from microfactory.errors import UsageError
from microfactory.machine import heater_config
from microfactory.parts import Heater as Part
from microfactory.parts import Sensor
from microfactory.status import FAULTS
from microfactory.tuning import fit, pid_for, relay

WATCH_S = 60.0  # so long a broken one is watched, from when it shows ...
LONGEST_S = 300.0  # ... and so long it may take to show
KINDS = ("open", "short", "detached", "frozen", "dead", "weak", "welded", "welded when off")
POWER = ("dead", "weak", "welded", "welded when off")
NEAR_C = 2.0
STEADY_S = 40.0
AGAIN_S = 150.0
BEGIN_S = 10.0
BLOWN = (2, 3)  # stages of the plan: the fan blows, and has just stopped
SHOWS = 0.25  # of full power: a heater that is on when it should be shows nothing
PARTS = {
    "hotend": {"max_c": 275.0, "role": "hotend", "drift_c": 10.0},
    "bed": {"max_c": 120.0, "role": "bed", "drift_c": 6.0, "rise_s": 60.0},
}
TUNE_C = {"hotend": 180.0, "bed": 60.0}
TUNE_S = {"hotend": 240.0, "bed": 500.0}
HOLDS = 0.95 * VOLTS[0] ** 2 / LOSSES[1]  # of the most it gets: so much it holds in any weather
TARGETS_C = {"hotend": (170.0, 265.0), "bed": (45.0, 85.0)}


@dataclass(frozen=True)
class Attack:
    """What was broken when, and how it ended. Times begin when it broke, or when its power was
    wrong by SHOWS.
    """

    kind: str
    at_s: float
    told_s: float  # -1: not told within WATCH_S
    fault: str
    harmless: bool  # not told, and the heater did what it was to do
    sure_s: float = 0.0  # nobody could tell it from a whole one sooner (hil.heaters.sure); -1: then
    above_c: float = 0.0  # most above its target until it was told


@dataclass(frozen=True)
class Outcome:
    """One heater's."""

    seed: int
    kind: str
    tuned: str  # empty, or why not
    alarms: tuple[str, ...]  # faults told in peace
    over_c: float  # beyond its target, after it was first below it
    over_max_c: float  # beyond its limit, in peace
    first_c: float  # beyond its first target, before the fan
    settled_s: float  # from the first target until it stays within NEAR_C of it
    rms_c: float  # off its target in the last STEADY_S before the fan
    blown_c: float  # most off its target while the fan blows and after it
    nearest: float  # so near it was to a false alarm: of the bound of its sums (mfboard.residual)
    attacks: tuple[Attack, ...]


def part(kind: str, sensor: Sensor) -> Part:
    """A heater as a machine file has it before it was tuned."""
    return Part(name=kind, connector="HEAT0", sensor=sensor, pid=relay(), min_c=1.0, **PARTS[kind])  # type: ignore[arg-type]


def tuned(world: Thermal, control: str) -> Part:
    """The same, with what a recorded warming of a cold copy gives. UsageError."""
    untuned = replace(part(world.kind, world.sensor), drift_c=60.0)
    heater = Heater(heater_config(untuned))
    cold = copy.deepcopy(world)
    heater.set_target(round(TUNE_C[world.kind] * 10))
    times, read, duties = [], [], []
    for k in range(round(TUNE_S[world.kind] / TURN_S)):
        fault = heater.turn(cold.turn(heater.duty))
        if fault:
            raise UsageError(FAULTS[fault][1])
        times.append(k * TURN_S)
        read.append(heater.now_mc / 1000)
        duties.append(heater.duty / 65535)
    model = fit(np.array(times), np.array(read), np.array(duties))
    return replace(part(world.kind, world.sensor), model=model, pid=pid_for(model), control=control)


class Seen:
    """How well a heater is regulated in peace."""

    def __init__(self, max_c: float, warm_s: float) -> None:
        self.max_c, self.warm_s = max_c, warm_s
        self.over_c = self.over_max_c = self.first_c = self.settled_s = 0.0
        self.squares_c2 = self.blown_c = self.nearest = 0.0

    def look(self, stage: int, now_s: float, sensor_c: float, goal_c: float) -> None:
        """One turn. goal_c 0: it is off, or cools to a lower target."""
        self.over_max_c = max(self.over_max_c, sensor_c - self.max_c)
        off_c = sensor_c - goal_c
        if not goal_c:
            return
        self.over_c = max(self.over_c, off_c)
        if stage == 1:
            self.first_c = max(self.first_c, off_c)
            if abs(off_c) > NEAR_C:
                self.settled_s = now_s - BEGIN_S
            if now_s >= self.warm_s - STEADY_S:
                self.squares_c2 += off_c**2 * TURN_S / STEADY_S
        elif stage in BLOWN:
            self.blown_c = max(self.blown_c, abs(off_c))

    def doubt(self, model: Residual) -> None:
        """How near it is to a fault that is none."""
        early, late = model.early, model.late
        most = max(min(early.colder, late.colder), min(early.warmer, late.warmer))
        self.nearest = max(self.nearest, most / model.bound())

    def figures(self) -> tuple[float, ...]:
        """As Outcome has them."""
        rms_c = self.squares_c2**0.5
        return (
            self.over_c, self.over_max_c, self.first_c, self.settled_s, rms_c, self.blown_c,
            self.nearest,
        )  # fmt: skip


def trial(seed: int, control: str = "pid", sensor: str = "beta") -> Outcome:
    """Everything about the heater of a seed."""
    world = Thermal.draw(seed)
    world.sensor = SENSORS.get(sensor, SENSOR)
    try:
        whole = tuned(world, control)
    except UsageError as error:
        return Outcome(seed, world.kind, str(error), (), 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, ())
    dice = random.Random(seed + 1_000_000)
    heater = Heater(heater_config(whole))
    world.weather.begin(seed + 2_000_000)
    low, high = TARGETS_C[world.kind]
    holds_c = world.room_c + HOLDS * world.rate_c_s * world.time_s
    target = dice.uniform(low, min(high, holds_c))
    lower = dice.uniform(low, target)
    warm_s = 2.5 * target / world.rate_c_s + 60
    # (until, target, losses), in peace
    plan = [
        (BEGIN_S, 0.0, 1.0),
        (warm_s, target, 1.0),
        (warm_s + 100, target, dice.uniform(1.1, 1.35)),
        (warm_s + 160, target, 1.0),
        (warm_s + 260, lower, 1.0),
        (warm_s + 320, target, 1.0),
        (warm_s + 380, 0.0, 1.0),
    ]
    end_s = plan[-1][0]
    when = {kind: dice.uniform(12.0, warm_s + 319) for kind in KINDS}
    when["welded when off"] = dice.choice([dice.uniform(0, 10), dice.uniform(end_s - 60, end_s)])
    kept: dict[str, tuple[Heater, Thermal]] = {}
    again_s = dice.uniform(warm_s * 0.5, warm_s + 320)
    alarms: list[str] = []
    seen = Seen(whole.max_c, plan[1][0])
    stage = 0
    below = False
    for k in range(round(end_s / TURN_S)):
        now_s = k * TURN_S
        if now_s >= plan[stage][0]:
            stage += 1
        _until, goal, world.fan = plan[stage]
        if heater.target_dc != round(goal * 10):
            below = world.body_c < goal
        heater.set_target(round(goal * 10))
        fault = heater.turn(world.turn(heater.duty))
        if fault:
            alarms.append(f"{FAULTS[fault][0]} at {now_s:.1f} s")
            break
        if abs(now_s - again_s) < TURN_S / 2:
            alarms += _again(whole, heater.target_dc, copy.deepcopy(world))
        seen.doubt(heater.model)
        seen.look(stage, now_s, world.sensor_c, goal if below else 0.0)
        for kind, at_s in when.items():
            if kind not in kept and at_s <= now_s:
                kept[kind] = copy.deepcopy((heater, world))
    attacks = tuple(_attack(kind, when[kind], *kept[kind]) for kind in KINDS if kind in kept)
    return Outcome(seed, world.kind, "", tuple(alarms), *seen.figures(), attacks)


def _again(whole: Part, target_dc: int, world: Thermal) -> list[str]:
    """A board that starts anew while its heater is hot, and knows of no room: its alarms."""
    heater = Heater(heater_config(whole))
    for k in range(round(AGAIN_S / TURN_S)):
        heater.set_target(target_dc if k > 20 else 0)
        fault = heater.turn(world.turn(heater.duty))
        if fault:
            return [f"{FAULTS[fault][0]} {k * TURN_S:.1f} s after a start while it was hot"]
    return []


def _attack(kind: str, at_s: float, heater: Heater, world: Thermal) -> Attack:
    """Break a copy and see."""
    sure = Sure(world, kind in ("dead", "weak")) if kind in POWER else None
    if kind in ("dead", "weak"):
        world.share_left = 0.0 if kind == "dead" else 0.3
    else:
        world.fault = "welded" if kind == "welded when off" else kind
    within = True
    shown = -1 if kind in POWER else 0
    sure_at = -1 if sure else 0
    above_c = 0.0
    k = 0
    while k < round((LONGEST_S if shown < 0 else WATCH_S) / TURN_S) + max(shown, 0):
        duty = heater.duty
        if shown < 0 and abs(world.power(duty) - duty / 65535) > SHOWS:
            shown = k
        fault = heater.turn(world.turn(duty))
        since = k + 1 - max(shown, 0)
        if sure and sure_at < 0 and sure.look(duty, world.sensor_c):
            sure_at = since
        above_c = max(above_c, world.sensor_c - heater.target_dc / 10)
        if fault:
            sure_s = sure_at * TURN_S if sure_at >= 0 else since * TURN_S
            return Attack(kind, at_s, since * TURN_S, FAULTS[fault][0], False, sure_s, above_c)
        if since > round((WATCH_S - 10) / TURN_S):
            within &= abs(world.sensor_c - heater.target_dc / 10) < 3.0
        k += 1
    return Attack(kind, at_s, -1.0, "", within or shown < 0, sure_at * TURN_S, above_c)
