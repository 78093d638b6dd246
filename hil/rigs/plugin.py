"""The pytest plugin: tests of boards that run on virtual, emulated and real rigs unchanged.

Installed with the package and so loaded by every pytest run: it imports nothing of ours, and does
nothing, until a test asks for one of its fixtures (docs/first-test.md).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from hil.rigs.bench import Bench
    from hil.rigs.faults import Faults
    from hil.rigs.measure import Measures
    from hil.rigs.operator import Operator
    from hil.rigs.rig import Rig
    from hil.rigs.tapped import TappedLink
    from hil.rigs.watch import Watch
    from microfactory import Board, Machine

DEFAULT_MACHINE = "circuit-plotter"
OURS = {"microfactory_rig", "microfactory_bench"}  # a test that leads to one of these is ours
MARKERS = (
    "needs(*words): what the test asks of its rig; skipped with the reason where it is not there",
    "machine(*names): the machine that the board is set up as; several: one test for each",
    "slow: takes minutes on a rig in real or emulated time; runs there with --rig-slow",
    "destructive: may harm a real board; runs there with --rig-destructive",
)
PERSON = sys.stdin is not None and sys.stdin.isatty()  # before pytest takes it
BENCH: pytest.StashKey[Any] = pytest.StashKey()
MEASURES: pytest.StashKey[Any] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("microfactory", "microfactory rigs")
    group.addoption("--rig", default="virtual", help="virtual (default), emulated or real")
    group.addoption("--rig-file", default="", metavar="RIG.toml", help="how the rig is wired")
    # --port belongs to many plugins: it is ours only on a command line that names a rig
    line = (*sys.argv, *os.environ.get("PYTEST_ADDOPTS", "").split())
    short = ["--port"] if any(word.startswith("--rig") for word in line) else []
    group.addoption(
        "--rig-port", *short, default="", dest="rig_port", metavar="PORT", help="the board's port"
    )
    short = ["--probe"] if short else []
    group.addoption(
        "--rig-probe", *short, default="", dest="rig_probe", metavar="PORT",
        help="the probe's port; `simulated` on a rig without hardware",
    )  # fmt: skip
    group.addoption("--rig-slow", action="store_true", help="slow tests on any rig")
    group.addoption("--rig-destructive", action="store_true", help="destructive tests, real rig")
    group.addoption("--rig-unit", default="", metavar="SERIAL", help="write this unit's report")
    group.addoption("--rig-who", default="", metavar="NAME", help="who tests it, for the report")
    group.addoption("--rig-out", default="out/units", metavar="DIR", help="where reports go")


def pytest_configure(config: pytest.Config) -> None:
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Several machines: one test for each."""
    marker = metafunc.definition.get_closest_marker("machine")
    if marker and len(marker.args) > 1 and OURS & set(metafunc.fixturenames):
        metafunc.parametrize("machine", marker.args, indirect=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if _ours(item):
            item.fixturenames.insert(0, "microfactory_needs")  # type: ignore[attr-defined]


def _ours(item: pytest.Item) -> bool:
    return bool(OURS & set(getattr(item, "fixturenames", ())))


# ---- the rig and what it can


@pytest.fixture(scope="session")
def microfactory_rig(request: pytest.FixtureRequest) -> Rig:
    """The rig of the command line."""
    from hil.emulated.chip import missing
    from hil.rigs.rig import make
    from hil.rigs.rigfile import RigFile

    option = request.config.getoption
    if option("--rig") == "emulated" and missing():
        pytest.skip(f"there is no emulated rig here: {missing()}")
    file = RigFile.load(option("--rig-file")) if option("--rig-file") else None
    return make(option("--rig"), file, option("rig_port"), option("rig_probe"), person=PERSON)


@pytest.fixture(scope="session")
def rig(microfactory_rig: Rig) -> Rig:
    """The rig: its name, its abilities, its file (None: none was named)."""
    return microfactory_rig


@pytest.fixture(scope="session")
def microfactory_bench(rig: Rig, request: pytest.FixtureRequest) -> Bench:
    """What this session has found so far."""
    from hil.rigs.bench import Bench
    from microfactory import UsageError, VerdictError

    option = request.config.getoption
    try:
        if option("--rig-unit") and hasattr(request.config, "workerinput"):
            raise UsageError("a unit is tested by one process: leave -n out; nothing was tried")
        bench = Bench(rig, option("--rig-unit"), option("--rig-who"))
    except (UsageError, VerdictError) as error:
        pytest.exit(str(error), returncode=pytest.ExitCode.USAGE_ERROR)
    request.config.stash[BENCH] = bench
    return bench


@pytest.fixture
def microfactory_needs(request: pytest.FixtureRequest, microfactory_bench: Bench) -> None:
    """Skip, with the reason, what this rig cannot do or was not asked to."""
    from hil.rigs.needs import unmet

    rig, node, option = microfactory_bench.rig, request.node, request.config.getoption
    words = tuple(str(w) for marker in node.iter_markers("needs") for w in marker.args)
    reason = unmet(words, rig.abilities, rig.name)
    if reason:
        pytest.skip(reason)
    if node.get_closest_marker("slow") and rig.name != "virtual" and not option("--rig-slow"):
        pytest.skip(f"slow on the {rig.name} rig; add --rig-slow")
    if (
        node.get_closest_marker("destructive")
        and rig.name == "real"
        and not option("--rig-destructive")
    ):
        pytest.skip("may harm a real board; add --rig-destructive")


# ---- what a test uses


@pytest.fixture
def machine(request: pytest.FixtureRequest, microfactory_bench: Bench) -> Machine:
    """The machine of the marker, else of the rig's file, else the circuit plotter."""
    from microfactory import Machine

    marker = request.node.get_closest_marker("machine")
    file = microfactory_bench.rig.file
    name = getattr(request, "param", None) or (marker.args[0] if marker else "")
    if file is not None and name and Machine.load(name) != file.machine:
        pytest.skip(f"is for {name}, and the rig {file.head.name} is wired for {file.head.machine}")
    machine = file.machine if file is not None else Machine.load(name or DEFAULT_MACHINE)
    microfactory_bench.set_up_as(machine)
    return machine


@pytest.fixture
def link(microfactory_bench: Bench, machine: Machine) -> Iterator[TappedLink]:
    """The wire to a board that has just been started."""
    link = microfactory_bench.rig.open(machine)
    yield link
    link.close()
    microfactory_bench.probed(microfactory_bench.rig.probe(link))


@pytest.fixture
def board(
    microfactory_bench: Bench,
    link: TappedLink,
    machine: Machine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Board]:
    """The board, connected and set up as the machine. VerdictError: it has another firmware."""
    from microfactory import Board

    monkeypatch.setenv("MICROFACTORY_STATE", str(tmp_path / "state"))  # journals of the test's jobs
    board = Board(link, machine)
    microfactory_bench.opened(board.client.connect())  # before anything is set up or switched on
    board.open()
    try:
        yield board
    finally:
        board.close()


@pytest.fixture
def capture(
    request: pytest.FixtureRequest, microfactory_bench: Bench, link: TappedLink, machine: Machine
) -> Iterator[Watch]:
    """What the pins do. A rig that sees no edges skips the test."""
    from hil.rigs.watch import Watch

    _need(microfactory_bench, "edges")
    watch = Watch(microfactory_bench.rig, link, machine)
    microfactory_bench.watched(request.node.nodeid, watch)
    yield watch
    if microfactory_bench.serial and not watch.kept:
        watch.keep("")


@pytest.fixture
def fault(microfactory_bench: Bench, link: TappedLink) -> Iterator[Faults]:
    """Faults of link, switches and sensors; mended when the test ends."""
    from hil.rigs.faults import Faults

    faults = Faults(microfactory_bench.rig, link, lambda word: _need(microfactory_bench, word))
    yield faults
    faults.mend()


def _need(bench: Bench, word: str) -> None:
    from hil.rigs.needs import unmet

    reason = unmet((word,), bench.rig.abilities, bench.rig.name)
    if reason:
        pytest.skip(reason)


@pytest.fixture
def measure(request: pytest.FixtureRequest, microfactory_bench: Bench) -> Measures:
    """measure("x_pulse_us", value, unit="us", lower=1.9): noted; outside its limits it fails."""
    from hil.rigs.measure import Measures

    measures = Measures(request.node.user_properties)
    request.node.stash[MEASURES] = measures
    microfactory_bench.measured(request.node.nodeid, measures)
    return measures


@pytest.fixture
def operator(
    request: pytest.FixtureRequest, microfactory_bench: Bench, link: TappedLink
) -> Operator:
    """Somebody who presses switches and answers: the rig where it can, else a person."""
    from hil.rigs.operator import Operator

    capturing = request.config.pluginmanager.getplugin("capturemanager")
    return Operator(
        microfactory_bench.rig, link, capturing, lambda word: _need(microfactory_bench, word)
    )


# ---- outcomes


@pytest.hookimpl(hookwrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Iterator[None]:
    """A test whose measurements are outside their limits fails, once all are noted."""
    outcome: Any = yield
    measures = pyfuncitem.stash.get(MEASURES, None)
    if measures is not None and outcome.excinfo is None and measures.outside():
        outcome.force_exception(AssertionError(measures.outside()))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    outcome: Any = yield
    bench = item.config.stash.get(BENCH, None)
    if bench is not None:
        bench.of_file(item.path)
        report = outcome.get_result()
        bench.reported(
            item.nodeid, report.when, report.outcome, _why(report), call.start, call.stop
        )


def _why(report: pytest.TestReport) -> str:
    """One line of what went wrong, or why it was skipped."""
    if isinstance(report.longrepr, tuple):
        return str(report.longrepr[2]).removeprefix("Skipped: ")
    crash = getattr(report.longrepr, "reprcrash", None)
    return str(crash.message).splitlines()[0] if crash and crash.message else ""


@pytest.hookimpl(trylast=True)  # after the last test's fixtures have ended
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """The unit's record and its files; without a PASS the run has failed."""
    bench = session.config.stash.get(BENCH, None)
    if bench is not None and bench.serial:
        broken_off = exitstatus not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
        out = Path(session.config.getoption("--rig-out"))
        bench.finish(out, session.testsfailed, broken_off=broken_off)
        if bench.record.verdict != "PASS" and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    bench = config.stash.get(BENCH, None)
    if bench is not None and bench.serial:
        terminalreporter.section(f"unit {bench.serial}")
        for line in bench.said:
            terminalreporter.line(line)
