"""Commands that only look: machines, check, plan, show, verify."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from microfactory.cli import say
from microfactory.cli.common import load_machine
from microfactory.errors import UsageError
from microfactory.figures import plan_figures
from microfactory.heightmap import HeightMap
from microfactory.heightmap_picture import text
from microfactory.jobfile import MAGIC, JobFile, verifier
from microfactory.machine import Machine, names
from microfactory.motion.gcode import parse
from microfactory.motion.plan import plan
from microfactory.places import write_whole
from microfactory.show import show
from microfactory.wiring import page, wires


def machines(args: argparse.Namespace) -> int:
    """The machines that come along."""
    found = [Machine.load(name) for name in names()]
    if args.json:
        say.value([{"name": m.name, "kind": m.kind, "board": m.board.name} for m in found])
    else:
        rows = [[m.name, m.kind, m.board.name, " ".join(a.name for a in m.axes)] for m in found]
        say.table("machines", ["name", "kind", "board", "axes"], rows)
    return 0


def check(args: argparse.Namespace) -> int:
    """Whether a machine file can be used."""
    machine = Machine.load(args.machine_file)
    if args.json:
        say.value({"name": machine.name, "sha256": machine.sha256, "ok": True})
    else:
        say.line(
            f"{args.machine_file}: {machine.name}, a {machine.kind} with "
            f"{len(machine.motors)} motors on {machine.board.name}; nothing is wrong with it"
        )
    return 0


def wiring(args: argparse.Namespace) -> int:
    """Every wire of a machine's board: as a page, a table, or JSON."""
    machine = load_machine(args)
    found = wires(machine)
    if args.output:
        write_whole(Path(args.output), page(machine).encode())
    if args.json:
        say.value([{**wire._asdict(), "pin": wire.pin} for wire in found])
    elif args.output:
        say.line(f"{args.output}: {len(found)} wires of {machine.name}; print it and tick them off")
    else:
        rows = [[wire.connector, wire.pin, wire.parts, wire.to] for wire in found]
        say.table(f"wires of {machine.name}", ["connector", "pin", "parts", "to"], rows)
    return 0


def plan_command(args: argparse.Namespace) -> int:
    """Plan a program and print its figures."""
    machine = load_machine(args)
    program = parse(Path(args.file))
    with say.bar(args.json) as bar:
        figures = plan_figures(
            program, machine, lambda line: bar.to(line / program.lines, f"line {line}")
        )
    if args.json:
        say.value(figures)
        return 0
    wire = figures["wire"]
    steps = sum(motor["steps"] for motor in figures["motors"].values())
    rows = [
        ["moves", f"{figures['program']['moves']} ({figures['program']['arcs']} arcs)"],
        ["motion", f"{say.clock(figures['job_time_s'])} (without heating)"],
        ["steps", f"{steps}"],
        ["windows", f"{wire['windows']}, {(wire['bytes'] + wire['tail_bytes']) / 1e6:.2f} MB"],
        ["step error", f"{figures['step_error_us']['max']:.2f} us at most"],
        ["planned in", f"{figures['cost']['wall_s']:.2f} s"],
    ]
    say.table(f"{program.name} on {machine.name}", ["", ""], rows)
    return 0


def show_command(args: argparse.Namespace) -> int:
    """A stage of a program as text, one item a line; a map of heights; or a job's plot."""
    if args.noun == "plot":
        return plot(args)
    if args.output or args.begin or args.end:
        raise UsageError("show: -o, --from and --to are for `show plot`; nothing was shown")
    lines: Iterator[str]
    if args.noun == "map":
        lines = text(HeightMap.load(args.file))
    else:
        machine = load_machine(args)
        lines = show(args.noun, parse(Path(args.file)), machine)
    if args.json:
        say.value(list(lines))
        return 0
    try:
        for line in lines:
            print(line)
    except BrokenPipeError:
        return 0
    return 0


def plot_arguments(command: argparse.ArgumentParser) -> None:
    """What `show plot` takes beside a file."""
    command.add_argument("-o", "--output", metavar="FILE", help="plot: .html, .png or .svg")
    command.add_argument("--from", dest="begin", metavar="PLACE", help="plot: 12.5 (s) or L340")
    command.add_argument("--to", dest="end", metavar="PLACE", help="plot: as --from")
    command.add_argument(
        "--raise", dest="raised", type=float, default=20.0, metavar="PERCENT",
        help="plot: by how much each limit is raised (default 20)",
    )  # fmt: skip


def plot(args: argparse.Namespace) -> int:
    """A job as a page or a picture: where its time goes and what to change."""
    from microfactory.plots import check_form, look, stretch, write

    if not 0 < args.raised <= 400:
        raise UsageError(
            f"--raise {args.raised:g}: not above 0 and at most 400 %; nothing was drawn"
        )
    part = stretch(args.begin, args.end)
    path = Path(args.output or Path(args.file).stem + ".html")
    check_form(path)
    machine = load_machine(args)
    program = parse(Path(args.file))
    with say.bar(args.json) as bar:
        factor = 1 + args.raised / 100
        seen = look(program, machine, part, factor, lambda text, at: bar.to(at, text))
        bar.to(1.0, "writing")
        write(seen, path)
    if args.json:
        say.value({"file": str(path), **seen.figures()})
        return 0
    from microfactory.plots.words import clock, gain_rows, headline

    rows = [
        [row.cells[0], row.cells[1], row.cells[5] if not row.why else "cannot be raised"]
        for row in gain_rows(seen)[:8]
    ]
    say.table(
        f"{program.name} on {machine.name}: {clock(seen.shares.time_s)}",
        ["limit", "is now", f"{args.raised:g} % more saves"],
        rows,
    )
    say.line(headline(seen))
    say.line(f"{path}: {part}, drawn")
    return 0


def verify_command(args: argparse.Namespace) -> int:
    """Judge a job file, or a program's own windows, with the verifier."""
    path = Path(args.file)
    judge = verifier()
    if path.is_file() and path.read_bytes()[: len(MAGIC)] == MAGIC:
        job = JobFile.load(path)
        if args.program is None:
            report = job.header["proof"]
            return _verdict(args, report["verdict"], str(report.get("violations") or ""), report)
        program = parse(Path(args.program))
        bodies = [w.data for section in job.sections() for w in section.windows]
        machine = job.machine
    else:
        machine = load_machine(args)
        program = parse(path)
        bodies = [w.data for section in plan(program, machine).sections() for w in section.windows]
    found = judge(program.data, machine, bodies)
    return _verdict(args, found.verdict, found.text(), found.as_dict())


def _verdict(args: argparse.Namespace, verdict: str, text: str, data: object) -> int:
    if args.json:
        say.value(data)
    else:
        say.line(text if text.startswith(("PASS", "FAIL")) else f"{verdict} {text}".strip())
    return 0 if verdict == "PASS" else 10
