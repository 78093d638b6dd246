"""Tables for other programs: CSV always, Parquet where pyarrow is installed."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from hil.capture import Capture
from microfactory import UsageError

Columns = Mapping[str, Sequence[Any]]


def write_csv(path: Path, columns: Columns) -> None:
    """One line a row, the names first."""
    with open(path, "w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(columns)
        out.writerows(zip(*columns.values(), strict=True))


def no_parquet() -> str:
    """Why no Parquet can be written; empty: it can."""
    if find_spec("pyarrow") is None:
        return "no Parquet was written: pyarrow is not installed (pip install pyarrow); CSV was"
    return ""


def write_parquet(path: Path, columns: Columns) -> None:
    """The same table as Parquet. UsageError: pyarrow is not installed."""
    if no_parquet():
        raise UsageError(no_parquet())
    import pyarrow
    import pyarrow.parquet

    pyarrow.parquet.write_table(pyarrow.table(dict(columns)), path)


def edges(capture: Capture) -> Columns:
    """Every pulse, turn and change of a capture, in the order of time.

    tick, seconds, signal (x1_step, x1_dir, an output, an input), value (a pulse: its direction;
    an output: its duty 0 to 65535), width_ticks (a pulse's; 0 else).
    """
    ticks: list[Any] = []
    values: list[Any] = []
    widths: list[Any] = []
    names: list[Any] = []

    def add(name: str, tick: Any, value: Any, width: Any) -> None:
        ticks.append(np.asarray(tick, np.int64))
        values.append(np.asarray(value, np.float64))
        widths.append(np.broadcast_to(np.asarray(width, np.int64), len(tick)))
        names.append(np.full(len(tick), name, dtype=object))

    for name, m in capture.motors.items():
        add(f"{name}_step", m.rise, m.direction, m.width)
        add(f"{name}_dir", m.turn_tick, m.turn_direction, 0)
    for group in (capture.outputs, capture.inputs, capture.targets, capture.temperatures):
        for name, signal in group.items():
            add(name, signal.tick, signal.value, 0)
    tick = np.concatenate(ticks)
    order = np.argsort(tick, kind="stable")
    tick = tick[order]
    return {
        "tick": tick.tolist(),
        "seconds": (tick / capture.tick_hz).tolist(),
        "signal": np.concatenate(names)[order].tolist(),
        "value": np.concatenate(values)[order].tolist(),
        "width_ticks": np.concatenate(widths)[order].tolist(),
    }
