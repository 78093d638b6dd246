"""Faults: their numbers. The host has the words (microfactory.status)."""

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
RUNAWAY = 14
FROZEN = 15
