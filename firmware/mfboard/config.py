"""The board's configuration: JSON from the host, checked word by word before anything uses it."""

import json

from mfboard.converter import KINDS as CONVERTERS
from mfboard.outputs import HEATER_HZ, SERVO_HZ

ROLES = ("limit", "probe", "estop", "door", "float", "arc_ok", "stall", "button", "contactor")
KINDS = ("switch", "pwm", "servo")
CONFIG_BYTES = 8192  # it comes into the first window's slot
_TOP = {
    "v", "machine", "pulse_ticks", "lease_ms", "motors", "inputs", "outputs", "heaters", "arc",
    "height",
}  # fmt: skip
_MOTOR = {"name", "at", "invert", "low", "high"}
_FAR = (1 << 29) - 1
RULES = ("hold", "fault")
_INPUT = {"name", "at", "active", "pull", "debounce_us", "role"}
_OUTPUT = {"name", "at", "kind", "hz", "hold", "lost", "fault"}
_HEATER = {
    "name", "at", "sensor", "curve", "min_dc", "max_dc", "kp", "ki", "kd", "rise", "hold",
    "max_duty", "model",
}  # fmt: skip
_CONVERTED = (_HEATER - {"curve"}) | {"converter"}
_CURVE = {"from_dc", "step_dc", "shares"}
_MODEL = {"rate_mc_s", "time_ds", "dead_ds"}
SHARES_MAX = 200
_ARC = {"input", "torch", "wait_ms", "lost_ms"}
# of a driver on a wire, with their bounds; motor is bounded by the motors
DRIVER = (
    ("run", 0, 31), ("hold", 0, 31), ("vsense", 0, 1), ("mres", 0, 8), ("spread", 0, 1),
    ("stall", 0, 255), ("cool", 0, (1 << 20) - 1),
)  # fmt: skip
# of model-predictive control, with their bounds (mfboard.predict)
PREDICT = (
    ("dead_ms", 0, 10_000), ("lag_ms", 200, 20_000), ("horizon_ms", 500, 60_000),
    ("sensor", -4096, 4096), ("body", 0, 16_384), ("wind", 0, 20_000),
)  # fmt: skip
_HEIGHT = {"motor", "sensor", "path", "settings"}
# settings of height control in the order of mfboard.height_state, with their bounds
HEIGHT = (
    ("full", 100, 65000), ("gain", 0, 500000), ("band", 0, 2000), ("most", 0, 1 << 24),
    ("rate", 1, 8192), ("accel", 1, 8192), ("delay", 0, 10000), ("sample", 1, 1000),
    ("spike", 1, 20000), ("lock", 0, 10000), ("lock_most", 1, 10000), ("filter", 1, 256),
    ("gap", 600, 125000), ("slice", 62500, 250000), ("word", 25, 1000),
)  # fmt: skip


class ConfigError(Exception):
    """What is wrong, in words; the board stays as it was."""


def _keys(table, known, what):
    if not isinstance(table, dict):
        raise ConfigError(what + " is no table")
    for key in table:
        if key not in known:
            raise ConfigError(what + ": the key " + str(key) + " is unknown")
    for key in known:
        if key not in table:
            raise ConfigError(what + ": the key " + key + " is missing")


def _whole(value, low, high, what):
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise ConfigError(what + " is not a whole number from " + str(low) + " to " + str(high))


def _number(value, low, high, what):
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise ConfigError(what + " is not a number from " + str(low) + " to " + str(high))


def _name(value, what):
    if not isinstance(value, str) or not 1 <= len(value) <= 40:
        raise ConfigError(what + ": its name is no text of 1 to 40 characters")


def _connector(name, known, used, what):
    if not isinstance(name, str) or name not in known:
        raise ConfigError(what + ": this board has no connector " + str(name))
    if name in used:
        raise ConfigError(what + ": connector " + name + " is used twice")
    used.append(name)


def _list(config, key, most):
    value = config[key]
    if not isinstance(value, list) or len(value) > most:
        raise ConfigError(key + " is no list of at most " + str(most))
    return value


