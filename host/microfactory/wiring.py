"""How to wire a machine's board: one page to print, drawn from its file and the board's page.

Each wire is a row: the Pico's pin, the parts in the wire, where it goes, and a box to tick.
"""

from __future__ import annotations

from html import escape
from typing import NamedTuple

from microfactory.machine import Machine
from microfactory.parts import Board

# pins of a Raspberry Pi Pico's edge by GPIO number (Pico datasheet, figure 2)
EDGE = {
    0: 1, 1: 2, 2: 4, 3: 5, 4: 6, 5: 7, 6: 9, 7: 10, 8: 11, 9: 12, 10: 14, 11: 15, 12: 16, 13: 17,
    14: 19, 15: 20, 16: 21, 17: 22, 18: 24, 19: 25, 20: 26, 21: 27, 22: 29, 26: 31, 27: 32, 28: 34,
}  # fmt: skip
ROW, WIDE = 25, 780
LEFT, MIDDLE, RIGHT = 8, 215, 480
COLOURS = {"motor": "#2b6cb0", "switch": "#2f855a", "power": "#c05621", "sensor": "#805ad5"}
STYLE = """
@page { size: A4; margin: 12mm }
body { font: 13px/1.45 system-ui, sans-serif; color: #1c2430; max-width: 820px; margin: 0 auto;
  padding: 12px }
h1 { font-size: 21px; margin: 0 0 2px } h2 { font-size: 15px; margin: 18px 0 4px;
  border-bottom: 1px solid #cbd2db } ul { padding-left: 20px } li { margin: 3px 0 }
.warn { border-left: 4px solid #c05621; padding: 4px 10px; background: #fffaf0 }
svg { display: block; width: 100%; height: auto; break-inside: avoid }
"""


class Wire(NamedTuple):
    """One wire: kind of COLOURS, connector and GPIO of the board, parts in it, where it goes."""

    kind: str
    connector: str
    gpio: int
    parts: str
    to: str

    @property
    def pin(self) -> str:
        """The pin as it is counted on the board's edge."""
        return f"GP{self.gpio}, pin {EDGE[self.gpio]}" if self.gpio in EDGE else f"GP{self.gpio}"


class Parts(NamedTuple):
    """What stands in a board's wires: of STEP and DIR, of ENABLE, of a heater's or torch's gate."""

    step: str
    enable: str
    gate: str


def parts_of(board: Board) -> Parts:
    """By what the board has of its own: nothing, 5 V buffers, or everything."""
    down = "8.2 k" if board.chip == "RP2350" else "10 k"  # erratum RP2350-E9
    gate = f"MOSFET; {down} from gate to ground"
    if board.name == "skr-pico":
        return Parts("driver on the board", "driver on the board", "MOSFET on the board")
    if board.name == "pico-carrier":
        return Parts("5 V buffer", "5 V buffer; 10 k to 5 V behind it", gate)
    return Parts("straight, 3.3 V", "10 k to 3V3", gate)


def pump_at(board: Board) -> str:
    """Where the charge pump is found: its connector, where it has a name."""
    return "RGB" if board.name == "skr-pico" else "PUMP"


def wires(machine: Machine) -> list[Wire]:
    """Every wire between a machine's board and the rest of it."""
    pins = dict(machine.board.pins)
    inside = parts_of(machine.board)
    out = []
    for m, motor in enumerate(machine.motors):
        driver = machine.driver(m).name
        step, direction = pins[motor.connector]
        if machine.board.name == "skr-pico":
            coils = f"motor {motor.name.upper()}: its two coils"
            out.append(Wire("motor", motor.connector, step, inside.step, coils))
            continue
        name = f"{motor.name.upper()} driver ({driver})"
        out.append(Wire("motor", f"{motor.connector} STEP", step, inside.step, f"{name}, STEP"))
        out.append(Wire("motor", f"{motor.connector} DIR", direction, inside.step, f"{name}, DIR"))
    if machine.board.name != "skr-pico":
        enable = "all drivers, EN (low is on)"
        out.append(Wire("motor", "ENABLE", pins["ENABLE"][0], inside.enable, enable))
    for part in machine.inputs:
        presses = "opens" if (part.active == "high") == (part.pull == "up") else "closes"
        pull = "10 k to ground" if part.pull == "down" else "pull-up in the chip"
        if part.pull == "none":
            pull = "its own sensor drives it"
        where = f"{part.name} ({part.role}): {presses} when it is pressed"
        if part.role == "contactor":
            where = f"{part.name}: the contactor's mirror contact, which {presses} as it pulls in"
        out.append(Wire("switch", part.connector, pins[part.connector][0], pull, where))
    for output in machine.outputs:
        parts = inside.step if output.kind == "servo" else inside.gate
        where = f"{output.name} ({output.role})"
        out.append(Wire("power", output.connector, pins[output.connector][0], parts, where))
    for heater in machine.heaters:
        where = f"{heater.name} heater, through a fuse and a thermal fuse"
        out.append(Wire("power", heater.connector, pins[heater.connector][0], inside.gate, where))
    out += _sensor_wires(machine, pins)
    pump = "charge pump (two diodes, two capacitors)"
    where = "pump relay: falls when the program dies"
    out.append(Wire("power", pump_at(machine.board), pins["CHARGE_PUMP"][0], pump, where))
    return out


