"""Draws the wiring of each board from its page in firmware/boards: docs/pictures/board-NAME.svg.

python docs/draw_boards.py writes all drawings. A test compares them with the pages.
"""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

from hil.pages import PAGES

from microfactory.machine import BOARDS
from microfactory.machine_read import read_board
from microfactory.wiring import EDGE, parts_of, pump_at

PICTURES = Path(__file__).parent / "pictures"
WIDE, ROW = 900, 22
INK, HOT, COOL, SAFE, SENSE = "#1c2430", "#c05621", "#2b6cb0", "#2f855a", "#805ad5"
TABLE, DETAILS = 344, 250  # where the rows begin; height of the circuits below them


def drawing(name: str) -> str:
    """The drawing of a board as SVG text."""
    found = rows(PAGES[name])
    below = TABLE + ROW * (len(found) + 1) + 30
    parts = [f'<rect width="{WIDE}" height="{below + DETAILS}" fill="#fff"/>', _power(name)]
    for i, row in enumerate([HEADS, *found]):
        parts.append(_row(TABLE + ROW * i, row, head=i == 0))
    parts.append(_gate(name, 10, below) + _switch(name, 330, below) + _pump(name, 625, below))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE} {below + DETAILS}" '
        f'role="img" aria-label="wiring of the board {name}" font-family="system-ui, sans-serif" '
        f'font-size="12">\n' + "\n".join(parts) + "\n</svg>\n"
    )


HEADS = (INK, "connector", "chip's pin", "parts in the wire", "where it goes")


def rows(page: Any) -> list[tuple[str, str, str, str, str]]:
    """Colour, connector, pin, parts in the wire and where it goes, for each pin of a page."""
    inside = parts_of(read_board(BOARDS / f"{page.NAME}.toml"))
    ours = page.NAME == "skr-pico"
    to = "a motor's two coils" if ours else "a driver's STEP and DIR"
    out = [
        (COOL, name, f"{_pin(step, page)} STEP, {_pin(direction, page)} DIR", inside.step, to)
        for name, (step, direction) in page.STEP.items()
    ]
    enable = ", ".join(_pin(pin, page) for pin in page.ENABLE)
    out.append((COOL, "ENABLE", enable, inside.enable, "EN of all drivers; low is on"))
    for name, pin in page.INPUTS.items():
        out.append((SAFE, name, _pin(pin, page), "see circuit 3", "limit, probe, E-stop, door"))
    for name, pin in page.OUTPUTS.items():
        if name == "SERVOS":
            out.append((HOT, name, _pin(pin, page), "none", "a servo's signal"))
        else:
            out.append((HOT, name, _pin(pin, page), inside.gate, "heater, fan, torch, spindle"))
    pull = "pull-up on the board" if ours else "4.7 k to 3V3"
    for name, pin in page.ANALOG.items():
        out.append((SENSE, name, _pin(pin, page), pull, "a thermistor, other end to ground"))
    pump = _pin(page.CHARGE_PUMP, page)
    out.append((HOT, pump_at_page(page), pump, "see circuit 4", "pump relay"))
    gate = "no wire: the lamp" if page.GATE == 25 else "no wire"
    out.append((INK, "GATE", _pin(page.GATE, page), gate, "high while motors may step"))
    return out


def pump_at_page(page: Any) -> str:
    """Name of the charge pump's connector."""
    return pump_at(read_board(BOARDS / f"{page.NAME}.toml"))


def _pin(gpio: int, page: Any) -> str:
    if page.NAME == "skr-pico" or gpio not in EDGE:
        return f"GP{gpio}"
    return f"GP{gpio} (pin {EDGE[gpio]})"


def _row(y: int, row: tuple[str, str, str, str, str], *, head: bool) -> str:
    colour, *cells = row
    out = [] if head else [_line(20, y + 17, WIDE - 20, y + 17, "#e2e8f0")]
    if not head:
        out.append(f'<rect x="10" y="{y + 4}" width="5" height="12" fill="{colour}"/>')
    for x, cell in zip((22, 110, 375, 640), cells, strict=True):
        out.append(_text(x, y + 13, cell, bold=head or x == 22))
    return "".join(out)


# ---- circuits


