"""The wiring sheet: one page to print and to wire by, drawn from a rig's file.

Each wire is a row: the probe's pin, the parts in the wire, the board's pin, and a box to tick.
"""

from __future__ import annotations

from collections import Counter
from html import escape

from hil.rigs.rigfile import Channel, RigFile
from hil.rigs.rigfile_check import LOOP
from microfactory.wiring import EDGE

FIXED = {
    3: "GND", 8: "GND", 13: "GND", 18: "GND", 23: "GND", 28: "GND", 30: "RUN", 33: "AGND",
    35: "VREF", 36: "3V3", 37: "3V3_EN", 38: "GND", 39: "VSYS", 40: "VBUS",
}  # fmt: skip
COLOURS = {"listen": "#2b6cb0", "drive": "#c05621", "pull": "#2f855a", "analog": "#805ad5"}
DOES = {
    "listen": "the probe listens",
    "drive": "the probe drives",
    "pull": "the probe pulls low or lets go",
    "analog": "the probe holds a voltage",
}
ROW, TOP, WIDE = 24, 6, 760
BOX, RIGHT, MIDDLE = 200, 540, 370  # width of a pin's box, where the board's begins, the parts
STYLE = """
@page { size: A4; margin: 12mm }
body { font: 13px/1.4 system-ui, sans-serif; color: #1c2430; max-width: 800px; margin: 0 auto;
  padding: 12px }
h1 { font-size: 21px; margin: 0 0 2px } h2 { font-size: 15px; margin: 18px 0 4px;
  border-bottom: 1px solid #cbd2db } p, li { margin: 3px 0 }
ul { padding-left: 20px; margin: 4px 0 }
.warn { border-left: 4px solid #c05621; padding: 4px 10px; background: #fffaf0 }
svg { display: block; width: 100%; height: auto; break-inside: avoid }
.cols { display: flex; gap: 28px; break-inside: avoid }
.cols > div { flex: 1 }
.cols svg { max-width: 310px } .key span { display: inline-block; margin-right: 14px }
.key i { display: inline-block; width: 18px; height: 4px; margin: 0 5px 3px 0 }
td { padding: 1px 10px 1px 0; vertical-align: top } .n { text-align: right }
"""


