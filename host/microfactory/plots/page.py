"""A job as one HTML page that needs nothing else: no network, no library, no other file."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from microfactory.plots.path import speed_of
from microfactory.plots.seen import Seen
from microfactory.plots.shares import DOING
from microfactory.plots.words import (
    COLOURS,
    RAMP,
    clock,
    frame,
    gain_rows,
    headline,
    parts,
    share,
    speed_scale,
)

MOST_LEVELS = 1500
STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #1c2430; margin: 0 auto; max-width: 1080px;
  padding: 24px; background: #fff }
h1 { font-size: 25px; margin: 0 } h2 { font-size: 18px; margin: 34px 0 6px;
  border-bottom: 1px solid #dfe4ea; padding-bottom: 4px }
.lead { color: #4a5568; margin: 4px 0 16px } .best { background: #f0f7ff;
  border-left: 4px solid #2b6cb0; padding: 10px 16px; margin: 14px 0 }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 10px }
.card { border: 1px solid #dfe4ea; border-radius: 8px; padding: 9px 14px }
.card b { display: block; font-size: 20px } .card span { color: #4a5568; font-size: 13px }
.bar { display: flex; height: 26px; border-radius: 5px; overflow: hidden; margin: 8px 0 4px }
.bar i { display: block; min-width: 1px } .legend { font-size: 13px; margin-bottom: 10px }
.legend:not([hidden]) { display: flex; flex-wrap: wrap; gap: 4px 18px }
.legend i { display: inline-block; width: 11px; height: 11px; border-radius: 3px;
  margin-right: 6px }
table { border-collapse: collapse; font-size: 14px; width: 100% } td, th { text-align: right;
  padding: 4px 0 4px 14px; border-bottom: 1px solid #edf0f4; vertical-align: top;
  font-variant-numeric: tabular-nums } td:first-child, th:first-child { text-align: left;
  padding-left: 0 } td.why { text-align: left; color: #718096 } th { color: #4a5568;
  font-weight: 600 } .note { color: #4a5568; font-size: 13px; margin: 6px 0 }
.controls { display: flex; flex-wrap: wrap; gap: 8px 16px; align-items: center; margin: 8px 0;
  font-size: 14px } .controls input[type=range] { width: 240px } canvas { display: block;
  width: 100%; border: 1px solid #edf0f4; border-radius: 6px; margin: 6px 0 }
#motion { cursor: crosshair; touch-action: none }
.ramp { display: inline-block; width: 130px; height: 11px; border-radius: 4px; margin: 0 6px }
code { font-size: 12px; word-break: break-all }
"""


