"""The offline kit: whole, checked, and installable without internet."""

import base64
import hashlib
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from desk import UF2, payload

from microfactory.cli.main import main
from microfactory.flash import release

TOP = Path(__file__).parents[2]


def wheel(folder: Path) -> Path:
    """A real wheel called microfactory that says hello; the real one takes minutes to gather."""
    files = {
        "microfactory_hello.py": "def main():\n    print('hello from the kit')\n",
        "microfactory-9.dist-info/METADATA": (
            "Metadata-Version: 2.1\nName: microfactory\nVersion: 9\n"
        ),
        "microfactory-9.dist-info/WHEEL": (
            "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        ),
        "microfactory-9.dist-info/entry_points.txt": (
            "[console_scripts]\nmicrofactory = microfactory_hello:main\n"
        ),
    }
    record = ""
    for name, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode()
        record += f"{name},sha256={digest.rstrip('=')},{len(text)}\n"
    files["microfactory-9.dist-info/RECORD"] = record + "microfactory-9.dist-info/RECORD,,\n"
    folder.mkdir()
    path = folder / "microfactory-9-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path


@pytest.fixture
def made(tmp_path, capsys):
    wheel(tmp_path / "wheels")
    (tmp_path / "RPI_PICO.uf2").write_bytes(UF2)
    release.make(tmp_path / "plotter-7", payload(7))
    words = ["kit", str(tmp_path / "kit"), "--uf2", str(tmp_path / "RPI_PICO.uf2"), "--json"]
    words += ["--release", str(tmp_path / "plotter-7"), "--wheels", str(tmp_path / "wheels")]
    assert main([*words, "--source", str(TOP)]) == 0
    value = json.loads(capsys.readouterr().out)
    assert value["uf2"] == {"RPI_PICO.uf2": hashlib.sha256(UF2).hexdigest()}
    assert value["releases"] == ["plotter-7"]
    return tmp_path / "kit"


def test_a_kit_has_everything_and_installs_without_internet(made, tmp_path):
    wanted = "docs/flash-a-board.md 60-microfactory.rules source/pyproject.toml uf2/RPI_PICO.uf2"
    for name in f"{wanted} firmware/plotter-7/release.json source/csrc/src/plan.c".split():
        assert (made / name).is_file(), name
    assert not list(made.rglob(".git"))
    environment = {**os.environ, "PYTHON": sys.executable, "PIP_INDEX_URL": "http://127.0.0.1:9/"}
    done = subprocess.run(
        ["sh", str(made / "install.sh"), str(tmp_path / "there")],
        env=environment, capture_output=True, text=True, check=False, timeout=100,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    out = subprocess.run([tmp_path / "there/bin/microfactory"], capture_output=True, text=True)
    assert out.stdout == "hello from the kit\n"


def test_a_damaged_kit_installs_nothing(made, tmp_path, capsys):
    assert main(["kit", str(made), "--check"]) == 0
    path = made / "docs/safety.md"
    path.write_text(path.read_text().replace("contactor", "button"))
    assert main(["kit", str(made), "--check"]) == 2
    assert "docs/safety.md" in capsys.readouterr().err
    done = subprocess.run(
        ["sh", str(made / "install.sh"), str(tmp_path / "there")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "this kit is damaged" in done.stderr
    assert not (tmp_path / "there").exists()


def test_what_was_added_to_a_kit_is_found(made, capsys):
    (made / "wheels/evil.whl").write_bytes(b"")
    assert main(["kit", str(made), "--check"]) == 2
    assert "added: wheels/evil.whl" in capsys.readouterr().err


def test_a_bad_file_or_folder_is_refused_before_anything_is_gathered(tmp_path, capsys):
    bad = tmp_path / "bad.uf2"
    bad.write_bytes(UF2[:-512])
    for words, code, told in (
        (["--uf2", str(bad)], 11, "blocks"),
        (["--uf2", str(tmp_path / "none.uf2")], 2, "cannot be read"),
        (["--release", str(tmp_path)], 11, "no release"),
        (["--source", str(tmp_path)], 2, "not the source"),
    ):
        source = [] if "--source" in words else ["--source", str(TOP)]
        assert main(["kit", str(tmp_path / "kit"), *words, *source]) == code
        assert told in capsys.readouterr().err
        assert not (tmp_path / "kit").exists()
    (tmp_path / "full").mkdir()
    (tmp_path / "full/x").write_text("x")
    assert main(["kit", str(tmp_path / "full"), "--source", str(TOP)]) == 2
    assert "not empty" in capsys.readouterr().err
