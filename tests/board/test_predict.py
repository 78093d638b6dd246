"""A heater that is controlled by its model: there, hardly beyond, and blown at."""

from __future__ import annotations

import json
import random

import pytest
from small import Small, made_small
from test_heaters import HOTEND, TURN_MS, Bench, Body

from mfboard.heaters import Heater

MODEL = {
    **json.loads(json.dumps(HOTEND)),
    "model": {"rate_mc_s": 3618, "time_ds": 1100, "dead_ds": 10, "lag_ds": 0},
    "predict": {
        "dead_ms": 500, "lag_ms": 500, "horizon_ms": 2000, "sensor": 40, "body": 297, "wind": 450,
    },
}  # fmt: skip


class Blown(Body):
    """The hotend, with a fan that takes a share more than its losses, and a last bit of noise: a
    reading that does not move at all is given half the power (a frozen sensor).
    """

    fan = 0.0
    dice = random.Random(3)

    def turn(self, duty: int) -> int:
        self.celsius -= self.fan * (self.celsius - 22) / self.time_s * TURN_MS / 1000
        return super().turn(duty) + self.dice.choice((-16, 0, 16))


def predicted() -> Bench:
    bench = Bench(MODEL)
    bench.body = Blown(420.0, 110.0, MODEL)
    return bench


@pytest.mark.parametrize("target", [60.0, 205.0, 250.0])
def test_a_model_brings_it_there_and_hardly_beyond(target):
    bench = predicted()
    bench.heater.set_target(round(target * 10))
    seen = bench.run(400)
    assert bench.fault == 0
    assert max(seen) < target + 1.0
    assert all(abs(c - target) < 0.5 for c in seen[-1000:])


def test_a_fan_is_found_out_and_made_up_for():
    bench = predicted()
    bench.heater.set_target(2050)
    bench.run(300)
    bench.body.fan = 0.35
    seen = bench.run(120)
    assert bench.fault == 0
    assert min(seen) > 205 - 3.0
    assert all(abs(c - 205) < 0.5 for c in seen[-300:])
    bench.body.fan = 0.0
    seen = bench.run(120)
    assert max(seen) < 205 + 3.0
    assert all(abs(c - 205) < 0.5 for c in seen[-300:])


def test_a_model_that_is_wrong_by_a_fifth_still_holds():
    for rate, time, dead in ((4340, 900, 14), (2900, 1320, 6)):
        item = json.loads(json.dumps(MODEL))
        item["model"] |= {"rate_mc_s": rate, "time_ds": time}
        item["predict"]["dead_ms"] = dead * 100 - 500
        bench = predicted()
        bench.heater = Heater(item)
        bench.heater.model.base *= 20  # its checks are not what is tried here
        bench.heater.set_target(2050)
        seen = bench.run(600)
        assert bench.fault == 0
        assert max(seen) < 205 + 8.0
        assert all(abs(c - 205) < 1.0 for c in seen[-1000:])


@pytest.mark.parametrize(
    ("rate_mc_s", "time_ds", "dead_ds", "lag_ds"),
    [(20_000, 50, 0, 0), (20_000, 20_000, 100, 200), (10, 50, 100, 0), (3600, 1100, 10, 15)],
)
def test_no_number_of_a_predicted_heater_needs_the_heap(rate_mc_s, time_ds, dead_ds, lag_ds):
    item = json.loads(json.dumps(HOTEND))
    item["max_dc"] = 10_000
    shares = [65_535 - 60 * i for i in range(121)]
    item["curve"] = {"from_dc": -2000, "step_dc": 100, "shares": shares}
    item["model"] = {"rate_mc_s": rate_mc_s, "time_ds": time_ds, "dead_ds": dead_ds}
    item["model"]["lag_ds"] = lag_ds
    for sensor, body, wind in ((4096, 16_384, 20_000), (-4096, 0, 0), (170, 250, 90)):
        item["predict"] = {
            "dead_ms": dead_ds * 100, "lag_ms": max(200, lag_ds * 100), "horizon_ms": 500,
            "sensor": sensor, "body": body, "wind": wind,
        }  # fmt: skip
        heater = Heater(item)
        for part in (heater, heater.predict, heater.model, heater.curve):
            made_small(part)
        dice = random.Random(1)
        for k in range(2500):
            if k % 500 == 0:
                heater.set_target(Small(dice.choice([0, 50, 10_000])))
            heater.turn(Small(dice.choice([60_000, dice.randrange(58_400, 65_200)])))
            assert 0 <= heater.duty <= 65_535
        assert type(heater.predict.body) is Small
        assert -(1 << 30) <= min(heater.predict.ahead) <= max(heater.predict.ahead) < 1 << 30