def parse(data, page):
    """A checked configuration. page: the board's page (firmware/boards). ConfigError."""
    try:
        config = json.loads(data)
    except (ValueError, UnicodeError):
        raise ConfigError("the configuration is not JSON") from None
    top = set(_TOP)
    for key in ("drivers", "idle"):
        if isinstance(config, dict) and key in config:
            top.add(key)
    _keys(config, top, "configuration")
    if config["v"] != 1:
        raise ConfigError("configuration version " + str(config["v"]) + " is unknown")
    _name(config["machine"], "machine")
    _whole(config["pulse_ticks"], 17, 513, "pulse_ticks")
    if (config["pulse_ticks"] - 1) % 16:
        raise ConfigError("pulse_ticks is not 1 + 16 k")
    _whole(config["lease_ms"], 50, 2000, "lease_ms")
    used = []
    for motor in _list(config, "motors", page.MOTORS_MAX):
        _keys(motor, _MOTOR, "motor")
        _name(motor["name"], "motor")
        _connector(motor["at"], page.STEP, used, "motor")
        _whole(motor["invert"], 0, 1, "invert")
        _whole(motor["low"], -_FAR, _FAR, "low")
        _whole(motor["high"], motor["low"], _FAR, "high")
    if not config["motors"]:
        raise ConfigError("there is no motor")
    for item in _list(config, "inputs", 12):
        _input(item, page, used, len(_list(config, "outputs", 12)))
    if [item["role"] for item in config["inputs"]].count("contactor") > 1:
        raise ConfigError("there is more than one contactor")
    for item in _list(config, "outputs", 12):
        _output(item, page, used)
    for item in _list(config, "heaters", 3):
        _heater(item, page, used)
    _share(config, page)
    _converters(config, page, used)
    _torch(config, page, used)
    if "drivers" in config:
        _drivers(config, page)
    if "idle" in config:
        _idle(config)
    return config


def _idle(config):
    """When drivers go off without a host, and what is lowered before."""
    _keys(config["idle"], {"after_s", "lower"}, "idle")
    _whole(config["idle"]["after_s"], 1, 86400, "idle after_s")
    for row in _list(config["idle"], "lower", len(config["motors"])):
        if not isinstance(row, list) or len(row) != 3:
            raise ConfigError("idle: lower is no list of motor, steps and ticks")
        _whole(row[0], 0, len(config["motors"]) - 1, "idle motor")
        motor = config["motors"][row[0]]
        _whole(row[1], motor["low"], motor["high"], "idle steps")
        _whole(row[2], config["pulse_ticks"] + 8, (1 << 21) - 1, "idle ticks")


def _drivers(config, page):
    """Drivers on a wire, each of another motor of this board."""
    seen = []
    for item in _list(config, "drivers", page.MOTORS_MAX):
        _keys(item, {"motor"} | {row[0] for row in DRIVER}, "driver")
        for key, low, high in DRIVER:
            _whole(item[key], low, high, "driver " + key)
        _whole(item["motor"], 0, len(config["motors"]) - 1, "driver motor")
        at = config["motors"][item["motor"]]["at"]
        if item["motor"] in seen or at not in getattr(page, "DRIVERS", ()):
            raise ConfigError("driver: there is none on a wire for motor at " + at)
        seen.append(item["motor"])


def _torch(config, page, used):
    """What a torch needs: an arc that is waited for, and a height that is held."""
    arc = config["arc"]
    if arc is not None:
        _keys(arc, _ARC, "arc")
        _whole(arc["input"], 0, len(config["inputs"]) - 1, "arc input")
        _whole(arc["torch"], 0, len(config["outputs"]) - 1, "arc torch")
        _whole(arc["wait_ms"], 1, 60000, "arc wait_ms")
        _whole(arc["lost_ms"], 1, 10000, "arc lost_ms")
    height = config["height"]
    if height is None:
        return
    _keys(height, _HEIGHT, "height")
    motors = len(config["motors"]) - 1
    _whole(height["motor"], 0, motors, "height motor")
    _connector(height["sensor"], page.ANALOG, used, "height sensor")
    if config["heaters"]:
        raise ConfigError("height: the converter is read for it alone, so there are no heaters")
    for row in _list(height, "path", 3):
        if not isinstance(row, list) or len(row) != 2:
            raise ConfigError("height: path is no list of pairs")
        _whole(row[0], 0, motors, "height path motor")
        _whole(row[1], 1, _FAR, "height path scale")
    settings = _list(height, "settings", len(HEIGHT))
    if len(settings) != len(HEIGHT):
        raise ConfigError("height: there are not " + str(len(HEIGHT)) + " settings")
    for i in range(len(HEIGHT)):
        _whole(settings[i], HEIGHT[i][1], HEIGHT[i][2], "height " + HEIGHT[i][0])


def _share(config, page):
    """Two pins of one PWM slice pulse at one rate (RP2040 datasheet 4.5.2)."""
    rates = {}
    heaters = [{"at": item["at"], "kind": "pwm", "hz": HEATER_HZ} for item in config["heaters"]]
    for item in config["outputs"] + heaters:
        if item["kind"] == "switch":
            continue
        part = page.OUTPUTS[item["at"]] >> 1 & 7
        hz = SERVO_HZ if item["kind"] == "servo" else item["hz"]
        other = rates.get(part)
        if other is not None and other[0] != hz:
            raise ConfigError(
                item["at"]
                + " and "
                + other[1]
                + " pulse at one rate: "
                + str(hz)
                + " Hz and "
                + str(other[0])
                + " Hz do not go together; use another connector"
            )
        rates[part] = (hz, item["at"])


