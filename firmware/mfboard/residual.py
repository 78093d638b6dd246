"""What a temperature should do at the power that is applied, and how far it is from that.

The heater is told as numbers (machine file, `model`): how fast it warms at full power, how fast it
loses what it is above the room, how long it takes until the sensor sees anything, and how that
lags. Each turn two sums grow by what no heater that works could have done: one by what it is colder
than at the least power and the most losses that may be, one by what it is warmer than at the most
power and the least losses. Neither falls below nothing (Page's cumulative sums), so what was well
long ago hides nothing. There are two pairs, one with a dead time that is too short and one with a
longer one: it is a doubt when both say the same, by more than the noise that was seen explains.

Whole numbers below 2^30 only, nothing allocates. Fine units are 1/64 of a thousandth of a degree.
"""

from mfboard import faults

DELAYS = 256  # turns, a power of two
DOUBT_TURNS = 5  # so long in a row
SETTLE_TURNS = 16  # at first, until noise is smoothed
FORGET = 10  # a sum forgets with 2^10 turns: 102 s
# of 256: what of its power a heater that works may miss or have too much, for its supply is 10 %
# off and its model a little; and what more or less than thought it may lose, to a fan, to what is
# extruded, in a warm hood
MISSING = 54
TOO_MUCH = 60
LOST_MORE = 92
LOST_LESS = 54
BASE_MC = 800  # what the model does not know
TUNED_MC = 120  # the same where the sensor's lag is known: such a model was fitted
BASE_MS = 150  # and what it warms in so long
STEPS_MC = 250  # of a converter
STEP_MC = 1000  # of noise, no more than this is believed in a turn
NOISE_MC = 400  # thought at first: 0.2 C rms
NOISE_MOST_MC = 500  # more than this is no excuse: 0.4 C rms
ROOM_LOW_MC = 10_000
ROOM_HIGH_MC = 35_000
ROOM_MC = 1000  # the room is known no better than so
MOST = 1 << 28


class Sums:
    """What cannot be at one dead time. `colder` and `warmer` are the sums, fine."""

    def __init__(self, delay, lag):
        self.delay = delay
        self.lag = lag  # of 512, of what comes in a turn
        self.lagged = 0  # what the sensor should see of the power, times 8
        self.less = 0  # a turn's, times 8: smoothed over eight turns, for noise
        self.more = 0
        self.forget()

    def forget(self):
        """Begin anew."""
        self.colder = 0
        self.warmer = 0

    def turn(self, given, change, most, least):
        """given: by the power of `delay` turns ago; most, least: what may have been lost."""
        self.lagged += (given * 8 - self.lagged) * self.lag >> 9
        given = self.lagged >> 3
        less = (given * (256 - MISSING) >> 8) - most - change
        more = change + least - (given * (256 + TOO_MUCH) >> 8)
        self.less += less - (self.less >> 3)
        self.more += more - (self.more >> 3)
        self.colder = self._add(self.colder, self.less >> 3)
        self.warmer = self._add(self.warmer, self.more >> 3)

    def _add(self, total, more):
        total += more - (total >> FORGET)
        return MOST if total > MOST else 0 if total < 0 else total


