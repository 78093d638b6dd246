"""Every numbered example runs, is short, and says something."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("[0-9]*.py"))


def test_there_are_examples_and_each_is_under_forty_lines():
    assert len(EXAMPLES) >= 8
    for path in EXAMPLES:
        assert len(path.read_text().splitlines()) < 40, path


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_example_runs(path, tmp_path):
    done = subprocess.run(
        [sys.executable, str(path)],
        env={**os.environ, "MICROFACTORY_STATE": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
    assert "Traceback" not in done.stderr
