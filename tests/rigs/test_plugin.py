"""The pytest plugin as its users meet it: on three rigs, with measurements, skips and reports."""

from __future__ import annotations

import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from hil.emulated.chip import missing

from microfactory.cli.main import main

PAGE = Path(__file__).resolve().parents[2] / "docs/first-test.md"
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)


def outcomes(result: pytest.RunResult) -> dict[str, int]:
    return {key: n for key, n in result.parseoutcomes().items() if key != "warnings"}


def test_the_pages_examples_pass_on_the_virtual_rig(pytester):
    assert len(EXAMPLES) == 2
    for i, text in enumerate(EXAMPLES):
        pytester.makepyfile(**{f"test_example_{i}": text})
    result = pytester.runpytest_inprocess("--junitxml=junit.xml")
    assert outcomes(result) == {"passed": 2}
    tests = ET.parse(pytester.path / "junit.xml").getroot().iter("testcase")
    found = {p.get("name"): p.get("value") for t in tests for p in t.iter("property")}
    assert found["x_steps"] == "80, x == 80, PASS"
    assert "us, 1 <= x <= 3, PASS" in found["x_pulse_us"]


@pytest.mark.skipif(bool(missing()), reason=missing() or "-")
def test_the_pages_examples_pass_unchanged_on_the_emulated_rig(pytester):
    for i, text in enumerate(EXAMPLES):
        pytester.makepyfile(**{f"test_example_{i}": text})
    assert outcomes(pytester.runpytest_inprocess("--rig=emulated")) == {"passed": 2}


def test_what_a_rig_has_not_is_skipped_with_the_reason(pytester):
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.needs("edges")
        def test_a(rig): pass

        @pytest.mark.needs("edgse")
        def test_b(rig): pass

        def test_c(capture): pass

        def test_d(operator): operator.confirm("is the lamp lit?")

        def test_e(fault): fault.stick("x_min", True)

        def test_f(rig): assert rig.name == "real"
        """
    )
    result = pytester.runpytest_inprocess("--rig=real", "--rig-port=/dev/none", "-rs")
    assert outcomes(result) == {"skipped": 2, "passed": 1, "errors": 3}
    said = result.stdout.str()
    assert "needs 'edges' (every edge of" in said
    assert "needs 'edgse', which no rig knows; did you mean edges?" in said
    assert "/dev/none: there is no such port; nothing was sent" in said
    result = pytester.runpytest_inprocess("--rig=virtual", "-rs")
    said = result.stdout.str()
    assert outcomes(result) == {"skipped": 2, "passed": 3, "failed": 1}
    assert "needs 'person' (somebody sits at the terminal), and the virtual rig has it not" in said


def test_markers_choose_machines_and_hold_tests_back(pytester):
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.machine("circuit-plotter", "d3d-printer")
        def test_each(machine, board): assert board.machine is machine

        @pytest.mark.machine("cnc-torch-table")
        def test_another(machine): assert machine.kind == "torch"

        @pytest.mark.destructive
        def test_harm(rig): pass

        @pytest.mark.slow
        def test_slow(rig): pass
        """
    )
    assert outcomes(pytester.runpytest_inprocess("--strict-markers")) == {"passed": 5}
    result = pytester.runpytest_inprocess("--rig=real", "-k", "test_harm or test_slow", "-rs")
    assert outcomes(result) == {"skipped": 2, "deselected": 3}
    assert "may harm a real board; add --rig-destructive" in result.stdout.str()
    both = ("--rig-destructive", "--rig-slow")
    result = pytester.runpytest_inprocess("--rig=real", "-k", "test_harm or test_slow", *both)
    assert outcomes(result) == {"passed": 2, "deselected": 3}
    assert main(["hil", "scan", "--machine", "d3d-printer", "-o", "rig.toml"]) == 0
    result = pytester.runpytest_inprocess(
        "--rig-file=rig.toml", "-k", "test_each or test_another", "-rs"
    )
    assert outcomes(result) == {"passed": 1, "skipped": 2, "deselected": 2}
    assert "the rig bench is wired for d3d-printer" in result.stdout.str()


