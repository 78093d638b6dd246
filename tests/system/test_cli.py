"""The command line as people and scripts meet it: answers, exit codes, one sentence a refusal."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import microfactory as mf
from microfactory import errors
from microfactory.cli.main import parser

TOP = Path(__file__).parents[2]
PROGRAM = "G21 G90\nG0 X40 Y40 Z5\nG1 X80 Y40 F300\nG3 X80 Y80 I0 J20\nG1 X40 Y80\nM2\n"
MACHINE = ("--machine", "circuit-plotter")


class Cli:
    def __init__(self, folder: Path) -> None:
        self.env = {**os.environ, "MICROFACTORY_STATE": str(folder / "state")}
        self.folder = folder
        self.program = folder / "square.gcode"
        self.program.write_text(PROGRAM)

    def start(self, *words: str, **options: object) -> subprocess.Popen:
        return subprocess.Popen(
            [sys.executable, "-m", "microfactory", *map(str, words)],
            env=self.env,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **options,
        )

    def __call__(self, *words: object) -> tuple[int, str, str]:
        process = self.start(*words)
        out, err = process.communicate(timeout=120)
        assert "Traceback" not in err, err
        return process.returncode, out, err


@pytest.fixture
def cli(tmp_path):
    return Cli(tmp_path)


def test_every_command_is_told_in_the_page():
    page = (TOP / "docs/command-line.md").read_text()
    commands = parser()._subparsers._group_actions[0].choices
    for name in commands:
        assert f"`microfactory {name}" in page, name
    wanted = "machines check plan compile show run resume verify devices home jog heat status stop"
    assert set(wanted.split()) <= set(commands)
    for name, command in commands.items():
        assert "--json" in command.format_help(), name


def test_every_exit_code_is_told_in_the_page():
    page = (TOP / "docs/exit-codes.md").read_text()
    told = dict(re.findall(r"^\| (\d+) \| (\w+) \|", page, re.MULTILINE))
    classes = {
        str(value.exit_code): name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, errors.Error)
    }
    assert classes == told


def test_plan_prints_the_contract(cli):
    code, out, _ = cli("plan", cli.program, *MACHINE, "--json")
    assert code == 0
    figures = json.loads(out)
    assert set(figures) == {
        "program", "job_time_s", "motors", "wire", "step_error_us", "limits", "cost",
    }  # fmt: skip
    assert set(figures["program"]) == {"lines", "moves", "arcs"}
    assert set(figures["wire"]) == {"windows", "bytes", "tail_bytes"}
    assert set(figures["step_error_us"]) == {"max", "rms"}
    assert set(figures["limits"]) == {
        "violations", "max_speed_ratio", "max_accel_ratio", "max_jerk_ratio", "max_deviation_mm",
    }  # fmt: skip
    assert set(figures["cost"]) == {"wall_s", "cpu_s", "peak_rss_mb"}
    assert all(set(motor) == {"steps", "segments"} for motor in figures["motors"].values())
    assert figures["program"] == {"lines": 6, "moves": 4, "arcs": 1}
    assert figures["step_error_us"]["max"] <= 2.0
    assert figures["limits"]["violations"] == 0


def test_a_setting_overrides_a_key_of_the_machine_file(cli):
    times = []
    for speed in ("60", "2"):
        setting = f"motion.max_speed_mm_s={speed}"
        code, out, _ = cli("plan", cli.program, *MACHINE, "--set", setting, "--json")
        assert code == 0
        times.append(json.loads(out)["job_time_s"])
    assert times[1] > 1.5 * times[0]


def test_run_leaves_a_record_and_says_where(cli):
    code, out, _ = cli("run", cli.program, *MACHINE, "--port", "virtual")
    assert code == 0
    assert "record" in out
    lines = (cli.folder / "state/circuit-plotter/records.jsonl").read_text().splitlines()
    assert len(lines) == 1
    assert json.loads(lines[0])["subject"][0]["name"] == "square.gcode"


def test_compile_run_and_verify_a_job_file(cli):
    job = cli.folder / "square.job"
    code, out, _ = cli("compile", cli.program, *MACHINE, "-o", job, "--json")
    assert code == 0
    assert json.loads(out)["proof"]["verdict"] == "PASS"
    assert cli("run", job, "--port", "virtual")[0] == 0
    assert cli("verify", job)[0] == 0
    assert cli("verify", job, "--program", cli.program)[0] == 0
    other = cli.folder / "other.gcode"
    other.write_text(PROGRAM.replace("X80", "X81"))
    code, out, _ = cli("verify", job, "--program", other)
    assert code == 10
    assert out.startswith("FAIL")
    data = bytearray(job.read_bytes())
    data[len(data) // 2] ^= 1
    job.write_bytes(data)
    code, _, err = cli("run", job, "--port", "virtual")
    assert code == 6
    assert "changed" in err


def test_a_cut_run_is_resumed(cli):
    words = (cli.program, *MACHINE, "--port", "virtual")
    code, _, err = cli("run", *words, "--cut-at-s", "30")
    assert code == 7
    assert "resume" in err
    assert cli("resume", *words)[0] == 0
    assert cli("resume", *words)[0] == 2


@pytest.mark.parametrize("noun", ["program", "moves", "profile", "steps", "frames"])
def test_show_prints_each_stage(cli, noun):
    code, out, _ = cli("show", noun, cli.program, *MACHINE)
    assert code == 0
    assert len(out.splitlines()) >= 4


def test_the_first_hour(cli):
    port = ("--port", "virtual")
    code, out, _ = cli("home", *MACHINE, *port, "--json")
    assert code == 0
    assert json.loads(out)["position_trusted"]
    code, out, _ = cli("jog", "x", "5", *MACHINE, *port, "--json")
    assert code == 0
    assert json.loads(out)["position_mm"]["x"] == pytest.approx(5.0)
    code, out, _ = cli("heat", "bed", "35", "--machine", "d3d-printer", *port, "--json")
    assert code == 0
    assert json.loads(out)["heaters"]["bed"]["temperature_c"] >= 33
    assert cli("status", *MACHINE, *port)[0] == 0
    assert cli("stop", *MACHINE, *port)[0] == 0
    assert cli("machines")[0] == 0
    assert cli("devices", "--json")[0] == 0


def long_program(cli: Cli) -> Path:
    path = cli.folder / "long.gcode"
    rows = [f"G1 X{20 + i % 2 * 100} Y{20 + i % 50} F3000" for i in range(2000)]
    path.write_text("\n".join(["G21 G90", "G0 Z5", *rows, "M2", ""]))
    return path


def test_status_and_stop_reach_a_running_job_from_a_second_terminal(cli):
    running = cli.start("run", long_program(cli), *MACHINE, "--port", "virtual")
    answer: dict = {}
    for _ in range(100):
        code, out, _ = cli("status", *MACHINE, "--json")
        if code == 0 and json.loads(out).get("job"):
            answer = json.loads(out)
            break
    assert answer["job"]["lines"] == 2003
    assert cli("run", cli.program, *MACHINE, "--port", "virtual")[0] == 2  # one job at a time
    assert cli("stop", *MACHINE)[0] == 0
    _, err = running.communicate(timeout=120)
    assert running.returncode == 9
    assert "stopped on the path in line" in err
    assert cli("stop", *MACHINE)[0] == 2


def test_an_override_reaches_a_running_job_from_a_second_terminal(cli):
    running = cli.start("run", long_program(cli), *MACHINE, "--port", "virtual")
    for _ in range(100):
        code, out, _ = cli("status", *MACHINE, "--json")
        if code == 0 and json.loads(out).get("job", {}).get("doing") == "moving":
            break
    code, out, _ = cli("override", *MACHINE, "--feed", "50", "--json")
    assert (code, json.loads(out)) == (0, {"feed_percent": 50.0, "rapid_percent": 100.0})
    code, out, _ = cli("override", *MACHINE, "--rapid", "25")
    assert (code, out) == (0, "feed 50 %, rapids 25 % with the next windows\n")
    code, _, err = cli("override", *MACHINE, "--feed", "5")
    assert code == 2
    assert "5 % of the feed is outside 10 to 200 %" in err
    assert cli("override", *MACHINE)[0] == 2
    for _ in range(100):
        job = json.loads(cli("status", *MACHINE, "--json")[1])["job"]
        if job["rapid_percent"] == 25:
            break
    assert (job["feed_percent"], job["rapid_percent"]) == (50, 25)
    assert "feed 50 %, rapids 25 %" in cli("status", *MACHINE)[1]
    assert cli("stop", *MACHINE)[0] == 0
    running.communicate(timeout=120)
    code, _, err = cli("override", *MACHINE, "--feed", "50")
    assert code == 2
    assert "no job is running" in err


def test_ctrl_c_stops_on_the_path_and_says_where(cli):
    running = cli.start("run", long_program(cli), *MACHINE, "--port", "virtual")
    for _ in range(100):
        code, out, _ = cli("status", *MACHINE, "--json")
        if code == 0 and json.loads(out).get("job", {}).get("doing") == "moving":
            break
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=120)
    assert running.returncode == 9
    assert re.search(r"stopped on the path in line \d+ \(hold\) at x", err)


BAD = [
    ("G1 X10 Y\n", 4, r"bad.gcode:1:8"),
    ("G21\nG1 X9999 F100\n", 5, r"bad.gcode:2:4"),
    ("G1 X1e5 F100\n", 4, r"bad.gcode:1"),
    ("G1 Xnan F100\n", 4, r"bad.gcode:1"),
    ("G1 X10 F-3\n", 5, r"bad.gcode:1"),
    ("G77 X10\n", 4, r"bad.gcode:1:1"),
    ("G2 X10 Y10 F100\n", 4, r"bad.gcode:1"),
    ("", 2, "empty"),
]


@pytest.mark.parametrize(("text", "code", "told"), BAD)
def test_a_bad_program_is_refused_in_one_sentence_before_anything_moves(cli, text, code, told):
    path = cli.folder / "bad.gcode"
    path.write_text(text)
    got, out, err = cli("run", path, *MACHINE, "--port", "virtual")
    assert got in (4, 5) if code in (4, 5) else got == code, err
    assert re.search(told, err), err
    assert len(err.strip().splitlines()) == 1
    got, out, _ = cli("plan", path, *MACHINE, "--json")
    assert json.loads(out)["exit_code"] == got
    assert not (cli.folder / "state/circuit-plotter/records.jsonl").exists()


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("run", "none.gcode", *MACHINE, "--port", "virtual"), 2, "no such file"),
        (("run", "square.gcode", *MACHINE, "--port", "/dev/ttyNONE"), 7, "no such port"),
        (("run", "square.gcode", "--machine", "none", "--port", "virtual"), 3, "d3d-printer"),
        (("run", "square.gcode", "--port", "virtual"), 2, "--machine"),
        (("check", "square.gcode"), 3, "TOML"),
        (("check", "none.toml"), 3, "no such file"),
        (("plan", "square.gcode", *MACHINE, "--set", "motion"), 2, "KEY=VALUE"),
        (("plan", "square.gcode", *MACHINE, "--set", "motion.x=1"), 3, "unknown"),
        (("jog", "q", "1", *MACHINE, "--port", "virtual"), 2, "no such axis"),
        (("heat", "bed", "500", "--machine", "d3d-printer", "--port", "virtual"), 5, "120"),
        (("resume", "square.gcode", *MACHINE, "--port", "virtual"), 6, "no journal"),
        (("verify", "none.gcode", *MACHINE), 2, "no such file"),
        (("check", "a" * 300), 3, "no such machine"),
        (("compile", "square.gcode", *MACHINE, "-o", "square.gcode/x"), 2, "cannot be written"),
        (("compile", "square.gcode", *MACHINE, "-o", "."), 2, "cannot be written"),
        (
            ("run", "square.gcode", *MACHINE, "--port", "virtual", "--journal", "square.gcode/j"),
            6,
            "journal cannot be written",
        ),
        (
            ("run", "square.gcode", *MACHINE, "--port", "virtual", "--cut-at-s", "nan"),
            2,
            "--cut-at-s",
        ),
    ],
)
def test_bad_words_are_refused_in_one_sentence(cli, words, code, told):
    got, _, err = cli(*words)
    assert got == code, err
    assert told in err
    assert len(err.strip().splitlines()) == 1


def test_cold_extrusion_is_refused(cli):
    path = cli.folder / "cold.gcode"
    path.write_text("G28\nG1 X10 E5 F600\n")
    code, _, err = cli("plan", path, "--machine", "d3d-printer")
    assert code == 5
    assert "cold.gcode:2" in err


def test_a_board_with_another_schema_is_refused_in_words(monkeypatch):
    from hil.rig_virtual import open_link

    from mfboard import answers

    monkeypatch.setattr(answers, "SCHEMA_LOW", 1)
    machine = mf.Machine.load("circuit-plotter")
    with pytest.raises(mf.LinkError, match="another firmware"):
        mf.Board(open_link(machine), machine).open()


def test_a_busy_port_is_told(tmp_path):
    import fcntl
    import pty

    leader, follower = pty.openpty()
    name = os.ttyname(follower)
    fcntl.flock(follower, fcntl.LOCK_EX | fcntl.LOCK_NB)
    with pytest.raises(mf.LinkError, match="another program uses this port"):
        mf.connect(name, mf.Machine.load("circuit-plotter"))
    os.close(leader)
    os.close(follower)


def test_a_port_with_nobody_behind_it_is_told():
    import pty

    leader, follower = pty.openpty()
    begin = time.monotonic()
    with pytest.raises(mf.LinkError, match="no board answers"):
        mf.connect(os.ttyname(follower), mf.Machine.load("circuit-plotter"))
    assert time.monotonic() - begin < 10
    os.close(leader)
    os.close(follower)
