"""What a temperature should do at the power that is applied, and how far it is from that.

The heater is told as numbers (machine file, `model`): how fast it warms at full power, how fast it
loses what it is above the room, how long it takes until the sensor sees anything, and how that
lags. Each turn the change that was read, less the change that was expected, is added to a residual
that forgets with 16 s. There are two, one with a dead time that is too short and one with a longer
one: it is a doubt when both say the same, by more than noise and a part of the warming can explain.

Whole numbers below 2^30 only, nothing allocates. Fine units are 1/64 of a thousandth of a degree.
"""

from mfboard import faults

DELAYS = 256  # turns, a power of two
FORGET_TURNS = 160
DOUBT_TURNS = 10  # so long in a row: a second
MISSING = 72  # of 256: so much of the warming may be missing: a fan, what is extruded
TOO_MUCH = 18  # of 256: and so much may be too much
BASE_MC = 800  # noise, and a room that is warmer or colder than thought
TUNED_MC = 500  # the same where the sensor's lag is known: such a model was fitted
BASE_MS = 300  # and what it warms in so long
ROOM_LOW_MC = 10_000
ROOM_HIGH_MC = 35_000
MOST = 1 << 28


class Residual:
    """One heater's. `turn` is called each turn with the duty that was on since the last."""

    def __init__(self, model, turn_ms):
        rate_mc_s = model["rate_mc_s"]
        self.rate = rate_mc_s * turn_ms * 64 // 1000  # fine a turn at full power
        self.loss = 4096 * 64 * turn_ms // (100 * model["time_ds"])  # of 1/16 above the room, / 256
        dead = model["dead_ds"] * 100 // turn_ms
        lag = (model["lag_ds"] if "lag_ds" in model else 0) * 100 // turn_ms
        self.dead_turns = dead + lag  # until it is seen whole
        self.lag = 512 // (lag + 1)  # of 512, of what comes in a turn
        slack = 500 // turn_ms + self.dead_turns // 8
        self.early = dead - slack if dead > slack else 0
        self.late = dead + slack
        self.lagged_early = 0  # what the sensor should see of it, times 8
        self.lagged_late = 0
        self.top_mc = rate_mc_s * model["time_ds"] // 10  # above the room, in the end
        base_mc = TUNED_MC if "lag_ds" in model else BASE_MC
        self.base = 64 * (base_mc + rate_mc_s * BASE_MS // 1000)
        self.duties = bytearray(DELAYS)
        self.at = 0
        self.begun = False
        self.room_mc = 25_000
        self.smooth = 0  # the reading, fine, smoothed over four turns
        self.forget()

    def forget(self):
        """Begin anew, after a fault was told."""
        self.off_early = 0  # fine: read less expected; below 0: colder than it should be
        self.off_late = 0
        self.warmed = 0  # fine: what the power should have given
        self.doubts = 0

    def _begin(self, now_mc):
        self.begun = True
        self.smooth = now_mc * 64
        low = ROOM_LOW_MC if now_mc < ROOM_LOW_MC else now_mc
        self.room_mc = ROOM_HIGH_MC if low > ROOM_HIGH_MC else low

    def holds(self, target_mc):
        """The duty, of 65535, that should hold a temperature."""
        above = target_mc - self.room_mc
        if above <= 0:
            return 0
        return 65535 if above >= self.top_mc else (above >> 6) * 65535 // (self.top_mc >> 6)

    def turn(self, now_mc, duty, wanted):
        """A fault, or NONE. duty: on since the last turn; wanted: it is to be warm."""
        if not self.begun:
            self._begin(now_mc)
        self.at = (self.at + 1) % DELAYS
        self.duties[self.at] = duty >> 8
        change = (now_mc * 64 - self.smooth) >> 2
        self.smooth += change
        change += (((self.smooth >> 6) - self.room_mc) >> 4) * self.loss >> 8
        # what is off may be cooled by a fan, which must not hide anything
        least = -MOST if wanted else -(self.base >> 1)
        self.lagged_early = self._lags(self.lagged_early, self._given(self.early))
        self.lagged_late = self._lags(self.lagged_late, self._given(self.late))
        early = self.lagged_early >> 3
        self.off_early = self._add(self.off_early, change - early, least)
        self.off_late = self._add(self.off_late, change - (self.lagged_late >> 3), least)
        self.warmed += early - self.warmed // FORGET_TURNS
        return self._judge(wanted)

    def _given(self, delay):
        """What the power of so many turns ago gives in a turn."""
        return self.duties[(self.at - delay) % DELAYS] * self.rate // 255

    def _lags(self, before, given):
        """A sensor that lags sees a part of what is new."""
        return before + ((given * 8 - before) * self.lag >> 9)

    def _add(self, off, more, least):
        off += more - off // FORGET_TURNS
        return MOST if off > MOST else least if off < least else off

    def _judge(self, wanted):
        low = self.off_early if self.off_early < self.off_late else self.off_late
        high = self.off_early + self.off_late - low
        warmed = self.warmed >> 8
        if low > self.base + warmed * TOO_MUCH:
            fault = faults.RUNAWAY
        elif wanted and high < -self.base - warmed * MISSING:
            fault = faults.NO_RISE
        else:
            self.doubts = 0
            return faults.NONE
        self.doubts += 1
        if self.doubts < DOUBT_TURNS:
            return faults.NONE
        self.forget()
        return fault
