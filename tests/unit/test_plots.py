"""Pictures of a job: every number in them is the planner's, nothing is lost by drawing less."""

from __future__ import annotations

import base64
import json
import math
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from microfactory.cli.main import main
from microfactory.errors import GcodeError, UsageError
from microfactory.figures import plan_figures
from microfactory.machine import Machine
from microfactory.motion.gcode import parse
from microfactory.motion.motions import MOTION, motions
from microfactory.motion.profile import profile
from microfactory.plots import Seen, Stretch, look, stretch, write
from microfactory.plots.columns import Columns
from microfactory.plots.page import page
from microfactory.plots.path import FIELDS, joined
from microfactory.plots.path import Path as Drawn
from microfactory.plots.shares import DOING, begins, phases_of

TOP = Path(__file__).resolve().parents[2]
PROGRAMS = {
    "d3d-printer": "print.gcode",
    "cnc-machine-centre": "pocket.gcode",
    "cnc-torch-table": "cut.gcode",
    "circuit-plotter": "board.gcode",
}
WHOLE = Stretch()
SMOOTH = {"motion.max_jerk_mm_s3": 20000.0}


def machine_of(name: str, jerk: bool = False) -> Machine:
    machine = Machine.load(name)
    return machine.with_settings(SMOOTH) if jerk else machine


def program_of(name: str):
    return parse(TOP / "hil/scenarios" / PROGRAMS[name])


def seen_of(name: str, part: Stretch = WHOLE, jerk: bool = False, factor: float = 1.2) -> Seen:
    return look(program_of(name), machine_of(name, jerk), part, factor, lambda text, at: None)


def all_phases(program, machine):
    rows = np.concatenate([batch.copy() for batch in motions(program, machine)])
    return rows, phases_of(rows, begins(rows, 0.0))


@pytest.mark.parametrize("jerk", [False, True])
@pytest.mark.parametrize("name", PROGRAMS)
def test_times_are_the_plans_and_the_shares_are_all_of_it(name, jerk):
    seen = seen_of(name, jerk=jerk)
    program, machine = program_of(name), machine_of(name, jerk)
    shares = seen.shares
    assert shares.time_s == pytest.approx(sum(span.time_s for span in profile(program, machine)))
    planned = plan_figures(program, machine)
    assert shares.time_s == pytest.approx(planned["job_time_s"], abs=0.2, rel=0.005)
    assert shares.moves == planned["program"]["moves"]
    assert shares.doing_s.sum() == pytest.approx(shares.time_s)
    assert sum(shares.masks_s.values()) == pytest.approx(shares.time_s)
    bounds = seen.bounds
    assert bounds.top_s <= bounds.no_corners_s <= bounds.no_jerk_s + 1e-9
    assert bounds.no_jerk_s <= bounds.planned_s + 1e-9
    assert (bounds.no_jerk_s < bounds.planned_s - 1e-3) == jerk
    assert bool(shares.doing_s[DOING.index("changing acceleration (jerk)")] > 0) == jerk


@pytest.mark.parametrize("jerk", [False, True])
@pytest.mark.parametrize("name", PROGRAMS)
def test_what_a_limit_saves_is_measured_by_the_planner_that_makes_windows(name, jerk):
    seen = seen_of(name, jerk=jerk, factor=2.0)
    program, machine = program_of(name), machine_of(name, jerk)
    before = plan_figures(program, machine)["job_time_s"]
    tried = 0
    for gain in seen.gains:
        if not gain.limit.keys or gain.limit.asked or gain.saves_s is None:
            continue
        data = machine.data()
        settings = {}
        for key in gain.limit.keys:
            place = data
            for part in key.split("."):
                place = place[part]
            settings[key] = 2.0 * place
        after = plan_figures(program, machine.with_settings(settings))["job_time_s"]
        assert gain.saves_s == pytest.approx(before - after, abs=0.03)
        tried += 1
    assert tried >= 2
    assert [g.saves_s or 0 for g in seen.gains] == sorted(
        (g.saves_s or 0 for g in seen.gains), reverse=True
    )


def test_a_limit_that_cannot_be_raised_says_why():
    machine = machine_of("circuit-plotter").with_settings({"motion.max_jerk_mm_s3": 9e11})
    seen = look(program_of("circuit-plotter"), machine, Stretch(), 1.2, lambda text, at: None)
    refused = [gain for gain in seen.gains if gain.saves_s is None]
    assert refused
    for gain in refused:
        assert len(gain.why) > 20
        assert gain.limit.name in page(seen)


