// Draws the path and the motion on canvases, zooms, and tells what is under the mouse.
(function () {
  const d = JSON.parse(document.getElementById("data").textContent),
    $ = (i) => document.getElementById(i);
  const bytes = (t) => Uint8Array.from(atob(t), (c) => c.charCodeAt(0)).buffer;
  const from = new Uint16Array(bytes(d.path.start)),
    to = new Uint16Array(bytes(d.path.end));
  const mean = new Uint8Array(bytes(d.path.mean)),
    slow = new Uint8Array(bytes(d.path.slowest));
  const doing = new Uint8Array(bytes(d.path.doing)),
    works = new Uint8Array(bytes(d.path.works));
  const begin = new Float64Array(bytes(d.path.begin_s)),
    pieceLine = new Uint32Array(bytes(d.path.line));
  const layer = new Uint16Array(bytes(d.path.layer)),
    count = begin.length;
  const low = d.columns.low.map((t) => new Float32Array(bytes(t)));
  const high = d.columns.high.map((t) => new Float32Array(bytes(t)));
  const top = d.columns.top.map((t) => new Float32Array(bytes(t)));
  const columnLine = new Uint32Array(bytes(d.columns.line)),
    columnDoing = new Int8Array(bytes(d.columns.doing));
  const average = new Float32Array(bytes(d.columns.mean)),
    crowded = d.moves > columnLine.length / 8;
  const n = columnLine.length,
    wide = (d.columns.to_s - d.columns.from_s) / n;
  const INK = "#1c2430",
    FAINT = "#e2e7ee",
    GREY = "#8a94a3";
  let view = [d.columns.from_s, d.columns.to_s],
    drag = null,
    mouse = null;
  const ramp = [];
  for (let i = 0; i < 256; i++) {
    const at = (i / 255) * (d.ramp.length - 1),
      k = Math.min(d.ramp.length - 2, Math.floor(at)),
      t = at - k;
    const part = (c) => [1, 3, 5].map((j) => parseInt(c.slice(j, j + 2), 16));
    const a = part(d.ramp[k]),
      b = part(d.ramp[k + 1]);
    ramp.push("rgb(" + a.map((v, j) => Math.round(v + (b[j] - v) * t)).join(",") + ")");
  }
  const fit = (canvas, tall) => {
    const w = canvas.parentElement.clientWidth,
      r = devicePixelRatio || 1;
    canvas.width = w * r;
    canvas.height = w * tall * r;
    canvas.style.height = w * tall + "px";
    const pen = canvas.getContext("2d");
    pen.setTransform(r, 0, 0, r, 0, 0);
    return [pen, w, w * tall];
  };
  const number = (v) => {
    const s = Math.abs(v);
    return s >= 1e6
      ? Number((v / 1e6).toPrecision(3)) + "M"
      : s >= 1e4
        ? Number((v / 1e3).toPrecision(3)) + "k"
        : s < 1e-4
          ? "0"
          : Number(v.toPrecision(3)) + "";
  };
  const clock = (s) =>
    s >= 60
      ? Math.floor(s / 60) +
        ":" +
        (s % 60 < 10 ? "0" : "") +
        (s % 60).toFixed(view[1] - view[0] < 30 ? 2 : 0)
      : s.toFixed(3) + " s";
  function pieceAt(t) {
    let a = 0,
      b = count;
    while (a < b) {
      const m = (a + b) >> 1;
      if (begin[m] <= t) a = m + 1;
      else b = m;
    }
    return Math.max(0, a - 1);
  }
  function views() {
    const one = $("layer") ? Number($("layer").value) : -1,
      all = !$("layer") || $("all").checked;
    $("legend").hidden = $("colour").value !== "doing";
    const by = $("colour").value,
      travel = !$("travel") || $("travel").checked;
    const first = pieceAt(view[0]),
      last = pieceAt(view[1]);
    let scale = 1;
    for (const [id, x, y] of d.views) {
      const lx = d.frame[0][x],
        hx = d.frame[1][x],
        ly = d.frame[0][y],
        hy = d.frame[1][y],
        edge = 14;
      const canvas = $(id),
        across = canvas.parentElement.clientWidth;
      if (id === "top")
        scale = Math.min((across - 2 * edge) / (hx - lx || 1), 600 / (hy - ly || 1));
      const own = Math.min(scale, 420 / (hy - ly || 1)),
        use = id === "top" ? scale : own;
      const [pen, w, h] = fit(canvas, Math.max(46, (hy - ly) * use + 2 * edge) / across);
      const left = (w - (hx - lx) * use) / 2,
        px = (v) => left + (v - lx) * use,
        py = (v) => h - edge - (v - ly) * use;
      const shown = (i) => (all || id === "side" || layer[i] === one) && (works[i] || travel);
      const groups = new Map();
      for (let i = 0; i < count; i++) {
        if (!shown(i)) continue;
        const inside = i >= first && i <= last;
        const key = !inside
          ? FAINT
          : by === "doing"
            ? d.colours[doing[i]]
            : !works[i] && d.faintTravel
              ? "#c3cad4"
              : ramp[by === "mean" ? mean[i] : slow[i]];
        let list = groups.get(key);
        if (!list) groups.set(key, (list = []));
        list.push(i);
      }
      const keys = [...groups.keys()].sort(
        (a, b) => (b === FAINT) - (a === FAINT) || (b === "#c3cad4") - (a === "#c3cad4"),
      );
      for (const key of keys) {
        pen.strokeStyle = key;
        pen.lineWidth = count > 20000 && all ? 0.7 : 1.8;
        pen.lineCap = "round";
        pen.beginPath();
        for (const i of groups.get(key)) {
          pen.moveTo(px(from[3 * i + x]), py(from[3 * i + y]));
          pen.lineTo(px(to[3 * i + x]), py(to[3 * i + y]));
        }
        pen.stroke();
      }
      pen.fillStyle = GREY;
      pen.font = "11px system-ui";
      pen.textAlign = "left";
      pen.fillText(d.axes[y] + " ↑  " + d.axes[x] + " →", edge, 12);
      if (mouse !== null && count) {
        const i = pieceAt(mouse),
          part = Math.min(
            1,
            Math.max(
              0,
              i + 1 < count && begin[i + 1] > begin[i]
                ? (mouse - begin[i]) / (begin[i + 1] - begin[i])
                : 0,
            ),
          );
        const gx = px(from[3 * i + x] + part * (to[3 * i + x] - from[3 * i + x])),
          gy = py(from[3 * i + y] + part * (to[3 * i + y] - from[3 * i + y]));
        pen.fillStyle = "#e53e3e";
        pen.strokeStyle = "#fff";
        pen.lineWidth = 2;
        pen.beginPath();
        pen.arc(gx, gy, 5, 0, 7);
        pen.fill();
        pen.stroke();
      }
    }
    if ($("layer"))
      $("layer-name").textContent = all
        ? "all heights"
        : "height " + (one + 1) + " of " + d.levels.length + ", Z = " + d.levels[one] + " mm";
  }
  const LEFT = 62,
    RIGHT = 10,
    GAP = 26,
    NAMES = ["speed, mm/s", "acceleration, mm/s²", "jerk, mm/s³"],
    TALL = [190, 130, 110];
  const rowsShown = d.jerk ? [0, 1, 2] : [0, 1];
  function motion() {
    const canvas = $("motion"),
      w0 = canvas.parentElement.clientWidth;
    const all = rowsShown.reduce((s, k) => s + TALL[k] + GAP, 0) + 44;
    const [pen, w, h] = fit(canvas, all / w0),
      span = view[1] - view[0],
      inner = w - LEFT - RIGHT;
    const x = (t) => LEFT + ((t - view[0]) / span) * inner;
    const a = Math.max(0, Math.floor((view[0] - d.columns.from_s) / wide)),
      b = Math.min(n, Math.ceil((view[1] - d.columns.from_s) / wide));
    let y0 = 16;
    pen.font = "11px system-ui";
    for (const k of rowsShown) {
      const tall = TALL[k];
      let most = 0,
        lim = 0;
      for (let i = a; i < b; i++) {
        if (high[k][i] > -1e30) most = Math.max(most, Math.abs(high[k][i]), Math.abs(low[k][i]));
        if (top[k][i] < 1e30) lim = Math.max(lim, top[k][i]);
      }
      const peak = (k === 0 ? Math.max(most, Math.min(lim, 1.6 * most)) : most) * 1.12 || 1,
        base = k === 0 ? y0 + tall : y0 + tall / 2;
      const y = (v) => base - (v / peak) * (k === 0 ? tall : tall / 2);
      pen.fillStyle = INK;
      pen.textAlign = "left";
      pen.fillText(NAMES[k], LEFT, y0 - 4);
      pen.strokeStyle = FAINT;
      pen.lineWidth = 1;
      pen.fillStyle = GREY;
      pen.textAlign = "right";
      for (const v of k === 0 ? [0, most / 2, most] : [-most, 0, most]) {
        pen.beginPath();
        pen.moveTo(LEFT, y(v));
        pen.lineTo(w - RIGHT, y(v));
        pen.stroke();
        pen.fillText(number(v), LEFT - 6, y(v) + 4);
      }
      pen.save();
      pen.beginPath();
      pen.rect(LEFT, y0 - 1, inner, tall + 2);
      pen.clip();
      const each = Math.max(1, inner / (b - a));
      for (const sign of crowded && b - a > 1200 ? [] : k === 0 ? [1] : [1, -1]) {
        pen.strokeStyle = "#b0b8c4";
        pen.setLineDash([3, 3]);
        pen.beginPath();
        for (let i = a; i < b; i++)
          if (top[k][i] > 0 && top[k][i] < 1e30) {
            const xx = x(d.columns.from_s + i * wide),
              yy = y(sign * top[k][i]);
            pen.moveTo(xx, yy);
            pen.lineTo(xx + each, yy);
          }
        pen.stroke();
        pen.setLineDash([]);
      }
      for (let i = a; i < b; i++) {
        if (!(high[k][i] > -1e30)) continue;
        const yy = y(high[k][i]),
          tt = Math.max(1.4, y(low[k][i]) - yy);
        pen.fillStyle = (
          crowded ? ["#a9c8e8", "#f0c3a4", "#cbbcf0"] : ["#2b6cb0", "#c05621", "#6b46c1"]
        )[k];
        pen.fillRect(x(d.columns.from_s + i * wide), yy - 0.7, each + 0.3, tt);
      }
      if (k === 0 && crowded) {
        pen.strokeStyle = "#1a4a7f";
        pen.lineWidth = 1.1;
        pen.beginPath();
        let on = false;
        for (let i = a; i < b; i++) {
          if (average[i] < 0) {
            on = false;
            continue;
          }
          const xx = x(d.columns.from_s + (i + 0.5) * wide),
            yy = y(average[i]);
          if (on) pen.lineTo(xx, yy);
          else pen.moveTo(xx, yy);
          on = true;
        }
        pen.stroke();
      }
      pen.restore();
      y0 += tall + GAP;
    }
    pen.fillStyle = INK;
    pen.textAlign = "left";
    pen.fillText("what binds", LEFT, y0 - 4);
    for (let i = a; i < b; i++)
      if (columnDoing[i] >= 0) {
        pen.fillStyle = d.colours[columnDoing[i]];
        const xx = Math.max(LEFT, Math.floor(x(d.columns.from_s + i * wide)));
        pen.fillRect(xx, y0, Math.max(1, Math.ceil(x(d.columns.from_s + (i + 1) * wide)) - xx), 12);
      }
    pen.fillStyle = GREY;
    pen.textAlign = "center";
    for (let i = 0; i <= 6; i++) {
      const t = view[0] + (span * i) / 6;
      pen.textAlign = i === 0 ? "left" : i === 6 ? "right" : "center";
      pen.fillText(clock(t), x(t), y0 + 26);
    }
    if (drag) {
      pen.fillStyle = "rgba(43,108,176,.15)";
      pen.fillRect(Math.min(drag[0], drag[1]), 10, Math.abs(drag[1] - drag[0]), y0 + 2);
    }
    if (mouse !== null) {
      pen.strokeStyle = "#e53e3e";
      pen.lineWidth = 1;
      pen.beginPath();
      pen.moveTo(x(mouse), 10);
      pen.lineTo(x(mouse), y0 + 12);
      pen.stroke();
    }
  }
  function tell() {
    const i = Math.min(n - 1, Math.max(0, Math.floor((mouse - d.columns.from_s) / wide)));
    if (mouse === null || columnDoing[i] < 0) {
      $("told").textContent =
        "Drag over the curves to look closer, double-click to see all again. Dashed: the most that the moves' own limits allow." +
        (crowded ? " Dark line: mean speed; light: from the lowest to the highest." : "");
      return;
    }
    const both = (k) =>
      low[k][i] === high[k][i]
        ? number(high[k][i])
        : number(low[k][i]) + " to " + number(high[k][i]);
    $("told").textContent =
      clock(mouse) +
      ", line " +
      columnLine[i] +
      ": " +
      both(0) +
      " mm/s, " +
      both(1) +
      " mm/s²" +
      (d.jerk ? ", " + both(2) + " mm/s³" : "") +
      ", " +
      d.doing[columnDoing[i]];
  }
  const canvas = $("motion"),
    time = (e) => {
      const r = canvas.getBoundingClientRect();
      return [
        e.clientX - r.left,
        view[0] + ((e.clientX - r.left - LEFT) / (r.width - LEFT - RIGHT)) * (view[1] - view[0]),
      ];
    };
  const draw = () => {
    views();
    motion();
    tell();
  };
  canvas.addEventListener("mousedown", (e) => {
    drag = [time(e)[0], time(e)[0], time(e)[1]];
  });
  canvas.addEventListener("mousemove", (e) => {
    const [px, t] = time(e);
    mouse = Math.min(view[1], Math.max(view[0], t));
    if (drag) drag[1] = px;
    motion();
    tell();
    if (count < 20000) views();
  });
  canvas.addEventListener("mouseup", (e) => {
    const t = time(e)[1],
      f = drag && drag[2],
      moved = drag && Math.abs(drag[1] - drag[0]) > 4;
    drag = null;
    if (moved)
      view = [Math.max(d.columns.from_s, Math.min(f, t)), Math.min(d.columns.to_s, Math.max(f, t))];
    draw();
  });
  canvas.addEventListener("mouseleave", () => {
    mouse = null;
    drag = null;
    draw();
  });
  canvas.addEventListener("dblclick", () => {
    view = [d.columns.from_s, d.columns.to_s];
    draw();
  });
  for (const id of ["layer", "all", "colour", "travel"])
    if ($(id))
      $(id).addEventListener("input", () => {
        if (id === "layer") $("all").checked = false;
        views();
      });
  addEventListener("resize", draw);
  window.plotted = { view, draw, count, columns: n };
  draw();
})();
