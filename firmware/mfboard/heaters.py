"""A heater: its sensor's reading to a duty, and the doubts that switch heat off.

Ten times a second in the main loop, in whole numbers: nothing here allocates. Temperatures are in
thousandths of a degree. Doubts: a sensor that is open, short or frozen; a temperature that does
not do what the power should make of it (mfboard.residual, where the machine file tells a model;
else a rise in a time); one that leaves its target; one that is too high.
"""

from mfboard import faults
from mfboard.converter import Converter
from mfboard.pid import Pid
from mfboard.predict import Predict
from mfboard.residual import Residual
from mfboard.sensor import Curve

TURN_MS = 100
ABOVE_TURNS = 20  # so long above its band where no model watches: 2 s
BACK = 3  # so many dead times more where there is a model
BEYOND_MC = 10_000  # above max_c: too hot
BAND_MC = 2000  # so near below its target it has reached it
STILL_TURNS = 30  # so long, and its dead time, the same reading to the bit: half the power
FROZEN_TURNS = 90  # so long, and twice its dead time: nothing moves it
FROZEN_MOST_TURNS = 180
COARSE_MC = 300  # a converter's quarters of a degree must have moved by this much of cooling
COARSE_MOST_TURNS = 1200  # or when it had no power for so long
COOLS_MC = 10_000  # so far above the room a reading must move without power too


