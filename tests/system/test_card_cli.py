"""`microfactory card`: written, played, read back, refused in a sentence; a campaign of faults."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hil.cardfaults import FAULTS, KINDS, trials

SCENARIOS = Path(__file__).resolve().parents[2] / "hil/scenarios"
MACHINE = ("--machine", "circuit-plotter")


class Cli:
    def __init__(self, folder: Path) -> None:
        self.env = {**os.environ, "MICROFACTORY_STATE": str(folder / "state")}
        self.folder = folder

    def __call__(self, *words: object) -> tuple[int, str, str]:
        done = subprocess.run(
            [sys.executable, "-m", "microfactory", *map(str, words)],
            env=self.env,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return done.returncode, done.stdout, done.stderr


@pytest.fixture
def cli(tmp_path):
    cli = Cli(tmp_path)
    (tmp_path / "sd").mkdir()
    code, _, err = cli("compile", SCENARIOS / "short_board.gcode", *MACHINE, "-o", "a.mfjob")
    assert code == 0, err
    return cli


def test_a_card_is_written_played_and_its_journal_read(cli):
    code, out, err = cli("card", "write", "a.mfjob", "sd", "--journal-mb", 1, "--json")
    assert code == 0, err
    facts = json.loads(out)
    assert sorted(facts["files"]) == ["homing.bin", "job.mfjob"]
    assert facts["journal_records"] == 2048
    asked = ("--port", "virtual", "--card", "sd", *MACHINE, "--json")
    code, out, err = cli("card", "status", *asked)
    assert code == 0, err
    assert json.loads(out)["state"] == "NONE"
    code, out, err = cli("card", "play", "--wait", *asked)
    assert code == 0, err
    status = json.loads(out)
    assert (status["state"], status["why"], status["words"]) == (
        "ENDED",
        "end",
        "played to its end",
    )
    assert status["windows_played"] == status["windows"] > 50
    code, out, err = cli("card", "journal", "sd", "--json")
    assert code == 0, err
    (record,) = json.loads(out)
    assert record["predicate"]["kind"] == "job from a card"
    assert record["predicate"]["verdict"] == "NOT JUDGED"
    assert record["subject"][0]["name"] == "short_board.gcode"
    code, out, err = cli("card", "journal", "sd")
    assert code == 0, err
    assert "short_board.gcode on circuit-plotter" in out


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("write", "a.mfjob"), 2, "takes a job file and a folder"),
        (("write", "a.mfjob", "nowhere"), 2, "mount the card first"),
        (("write", "nothing", "sd"), 6, "cannot be read"),
        (("write", "a.mfjob", "sd", "--name", "../x"), 2, "a name on the card"),
        (("write", "a.mfjob", "sd", "--journal-mb", "0"), 2, "1 to 1024"),
        (("journal", "sd"), 6, "cannot be read"),
        (("journal",), 2, "the folder of a mounted card"),
        (("play", *MACHINE), 2, "add --port"),
        (("play", "x", *MACHINE), 2, "takes no 'x'"),
        (("status", "--port", "/dev/null", "--card", "sd", *MACHINE), 2, "only `--port virtual`"),
        (("hold", "--port", "virtual", "--card", "sd", *MACHINE), 8, "not in this state"),
        (("status", "--port", "virtual", *MACHINE), 8, "no card slot here"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(cli, words, code, told):
    for extra in ((), ("--json",)):
        is_code, out, err = cli("card", *words, *extra)
        text = json.loads(out)["error"] if extra else err
        assert is_code == code, (out, err)
        assert told in " ".join(text.split())


def test_a_job_that_is_not_proved_is_not_written(cli):
    from microfactory.jobfile import compile_job
    from microfactory.machine import Machine
    from microfactory.motion.gcode import parse

    compile_job(
        parse(SCENARIOS / "short_board.gcode"),
        Machine.load("circuit-plotter"),
        cli.folder / "b.mfjob",
        prove=False,
    )
    code, _, err = cli("card", "write", "b.mfjob", "sd")
    assert code == 6
    assert "NOT JUDGED" in err
    assert not list((cli.folder / "sd").iterdir())


@pytest.mark.parametrize("kind", KINDS[:4], ids=lambda kind: kind.name)
def test_faults_of_cards_end_on_the_path_and_go_on(kind, seed):
    done = trials(kind, 3 * len(FAULTS), seed)
    assert len(done) == 3 * len(FAULTS)
    assert not [trial for trial in done if trial["wrong"]]