def page(seen: Seen) -> str:
    """The page. It is as big for a million moves as for sixty thousand."""
    pieces = seen.path.pieces()
    levels, layer = _levels(pieces)
    flat = _flat(pieces)
    script = Path(__file__).with_name("page.js").read_text()
    title = f"{seen.program.name} on {seen.machine.name}"
    data = json.dumps(_data(seen, pieces, levels, layer, flat), allow_nan=False)
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head>
<body><h1>{escape(title)}</h1>
<p class="lead">What the planner will do, and what to change to go faster. Motion and the
program's own rests; waiting for heaters and homing is not in these times.</p>
{_cards(seen)}<p class="best">{escape(headline(seen))}</p>
<h2>Where the time goes</h2>{_bars(seen)}
<h2>What to change</h2>{_changes(seen)}
<h2>The path: {escape(str(seen.stretch))}</h2>{_path(seen, pieces, levels, flat)}
<h2>Speed, acceleration and jerk along the path</h2><div><canvas id="motion"></canvas></div>
<p class="note" id="told"></p><p class="note">{escape(_resolution(seen))}</p>
<h2>The lines that lose most</h2>{_worst(seen)}
<p class="note">Program sha256 <code>{seen.program.sha256}</code>, machine sha256
<code>{seen.machine.sha256}</code>. Figures are the planner's; no board has played them.</p>
<script type="application/json" id="data">{data}</script><script>{script}</script></body></html>
"""


def _cards(seen: Seen) -> str:
    b, s = seen.bounds, seen.shares
    cards = [
        (clock(s.time_s), "of motion"),
        (f"{s.moves:,}", f"moves, {s.corners:,} corners taken without a rest"),
        (clock(b.no_corners_s), f"if no corner slowed it ({share(b.no_corners_s, s.time_s)})"),
        (clock(b.top_s), f"if every move ran at its top speed ({share(b.top_s, s.time_s)})"),
    ]
    inner = "".join(
        f'<div class="card"><b>{escape(value)}</b><span>{escape(name)}</span></div>'
        for value, name in cards
    )
    return f'<div class="cards">{inner}</div>'


def _bar(rows: Sequence[tuple[str, float, str]]) -> str:
    """One bar of parts with their legend: (name, seconds, colour)."""
    whole = sum(max(0.0, seconds) for _, seconds, _ in rows) or 1.0
    some = [row for row in rows if row[1] > 1e-9 * whole]
    bar = "".join(
        f'<i style="width:{100 * seconds / whole:.3f}%;background:{colour}" '
        f'title="{escape(name)}: {clock(seconds)}"></i>'
        for name, seconds, colour in some
    )
    legend = "".join(
        f'<span><i style="background:{colour}"></i>{escape(name)}: '
        f"<b>{clock(seconds)}</b> ({share(seconds, whole)})</span>"
        for name, seconds, colour in some
    )
    return f'<div class="bar">{bar}</div><div class="legend">{legend}</div>'


def _bars(seen: Seen) -> str:
    doing = [
        (name, float(seconds), colour)
        for name, seconds, colour in zip(DOING, seen.shares.doing_s, COLOURS, strict=True)
    ]
    return (
        '<p class="note">How far it is from the bound: the same path planned again with one thing '
        "less that binds.</p>"
        + _bar(parts(seen))
        + '<p class="note">What it is doing, and so what binds it:</p>'
        + _bar(doing)
    )


def _changes(seen: Seen) -> str:
    percent = f"{100 * (seen.factor - 1):g} %"
    rows = "".join(
        "<tr>"
        + "".join(f"<td>{escape(cell)}</td>" for cell in row.cells)
        + (f'<td class="why" colspan="2">{escape(row.why)}</td>' if row.why else "")
        + "</tr>"
        for row in gain_rows(seen)
    )
    return (
        f'<p class="note">Each line was planned again with that limit raised by {percent} and all '
        "others as they are. A limit binds together with others where they are equal: raising one "
        "of them alone gains nothing there. Corners are joints that are taken at the speed that "
        "this limit lets through. Whether machine and material bear more is yours to know.</p>"
        "<table><tr><th>limit</th><th>is now</th><th>binds alone</th><th>with others</th>"
        f"<th>corners</th><th>raised by {percent} saves</th><th>of the job</th></tr>{rows}</table>"
    )


def _path(seen: Seen, pieces: NDArray[Any], levels: list[float], flat: bool) -> str:
    most = speed_scale(pieces)
    slider = (
        f'<label><input type="checkbox" id="all" checked> all heights</label>'
        f'<input type="range" id="layer" min="0" max="{len(levels) - 1}" '
        f'value="{len(levels) // 3}"><span id="layer-name"></span>'
        if len(levels) > 1
        else ""
    )
    travel = '<label><input type="checkbox" id="travel" checked> travel</label>'
    views = '<canvas id="top"></canvas>' + ("" if flat else '<canvas id="side"></canvas>')
    legend = "".join(
        f'<span><i style="background:{colour}"></i>{escape(name)}</span>'
        for k, (name, colour) in enumerate(zip(DOING, COLOURS, strict=True))
        if seen.shares.doing_s[k] > 5e-4 * seen.shares.time_s
    )
    return f"""<div class="controls"><label>colour <select id="colour">
