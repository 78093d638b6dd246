"""The command that probes a map of heights."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from microfactory.board import connect
from microfactory.cli import say
from microfactory.cli.common import holding, load_machine
from microfactory.errors import UsageError
from microfactory.heightmap_picture import svg
from microfactory.places import write_whole
from microfactory.probing import Grid, Prober


def arguments(command: argparse.ArgumentParser) -> None:
    """Of `probe-map`."""
    command.add_argument("--port", required=True, help="a serial port, or virtual")
    command.add_argument("-o", "--output", required=True, metavar="MAP.toml")
    command.add_argument(
        "--from", dest="low", nargs=2, type=float, required=True, metavar=("X", "Y")
    )
    command.add_argument(
        "--to", dest="high", nargs=2, type=float, required=True, metavar=("X", "Y")
    )
    command.add_argument("--points", nargs=2, type=int, default=(5, 5), metavar=("NX", "NY"))
    command.add_argument("--clear", type=float, required=True, help="Z between points, machine mm")
    command.add_argument("--lowest", type=float, required=True, help="no deeper, machine mm")
    command.add_argument(
        "--zero", type=float, help="Z that counts as 0 (default: the middle point)"
    )
    command.add_argument("--speed", type=float, default=2.0, help="mm/s down, the first time")
    command.add_argument("--lift", type=float, default=1.0, help="mm up before the second time")
    command.add_argument(
        "--crooked", action="store_true", help="virtual only: a plate that is out of level"
    )
    command.add_argument("--repeat", type=float, default=0.05, help="mm that both may differ")


def _virtual(args: argparse.Namespace) -> dict[str, Any]:
    if args.crooked and args.port != "virtual":
        raise UsageError("--crooked: only `--port virtual` has a plate to bend; nothing moved")
    return {"crooked": True} if args.crooked else {}


def probe_map(args: argparse.Namespace) -> int:
    """Home, probe a grid, and write the map and its picture."""
    machine = load_machine(args)
    path = Path(args.output)
    grid = Grid(
        low_mm=tuple(args.low),
        high_mm=tuple(args.high),
        columns=args.points[0],
        rows=args.points[1],
        clear_mm=args.clear,
        lowest_mm=args.lowest,
        speed_mm_s=args.speed,
        lift_mm=args.lift,
        repeat_mm=args.repeat,
        zero_mm=args.zero,
    )
    grid.check()
    options = _virtual(args)
    with (
        connect(args.port, machine, **options) as board,
        holding() as asked,
        say.bar(args.json) as bar,
    ):
        board.wants_hold = lambda: asked[0]
        prober = Prober(
            board,
            wants_hold=lambda: asked[0],
            watch=lambda done, all_: bar.to(done / all_, f"point {done} of {all_}"),
        )
        page = prober.map(grid)
    page.save(path)
    picture = path.with_suffix(".svg")
    write_whole(picture, svg(page).encode())
    flat = [h for row in page.heights_mm for h in row]
    if args.json:
        say.value(
            {
                "file": str(path),
                "picture": str(picture),
                "sha256": page.sha256,
                "points": len(flat),
                "low_mm": min(flat),
                "high_mm": max(flat),
                "repeat_mm": page.repeat_mm,
            }
        )
    else:
        say.line(
            f"{path}: {len(flat)} points, {min(flat):+.3f} to {max(flat):+.3f} mm, repeat "
            f"{page.repeat_mm:.4f} mm; picture in {picture}; use it with --map {path}"
        )
    return 0
