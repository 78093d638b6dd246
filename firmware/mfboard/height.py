"""Torch height control, once a millisecond: from the arc's voltage to the offset that is wanted.

Plain specification; the chip has a twin in viper (mfboard.fast_height). A longer arc has a higher
voltage, so the offset goes down when there is too much of it. It changes with a bounded speed and
acceleration and never leaves its bounds.
"""

from mfboard import height_state as w


def clamp(value, most):
    """Within most, either way."""
    return most if value > most else -most if value < -most else value


def control(h):
    """One millisecond: h[RAW], h[SPEED], h[ARC], h[FROZEN], h[TARGET] and h[LIMIT] are set."""
    h[w.NOW] = h[w.RAW] * h[w.FULL] >> 14
    if h[w.FROZEN]:
        h[w.MODE] = w.STAYS
        goal = 0
    elif h[w.TARGET] == 0:
        goal = _back(h)
    else:
        goal = _hold(h)
    h[w.GOING] += clamp(goal - h[w.GOING], h[w.ACCEL])
    want = h[w.WANT] + h[w.GOING]
    if h[w.TARGET] == 0 and not h[w.FROZEN] and -128 < want < 128 and -32 < h[w.GOING] < 32:
        want = 0
        h[w.GOING] = 0
    if want != clamp(want, h[w.MOST]):
        want = clamp(want, h[w.MOST])
        h[w.GOING] = 0
    h[w.WANT] = want
    h[w.UPS] = 0


def _back(h):
    """Switched off: the rate at which the offset goes back to nothing.

    Upwards at once. Downwards only when the torch has had time to be lifted; before that only
    while the plan goes up, and at half its speed, so that the torch itself never goes down.
    """
    h[w.MODE] = w.OFFLINE
    h[w.WAITED] = h[w.AIM] = h[w.SUM] = h[w.COUNT] = h[w.LEFT] = h[w.SPIKED] = 0
    want = h[w.WANT]
    if h[w.OFF] < w.SETTLE_MS:
        h[w.OFF] += 1
        if want > 0:
            return -clamp(h[w.UPS] << 7, h[w.RATE])
    goal = clamp(-want >> 5, h[w.RATE])
    if -16 < goal < 16:
        goal = -16 if want > 0 else 16 if want < 0 else 0
    return goal


def _hold(h):
    """Switched on: the rate at which the offset goes where the arc has its voltage."""
    h[w.OFF] = 0
    if not h[w.ARC]:
        h[w.MODE] = w.WAITS
        h[w.WAITED] = 0
        h[w.VOLTS] = h[w.NOW] << 6
        return 0
    limit = h[w.LIMIT] if h[w.LIMIT] < w.FASTEST else w.FASTEST
    slow = h[w.SPEED] == 0 or h[w.SPEED] < limit * limit
    if h[w.WAITED] < h[w.DELAY]:
        h[w.MODE] = w.WAITS
        h[w.VOLTS] = h[w.NOW] << 6 if slow else h[w.VOLTS] + _share(h)
        h[w.WAITED] = 0 if slow else h[w.WAITED] + 1
        return 0
    if slow:
        h[w.MODE] = w.SLOW
        if h[w.LEFT] < w.AGAIN_MS:
            h[w.LEFT] = w.AGAIN_MS
        return 0
    if _spiked(h):
        return 0 if h[w.LEFT] else h[w.GOING]
    if h[w.LEFT] > 0:
        h[w.LEFT] -= 1
        return 0
    if h[w.AIM] == 0 and not _aimed(h):
        return 0
    h[w.MODE] = w.HOLDS
    error = clamp((h[w.VOLTS] >> 6) - h[w.AIM], 2000)
    if -h[w.BAND] < error < h[w.BAND]:
        return 0
    return clamp(-(error * h[w.GAIN] >> 16), h[w.RATE])


def _share(h):
    """How far the filtered voltage moves towards the last reading."""
    return ((h[w.NOW] << 6) - h[w.VOLTS]) * h[w.FILTER] >> 8


def _spiked(h):
    """Whether this reading is one that no height could have made; else it is filtered."""
    off = h[w.NOW] - (h[w.VOLTS] >> 6)
    if -h[w.SPIKE] <= off <= h[w.SPIKE]:
        if h[w.SPIKED] > 0:
            h[w.SPIKED] -= 1
        h[w.VOLTS] += _share(h)
        return False
    h[w.MODE] = w.SPIKES
    h[w.SPIKED] += 1
    if h[w.SPIKED] > w.BURST_MS:
        h[w.LEFT] = h[w.LOCK]
    if h[w.SPIKED] > h[w.LOCK_MOST]:
        h[w.SPIKED] = h[w.LEFT] = 0
        h[w.VOLTS] = h[w.NOW] << 6
    return True


def _aimed(h):
    """Whether it is known which voltage to hold: as told, or what the arc has had for a while."""
    if h[w.TARGET] > 1:
        h[w.AIM] = h[w.TARGET]
        return True
    h[w.MODE] = w.SAMPLES
    h[w.SUM] += h[w.VOLTS] >> 6
    h[w.COUNT] += 1
    if h[w.COUNT] >= h[w.SAMPLE]:
        h[w.AIM] = h[w.SUM] // h[w.COUNT]
    return False