def _sensor_wires(machine: Machine, pins: dict[str, tuple[int, ...]]) -> list[Wire]:
    out = []
    for heater in machine.heaters:
        sensor = heater.sensor
        if sensor.pullup_ohm is None:
            for word, pin in zip(("SCK", "SO", "CS"), pins[sensor.connector], strict=True):
                where = f"{heater.name} thermocouple's {sensor.kind}, {word}"
                out.append(Wire("sensor", f"{sensor.connector} {word}", pin, "none", where))
            continue
        parts = f"{sensor.pullup_ohm / 1000:g} k to 3V3"
        if machine.board.name == "skr-pico":
            parts = "pull-up on the board"
        noun = "PT1000" if sensor.kind == "pt1000" else "thermistor"
        where = f"{heater.name} {noun}, to AGND"
        out.append(Wire("sensor", sensor.connector, pins[sensor.connector][0], parts, where))
    return out


def page(machine: Machine) -> str:
    """The page as HTML that needs nothing else."""
    title = f"Wiring of {machine.name} on {machine.board.name}"
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>
<style>{STYLE}</style></head><body>
<h1>{escape(title)}</h1>
<p class="warn"><b>Everything unplugged. Grounds first.</b> Software is never the only channel: the
emergency stop below cuts power with no program in between.</p>
<h2>Power, and what cuts it</h2>
{_power()}
<h2>Wires (tick each one)</h2>
{_rows(wires(machine))}
<h2>Notes</h2>
<ul>
<li>The resistor from each gate to ground keeps heaters, torch and spindle off while the board has
no program; on an RP2350 it must be 8.2 k or less (erratum RP2350-E9).</li>
<li>The chip's outputs are 3.3 V: a driver that asks for 5 V needs a 5 V buffer (74HCT).</li>
<li>GP{dict(machine.board.pins)["GATE"][0]} is high while motors may step. No wire goes to it.</li>
<li>The board itself is drawn in docs/wiring-{machine.board.name}.md.</li>
<li>Twist each pair, and keep motor cables away from those of the thermistors.</li>
<li>Nobody has wired a machine by this page yet: check it against the board's page.</li>
</ul>
</body></html>
"""


def _rows(found: list[Wire]) -> str:
    rows = []
    for i, wire in enumerate(found):
        y = ROW * i + ROW / 2
        colour = COLOURS[wire.kind]
        middle = f'x="{(MIDDLE + RIGHT - 20) / 2}" text-anchor="middle"'
        rows.append(
            f'<line x1="{MIDDLE - 12}" y1="{y}" x2="{RIGHT - 8}" y2="{y}" stroke="{colour}" '
            'stroke-width="2"/>'
            f'<rect x="{MIDDLE}" y="{y - 9}" width="{RIGHT - MIDDLE - 20}" height="18" rx="4" '
            f'fill="#fff" stroke="{colour}"/>'
            f'<text x="{LEFT + 20}" y="{y + 4}"><tspan font-weight="600">{escape(wire.connector)}'
            f"</tspan>  {wire.pin}</text>"
            f'<text {middle} y="{y + 4}" font-size="11">{escape(wire.parts)}</text>'
            f'<text x="{RIGHT}" y="{y + 4}">{escape(wire.to)}</text>'
            f'<rect x="{LEFT}" y="{y - 6}" width="12" height="12" fill="none" stroke="#718096"/>'
        )
    return _svg(ROW * len(found), "".join(rows), "wires")


def _power() -> str:
    boxes = (
        (0, "supply", "12 or 24 V"),
        (160, "fuse", "of the supply's amperes"),
        (320, "contactor", "emergency stop, pump relay"),
        (530, "drivers, heaters,", "torch, spindle"),
    )
    parts = ['<line x1="60" y1="34" x2="540" y2="34" stroke="#c05621" stroke-width="3"/>']
    for x, name, text in boxes:
        wide = 190 if x == 320 else 140
        middle = f'x="{x + 4 + wide / 2}" text-anchor="middle"'
        parts.append(
            f'<rect x="{x + 4}" y="10" width="{wide}" height="48" rx="6" fill="#fffaf0" '
            'stroke="#c05621"/>'
            f'<text {middle} y="30" font-weight="600">{name}</text>'
            f'<text {middle} y="47" font-size="11">{text}</text>'
        )
    parts.append(
        '<path d="M 420 58 V 84 H 520" fill="none" stroke="#2f855a" stroke-width="2"/>'
        '<text x="528" y="88">second contact: the board\'s estop input</text>'
        '<path d="M 70 58 V 84 H 110" fill="none" stroke="#c05621" stroke-width="2"/>'
        '<text x="118" y="88">5 V for the Pico (its USB), never cut</text>'
    )
    return _svg(100, "".join(parts), "power")


def _svg(tall: int, inner: str, label: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE} {tall}" role="img" '
        f'aria-label="{label}" font-family="system-ui, sans-serif" font-size="12">{inner}</svg>'
    )
