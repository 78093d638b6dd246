# BIGTREETECH SKR Pico V1.0: RP2040 with four TMC2209 drivers. Constants only.
# Pins as in Klipper's published config/generic-bigtreetech-skr-pico-v1.0.cfg.
# host/microfactory/boards/skr-pico.toml has the same pins, and a test compares them.

NAME = "skr-pico"
CHIP = "RP2040"
MOTORS_MAX = 4

STEP = {"X": (11, 10), "Y": (6, 5), "Z": (19, 28), "E": (14, 13)}  # STEP, DIR
DRIVERS = {"X": 0, "Y": 2, "Z": 1, "E": 3}  # address of each TMC2209 on the one wire
UART = (1, 8, 9)  # which, TX, RX
ENABLE = (12, 7, 2, 15)  # of X, Y, Z, E; low: on
CHARGE_PUMP = 24  # connector RGB: toggles while the program lives
GATE = 0  # UART connector, TX: high means that motors may step

INPUTS = {"X-STOP": 4, "Y-STOP": 3, "Z-STOP": 25, "E0-STOP": 16, "PROBE": 22}
OUTPUTS = {"HE": 23, "HB": 21, "FAN1": 17, "FAN2": 18, "FAN3": 20, "SERVOS": 29}
ANALOG = {"TH0": 27, "THB": 26}
