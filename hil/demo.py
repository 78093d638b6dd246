"""`make demo`: a real sliced print through the whole chain, judged by its pulses.

G-code text to windows, over the wire to the board's own program on simulated pins, homed, heated
and printed in virtual time; then the verifier reads the captured pulses against the program. Leaves
one HTML page, a picture and a VCD. No hardware, no network.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

import microfactory as mf
from hil.capture import Capture
from hil.report import Written, span_text, write_report
from hil.report.page import seconds_text
from hil.verify import Report, verify

TOP = Path(__file__).resolve().parents[1]
EXAMPLE = TOP / "examples/print"


class Played(NamedTuple):
    """What a run left: its capture, the record, the wall time it took and the board's clock."""

    capture: Capture
    record: Any
    wall_s: float
    board_s: float
    board: dict[str, str]


def example() -> Path:
    """The print that comes along. FileNotFoundError: it is not there."""
    found = sorted(EXAMPLE.glob("*.gcode"))
    if not found:
        raise FileNotFoundError(f"{EXAMPLE}: no print is there; name one with --program")
    return found[0]


def play(program: Any, machine: Any, bar: Progress) -> Played:
    """Run the program on the virtual machine; a bar shows how far it is."""
    task = bar.add_task("plan", total=1.0, start=True)

    def watch(now: Any) -> None:
        share = now.motion_s / now.motion_total_s if now.motion_total_s else 0.0
        bar.update(task, completed=share, description=f"{now.doing}, line {now.line}")

    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        journal = Path(folder) / "journal.jsonl"
        with mf.connect("virtual", machine, capture=True) as board:
            first_s = board.link.now_s()
            record = board.run(program, watch=watch, journal=journal)
            board_s = board.link.now_s() - first_s
            capture = board.link.capture()
            info = board.client.info
    bar.update(task, completed=1.0, description="printed")
    facts = {"firmware": info.firmware, "board": info.uid} if info else {}
    return Played(capture, record, time.perf_counter() - began, board_s, facts)


def describe(program: Any, machine: Any, played: Played, report: Report) -> dict[str, str]:
    """The figures of the first lines."""
    f = report.figures
    steps = {name: len(motor.rise) for name, motor in played.capture.motors.items()}
    return {
        "moves": f"{f['pieces']:,}",
        "of motion": span_text(report, played.capture),
        "with homing and heating": seconds_text(played.board_s),
        "pulses captured": f"{sum(steps.values()):,}",
        "times real time": f"{played.board_s / played.wall_s:,.0f}",
        "to judge them": seconds_text(f["wall_s"]),
    }


def hashes(program: Any, machine: Any, played: Played) -> dict[str, str]:
    """What exactly was run."""
    return {
        "program": f"{program.name}, {program.lines:,} lines",
        "program sha256": program.sha256,
        "machine": machine.name,
        "machine sha256": machine.sha256,
        **played.board,
        "windows committed (CRC-32)": str(played.record.hashes.get("committed_crc32", "")),
    }


def tell(console: Console, report: Report, figures: dict[str, str], files: Written) -> None:
    """The end of a demo, in a terminal."""
    colour = "green" if report.passed else "red"
    console.print(f"\n[bold {colour}]{report.verdict}[/] ", end="")
    console.print(
        "every pulse was where and when the program asked for it"
        if report.passed
        else str(report.first)
    )
    grid = Table.grid(padding=(0, 2))
    for name, value in figures.items():
        grid.add_row(value, name)
    console.print(grid)
    console.print(
        f"\nreport   {files.html}\npicture  {files.png}\npulses   {files.vcd} (PulseView)"
    )


def main(arguments: list[str] | None = None) -> int:
    """Run the demo; 0: the verdict is PASS."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("out/demo"))
    parser.add_argument("--program", type=Path, help="another program than the example print")
    parser.add_argument("--machine", default="d3d-printer")
    options = parser.parse_args(arguments)
    console = Console()
    machine = mf.Machine.load(options.machine)
    program = mf.parse(options.program or example())
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    console.print(f"{program.name}: {program.lines:,} lines on the virtual {machine.name}")
    with Progress(*columns, console=console, transient=not console.is_terminal) as bar:
        played = play(program, machine, bar)
        task = bar.add_task("judging the pulses", total=None)
        report = verify(program, machine, played.capture)
        bar.update(task, total=1.0, completed=1.0, description="judged")
        task = bar.add_task("drawing", total=None)
        figures = describe(program, machine, played, report)
        files = write_report(
            options.out,
            program.name,
            f"G-code to pulses on the virtual {machine.name}: the board's own program on simulated "
            "pins, every step edge captured and checked against the program by a verifier that "
            "shares no code with the planner.",
            report,
            played.capture,
            machine,
            figures,
            hashes(program, machine, played),
        )
        bar.update(task, total=1.0, completed=1.0, description="drawn")
    tell(console, report, figures, files)
    return 0 if report.passed else 1


if __name__ == "__main__":
    sys.exit(main())