@pytest.mark.parametrize("count", [7, 500, 4000])
@pytest.mark.parametrize("name", PROGRAMS)
def test_columns_keep_every_extreme_and_the_whole_way(name, count):
    rows, phases = all_phases(program_of(name), machine_of(name, jerk=True))
    columns = Columns(0.0, float(rows["time_s"].sum()), count)
    columns.add(rows, phases)
    some = columns.doing >= 0
    for k, values in enumerate((phases.v_mm_s, phases.a_mm_s2, phases.j_mm_s3)):
        assert columns.high[k][some].max() >= values.max() * (1 - 1e-9)
        assert columns.low[k][some].min() <= values.min() * (1 - 1e-9) + 1e-9
    top = phases.v_mm_s.max()
    assert columns.high[0][some].max() == pytest.approx(top, rel=1e-6)
    moving = rows["move"]["kind"] <= 2
    assert columns.way_mm.sum() == pytest.approx(rows["move"]["length_mm"][moving].sum())
    assert columns.doing_s.sum() == pytest.approx(rows["time_s"].sum())
    middle = columns.mean_mm_s[some]
    assert (middle <= columns.high[0][some] + 1e-6).all()
    assert (middle >= columns.low[0][some] - 1e-6).all()


@pytest.mark.parametrize("fine", [True, False])
@pytest.mark.parametrize("name", PROGRAMS)
def test_the_drawn_path_is_where_the_moves_are_and_as_long(name, fine):
    machine = machine_of(name)
    rows, phases = all_phases(program_of(name), machine)
    path = Drawn(machine, len(rows) if fine else 10**6, float(phases.v_mm_s.max()))
    path.add(rows, phases)
    pieces = path.pieces()
    moving = rows[rows["move"]["kind"] <= 2]
    flat = [i for i, axis in enumerate(machine.axes) if axis.letter in "XYZ"]
    ends = moving["move"]["end_mm"][:, flat]
    lines = pieces["line"].tolist()
    for i, line in enumerate(moving["move"]["line"].tolist()):
        if i + 1 < len(moving) and moving["move"]["line"][i + 1] == line:
            continue
        last = pieces[len(lines) - 1 - lines[::-1].index(line)]
        assert last["end"] == pytest.approx(ends[i], abs=1e-6)
    assert pieces["length_mm"].sum() == pytest.approx(moving["move"]["length_mm"].sum(), rel=1e-6)
    assert pieces["time_s"].sum() == pytest.approx(moving["time_s"].sum())
    assert (np.diff(pieces["begin_s"]) >= -1e-9).all()
    assert pieces["fastest"].max() == pytest.approx(phases.v_mm_s.max())
    assert path.joined_mm == 0.0