def test_a_measurement_outside_its_limits_fails_the_test_when_all_are_noted(pytester):
    pytester.makepyfile(
        """
        def test_measured(measure):
            measure("first_us", 4.0, unit="us", upper=3.0)
            measure("second_v", 3.3, unit="V", lower=3.0, upper=3.6)

        def test_wrong_use(measure):
            for bad in (("a", float("nan")), ("b", 1.0, "furlong"), ("c", 1.0, "V", 2.0, 1.0)):
                try:
                    measure(*bad)
                except Exception as error:
                    assert "nothing was noted" in str(error) or "is above" in str(error)
                else:
                    raise AssertionError(bad)
        """
    )
    result = pytester.runpytest_inprocess("--junitxml=junit.xml")
    assert outcomes(result) == {"failed": 1, "passed": 1}
    assert "first_us = 4 us, x <= 3, FAIL" in result.stdout.str()
    xml = (pytester.path / "junit.xml").read_text()
    assert 'name="second_v"' in xml


def test_faults_are_mended_when_a_test_ends_and_programs_are_judged(pytester):
    pytester.makepyfile(
        """
        import pytest
        from microfactory import LinkError, VerdictError, parse

        SQUARE = "G21 G90\\nG28\\nG1 X5 Y5 F1200\\nG1 X8\\nG1 Y8\\nM2\\n"

        @pytest.mark.needs("carriages", "runs")
        def test_square(board, capture):
            board.run(parse(SQUARE))
            assert capture.judge(SQUARE).figures["pulses"] > 0
            with pytest.raises(VerdictError, match="line 5"):
                capture.judge(SQUARE.replace("X8", "X7"))

        def test_cut(board, fault, link):
            fault.cut()
            with pytest.raises(LinkError):
                board.jog("x", 1.0)
            fault.plug_in()
            board.client.connect()
            assert board.status().state

        def test_noise(board, fault, capture):
            fault.flip(0.002)
            board.jog("y", 5.0)
            fault.drop(0.001)
            board.jog("y", 5.0)
            assert capture.steps("y") == 800
            assert board.client.resent > 0

        def test_switch(board, fault, operator):
            assert not board.status().inputs["x_min"]
            fault.stick("x_min", True)
            board.wait(0.1)
            assert board.status().inputs["x_min"]
            operator.release("x_min")
            board.wait(0.1)
            assert not board.status().inputs["x_min"]
        """
    )
    assert outcomes(pytester.runpytest_inprocess()) == {"passed": 4}


def test_a_board_with_another_firmware_is_refused(pytester):
    pytester.makeconftest(
        """
        import pytest
        from hil.rigs.rig import VirtualRig

        @pytest.fixture(scope="session")
        def rig():
            return VirtualRig(firmware="0123456789abcdef")
        """
    )
    pytester.makepyfile("def test_nothing(board): pass")
    result = pytester.runpytest_inprocess()
    assert outcomes(result) == {"errors": 1}
    assert "0123456789abcdef', and this package brings" in result.stdout.str()


def test_a_run_that_uses_none_of_it_is_left_alone(tmp_path):
    """Nothing of ours is imported; --port, `slow` and `machine` may mean theirs."""
    (tmp_path / "conftest.py").write_text(
        "import pytest\n"
        "def pytest_addoption(parser):\n    parser.addoption('--port', default='theirs')\n"
        "@pytest.fixture\ndef machine(request):\n    return request.config.getoption('--port')\n"
    )
    (tmp_path / "test_theirs.py").write_text(
        "import sys, pytest\n"
        "@pytest.mark.slow\n@pytest.mark.machine('a', 'b')\n"
        "def test_theirs(machine):\n"
        "    assert machine == 'theirs'\n"
        "    assert 'hil.rigs.plugin' in sys.modules\n"
        "    ours = [m for m in sys.modules if m.split('.')[0] in ('microfactory', 'numpy')]\n"
        "    assert not ours, ours\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert "1 passed" in done.stdout, done.stdout