class Residual:
    """One heater's. `turn` is called each turn with the duty that was on since the last."""

    def __init__(self, model, turn_ms):
        rate_mc_s = model["rate_mc_s"]
        self.rate = rate_mc_s * turn_ms * 64 // 1000  # fine a turn at full power
        self.loss = 4096 * 64 * turn_ms // (100 * model["time_ds"])  # of 1/16 above the room, / 256
        dead = model["dead_ds"] * 100 // turn_ms
        lag = (model["lag_ds"] if "lag_ds" in model else 0) * 100 // turn_ms
        self.dead_turns = dead + lag  # until it is seen whole
        self.lag_turns = lag
        slack = 500 // turn_ms + self.dead_turns // 8
        part = 512 // (lag + 1)
        self.early = Sums(dead - slack if dead > slack else 0, part)
        self.late = Sums(dead + slack, part)
        self.top_mc = rate_mc_s * model["time_ds"] // 10  # above the room, in the end
        base_mc = TUNED_MC if "lag_ds" in model else BASE_MC
        self.base = 64 * (base_mc + rate_mc_s * BASE_MS // 1000)
        self.coarse = 1  # turns that a reading stands still: its noise is averaged so much less
        self.duties = bytearray(DELAYS)
        self.at = 0
        self.begun = False
        self.room_mc = 25_000  # thought
        self.room_low_mc = ROOM_LOW_MC  # and at least, and at most
        self.room_high_mc = ROOM_HIGH_MC
        self.before_mc = 0
        self.slope_mc = 0  # what it changed in the last turn
        self.smooth = 0  # the reading, fine, smoothed over eight turns
        self.noise = (
            NOISE_MC * 64
        )  # fine: how much a change differs from the one before, in the mean
        self.settling = SETTLE_TURNS
        self.forget()

    def forget(self):
        """Begin anew, after a fault was told."""
        self.early.forget()
        self.late.forget()
        self.doubts = 0
        self.colder = False  # on its way to a fault

    def _begin(self, now_mc):
        self.begun = True
        self.before_mc = now_mc
        self.smooth = now_mc * 64
        low = ROOM_LOW_MC if now_mc < ROOM_LOW_MC else now_mc
        self.room_mc = ROOM_HIGH_MC if low > ROOM_HIGH_MC else low
        if now_mc <= ROOM_HIGH_MC:
            self.room_low_mc = now_mc - ROOM_MC
        else:  # still warm: the room may be anything, and power of before is still on its way
            self.settling += self.dead_turns + 3 * self.lag_turns

    def converts(self, turns):
        """Its sensor has a converter: quarters of a degree, a new one after so many turns."""
        self.coarse = turns
        self.base += 64 * STEPS_MC + self.rate * turns

    def holds(self, target_mc):
        """The duty, of 65535, that should hold a temperature."""
        above = target_mc - self.room_mc
        if above <= 0:
            return 0
        return 65535 if above >= self.top_mc else (above >> 6) * 65535 // (self.top_mc >> 6)

    def bound(self):
        """How much a sum may be, fine: what the model does not know, and the noise."""
        noise = (self.noise >> 3) * 5 * self.coarse
        return self.base + (noise if noise < 64 * NOISE_MOST_MC else 64 * NOISE_MOST_MC)

    def turn(self, now_mc, duty, wanted):
        """A fault, or NONE. duty: on since the last turn; wanted: it is to be warm."""
        if not self.begun:
            self._begin(now_mc)
        self.at = (self.at + 1) % DELAYS
        self.duties[self.at] = duty >> 8
        change = now_mc - self.before_mc
        self.before_mc = now_mc
        self._hear(change - self.slope_mc)
        self.slope_mc = change
        self.smooth += (now_mc * 64 - self.smooth) >> 3
        warm_mc = self.smooth >> 6
        if warm_mc + ROOM_MC < self.room_high_mc:  # nothing is colder than the room
            self.room_high_mc = warm_mc + ROOM_MC
        most = self._lost(warm_mc - self.room_low_mc) * (256 + LOST_MORE) >> 8
        least = self._lost(warm_mc - self.room_high_mc) * (256 - LOST_LESS) >> 8
        self.early.turn(self._given(self.early.delay), change * 64, most, least)
        self.late.turn(self._given(self.late.delay), change * 64, most, least)
        return self._judge(wanted)

    def _hear(self, step_mc):
        """How noisy readings are: the mean of what a change differs from the one before."""
        step = step_mc if step_mc > 0 else -step_mc
        step = step if step < STEP_MC else STEP_MC
        self.noise += (step * 64 - self.noise) >> 8

    def _lost(self, above_mc):
        """What it loses in a turn, fine, so far above the room."""
        return (above_mc >> 4) * self.loss >> 8

    def cools(self, now_mc):
        """What it loses in a turn without power, fine, at least."""
        lost = self._lost(now_mc - self.room_high_mc) * (256 - LOST_LESS) >> 8
        return lost if lost > 0 else 0

    def _given(self, delay):
        """What the power of so many turns ago gives in a turn."""
        return self.duties[(self.at - delay) % DELAYS] * self.rate // 255

    def _judge(self, wanted):
        early, late = self.early, self.late
        if self.settling:
            self.settling -= 1
            early.forget()
            late.forget()
        if not wanted:  # what is off may be cooled by anything
            early.colder = late.colder = 0
        colder = early.colder if early.colder < late.colder else late.colder
        warmer = early.warmer if early.warmer < late.warmer else late.warmer
        most = self.bound()
        self.colder = colder * 4 > most
        if warmer > most:
            fault = faults.RUNAWAY
        elif colder > most:
            fault = faults.NO_RISE
        else:
            self.doubts = 0
            return faults.NONE
        self.doubts += 1
        if self.doubts < DOUBT_TURNS:
            return faults.NONE
        self.forget()
        return fault
