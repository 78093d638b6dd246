# A bare Raspberry Pi Pico 2, its pins named as they are printed on it. Constants only.
# host/microfactory/boards/pico2.toml has the same pins, and a test compares them.
# A step connector is named by its STEP pin; DIR is the next one.

NAME = "pico2"
CHIP = "RP2350"
MOTORS_MAX = 5

STEP = {"GP2": (2, 3), "GP4": (4, 5), "GP6": (6, 7), "GP8": (8, 9), "GP10": (10, 11)}  # STEP, DIR
ENABLE = (12,)  # all drivers, low: on
CHARGE_PUMP = 22  # toggles while the program lives
GATE = 25  # the Pico's lamp: lit means that motors may step

INPUTS = {"GP13": 13, "GP14": 14, "GP15": 15, "GP16": 16, "GP17": 17}
OUTPUTS = {"GP18": 18, "GP19": 19, "GP20": 20, "GP21": 21, "GP0": 0, "GP1": 1}
ANALOG = {"GP26": 26, "GP27": 27, "GP28": 28}
# thermocouple converters: SCK, SO and CS; clock and data are shared, the pins are those above
CONVERTERS = {"TC0": (0, 1, 28), "TC1": (0, 1, 27)}