def sheet(rig: RigFile) -> str:
    """The page as HTML that needs nothing else."""
    title = f"Wiring of the rig {rig.head.name}"
    kinds = "".join(
        f'<span><i style="background:{COLOURS[kind]}"></i>{escape(DOES[kind])}</span>'
        for kind in COLOURS
        if any(c.direction == kind for c in rig.channels)
    )
    parts = "".join(
        f'<tr><td class="n">{count}</td><td>{escape(what)}</td></tr>' for what, count in _parts(rig)
    )
    notes = "".join(f"<li>{escape(note)}</li>" for note in _notes(rig))
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>
<style>{STYLE}</style></head><body>
<h1>{escape(title)}</h1>
<p>Probe: a Raspberry Pi Pico. Board under test: {escape(rig.board.name)}, set up as
{escape(rig.head.machine)}. {len(rig.channels)} channels.</p>
<p class="warn"><b>Before you wire:</b> both boards unplugged, motor and heater power off and
disconnected. <b>Join the grounds first.</b></p>
<h2>Wires (tick each one when it is soldered or plugged)</h2>
<p class="key">{kinds}</p>
{wires(rig)}
<div class="cols"><div><h2>The probe's pins, seen from above, USB up</h2>{_pico(rig)}</div>
<div><h2>Parts in the wires</h2><table>{parts}</table>
<h2>Notes</h2><ul>{notes}</ul></div></div>
</body></html>
"""


def wires(rig: RigFile) -> str:
    """Each wire as a row, as SVG."""
    rows = [_heads(), _ground(1)]
    number = 2
    for channel in rig.channels:
        if channel.line == LOOP and channel.direction == "listen":
            continue  # drawn once, from its driven end
        rows.append(_wire(rig, channel, number))
        number += 1
    tall = TOP * 2 + ROW * number
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE} {tall}" role="img" '
        'aria-label="wires" font-family="system-ui, sans-serif" font-size="12">'
        f"{''.join(rows)}</svg>"
    )


def _heads() -> str:
    y = TOP + ROW / 2 + 4
    return (
        f'<text x="8" y="{y}">the probe: its pin, and the channel</text>'
        f'<text x="{MIDDLE}" y="{y}" text-anchor="middle">parts in the wire</text>'
        f'<text x="{RIGHT + 8}" y="{y}">the board: line, pin of its Pico</text>'
    )


def _ground(row: int) -> str:
    y = TOP + ROW * row
    return (
        _end(0, y, "any GND pin", "ground, first")
        + _line(BOX, RIGHT, y, "#1c2430", 3)
        + _end(RIGHT, y, "any GND pin")
        + _tick(y)
    )


def _wire(rig: RigFile, channel: Channel, row: int) -> str:
    y = TOP + ROW * row
    colour = COLOURS[channel.direction]
    loop = rig.of_line(LOOP, "listen")
    if channel.line == LOOP and loop is not None:
        right = _end(RIGHT, y, f"its own {_pin(loop.gpio)}")
    else:
        right = _end(RIGHT, y, board_pin(rig, channel.line))
    return (
        _end(0, y, _pin(channel.gpio), channel.name)
        + _line(BOX, RIGHT, y, colour, 2)
        + _symbol(channel, y, colour)
        + right
        + _tick(y)
    )


def _pin(gpio: int) -> str:
    return f"pin {EDGE[gpio]} (GP{gpio})"


def board_pin(rig: RigFile, line: str) -> str:
    """Where a line of the board is found: its name, and the pin of the board's own Pico."""
    if line == "BOOTSEL":
        return "BOOTSEL: pad TP6"
    if line in ("RUN", "VBUS"):
        return f"{line}: {'pin 30' if line == 'RUN' else 'the USB cable'}"
    connector, _, which = line.partition(".")
    pins = dict(rig.board.pins)[connector]
    gpio = pins[1 if which == "DIR" else 0]
    where = f"pin {EDGE[gpio]}" if gpio in EDGE else f"GP{gpio}, no pin"
    return f"{line.replace('.', ' ')}: {where}"


def _end(x: int, y: int, strong: str, weak: str = "") -> str:
    middle = y + ROW / 2 + 4
    shown = weak if len(weak) <= 22 else weak[:21] + "…"
    return (
        f'<rect x="{x}" y="{y + 2}" width="{BOX}" height="{ROW - 4}" rx="3" fill="#f4f6f9" '
        f'stroke="#cbd2db"/><text x="{x + 8}" y="{middle}" font-weight="600">{escape(strong)}'
        f'</text><text x="{x + BOX - 8}" y="{middle}" text-anchor="end" fill="#4a5568" '
        f'font-size="{11 if len(weak) <= 15 else 8.5}">{escape(shown)}</text>'
    )


def _line(x0: int, x1: int, y: int, colour: str, wide: int) -> str:
    middle = y + ROW / 2
    return (
        f'<line x1="{x0}" y1="{middle}" x2="{x1}" y2="{middle}" stroke="{colour}" '
        f'stroke-width="{wide}"/>'
    )


def _tick(y: int) -> str:
    return (
        f'<rect x="{WIDE - 16}" y="{y + 5}" width="14" height="14" fill="#fff" stroke="#1c2430"/>'
    )


def _symbol(channel: Channel, y: int, colour: str) -> str:
    """The parts in a wire: a box with their words on the line."""
    words = part_words(channel)
    if not words:
        return ""
    wide = 7 * len(words) + 16
    x = MIDDLE - wide / 2
    return (
        f'<rect x="{x}" y="{y + 4}" width="{wide}" height="{ROW - 8}" fill="#fff" '
        f'stroke="{colour}"/><text x="{MIDDLE}" y="{y + ROW / 2 + 4}" text-anchor="middle">'
        f"{escape(words)}</text>"
    )


def part_words(channel: Channel) -> str:
    """The parts in a wire, in words; empty: a bare wire."""
    ohm = ohms(channel.series_ohm)
    words = {
        "none": ohm if channel.series_ohm else "",
        "divider": f"{ohm} in line, {ohms(channel.ground_ohm)} from the pin to GND",
        "buffer": "one gate of a 74LVC245",
        "opto": f"optocoupler, {ohm} at its LED",
        "transistor": "P-MOSFET switch in the cable's 5 V",
        "filter": f"{ohm}, then 22 µF to GND",
    }
    return words[channel.shift]


