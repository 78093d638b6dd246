"""A copy of the sources that may be spoilt: the real ones are never touched."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import sysconfig
from pathlib import Path

from hil.mutation.fault import Fault
from hil.mutation.sources import TOP
from microfactory import Machine, MachineError

COMPILE = [
    "-O1",
    "-fPIC",
    "-std=c11",
    "-ffp-contract=off",
    "-fno-math-errno",
    "-w",
    "-Icsrc/include",
]
HANG_S = 60.0
C_TESTS_S = 600.0


def _machine(path: Path) -> object:
    """The machine of a file; the text itself where it is none."""
    try:
        return Machine.load(str(path))
    except MachineError:
        return path.read_text()


class Tree:
    """Copy number `number`, with the core built in it."""

    def __init__(self, number: int) -> None:
        self.path = TOP / "out/mutation" / f"tree{number}"
        shutil.rmtree(self.path, ignore_errors=True)
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=TOP, check=True, capture_output=True, text=True,
        ).stdout.split("\0")  # fmt: skip
        for name in filter(None, listed):
            if (TOP / name).is_file():
                (self.path / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(TOP / name, self.path / name)
        names = self.path / "out/names"
        names.mkdir(parents=True)
        (names / "mffirmware").symlink_to(self.path / "firmware")
        ways = [self.path / "host", self.path / "firmware", self.path, names]
        self.environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(map(str, ways)),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        self.objects = self.path / "out/objects"
        self.objects.mkdir()
        wrapper = self.objects / "core.c"
        code = f"from csrc.build_core import ffi; ffi.emit_c_code({str(wrapper)!r})"
        self._run([sys.executable, "-c", code])
        for source in [wrapper, *sorted((self.path / "csrc/src").glob("*.c"))]:
            assert self._compile(source)
        assert self._link()

    def _run(self, command: list[str], seconds: float = 300.0) -> subprocess.CompletedProcess[str]:
        """Run a command to its end; one that hangs goes with all that it started."""
        with subprocess.Popen(
            command, cwd=self.path, env=self.environment, text=True, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        ) as ran:  # fmt: skip
            try:
                out, err = ran.communicate(timeout=seconds)
            except subprocess.TimeoutExpired:
                os.killpg(ran.pid, signal.SIGKILL)
                raise
        return subprocess.CompletedProcess(command, ran.returncode, out, err)

    def _compile(self, source: Path) -> bool:
        python = "-I" + sysconfig.get_path("include")
        to = str(self.objects / source.with_suffix(".o").name)
        compiler = os.environ.get("CC", "gcc")
        return not self._run([compiler, *COMPILE, python, "-c", str(source), "-o", to]).returncode

    def _link(self) -> bool:
        to = self.path / "host/microfactory" / ("_core" + sysconfig.get_config_var("EXT_SUFFIX"))
        to.unlink(missing_ok=True)
        objects = [str(path) for path in sorted(self.objects.glob("*.o"))]
        compiler = os.environ.get("CC", "gcc")
        return not self._run([compiler, "-shared", *objects, "-lm", "-o", str(to)]).returncode

    def spoil(self, fault: Fault) -> str:
        """Put a fault in: "", or why it is none (hil.mutation.__main__.NONE)."""
        path = self.path / fault.file
        path.write_text(fault.apply(path.read_text()))
        if path.suffix == ".toml":
            return "same machine" if _machine(path) == _machine(TOP / fault.file) else ""
        if path.suffix != ".c":
            return ""
        code = self.objects / path.with_suffix(".o").name
        before = code.read_bytes()
        if not self._compile(path):
            return "compiler"
        if code.read_bytes() == before:
            return "same code"
        return "" if self._link() else "compiler"

    def mend(self, fault: Fault) -> None:
        """As it was."""
        path = self.path / fault.file
        shutil.copy2(TOP / fault.file, path)
        if path.suffix == ".c":
            self._compile(path)
            self._link()

    def pytest(self, tests: list[str], seconds: float) -> str:
        """Run tests until one fails: its name, "hang", "import", or "" when all pass."""
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests]
        try:
            ran = self._run(command, HANG_S + 4 * seconds)
        except subprocess.TimeoutExpired:
            return "hang"
        if not ran.returncode:
            return ""
        told = [line for line in ran.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
        if told or ran.returncode < 0:  # a crash of the core
            return told[0].split(" - ")[0] if told else f"signal {-ran.returncode}"
        if "ImportError while loading conftest" in ran.stdout + ran.stderr:
            return "import"
        raise RuntimeError(f"pytest ended with {ran.returncode}: {ran.stdout[-500:]}{ran.stderr}")

    def c_tests(self) -> str:
        """The core's own tests, under the sanitizers: what fails, "hang" or ""."""
        try:
            ran = self._run(["make", "-s", "test-c"], C_TESTS_S)
        except subprocess.TimeoutExpired:
            return "hang"
        return "make test-c" if ran.returncode else ""
