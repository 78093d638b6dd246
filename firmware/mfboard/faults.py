"""Faults: numbers, and in words what happened, what the machine did and what to do."""

NONE = 0
ESTOP = 1
LIMIT = 2
DOOR = 3
SENSOR_OPEN = 4
SENSOR_SHORT = 5
NO_RISE = 6
DRIFT = 7
TOO_HOT = 8
EXCEPTION = 9
STARVED = 10
BAD_LIST = 11
WATCHDOG = 12
MEMORY = 13

DID = "motors stopped at once, heat and dangerous outputs off"

# number: (name, what happened, what to do); detail is the input or heater number
WORDS = {
    NONE: ("none", "nothing", "nothing"),
    ESTOP: ("estop", "emergency stop input", "release it, clear the fault, home"),
    LIMIT: ("limit", "a limit switch tripped in normal motion", "clear the fault, home"),
    DOOR: ("door", "the door was opened", "close it, clear the fault, home"),
    SENSOR_OPEN: ("sensor open", "a temperature sensor reads like a broken wire", "mend it"),
    SENSOR_SHORT: ("sensor short", "a temperature sensor reads like a short circuit", "mend it"),
    NO_RISE: ("no rise", "a heater at full power did not get warmer", "look at heater and sensor"),
    DRIFT: ("drift", "a temperature left its target", "look at heater and sensor"),
    TOO_HOT: ("too hot", "a heater is above its max_c", "switch the power off, look at its switch"),
    EXCEPTION: ("exception", "the board's program failed", "report it with the board's log"),
    STARVED: ("starved", "a motor ran out of steps", "report it; home before moving"),
    BAD_LIST: ("bad list", "a list of steps was not what its window said", "report it; home"),
    WATCHDOG: ("watchdog", "the board's program hung and was reset", "report it; home"),
    MEMORY: ("memory", "the board ran out of memory", "report it with the machine file"),
}


def words(fault, detail):
    """One sentence."""
    name, what, todo = WORDS.get(fault, ("fault " + str(fault), "an unknown fault", "report it"))
    return name + " (" + str(detail) + "): " + what + "; " + DID + "; " + todo
