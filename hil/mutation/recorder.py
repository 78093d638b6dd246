"""A pytest plugin: which test runs which line, and how long each test takes.

    coverage run -m pytest -p hil.mutation.recorder

writes out/mutation/touched.json: {"tests": {id: seconds}, "lines": {file: {line: [ids]}}}. An id is
a test function, its parameters left out.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import coverage
import pytest

TOP = Path(__file__).resolve().parents[2]
TOUCHED = TOP / "out/mutation/touched.json"
_seconds: dict[str, float] = {}


def _id(nodeid: str) -> str:
    return nodeid.split("[")[0].removesuffix("::runTest")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """What runs from here on is this test's."""
    running = coverage.Coverage.current()
    if running:
        running.switch_context(_id(item.nodeid))


def pytest_runtest_logreport(report: Any) -> None:
    """Add up set-up, call and tear-down of all its parameters."""
    _seconds[_id(report.nodeid)] = _seconds.get(_id(report.nodeid), 0.0) + report.duration


def pytest_unconfigure() -> None:
    """Write what was seen."""
    running = coverage.Coverage.current()
    if not running or not _seconds:
        return
    running.stop()
    data = running.get_data()
    lines: dict[str, dict[str, list[str]]] = {}
    for file in data.measured_files():
        path = Path(file)
        if not path.is_relative_to(TOP):
            continue
        contexts = data.contexts_by_lineno(file)
        lines[str(path.relative_to(TOP))] = {
            str(line): sorted(name for name in names if name) for line, names in contexts.items()
        }
    TOUCHED.parent.mkdir(parents=True, exist_ok=True)
    TOUCHED.write_text(json.dumps({"tests": _seconds, "lines": lines}))
