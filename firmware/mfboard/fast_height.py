"""Torch height control once a millisecond, in viper: twin of mfboard.height (the specification).

No number reaches 2^31 within the bounds that mfboard.config keeps. Whoever calls it reads the arc
and the path's speed (mfboard.fast_late).
"""

import micropython
from micropython import const

# as in mfboard.height_state; a constant of this file is a number in the code
_FULL = const(0)
_GAIN = const(1)
_BAND = const(2)
_MOST = const(3)
_RATE = const(4)
_ACCEL = const(5)
_DELAY = const(6)
_SAMPLE = const(7)
_SPIKE = const(8)
_LOCK = const(9)
_LOCK_MOST = const(10)
_FILTER = const(11)
_TARGET = const(16)
_LIMIT = const(17)
_RAW = const(18)
_SPEED = const(19)
_ARC = const(20)
_FROZEN = const(21)
_MODE = const(24)
_VOLTS = const(25)
_NOW = const(26)
_AIM = const(27)
_SUM = const(28)
_COUNT = const(29)
_WAITED = const(30)
_LEFT = const(31)
_SPIKED = const(32)
_GOING = const(33)
_WANT = const(34)
_OFF = const(36)
_UPS = const(37)
_OFFLINE = const(0)
_WAITS = const(1)
_SAMPLES = const(2)
_HOLDS = const(3)
_SLOW = const(4)
_SPIKES = const(5)
_STAYS = const(6)
_SETTLE_MS = const(500)
_AGAIN_MS = const(20)
_BURST_MS = const(2)
_FASTEST = const(40000)


@micropython.viper
def clamp(value: int, most: int) -> int:
    """Within most, either way."""
    if value > most:
        return most
    if value < 0 - most:
        return 0 - most
    return value


@micropython.viper
def control(h: ptr32):
    """One millisecond: h[RAW], h[SPEED], h[ARC], h[FROZEN], h[TARGET] and h[LIMIT] are set."""
    h[_NOW] = (h[_RAW] * h[_FULL]) >> 14
    goal = 0
    if h[_FROZEN]:
        h[_MODE] = _STAYS
    elif h[_TARGET] == 0:
        goal = int(back(h))
    else:
        goal = int(hold(h))
    going = h[_GOING] + int(clamp(goal - h[_GOING], h[_ACCEL]))
    want = h[_WANT] + going
    if h[_TARGET] == 0 and h[_FROZEN] == 0:
        if want > -128 and want < 128 and going > -32 and going < 32:
            want = 0
            going = 0
    most = h[_MOST]
    if want > most:
        want = most
        going = 0
    elif want < 0 - most:
        want = 0 - most
        going = 0
    h[_GOING] = going
    h[_WANT] = want
    h[_UPS] = 0


@micropython.viper
def back(h: ptr32) -> int:
    """Switched off: the rate at which the offset goes back to nothing."""
    h[_MODE] = _OFFLINE
    h[_WAITED] = 0
    h[_AIM] = 0
    h[_SUM] = 0
    h[_COUNT] = 0
    h[_LEFT] = 0
    h[_SPIKED] = 0
    want = h[_WANT]
    rate = h[_RATE]
    if h[_OFF] < _SETTLE_MS:
        h[_OFF] += 1
        if want > 0:
            return 0 - int(clamp(h[_UPS] << 7, rate))
    goal = int(clamp((0 - want) >> 5, rate))
    if goal > -16 and goal < 16:
        if want > 0:
            return -16
        if want < 0:
            return 16
        return 0
    return goal


@micropython.viper
def hold(h: ptr32) -> int:
    """Switched on: the rate at which the offset goes where the arc has its voltage."""
    h[_OFF] = 0
    now = h[_NOW]
    if h[_ARC] == 0:
        h[_MODE] = _WAITS
        h[_WAITED] = 0
        h[_VOLTS] = now << 6
        return 0
    limit = h[_LIMIT]
    if limit > _FASTEST:
        limit = _FASTEST
    slow = 0
    if h[_SPEED] == 0 or h[_SPEED] < limit * limit:
        slow = 1
    if h[_WAITED] < h[_DELAY]:
        h[_MODE] = _WAITS
        if slow:
            h[_VOLTS] = now << 6
            h[_WAITED] = 0
        else:
            h[_VOLTS] += (((now << 6) - h[_VOLTS]) * h[_FILTER]) >> 8
            h[_WAITED] += 1
        return 0
    if slow:
        h[_MODE] = _SLOW
        if h[_LEFT] < _AGAIN_MS:
            h[_LEFT] = _AGAIN_MS
        return 0
    off = now - (h[_VOLTS] >> 6)
    if off > h[_SPIKE] or off < 0 - h[_SPIKE]:
        h[_MODE] = _SPIKES
        h[_SPIKED] += 1
        if h[_SPIKED] > _BURST_MS:
            h[_LEFT] = h[_LOCK]
        if h[_SPIKED] > h[_LOCK_MOST]:
            h[_SPIKED] = 0
            h[_LEFT] = 0
            h[_VOLTS] = now << 6
        if h[_LEFT]:
            return 0
        return h[_GOING]
    if h[_SPIKED] > 0:
        h[_SPIKED] -= 1
    h[_VOLTS] += (((now << 6) - h[_VOLTS]) * h[_FILTER]) >> 8
    if h[_LEFT] > 0:
        h[_LEFT] -= 1
        return 0
    if h[_AIM] == 0:
        if h[_TARGET] == 1:
            h[_MODE] = _SAMPLES
            h[_SUM] += h[_VOLTS] >> 6
            h[_COUNT] += 1
            if h[_COUNT] >= h[_SAMPLE]:
                h[_AIM] = h[_SUM] // h[_COUNT]
            return 0
        h[_AIM] = h[_TARGET]
    h[_MODE] = _HOLDS
    error = int(clamp((h[_VOLTS] >> 6) - h[_AIM], 2000))
    if error > 0 - h[_BAND] and error < h[_BAND]:
        return 0
    return int(clamp(0 - ((error * h[_GAIN]) >> 16), h[_RATE]))