def _converters(config, page, used):
    """A converter's pins are nobody else's; clock and data are those of all converters."""
    known = getattr(page, "CONVERTERS", {})
    others = []
    for table in (page.INPUTS, page.OUTPUTS, page.ANALOG):
        others += [table[name] for name in used if name in table]
    for item in config["heaters"]:
        if "converter" in item:
            for pin in known[item["sensor"]]:
                if pin in others:
                    raise ConfigError(item["sensor"] + ": its pin " + str(pin) + " is used already")


def _input(item, page, used, outputs):
    ruled = isinstance(item, dict) and "rule" in item
    _keys(item, _INPUT | {"rule", "off"} if ruled else _INPUT, "input")
    _name(item["name"], "input")
    _connector(item["at"], page.INPUTS, used, "input")
    _whole(item["active"], 0, 1, "active")
    _whole(item["pull"], -1, 1, "pull")
    _whole(item["debounce_us"], 0, 100000, "debounce_us")
    if item["role"] not in ROLES:
        raise ConfigError("input: the role " + str(item["role"]) + " is unknown")
    if ruled:
        if item["role"] not in ("door", "float"):
            raise ConfigError("input: only a door and a float have a rule")
        if item["rule"] not in RULES:
            raise ConfigError("input: the rule " + str(item["rule"]) + " is unknown")
        _whole(item["off"], 0, (1 << outputs) - 1, "input off")


def _output(item, page, used):
    _keys(item, _OUTPUT, "output")
    _name(item["name"], "output")
    _connector(item["at"], page.OUTPUTS, used, "output")
    if item["kind"] not in KINDS:
        raise ConfigError("output: the kind " + str(item["kind"]) + " is unknown")
    _whole(item["hz"], 1, 100000, "hz")
    for key in ("hold", "lost", "fault"):
        _whole(item[key], -1, 65535, key)


def _heater(item, page, used):
    converts = isinstance(item, dict) and "converter" in item
    known = _CONVERTED if converts else _HEATER
    predicts = isinstance(item, dict) and "predict" in item
    _keys(item, known | {"predict"} if predicts else known, "heater")
    _name(item["name"], "heater")
    _connector(item["at"], page.OUTPUTS, used, "heater")
    sensors = getattr(page, "CONVERTERS", {}) if converts else page.ANALOG
    _connector(item["sensor"], sensors, used, "heater sensor")
    _whole(item["min_dc"], -500, 10000, "min_dc")
    _whole(item["max_dc"], 0, 10000, "max_dc")
    if item["min_dc"] >= item["max_dc"]:
        raise ConfigError("heater: min_dc is not below max_dc")
    if converts and item["converter"] not in CONVERTERS:
        raise ConfigError("heater: the converter " + str(item["converter"]) + " is unknown")
    if not converts:
        _curve(item["curve"], item["max_dc"])
    if item["model"] is not None:
        lags = isinstance(item["model"], dict) and "lag_ds" in item["model"]
        _keys(item["model"], _MODEL | {"lag_ds"} if lags else _MODEL, "model")
        _whole(item["model"]["lag_ds"] if lags else 0, 0, 200, "lag_ds")
        _whole(item["model"]["rate_mc_s"], 10, 20000, "rate_mc_s")
        _whole(item["model"]["time_ds"], 50, 20000, "time_ds")
        _whole(item["model"]["dead_ds"], 0, 100, "dead_ds")
    if predicts:
        _keys(item["predict"], {row[0] for row in PREDICT}, "predict")
        for key, low, high in PREDICT:
            _whole(item["predict"][key], low, high, "predict " + key)
        if item["model"] is None:
            raise ConfigError("heater: predict needs a model")
    _whole(item["max_duty"], 0, 65535, "max_duty")
    for key in ("kp", "ki", "kd"):
        _number(item[key], 0, 1000, key)
    for key in ("rise", "hold"):
        _keys(item[key], {"dc", "s"}, key)
        _whole(item[key]["dc"], 1, 1000, key + " dc")
        _number(item[key]["s"], 1, 600, key + " s")


def _curve(curve, max_dc):
    """A table that rises or falls all the way, and goes on beyond the highest temperature."""
    _keys(curve, _CURVE, "curve")
    _whole(curve["from_dc"], -2000, 10000, "curve from_dc")
    _whole(curve["step_dc"], 1, 100, "curve step_dc")
    shares = _list(curve, "shares", SHARES_MAX)
    if len(shares) < 2:
        raise ConfigError("curve: there are fewer than 2 shares")
    for share in shares:
        _whole(share, 0, 65535, "curve share")
    falls = shares[1] < shares[0]
    for i in range(1, len(shares)):
        if shares[i] == shares[i - 1] or (shares[i] < shares[i - 1]) != falls:
            raise ConfigError("curve: the shares neither rise nor fall all the way")
    if curve["from_dc"] + (len(shares) - 1) * curve["step_dc"] <= max_dc + 100:
        raise ConfigError("curve: it ends less than 10 C above max_dc")
