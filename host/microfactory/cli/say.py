"""What people and programs see: tables and bars on a terminal, one JSON value with --json."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def value(data: Any) -> None:
    """One JSON value on standard output."""
    print(json.dumps(data, default=str, allow_nan=False))


def line(text: str) -> None:
    """A line on standard output; square brackets stay as they are."""
    out.print(text, markup=False)


def problem(text: str, as_json: bool, code: int) -> None:
    """A refusal or a fault: one sentence."""
    if as_json:
        print(json.dumps({"error": text, "exit_code": code}))
    else:
        err.print(f"microfactory: {text}", markup=False, style="red" if err.is_terminal else "")


def table(title: str, heads: list[str], rows: list[list[str]]) -> None:
    """A small table."""
    made = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for head in heads:
        made.add_column(head)
    for row in rows:
        made.add_row(*row)
    out.print(made)


def clock(seconds: float) -> str:
    """1:02:03, or 2:03."""
    whole = int(seconds + 0.5)
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"


class Bar:
    """A progress bar that is silent off a terminal and with --json."""

    def __init__(self, progress: Progress | None) -> None:
        self._progress = progress
        self._task = progress.add_task("", total=1.0, left="") if progress else None

    def to(self, share: float, text: str, left: str = "") -> None:
        """Show a share of the whole, what is being done, and the time left."""
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, completed=share, description=text, left=left)


@contextmanager
def bar(as_json: bool) -> Iterator[Bar]:
    """A bar for as long as the work lasts, on standard error."""
    if as_json or not sys.stderr.isatty():
        yield Bar(None)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TextColumn("{task.fields[left]}"),
    )
    with Progress(*columns, console=err, transient=True) as progress:
        yield Bar(progress)
