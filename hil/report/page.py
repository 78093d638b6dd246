"""One HTML page that needs nothing else: verdict, pictures, figures, what was used."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, NamedTuple

from hil.verify import Report

SAFETY = (
    "This page judges commands at a board's pins. It cannot know that motors followed them. "
    "Software is never the only channel: emergency stop is a contactor, heaters have thermal "
    "fuses, and nobody leaves a hot, cutting or burning machine alone because of a green word."
)
STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #1c2430; margin: 0 auto; max-width: 1080px;
  padding: 24px; background: #fff }
h1 { font-size: 26px; margin: 0 } h2 { font-size: 18px; margin: 36px 0 8px;
  border-bottom: 1px solid #dfe4ea; padding-bottom: 4px }
.verdict { display: inline-block; font-weight: 700; padding: 4px 16px; border-radius: 6px;
  color: #fff; font-size: 22px; margin-right: 12px }
.PASS { background: #2f855a } .FAIL { background: #c53030 } .NOT { background: #718096 }
.lead { color: #4a5568; margin: 8px 0 20px } img { max-width: 100%; display: block }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 10px }
.card { border: 1px solid #dfe4ea; border-radius: 8px; padding: 10px 14px }
.card b { display: block; font-size: 20px } .card span { color: #4a5568; font-size: 13px }
table { border-collapse: collapse; font-size: 14px; width: 100% }
td, th { text-align: left; padding: 4px 12px 4px 0; border-bottom: 1px solid #edf0f4;
  vertical-align: top } td.n { text-align: right; font-variant-numeric: tabular-nums }
code { font-size: 12.5px; word-break: break-all } .controls { display: flex; flex-wrap: wrap;
  gap: 14px; align-items: center; margin: 8px 0 } .controls input[type=range] { width: 280px }
.ramp i { display: inline-block; width: 120px; height: 10px; border-radius: 4px }
.safety { background: #fffaf0; border-left: 4px solid #c05621; padding: 10px 16px; margin: 24px 0 }
.bad { color: #c53030 }
"""


class Section(NamedTuple):
    """A heading and what stands under it, as HTML."""

    title: str
    body: str


def picture(png: bytes, words: str) -> str:
    """A picture inside the page."""
    data = base64.b64encode(png).decode()
    return f'<img alt="{escape(words)}" src="data:image/png;base64,{data}">'


def cards(values: Sequence[tuple[str, str]]) -> str:
    """Big figures side by side: (value, what it is)."""
    inner = "".join(
        f'<div class="card"><b>{escape(value)}</b><span>{escape(name)}</span></div>'
        for value, name in values
    )
    return f'<div class="cards">{inner}</div>'


def table(rows: Sequence[Sequence[str]], head: Sequence[str] = ()) -> str:
    """A table of texts; the first column names the row."""
    top = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<table>{'<tr>' + top + '</tr>' if head else ''}{body}</table>"


def verdict(report: Report) -> str:
    """What was checked and what came out, row by row."""
    f = report.figures
    found = {v.kind: v for v in reversed(report.violations)}
    rows = []
    for kinds, name, measured in (
        (("path", "end", "run"), "every step on the path, in order, none missing",
         f"{f['pulses']:,} pulses on {f['pieces']:,} moves, {f['arcs']:,} of them arcs"),
        (("speed",), "speed within feed and machine", f"at most {f['max_speed_ratio']:.1%}"),
        (("accel",), "acceleration within program and machine",
         f"at most {f['max_accel_ratio']:.1%}"),
        (("corner",), "corners within their tolerance", f"at most {f['max_corner_ratio']:.1%}"),
        (("timing",), "each pulse in time with its neighbours",
         f"at most {f['max_timing_ratio']:.1%} of what limits and tolerance leave"),
        (("travel",), "inside the travel", "at every step"),
        (("output", "heater"), "outputs and heaters at their place",
         f"{f['changes']} changes, at most {f['worst_change_ms']:.2f} ms off"),
        (("dwell", "wait"), "rests and waits kept", "all"),
        (("pulse", "setup"), "pulse width and direction set-up",
         f"least {_least(f['least_pulse_us'])} and {_least(f['least_setup_us'])} µs"),
        (("dual",), "motors of one axis together", "always"),
    ):  # fmt: skip
        bad = next((found[kind] for kind in kinds if kind in found), None)
        rows.append((name, "no: " + str(bad) if bad else "yes", "" if bad else measured))
    return table(rows, ("asked", "kept", "measured"))


def _least(values: Mapping[str, float]) -> str:
    return f"{min(values.values()):,.2f}" if values else "no"


def page(title: str, lead: str, word: str, why: str, sections: Sequence[Section]) -> str:
    """The whole page. word: the verdict; why: unless it is PASS."""
    body = "".join(
        f"<h2>{escape(section.title)}</h2>\n{section.body}\n"
        for section in sections
        if section.body
    )
    first = f'<p class="bad">{escape(why)}</p>' if why else ""
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}: {word}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head>
<body><h1><span class="verdict {word}">{word}</span>{escape(title)}</h1>
<p class="lead">{escape(lead)}</p>{first}
{body}<p class="safety">{escape(SAFETY)}</p></body></html>
"""


def seconds_text(seconds: float) -> str:
    """1 h 02 min, 3 min 20 s, 14.2 s."""
    if seconds >= 3600:
        return f"{int(seconds // 3600)} h {int(seconds % 3600 // 60):02d} min"
    if seconds >= 60:
        return f"{int(seconds // 60)} min {int(seconds % 60):02d} s"
    return f"{seconds:.1f} s"


def machine_rows(machine: Any) -> list[tuple[str, ...]]:
    """Axes of a machine as rows of a table."""
    return [
        (
            axis.letter,
            ", ".join(axis.motors),
            f"{axis.steps_per_mm:g}",
            "no end" if axis.unlimited else f"{axis.min_mm:g} to {axis.max_mm:g}",
            f"{axis.max_speed_mm_s:g}",
            f"{axis.max_accel_mm_s2:g}",
        )
        for axis in machine.axes
    ]