def many_pieces(count: int) -> np.ndarray:
    """A spiral that rises, with a spike of speed."""
    pieces = np.zeros(count, FIELDS)
    angle = np.linspace(0, 200 * math.pi, count + 1)
    radius = 10 + angle / 20
    points = np.stack([radius * np.cos(angle), radius * np.sin(angle), 0 * angle], axis=1)
    pieces["start"], pieces["end"] = points[:-1], points[1:]
    pieces["time_s"], pieces["length_mm"] = 0.01, 1.0
    pieces["slowest"], pieces["fastest"] = 50.0, 60.0
    pieces["slowest"][count // 3], pieces["fastest"][count // 2] = 1.0, 500.0
    pieces["works"] = True
    return pieces


def test_joining_keeps_extremes_ends_and_sums_and_stays_near():
    pieces = many_pieces(20_000)
    fewer = joined(pieces, 0.02)
    assert len(fewer) < len(pieces)
    for name in ("time_s", "length_mm"):
        assert fewer[name].sum() == pytest.approx(pieces[name].sum())
    assert fewer["slowest"].min() == 1.0
    assert fewer["fastest"].max() == 500.0
    assert (fewer["start"][1:] == fewer["end"][:-1]).all()
    assert (fewer["start"][0] == pieces["start"][0]).all()
    assert (fewer["end"][-1] == pieces["end"][-1]).all()
    radius = np.linalg.norm((fewer["start"] + fewer["end"])[:, :2] / 2, axis=1)
    ends = np.linalg.norm(fewer["start"][:, :2], axis=1)
    assert np.abs(radius - ends).max() < 0.06  # the spiral's own growth in a piece, and 0.02


def test_a_long_job_is_drawn_in_few_pieces_and_the_page_does_not_grow(monkeypatch):
    monkeypatch.setattr("microfactory.plots.path.PIECES", 500)
    text = "G28\nG1 F6000\n" + "".join(
        f"G1 X{60 + 40 * math.cos(i / 200):.3f} Y{60 + 40 * math.sin(i / 200):.3f} E{i / 100:.3f}\n"
        for i in range(9000)
    )
    machine = machine_of("d3d-printer")
    program = parse("M109 S200\n" + text)
    rows, phases = all_phases(program, machine)
    path = Drawn(machine, len(rows), 100.0, most=500)
    path.add(rows, phases)
    pieces = path.pieces()
    assert len(pieces) <= 500
    assert 0 < path.joined_mm < 1.0
    assert pieces["time_s"].sum() == pytest.approx(rows["time_s"].sum())
    assert pieces["slowest"].min() == 0.0
    assert pieces["fastest"].max() == pytest.approx(phases.v_mm_s.max())
    away = np.hypot(pieces["end"][:, 0] - 60, pieces["end"][:, 1] - 60)
    assert np.abs(away[50:] - 40).max() < 0.01


@pytest.mark.parametrize(
    ("begin", "end", "part"),
    [
        (None, None, Stretch()),
        ("1.5", "4s", Stretch(from_s=1.5, to_s=4.0)),
        ("L10", None, Stretch(first_line=10)),
        ("l10", "L12", Stretch(first_line=10, last_line=12)),
    ],
)
def test_a_stretch_is_seconds_or_lines(begin, end, part):
    assert stretch(begin, end) == part


@pytest.mark.parametrize(
    ("begin", "end", "told"),
    [
        ("ten", None, "neither seconds nor a line"),
        ("-3", None, "neither seconds nor a line"),
        ("1e400", None, "neither"),
        ("L3", "5", "one is a line"),
        ("5", "5", "ends before it begins"),
        ("L9", "L3", "ends before it begins"),
    ],
)
def test_a_stretch_that_is_none_is_refused(begin, end, told):
    with pytest.raises(UsageError, match=told):
        stretch(begin, end)


def test_only_the_stretch_is_drawn_and_the_figures_stay_the_jobs():
    whole = seen_of("d3d-printer")
    part = seen_of("d3d-printer", Stretch(first_line=16, last_line=20))
    assert part.shares.time_s == whole.shares.time_s
    assert part.moves_shown == 5
    lines = part.path.pieces()["line"]
    assert lines.min() == 16
    assert lines.max() == 20
    early = seen_of("d3d-printer", Stretch(to_s=1.0))
    assert early.columns.from_s == 0.0
    assert early.columns.to_s >= 1.0
    with pytest.raises(UsageError, match="has no motion"):
        seen_of("d3d-printer", Stretch(from_s=1e6))


def page_data(text: str) -> dict:
    return json.loads(re.search(r'id="data">(.*?)</script>', text, re.DOTALL)[1])


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_page_needs_nothing_else_and_its_numbers_are_the_planners(name):
    seen = seen_of(name)
    text = page(seen)
    for word in ("http:", "https:", " src=", "import(", "@import", "url(", "<link"):
        assert word not in text
    assert text.count("<script") == 2
    data = page_data(text)
    low = np.frombuffer(base64.b64decode(data["columns"]["high"][0]), "<f4")
    assert low.max() == pytest.approx(seen.shares.top_mm_s, rel=1e-6)
    assert len(low) == seen.columns.count
    begin = np.frombuffer(base64.b64decode(data["path"]["begin_s"]), "<f8")
    assert len(begin) == len(seen.path.pieces())
    for gain in seen.gains:
        assert f"<td>{gain.limit.name}</td>" in text
    assert f"{seen.shares.moves:,}" in text


def test_names_in_a_program_are_text_in_the_page():
    program = parse("G28\nG1 X10 F600 ; </script><b>&\n")
    machine = machine_of("circuit-plotter")
    text = page(look(program, machine, Stretch(), 1.2, lambda a, b: None))
    assert "</script><b>" not in text
    assert "&lt;/script&gt;" in text


DOM = """
const made = {};
let strokes = 0;
const pen = new Proxy(
  { stroke: () => { strokes++; }, fillRect: () => { strokes++; } },
  { get: (t, k) => (k in t ? t[k] : () => ({})), set: (t, k, v) => ((t[k] = v), true) },
);
const element = (id) => (made[id] ??= {
  id, value: id === "colour" ? "mean" : "0", checked: true, style: {}, on: {}, textContent: "",
  parentElement: { clientWidth: 1000 }, getContext: () => pen,
  getBoundingClientRect: () => ({ left: 0, top: 0, width: 1000, height: 500 }),
  addEventListener(name, f) { this.on[name] = f; },
});
Object.assign(globalThis, { window: globalThis, devicePixelRatio: 1, addEventListener: () => {} });
globalThis.document = { getElementById: (id) => (ids.has(id) ? element(id) : null) };
"""


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_script_draws_zooms_and_tells(name, tmp_path):
    if not shutil.which("node"):
        pytest.skip("node is not installed: apt install nodejs")
    text = page(seen_of(name, jerk=True))
    scripts = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    ids = re.findall(r'id="([\w-]+)"', text)
    file = tmp_path / "page.js"
    file.write_text(
        f"const ids = new Set({json.dumps(ids)});\n{DOM}"
        f"element('data').textContent = {json.dumps(json.dumps(page_data(text)))};\n"
        + scripts[0]
        + """
        const first = strokes, at = x => ({clientX: x, clientY: 50});
        const on = made.motion.on;
        on.mousedown(at(200)); on.mousemove(at(400)); on.mouseup(at(400)); on.mousemove(at(300));
        console.log(JSON.stringify([first, strokes, made.told.textContent]));
        """
    )
    out = subprocess.run(["node", file], capture_output=True, text=True, timeout=60, check=True)
    first, then, told = json.loads(out.stdout)
    assert then > first > 50
    assert re.search(r"line \d+: .* mm/s, .* mm/s²", told)


@pytest.mark.parametrize("form", ["html", "png", "svg"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_the_command_draws_each_machines_program_in_each_form(name, form, tmp_path, capsys):
    file = tmp_path / f"job.{form}"
    source = str(TOP / "hil/scenarios" / PROGRAMS[name])
    words = ["show", "plot", source, "--machine", name, "-o", str(file), "--json"]
    assert main(words) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["file"] == str(file)
    head = {"html": b"<!DOCTYPE html>", "png": b"\x89PNG", "svg": b"<?xml"}[form]
    data = file.read_bytes()
    assert data.startswith(head)
    assert len(data) < 2_000_000
    assert told["job_time_s"] == pytest.approx(seen_of(name).shares.time_s)
    if form != "svg":  # matplotlib numbers its clips as it likes
        assert main(words) == 0
        assert file.read_bytes() == data


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["show", "plot", "FILE", "-o", "job.pdf"], "no picture ends like this"),
        (["show", "plot", "FILE", "--from", "soon"], "neither seconds nor a line"),
        (["show", "plot", "FILE", "--raise", "0"], "--raise 0"),
        (["show", "plot", "FILE", "--raise", "nan"], "--raise nan"),
        (["show", "plot", "BAD", "-o", "job.html"], "bad.gcode:2:"),
        (["show", "moves", "FILE", "-o", "job.html"], "for `show plot`"),
    ],
)
def test_bad_words_and_spoilt_files_are_refused_in_a_sentence(
    words, told, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.gcode").write_text("G28\nG1 X10 Y\x00 F?\n")
    names = {"FILE": str(TOP / "hil/scenarios/print.gcode"), "BAD": "bad.gcode"}
    words = [names.get(word, word) for word in words]
    code = main([*words, "--machine", "d3d-printer"])
    assert code != 0
    error = capsys.readouterr().err
    assert told in " ".join(error.split())
    assert not [p for p in tmp_path.iterdir() if p.name != "bad.gcode"]


def test_a_spoilt_program_is_refused_before_anything_is_drawn():
    with pytest.raises(GcodeError):
        look(parse("G28\nG1 X1 F100\nG77\n"), machine_of("d3d-printer"), Stretch(), 1.2, print)


def test_rows_are_as_the_core_lays_them_out():
    assert MOTION.itemsize > 200
    assert MOTION["phase"].shape[0] >= 7


def test_a_picture_goes_nowhere_else(tmp_path):
    with pytest.raises(UsageError, match="cannot be written"):
        write(seen_of("circuit-plotter"), tmp_path / ("x" * 300 + ".html"))
