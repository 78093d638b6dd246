"""The path as something to look through layer by layer: data and script of one canvas.

Coordinates are rounded to a 65,000th of the picture; nothing here is a measurement.
"""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hil.report.motion import Segments

COLOURS = ["#440154", "#46327e", "#365c8d", "#277f8e", "#1fa187", "#4ac16d", "#a0da39", "#fde725"]
SCRIPT = r"""
(function () {
  const d = JSON.parse(document.getElementById("path-data").textContent);
  const bytes = t => Uint8Array.from(atob(t), c => c.charCodeAt(0));
  const xy = new Uint16Array(bytes(d.xy).buffer), speed = bytes(d.speed), works = bytes(d.works);
  const canvas = document.getElementById("path"), pen = canvas.getContext("2d");
  const slider = document.getElementById("layer"), label = document.getElementById("layer-name");
  const below = document.getElementById("below"), travel = document.getElementById("travel");
  const ramp = [];
  for (let i = 0; i < 256; i++) {
    const at = i / 255 * (d.colours.length - 1), k = Math.min(d.colours.length - 2, Math.floor(at));
    const part = c => [1, 3, 5].map(j => parseInt(c.slice(j, j + 2), 16));
    const a = part(d.colours[k]), b = part(d.colours[k + 1]), t = at - k;
    ramp.push("rgb(" + a.map((v, j) => Math.round(v + (b[j] - v) * t)).join(",") + ")");
  }
  function layer(n, faint) {
    const size = canvas.width / 65535, from = d.first[n], to = d.first[n + 1];
    const batches = new Map();
    for (let i = from; i < to; i++) {
      if (!works[i] && !travel.checked) continue;
      const key = faint ? "#dfe4ea" : works[i] ? ramp[speed[i]] : "#c7ccd4";
      if (!batches.has(key)) batches.set(key, []);
      batches.get(key).push(i);
    }
    for (const [key, list] of batches) {
      pen.strokeStyle = key;
      pen.lineWidth = (faint ? 0.6 : 1.4) * devicePixelRatio;
      pen.beginPath();
      for (const i of list) {
        pen.moveTo(xy[4 * i] * size, canvas.height - xy[4 * i + 1] * size);
        pen.lineTo(xy[4 * i + 2] * size, canvas.height - xy[4 * i + 3] * size);
      }
      pen.stroke();
    }
  }
  function draw() {
    const wide = Math.min(canvas.parentElement.clientWidth, 900);
    canvas.width = wide * devicePixelRatio;
    canvas.height = canvas.width * d.tall;
    canvas.style.width = wide + "px";
    const n = Number(slider.value);
    if (below.checked) for (let k = Math.max(0, n - 25); k < n; k++) layer(k, true);
    layer(n, false);
    label.textContent = "layer " + (n + 1) + " of " + d.z.length + ", Z = " + d.z[n] + " mm";
  }
  slider.max = d.z.length - 1;
  slider.value = Math.floor(d.z.length / 3);
  for (const e of [slider, below, travel]) e.addEventListener("input", draw);
  addEventListener("resize", draw);
  draw();
})();
"""


def viewer(parts: Segments) -> str:
    """HTML of the canvas with its data and script; empty without work in at least one height."""
    if not parts.works.any():
        return ""
    order, first, heights = _layers(parts)
    start, end = parts.start[order, :2], parts.end[order, :2]
    shown = np.concatenate([start[parts.works[order]], end[parts.works[order]]])
    low, high = shown.min(axis=0), shown.max(axis=0)
    room = 0.03 * float((high - low).max())
    low, high = low - room, high + room
    size = high - low
    corners = np.concatenate([start - low, end - low], axis=1) / size[0] * 65535
    top = max(float(np.quantile(parts.speed_mm_s, 0.995)), 1e-9)
    speed = np.clip(parts.speed_mm_s[order] / top * 255, 0, 255)
    data = {
        "xy": _text(np.clip(corners, 0, 65535).astype("<u2")),
        "speed": _text(speed.astype(np.uint8)),
        "works": _text(parts.works[order].astype(np.uint8)),
        "first": first,
        "z": heights,
        "tall": float(size[1] / size[0]),
        "colours": COLOURS,
    }
    bar = ", ".join(COLOURS)
    return f"""<div class="controls"><input type="range" id="layer" min="0" aria-label="layer">
<span id="layer-name"></span>
<label><input type="checkbox" id="below" checked> layers below</label>
<label><input type="checkbox" id="travel"> travel</label>
<span class="ramp">0 <i style="background:linear-gradient(90deg, {bar})"></i> {top:.0f} mm/s</span>
</div><div><canvas id="path"></canvas></div>
<script type="application/json" id="path-data">{json.dumps(data)}</script>
<script>{SCRIPT}</script>"""


def _layers(parts: Segments) -> tuple[NDArray[Any], list[int], list[float]]:
    """Order by height, where each layer begins, and its height. Travel goes with the height at
    which it ends; heights without work count to the one below.
    """
    z = np.round(parts.end[:, 2], 3) if parts.end.shape[1] > 2 else np.zeros(len(parts.end))
    heights = np.unique(z[parts.works])
    layer = np.clip(np.searchsorted(heights, z, side="right") - 1, 0, len(heights) - 1)
    order = np.argsort(layer, kind="stable")
    first = np.searchsorted(layer[order], np.arange(len(heights) + 1))
    return order, [int(n) for n in first], [float(h) for h in heights]


def _text(array: NDArray[Any]) -> str:
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()