class Heater:
    """One heater and its sensor."""

    def __init__(self, item):
        self.name = item["name"]
        self.converts = "converter" in item
        self.curve = Converter(item["converter"]) if self.converts else Curve(item["curve"])
        self.min_mc = item["min_dc"] * 100
        self.max_dc = item["max_dc"]
        self.pid = Pid(item["kp"], item["ki"], item["kd"], TURN_MS)
        self.model = Residual(item["model"], TURN_MS) if item["model"] else None
        if self.model and self.converts:
            self.model.converts((self.curve.period_us + 90_000) // (TURN_MS * 1000))
        self.predict = None
        if "predict" in item:
            self.predict = Predict(item["predict"], self.model, TURN_MS)
        dead_turns = self.model.dead_turns if self.model else 0
        self.withhold_turns = STILL_TURNS + dead_turns
        self.frozen_turns = min(FROZEN_TURNS + 2 * dead_turns, FROZEN_MOST_TURNS)
        self.rise_mc = item["rise"]["dc"] * 100
        self.rise_turns = int(item["rise"]["s"] * 1000) // TURN_MS
        self.drift_mc = item["hold"]["dc"] * 100
        # regulation needs some dead times to find back: a supply that falls while a fan starts;
        # where a model watches, being above is in no more of a hurry
        self.drift_turns = int(item["hold"]["s"] * 1000) // TURN_MS + BACK * dead_turns
        self.above_turns = self.drift_turns if self.model else ABOVE_TURNS
        self.max_duty = item["max_duty"]
        self.target_dc = 0
        self.standby_dc = 0  # granted: keep at most this after a lost link ...
        self.standby_s = 0  # ... for so long
        self.standby_ms = -1  # what is left of it; -1: no standby is running
        self.now_mc = 25_000
        self.duty = 0
        self.share = 0  # the last reading
        self.still_turns = 0  # it has been the same to the bit for so long
        self.cooled = 0  # since: at least so much, fine, without power
        self.bad_turns = 0
        self._reset()

    def _reset(self):
        """Forget what was regulated."""
        self.pid.begin(self.now_mc, self.model.holds(self.target_dc * 100) if self.model else 0)
        self.reached = False
        self.quarters = 0  # of turns since the last sign of warming, or within the band
        self.mark_mc = self.now_mc
        self.still_turns = 0

    def set_target(self, target_dc):
        """In tenths of a degree, 0: off. Above max_dc is refused by the caller."""
        if target_dc != self.target_dc:
            self.target_dc = target_dc
            self._reset()

    def stand_by(self):
        """The host is gone: keep what was granted, and nothing without a grant."""
        keep = self.standby_dc if self.standby_s else 0
        if self.target_dc > keep:
            self.set_target(keep)
        self.standby_ms = self.standby_s * 1000 if self.target_dc > 0 else -1
        if self.target_dc <= 0:
            self.duty = 0

    def standby_over(self):
        """A turn of a standby has passed. True: it ends with this one."""
        if self.standby_ms < 0:
            return False
        self.standby_ms -= TURN_MS
        return self.standby_ms < 0

    def turn(self, share):
        """One reading, 0 to 65535: sets duty; a fault number, or NONE."""
        fault = self._bad(share)
        if fault or self.bad_turns:
            return self._doubt(fault)
        self.now_mc = self.curve.millicelsius(share)
        wanted = self.target_dc > 0
        if self.now_mc > self.max_dc * 100 + BEYOND_MC:
            return self._doubt(faults.TOO_HOT)
        if self.model:
            fault = self.model.turn(self.now_mc, self.duty, wanted)
        if self.predict:
            self.predict.observe(self.now_mc, self.duty)
        if not wanted:
            self.duty = 0
            self.pid.before_mc = self.now_mc
            return fault
        if self.now_mc < self.min_mc:
            return self._doubt(self.curve.cold)
        if self.predict:
            duty = self.predict.duty(self.target_dc * 100)
        else:
            duty = self.pid.turn(self.now_mc, self.target_dc * 100)
        if self.model and self.model.colder and self.now_mc < self.target_dc * 100:
            duty = self.max_duty  # one that works gets warm, one that does not is told
        self.duty = duty if duty < self.max_duty else self.max_duty
        return self._doubt(fault or self._frozen(share) or self._verify())

    def _doubt(self, fault):
        """No heat with a fault."""
        if fault:
            self.duty = 0
        return fault

    def _bad(self, share):
        """A reading that no temperature gives. On a cold machine a sensor may be unplugged."""
        fault = self.curve.fault(share)
        if not fault:
            self.bad_turns = 0
            return faults.NONE
        self.bad_turns += 1
        if self.bad_turns < self.curve.doubts:
            return faults.NONE
        self.duty = 0
        return fault if self.target_dc > 0 or self.reached else faults.NONE

    def _frozen(self, share):
        """The same reading to the bit: half the power (none, of a converter) until it moves."""
        cools = self.model and self.now_mc > self.model.room_mc + COOLS_MC
        if share != self.share or (self.duty == 0 and self.still_turns == 0 and not cools):
            self.share = share
            self.still_turns = 0
            self.cooled = 0
            return faults.NONE
        self.still_turns += 1
        if self.still_turns > self.withhold_turns:
            self.duty = 0 if self.converts and self.model else self.duty >> 1
        if self.still_turns > self.frozen_turns and self._must_move():
            self.still_turns = 0
            return faults.FROZEN
        return faults.NONE

    def _must_move(self):
        """By now a reading that lives would be another one, however coarse it is."""
        if not (self.converts and self.model):
            return True
        if self.still_turns > self.withhold_turns + self.model.dead_turns:
            self.cooled += self.model.cools(self.now_mc)
        return self.cooled > 64 * COARSE_MC or self.still_turns > COARSE_MOST_TURNS

    def _verify(self):
        """Within its band once it was there; before that a rise, where no model says more."""
        now = self.now_mc
        target = self.target_dc * 100
        # near its target it is not at full power: four times as long
        full = self.duty * 10 >= self.max_duty * 9
        self.quarters += 4 if full or self.reached else 1
        if not self.reached:
            if target - BAND_MC <= now <= target + (self.drift_mc >> 1):
                self.reached = True
                self.quarters = 0
            elif not self.model:
                return self._rises(now, now > target)
            return faults.NONE
        if target - self.drift_mc < now < target + self.drift_mc:
            self.quarters = 0
        elif self.quarters > 4 * (self.drift_turns if now < target else self.above_turns):
            return faults.DRIFT
        return faults.NONE

    def _rises(self, now, above):
        """On its way: at full power rise_mc in rise_turns; above a lowered target never up."""
        if now < self.mark_mc:  # also where the room is colder than was thought at first
            self.mark_mc = now
        if above:
            self.quarters = 0
            return faults.DRIFT if now >= self.mark_mc + self.rise_mc else faults.NONE
        if now >= self.mark_mc + self.rise_mc:
            self.mark_mc = now
            self.quarters = 0
        return faults.NO_RISE if self.quarters > 4 * self.rise_turns else faults.NONE