def ohms(value: float) -> str:
    """470 Ω, 4.7 kΩ, 1 MΩ."""
    for scale, unit in ((1e6, "MΩ"), (1e3, "kΩ")):
        if value >= scale:
            return f"{value / scale:g} {unit}"
    return f"{value:g} Ω"


def _pico(rig: RigFile) -> str:
    """The probe's edge with a name at every pin that is used."""
    used = {EDGE[c.gpio]: c for c in rig.channels}
    out = [
        '<rect x="120" y="6" width="120" height="344" rx="6" fill="#eaf3ea" stroke="#2f855a"/>'
        '<rect x="158" y="0" width="44" height="24" rx="2" fill="#cbd2db"/>'
    ]
    for pin in range(1, 41):
        left = pin <= 20
        y = 24 + 16.5 * ((pin - 1) if left else (40 - pin))
        x, out_x, anchor = (128, 114, "end") if left else (232, 246, "start")
        channel = used.get(pin)
        colour = COLOURS[channel.direction] if channel else "#cbd2db"
        name = channel.name if channel else FIXED.get(pin, "")
        inner_x, inner = (138, "start") if left else (222, "end")
        out.append(
            f'<circle cx="{x}" cy="{y}" r="5" fill="{colour}"/>'
            f'<text x="{inner_x}" y="{y + 4}" text-anchor="{inner}" fill="#4a5568">{pin}</text>'
            f'<text x="{out_x}" y="{y + 4}" text-anchor="{anchor}" '
            f'font-weight="{600 if channel else 400}">{escape(name)}</text>'
        )
    return (
        '<svg viewBox="0 0 360 360" role="img" aria-label="pins of the probe" '
        f'font-family="system-ui, sans-serif" font-size="11">{"".join(out)}</svg>'
    )


def _parts(rig: RigFile) -> list[tuple[str, int]]:
    """What to buy for the wires, with counts."""
    found: Counter[str] = Counter()
    for channel in rig.channels:
        if channel.line == LOOP and channel.direction == "listen":
            continue
        if channel.shift in ("none", "divider", "opto", "filter") and channel.series_ohm:
            found[f"resistor {ohms(channel.series_ohm)}"] += 1
        if channel.shift == "divider":
            found[f"resistor {ohms(channel.ground_ohm)}"] += 1
        if channel.shift == "filter":
            found["capacitor 22 µF, 6.3 V or more"] += 1
        if channel.shift == "opto":
            found["optocoupler PC817 or alike"] += 1
        if channel.shift == "transistor":
            found["P-channel MOSFET for 3 V gates (AO3401 or alike)"] += 1
            found["N-channel MOSFET to pull its gate (2N7002 or alike)"] += 1
            found["resistor 10 kΩ"] += 1
    gates = sum(channel.shift == "buffer" for channel in rig.channels)
    if gates:
        found["74LVC245 (8 gates each)"] = (gates + 7) // 8
    return [("Raspberry Pi Pico as the probe", 1), *found.items()]


def _notes(rig: RigFile) -> list[str]:
    out = []
    for channel in rig.channels:
        if channel.direction == "analog":
            low, high = channel.reach_v
            out.append(
                f"{channel.name} makes {low:.2f} to {high:.2f} V against the board's pull-up of "
                f"{ohms(channel.pullup_ohm)}."
            )
        if channel.shift == "divider":
            out.append(
                f"{channel.name}: {channel.board_v:g} V on the line are "
                f"{channel.board_v * channel.ratio:.2f} V at the probe."
            )
    if rig.loop is None:
        out.append("There is no loop: this rig cannot test itself, and so certifies nothing.")
    else:
        out.append("The loop is the wire by which the rig tests itself; leave it in.")
    if any(channel.line == "VBUS" for channel in rig.channels):
        out.append(
            "usb_power: the P-MOSFET's source to the computer's side, its drain to the board's; "
            "10 kΩ from gate to source; the N-MOSFET pulls the gate low."
        )
    return out
