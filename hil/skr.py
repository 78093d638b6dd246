"""The circuit plotter on an SKR Pico, its TMC2209 set over their wire; Y may home by a stall."""

from __future__ import annotations

from collections.abc import Callable

from microfactory.machine import MACHINES, Machine

UART = """
[drivers.tmc.uart]
current_a = 0.8
hold_a = 0.4
microsteps = 16
stall_threshold = 80
"""
_CONNECTORS = {
    "M": "XYZE",
    "IN": ("X-STOP", "Y-STOP", "Z-STOP", "E0-STOP", "PROBE"),
    "OUT": ("SERVOS",),
}


def skr(extra: Callable[[str], str] = lambda text: text) -> Machine:
    """The machine. extra: changes its file's text."""
    text = (MACHINES / "circuit-plotter.toml").read_text()
    text = text.replace('"pico-carrier"', '"skr-pico"')
    text = text.replace('driver = "a4988"', 'driver = "tmc"')
    head, rest = text.split("[drivers.a4988]")
    driver = '[drivers.tmc]\nkind = "tmc2209"\n' + UART
    text = head + driver + "\n[inputs" + rest.split("[inputs", 1)[1]
    for old, known in _CONNECTORS.items():
        for i, connector in enumerate(known, 1):
            text = text.replace(f'connector = "{old}{i}"', f'connector = "{connector}"')
    return Machine.parse(extra(text), "skr.toml")


def stalling(text: str) -> str:
    """Y homes by its stall: its driver's DIAG pin at Y-STOP."""
    before, after = text.split('connector = "Y-STOP"', 1)
    _table, rest = after.split("[", 1)
    table = '\nrole = "stall"\nactive = "high"\npull = "none"\ndebounce_ms = 0.0\n\n'
    return before + 'connector = "Y-STOP"' + table + "[" + rest
