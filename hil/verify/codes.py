"""What each G and M word does to the verifier's reader, as two tables.

A function gets the reader, the line, the block's other words and the code itself; it returns
True when it has used up the axis words. Codes in neither table ask for nothing that pulses show.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

INCH = 25.4
PLANES = {17.0: ("X", "Y"), 18.0: ("Z", "X"), 19.0: ("Y", "Z")}
FULL_DUTY = 65535.0
ACCEL_WORDS = {"S": ("print", "travel"), "P": ("print",), "T": ("travel",), "R": ("retract",)}
FULL_S = 1000.0  # of an output that has no max_rpm
TOOLS = ("spindle", "torch", "laser", "pen")
Act = Callable[[Any, int, dict[str, Any], float], Any]


def dwell(r: Any, number: int, value: dict[str, Any], code: float) -> None:
    """G4: P seconds; on a printer P milliseconds (Marlin), S seconds."""
    seconds = value.get("S")
    if seconds is None:
        seconds = (value.get("P") or 0.0) / (1000.0 if r.machine.kind == "printer" else 1.0)
    r.out.event("dwell", number, value=seconds, rest=True)


def plane(r: Any, number: int, value: dict[str, Any], code: float) -> None:
    r.plane = PLANES[code]


def unit(r: Any, number: int, value: dict[str, Any], code: float) -> None:
    was, r.unit = r.unit, INCH if code == 20 else 1.0
    if value.get("F") is not None:  # the block's own F counts in the block's unit
        r.feed *= r.unit / was


def distance(r: Any, number: int, value: dict[str, Any], code: float) -> None:
    r.relative = code == 91


def arc_distance(r: Any, number: int, value: dict[str, Any], code: float) -> None:
    r.centre_absolute = code == 90.1


def home(r: Any, number: int, value: dict[str, Any], code: float) -> bool:
    """G28: the axes named (all that can, if none) go to their switch; they are then at home.

    On a printer that forgets their G92.
    """
    named = [letter in value for letter in r.letters]
    mask = 0
    for i, axis in enumerate(r.machine.axes):
        if axis.home and (named[i] or not any(named)):
            mask |= 1 << i
    r.out.event("home", number, value=mask, rest=True)
    r.at = [
        axis.home.position_mm if mask >> i & 1 else r.at[i] for i, axis in enumerate(r.machine.axes)
    ]
    for i in range(len(r.at)):
        if mask >> i & 1 and r.machine.kind == "printer":
            r.zero[i] = 0.0
    return True


def set_place(r: Any, number: int, value: dict[str, Any], code: float) -> bool:
    """G92: the present place gets these coordinates."""
    named = [i for i, letter in enumerate(r.letters) if value.get(letter) is not None]
    if code == 92.1:
        r.zero = [0.0] * len(r.letters)
        return True
    for i in named or range(len(r.letters)):
        r.zero[i] = r.at[i] - (value.get(r.letters[i]) or 0.0) * r.unit - r.systems[r.system][i]
    return True


def set_system(r: Any, number: int, value: dict[str, Any], code: float) -> bool:
    """G10 L2 P1..6: a work offset's zero in machine coordinates; L20: from the present place."""
    which = 53 + int(value.get("P") or r.system - 53)
    zero = r.systems.setdefault(which, [0.0] * len(r.letters))
    for i, letter in enumerate(r.letters):
        if value.get(letter) is not None:
            mm = value[letter] * r.unit
            zero[i] = mm if value.get("L") == 2 else r.at[i] - r.zero[i] - mm
    return True


def system(r: Any, number: int, value: dict[str, Any], code: float) -> None:
    r.system = int(code)
    r.systems.setdefault(r.system, [0.0] * len(r.letters))


def path_mode(r: Any, number: int, value: dict[str, Any], code: float) -> None:
    """G61, G61.1: exactly along the path; G64 P: within P of it; G64: the machine's own."""
    word = value.get("P") if code == 64 else 0.0
    r.tolerance = -1.0 if word is None else word * r.unit


def no_words(r: Any, number: int, value: dict[str, Any], code: float) -> bool:
    """Axis words of this block belong to something that moves nothing."""
    return True


def e_mode(r: Any, number: int, value: dict[str, Any], code: float) -> None:
    r.relative_e = code == 83


def accel(r: Any, number: int, value: dict[str, Any], code: float) -> bool:
    """M204: S for all, else P printing, T travelling, R retracting; mm/s2."""
    for letter, names in ACCEL_WORDS.items():
        word = value.get(letter)
        if word:
            for name in names:
                r.accel[name] = word * r.unit
    return True


def advance(r: Any, number: int, value: dict[str, Any], code: float) -> bool:
    """M900: pressure advance of K s, on a machine that has one."""
    if value.get("K") is not None and r.has_advance:
        r.advance = value["K"]
    return True


