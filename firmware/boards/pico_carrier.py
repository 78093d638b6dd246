# A Raspberry Pi Pico on a carrier for five STEP/DIR drivers at 5 V levels. Constants only.
# host/microfactory/boards/pico-carrier.toml has the same pins, and a test compares them.

NAME = "pico-carrier"
CHIP = "RP2040"
MOTORS_MAX = 5

STEP = {"M1": (2, 3), "M2": (4, 5), "M3": (6, 7), "M4": (8, 9), "M5": (10, 11)}  # STEP, DIR
ENABLE = (12,)  # all drivers, low: on
CHARGE_PUMP = 22  # toggles while the program lives
GATE = 25  # the Pico's lamp: lit means that motors may step

INPUTS = {"IN1": 13, "IN2": 14, "IN3": 15, "IN4": 16, "IN5": 17}
OUTPUTS = {"HEAT0": 18, "HEAT1": 19, "FAN0": 20, "OUT1": 21, "OUT2": 0, "OUT3": 1}
ANALOG = {"TEMP0": 26, "TEMP1": 27}