def _power(name: str) -> str:
    """The main circuit, below it the circuit of the contactor's coil, below that the program's."""
    jumper = " (its jumper: USB)" if name == "skr-pico" else ""
    vm = "VIN of the board" if name == "skr-pico" else "VM of the drivers"
    return "".join(
        [
            _text(10, 20, "1  Power, and what cuts it: no program in between", bold=True),
            _line(110, 62, 760, 62, HOT, 3),
            _line(460, 62, 460, 122, HOT, 3),
            _line(460, 122, 760, 122, HOT, 3),
            _dot(460, 62, HOT),
            _box(10, 40, 110, "supply +", "12 or 24 V"),
            _box(140, 40, 110, "F1", "of its amperes"),
            _box(290, 40, 150, "K1, contactor", "main contacts, NO"),
            _box(480, 40, 110, "F2", "for the drivers"),
            _box(720, 40, 170, vm, "motors"),
            _box(480, 100, 110, "F3, F4 ...", "one to each load"),
            _box(600, 100, 110, "thermal fuse", "on each heater"),
            _box(720, 100, 170, "heaters, torch, spindle", "minus over their MOSFETs"),
            _line(268, 62, 268, 200, SAFE, 2),
            _dot(268, 62, HOT),
            _line(268, 200, 870, 200, SAFE, 2),
            _line(870, 200, 870, 216, SAFE, 2),
            _earth(870, 216),
            _text(10, 196, "control circuit:", colour=SAFE),
            _text(10, 212, "any gap drops the contactor", colour=SAFE),
            _box(290, 178, 130, "E-stop button", "NC: opens when hit"),
            _box(435, 178, 130, "pump relay", "NO: falls by itself"),
            _box(580, 178, 130, "start button, NO", "K1's own NO beside it"),
            _box(725, 178, 130, "K1, its coil", "diode across it"),
            _text(10, 266, "what the program sees:", colour=COOL),
            _line(420, 270, 560, 270, COOL, 2),
            _box(190, 248, 230, "second NC contact of the button", "to ground"),
            _box(560, 248, 330, "an input of role estop", "pull up, active high: a gap stops"),
            _text(10, 312, f"The chip is fed by its USB{jumper} and stays awake."),
            _text(10, 328, "All grounds meet at one point. Pull no plug under power."),
        ]
    )  # fmt: skip


def _gate(name: str, x: int, y: int) -> str:
    """A low-side switch with its pull-down."""
    down = "8.2 k or less" if name == "pico2" else "10 k"
    where = "on the board: measure it" if name == "skr-pico" else "never leave it out"
    return "".join(
        [
            _text(x, y + 14, "2  Heater, torch: gate with pull-down", bold=True),
            _text(x, y + 88, "output"), _line(x + 45, y + 84, x + 62, y + 84, HOT, 2),
            _resistor(x + 62, y + 84, "100 Ω"),
            _line(x + 112, y + 84, x + 160, y + 84, HOT, 2), _dot(x + 130, y + 84, HOT),
            _line(x + 130, y + 84, x + 130, y + 110, HOT, 2),
            f'<rect x="{x + 123}" y="{y + 110}" width="14" height="46" fill="#fff" stroke="{HOT}" '
            'stroke-width="2"/>',
            _text(x + 20, y + 132, down, bold=True), _text(x + 20, y + 148, "pull-down"),
            _line(x + 130, y + 156, x + 130, y + 176, HOT, 2), _earth(x + 130, y + 176),
            f'<rect x="{x + 160}" y="{y + 66}" width="50" height="36" rx="3" fill="#fffaf0" '
            f'stroke="{HOT}"/>',
            _text(x + 164, y + 81, "N-MOS", size=11), _text(x + 164, y + 95, "logic", size=11),
            _line(x + 185, y + 102, x + 185, y + 176, INK, 2), _earth(x + 185, y + 176),
            _line(x + 185, y + 66, x + 185, y + 44, HOT, 2), _text(x + 195, y + 58, "load"),
            _text(x + 150, y + 40, "+, behind F3"),
            _text(x, y + 210, f"{where}:", colour=HOT),
            _text(x, y + 226, "while the chip starts its pins float."),
        ]
    )  # fmt: skip


def _switch(name: str, x: int, y: int) -> str:
    """A switch that opens when pressed, with its filter."""
    pull = "pull-up in the chip (10 k to 3V3 in noise)"
    wrong = "No pull-down (E9)." if name == "pico2" else "5 V kills the pin."
    return "".join(
        [
            _text(x, y + 14, "3  Switch: opens when pressed", bold=True),
            _text(x, y + 58, "input"), _line(x + 40, y + 54, x + 70, y + 54, SAFE, 2),
            _resistor(x + 70, y + 54, "1 k"), _line(x + 120, y + 54, x + 170, y + 54, SAFE, 2),
            _dot(x + 55, y + 54, SAFE), _line(x + 55, y + 54, x + 55, y + 90, SAFE, 2),
            _line(x + 45, y + 90, x + 65, y + 90, SAFE, 3),
            _line(x + 45, y + 97, x + 65, y + 97, SAFE, 3), _text(x + 70, y + 98, "10 nF"),
            _line(x + 55, y + 97, x + 55, y + 130, SAFE, 2), _earth(x + 55, y + 130),
            _line(x + 170, y + 54, x + 170, y + 76, SAFE, 2),
            _line(x + 170, y + 76, x + 174, y + 106, SAFE, 3),
            _dot(x + 170, y + 76, SAFE), _dot(x + 170, y + 108, SAFE), _text(x + 190, y + 96, "NC"),
            _line(x + 170, y + 108, x + 170, y + 130, SAFE, 2), _earth(x + 170, y + 130),
            _text(x, y + 176, pull, size=11), _text(x, y + 194, "A broken wire reads as pressed."),
            _text(x, y + 212, f"At the pin 0 to 3.3 V. {wrong}"),
        ]
    )  # fmt: skip