def heat(role: str, *, wait: bool) -> Act:
    """M104, M109, M140, M190: S (or R) target in C."""

    def act(r: Any, number: int, value: dict[str, Any], code: float) -> bool:
        target = value.get("S") if value.get("S") is not None else value.get("R")
        name = next((h.name for h in r.machine.heaters if h.role == role), "")
        if target is not None and name:
            r.out.event("heater", number, name, target, rest=False)
            if wait and target > 0:
                r.out.event("wait", number, name, target, rest=True)
        return True

    return act


def switch(roles: tuple[str, ...], share: Callable[[Any, Any, dict[str, Any]], float]) -> Act:
    """Set the outputs of these roles to a share (0..1) of full."""

    def act(r: Any, number: int, value: dict[str, Any], code: float) -> None:
        for output in r.machine.outputs:
            if output.role in roles:
                duty = round(min(1.0, max(0.0, share(r, output, value))) * FULL_DUTY)
                r.out.event("output", number, output.name, duty, rest=output.stop_to_switch)
                if duty and not r.on.get(output.name) and output.spin_up_s:
                    r.out.event("dwell", number, value=output.spin_up_s, rest=True)
                r.on[output.name] = duty

    return act


def _fan(r: Any, output: Any, value: dict[str, Any]) -> float:
    word = value.get("S")
    if output.kind == "switch":
        return 0.0 if word == 0 else 1.0
    return 1.0 if word is None else float(word) / 255.0


def _tool(r: Any, output: Any, value: dict[str, Any]) -> float:
    """M3: full, or S of the output's highest speed where its speed can be set."""
    if value.get("S") is not None:
        r.spindle = value["S"]
    if output.kind == "switch":
        return 1.0
    return float(r.spindle) / float(output.max_rpm or FULL_S)


def _main(follows: bool) -> Act:
    """M3, M4, M5; follows: from here on a laser's power is that of its speed."""

    def act(r: Any, number: int, value: dict[str, Any], code: float) -> None:
        lasers = [o.name for o in tools(r.machine) if o.role == "laser" and o.kind != "switch"]
        r.by_speed = lasers[0] if follows and lasers else ""
        switch(TOOLS, _off if code == 5 else _tool)(r, number, value, code)

    return act


def speed_word(r: Any, number: int, value: dict[str, Any]) -> None:
    """S without M3: a tool that turns takes the new speed at once."""
    if any(r.on.get(o.name) and o.kind != "switch" for o in tools(r.machine)):
        switch(TOOLS, _tool)(r, number, value, 3)


def tools(machine: Any) -> list[Any]:
    """Outputs that M3 and M5 switch."""
    return [output for output in machine.outputs if output.role in TOOLS]


def all_off(r: Any, number: int) -> None:
    """The program's end: tool and coolant off, if they are on."""
    for output in r.machine.outputs:
        if output.role in (*TOOLS, "mist", "flood") and r.on.get(output.name):
            r.out.event("output", number, output.name, 0.0, rest=output.stop_to_switch)
            r.on[output.name] = 0


def tool_change(r: Any, number: int, value: dict[str, Any], code: float) -> None:
    """M6: the tool off, then the operator."""
    if any(r.on.get(output.name) for output in tools(r.machine)):
        switch(TOOLS, _off)(r, number, value, 5)
    r.out.event("pause", number, rest=True)


def overrides(r: Any, number: int, value: dict[str, Any], code: float) -> None:
    """M49: no override counts from here on; M48: they count again."""
    if r.machine.kind != "printer":
        r.no_override = code == 49


def height(r: Any, number: int, value: dict[str, Any], code: float) -> None:
    """M62, M64 P2: no torch height control; M63, M65 P2: again."""
    if value.get("P") == 2:
        r.height_banned = code in (62, 64)


def _off(r: Any, output: Any, value: dict[str, Any]) -> float:
    return 0.0


def _on(r: Any, output: Any, value: dict[str, Any]) -> float:
    return 1.0


G_CODES: dict[float, Act] = {
    4: dwell,
    10: set_system,
    17: plane,
    18: plane,
    19: plane,
    20: unit,
    21: unit,
    28: home,
    54: system,
    55: system,
    56: system,
    57: system,
    58: system,
    59: system,
    61: path_mode,
    61.1: path_mode,
    64: path_mode,
    90: distance,
    91: distance,
    90.1: arc_distance,
    91.1: arc_distance,
    92: set_place,
    92.1: set_place,
}
M_CODES: dict[float, Act] = {
    3: _main(follows=False),
    4: _main(follows=True),
    5: _main(follows=False),
    6: tool_change,
    7: switch(("mist",), _on),
    8: switch(("flood",), _on),
    9: switch(("mist", "flood"), _off),
    48: overrides,
    49: overrides,
    62: height,
    63: height,
    64: height,
    65: height,
    82: e_mode,
    83: e_mode,
    104: heat("hotend", wait=False),
    109: heat("hotend", wait=True),
    140: heat("bed", wait=False),
    190: heat("bed", wait=True),
    141: heat("chamber", wait=False),
    191: heat("chamber", wait=True),
    106: switch(("part_fan",), _fan),
    107: switch(("part_fan",), _off),
    201: no_words,
    203: no_words,
    204: accel,
    205: no_words,
    900: advance,
    92: no_words,
}