<option value="mean">speed</option><option value="slowest">slowest speed in each piece</option>
<option value="doing">what binds</option></select></label>{slider}{travel}
<span>0<span class="ramp" style="background:linear-gradient(90deg,{",".join(RAMP)})"></span>
{most:.3g} mm/s and more</span></div><div class="legend" id="legend" hidden>{legend}</div>
<div>{views}</div>
<p class="note">{escape(_pieces(seen, len(pieces)))}</p>"""


def _pieces(seen: Seen, count: int) -> str:
    text = f"{count:,} pieces of {seen.moves_shown:,} moves."
    if seen.path.joined_mm:
        text += (
            f" Moves were joined where that is no more than {seen.path.joined_mm:.2g} mm off at a "
            "time; the slowest and fastest speed of each piece are kept. Name a stretch with "
            "--from and --to to see every one."
        )
    return text


def _resolution(seen: Seen) -> str:
    c = seen.columns
    return (
        f"{c.from_s:.3f} s to {c.to_s:.3f} s in columns of {1000 * c.width_s:.3g} ms; each keeps "
        "the lowest and the highest value that there is in it."
    )


def _worst(seen: Seen) -> str:
    rows = "".join(
        f"<tr><td>line {loss.line:,}</td><td>{loss.time_s:.3f} s</td><td>{loss.lost_s:.3f} s</td>"
        f'<td class="why"><code>{escape(_text(seen, loss.line))}</code></td></tr>'
        for loss in sorted(seen.shares.worst, reverse=True)
        if loss.lost_s > 0
    )
    return (
        '<p class="note">Moves, by how much longer they take than at their own top speed.</p>'
        f"<table><tr><th>where</th><th>takes</th><th>loses</th><th></th></tr>{rows}</table>"
    )


def _text(seen: Seen, line: int) -> str:
    text = seen.program.line(line).strip()
    return text if len(text) <= 80 else text[:77] + "..."


def _flat(pieces: NDArray[Any]) -> bool:
    return not len(pieces) or float(np.ptp(pieces["end"][:, 2])) < 1e-6


def _levels(pieces: NDArray[Any]) -> tuple[list[float], NDArray[np.uint16]]:
    """Heights at which work is done, and the number of each piece's nearest one."""
    height = np.round(pieces["end"][:, 2], 3)
    at_work = pieces["works"] & (pieces["start"][:, 2] == pieces["end"][:, 2])
    levels = np.unique(height[at_work])
    if len(levels) > MOST_LEVELS:
        levels = np.linspace(levels[0], levels[-1], MOST_LEVELS).round(3)
    if not len(levels):
        return [], np.zeros(len(pieces), np.uint16)
    middle = (levels[1:] + levels[:-1]) / 2
    return levels.tolist(), np.searchsorted(middle, height).astype(np.uint16)


def _b64(values: NDArray[Any], kind: str) -> str:
    return base64.b64encode(np.ascontiguousarray(values, kind).tobytes()).decode()


def _finite(values: NDArray[Any]) -> NDArray[Any]:
    """For 32 bits: what is infinite becomes the largest there is."""
    return np.asarray(np.clip(values, -3e38, 3e38))


def _shades(speed: NDArray[Any], most: float) -> str:
    return _b64(np.clip(np.round(255 * speed / max(most, 1e-9)), 0, 255), "u1")


def _data(
    seen: Seen, pieces: NDArray[Any], levels: list[float], layer: NDArray[Any], flat: bool
) -> dict[str, Any]:
    """What the script draws; places are rounded to a 65,000th of the longest side."""
    both = np.concatenate([pieces["start"], pieces["end"]])
    low = both.min(axis=0)
    size = max(float((both.max(axis=0) - low).max()), 1e-6)
    unit = 65535 / size
    near, far = ((corner - low) * unit for corner in frame(pieces))
    c, most = seen.columns, speed_scale(pieces)
    names = ["X", "Y", "Z"]
    return {
        "ramp": RAMP,
        "colours": COLOURS,
        "doing": DOING,
        "axes": names,
        "levels": levels,
        "moves": seen.moves_shown,
        "views": [["top", 0, 1]] + ([] if flat else [["side", 0, 2]]),
        "frame": [near.tolist(), far.tolist()],
        "jerk": bool(np.isfinite(c.top[2]).any() and (c.high[2] > 0).any()),
        "faintTravel": seen.machine.kind == "printer",
        "path": {
            "start": _b64(np.round((pieces["start"] - low) * unit), "<u2"),
            "end": _b64(np.round((pieces["end"] - low) * unit), "<u2"),
            "mean": _shades(speed_of(pieces), most),
            "slowest": _shades(pieces["slowest"], most),
            "doing": _b64(pieces["doing"], "u1"),
            "works": _b64(pieces["works"], "u1"),
            "begin_s": _b64(pieces["begin_s"], "<f8"),
            "line": _b64(pieces["line"], "<u4"),
            "layer": _b64(layer, "<u2"),
        },
        "columns": {
            "from_s": c.from_s,
            "to_s": c.to_s,
            "low": [_b64(_finite(row), "<f4") for row in c.low],
            "high": [_b64(_finite(row), "<f4") for row in c.high],
            "top": [_b64(_finite(row), "<f4") for row in c.top],
            "mean": _b64(np.nan_to_num(c.mean_mm_s, nan=-1.0), "<f4"),
            "line": _b64(c.line, "<u4"),
            "doing": _b64(c.doing, "i1"),
        },
    }
