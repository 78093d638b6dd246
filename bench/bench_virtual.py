"""The virtual machine against real time: the example print homed, heated, printed and captured.

Prints one JSON object: seconds on the board's clock for a second on the wall, and for a second of
processor. The second is what the work costs; the first also waits for the disk (a journal line is
on it before its window may be played) and for whoever else uses the machine.
"""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path

import microfactory as mf

TOP = Path(__file__).resolve().parents[1]
PROGRAM = TOP / "examples/print/controller-case.gcode"


def main() -> None:
    """One run: it lasts half a minute."""
    machine = mf.Machine.load("d3d-printer")
    program = mf.parse(PROGRAM)
    with (
        tempfile.TemporaryDirectory() as folder,
        mf.connect("virtual", machine, capture=True) as board,
    ):
        wall, cpu, clock = time.perf_counter(), time.process_time(), board.link.now_s()
        board.run(program, journal=Path(folder) / "journal.jsonl")
        wall_s, cpu_s = time.perf_counter() - wall, time.process_time() - cpu
        virtual_s = board.link.now_s() - clock
    print(
        json.dumps(
            {
                "figure": "virtual machine, example print",
                "virtual_s": round(virtual_s, 1),
                "wall_s": round(wall_s, 2),
                "cpu_s": round(cpu_s, 2),
                "times_real_time": round(virtual_s / wall_s, 1),
                "times_real_time_of_cpu": round(virtual_s / cpu_s, 1),
            }
        )
    )


if __name__ == "__main__":
    main()