def _pump(name: str, x: int, y: int) -> str:
    """What holds the pump relay: only a pin that toggles."""
    down = "8.2 k" if name == "pico2" else "10 k"
    return "".join(
        [
            _text(x, y + 14, "4  Charge pump: held only by toggling", bold=True),
            _text(x, y + 58, "pump"), _line(x + 40, y + 54, x + 66, y + 54, HOT, 2),
            _line(x + 66, y + 44, x + 66, y + 64, HOT, 3),
            _line(x + 73, y + 44, x + 73, y + 64, HOT, 3), _text(x + 46, y + 38, "1 µF"),
            _line(x + 73, y + 54, x + 200, y + 54, HOT, 2), _dot(x + 95, y + 54, HOT),
            _line(x + 95, y + 54, x + 95, y + 130, HOT, 2), _diode(x + 95, y + 94, up=True),
            _earth(x + 95, y + 130), _diode(x + 130, y + 54, up=False),
            _dot(x + 165, y + 54, HOT), _line(x + 165, y + 54, x + 165, y + 80, HOT, 2),
            _line(x + 155, y + 80, x + 175, y + 80, HOT, 3),
            _line(x + 155, y + 87, x + 175, y + 87, HOT, 3), _text(x + 112, y + 110, "1 µF"),
            _line(x + 165, y + 87, x + 165, y + 130, HOT, 2), _earth(x + 165, y + 130),
            _line(x + 200, y + 54, x + 200, y + 130, HOT, 2), _earth(x + 200, y + 130),
            f'<rect x="{x + 193}" y="{y + 72}" width="14" height="40" fill="#fff" '
            f'stroke="{HOT}" stroke-width="2"/>', _text(x + 212, y + 98, down),
            _line(x + 200, y + 54, x + 232, y + 54, HOT, 2),
            _text(x + 190, y + 42, "MOSFET", size=11),
            _text(x, y + 176, "Diodes 1N5819. The MOSFET (for 2.5 V gates,"),
            _text(x, y + 194, "AO3400) switches the relay's coil, as in 2."),
            _text(x, y + 212, "A pin that stands still lets the relay fall."),
        ]
    )  # fmt: skip


# ---- shapes


def _text(
    x: int, y: int, text: str, *, bold: bool = False, colour: str = INK, size: int = 12
) -> str:
    weight = ' font-weight="600"' if bold else ""
    return f'<text x="{x}" y="{y}" fill="{colour}" font-size="{size}"{weight}>{escape(text)}</text>'


def _line(x0: int, y0: int, x1: int, y1: int, colour: str, wide: int = 1) -> str:
    return (
        f'<line x1="{x0}" y1="{y0}" x2="{x1}" y2="{y1}" stroke="{colour}" stroke-width="{wide}"/>'
    )


def _dot(x: int, y: int, colour: str) -> str:
    return f'<circle cx="{x}" cy="{y}" r="4" fill="{colour}"/>'


def _box(x: int, y: int, wide: int, name: str, text: str) -> str:
    middle = x + wide / 2
    return (
        f'<rect x="{x}" y="{y}" width="{wide}" height="44" rx="5" fill="#fff" stroke="{INK}"/>'
        f'<text x="{middle}" y="{y + 18}" text-anchor="middle" font-weight="600">{escape(name)}'
        f'</text><text x="{middle}" y="{y + 35}" text-anchor="middle" font-size="11">'
        f"{escape(text)}</text>"
    )


def _resistor(x: int, y: int, text: str) -> str:
    return (
        f'<rect x="{x}" y="{y - 7}" width="50" height="14" fill="#fff" stroke="{INK}" '
        f'stroke-width="2"/>{_text(x + 8, y - 12, text)}'
    )


def _diode(x: int, y: int, *, up: bool) -> str:
    """Its arrow points up, or to the right."""
    turn = -90 if up else 0
    return (
        f'<g transform="translate({x} {y}) rotate({turn})"><path d="M -8 -8 L 8 0 L -8 8 Z" '
        f'fill="#fff" stroke="{HOT}" stroke-width="2"/><path d="M 8 -8 V 8" stroke="{HOT}" '
        'stroke-width="3"/></g>'
    )


def _earth(x: int, y: int) -> str:
    return "".join(
        _line(x - w, y + 4 * i, x + w, y + 4 * i, INK, 2) for i, w in enumerate((10, 6, 2))
    )


def main() -> None:
    """All drawings into docs/pictures."""
    for name in PAGES:
        (PICTURES / f"board-{name}.svg").write_text(drawing(name))


if __name__ == "__main__":
    main()
