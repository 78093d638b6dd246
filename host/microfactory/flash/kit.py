"""The offline kit: all that a workshop without internet needs, in one folder, with its hashes.

wheels/        this package and all it needs, for this system and this Python
source/        this package's source, for another Python or system with a compiler
firmware/      signed releases, as they were given
uf2/           MicroPython files, as they were given, checked
docs/          the pages
60-microfactory.rules, install.sh, SHA256SUMS, KIT.json
"""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import distribution, version
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

from microfactory.errors import UsageError
from microfactory.flash import release, uf2
from microfactory.flash.system import UDEV_RULE

SUMS = "SHA256SUMS"
Told = Callable[[float, str], None]
NOT_SOURCE = shutil.ignore_patterns(
    ".*", "__pycache__", "*.pyc", "*.egg-info", "build", "out", "*.so", "node_modules"
)
INSTALL = """\
#!/bin/sh
# Installs microfactory from this folder, without internet. Usage: sh install.sh [FOLDER]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
to=${1:-$HOME/microfactory}
python=${PYTHON:-python3}
(cd "$here" && sha256sum --quiet -c SHA256SUMS) || {
  echo "this kit is damaged: copy it again; nothing was installed" >&2; exit 1; }
"$python" -m venv "$to" || {
  echo "python3 has no venv here: install python3-venv; nothing was installed" >&2; exit 1; }
"$to/bin/python" -m pip install -q --disable-pip-version-check --no-index \\
  --find-links "$here/wheels" microfactory || {
  echo "the wheels of this kit are for @PYTHON@ on @MACHINE@; this is another" >&2; exit 1; }
echo "ok: $to/bin/microfactory"
if [ ! -e /etc/udev/rules.d/60-microfactory.rules ]; then
  echo "so that boards may be used without root, once:"
  echo "  sudo cp $here/60-microfactory.rules /etc/udev/rules.d/ && sudo udevadm control --reload"
fi
"""


def source_folder() -> Path:
    """Where this package was installed from. UsageError: not from a folder that is still there."""
    text = distribution("microfactory").read_text("direct_url.json") or "{}"
    url = urlparse(json.loads(text).get("url", ""))
    path = Path(unquote(url.path))
    if url.scheme != "file" or not (path / "pyproject.toml").is_file():
        raise UsageError(
            "this package was not installed from its source folder; no kit was made; add --source "
            "FOLDER"
        )
    return path


def make(
    folder: Path,
    source: Path,
    images: list[Path],
    releases: list[Path],
    wheels: Path | None,
    told: Told,
) -> dict[str, Any]:
    """Gather a kit. folder is new or empty. wheels: take these; None: fetch and build them.

    UsageError: something is missing. FlashError: a UF2 file or release is not sound.
    """
    if folder.exists() and any(folder.iterdir()):
        raise UsageError(f"{folder}: it is not empty; no kit was made; name a new folder")
    if not (source / "pyproject.toml").is_file():
        raise UsageError(f"{source}: this is not the source of microfactory; no kit was made")
    found = [(path, uf2.read(_bytes(path), path.name)) for path in images]
    for path in releases:
        release.check_files(path)
    told(0.05, "source and pages")
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copytree(source, folder / "source", ignore=NOT_SOURCE)
    shutil.copytree(source / "docs", folder / "docs")
    for path, _image in found:
        _copy(path, folder / "uf2" / path.name)
    for path in releases:
        shutil.copytree(path, folder / "firmware" / path.name)
    (folder / "60-microfactory.rules").write_text(UDEV_RULE)
    this = f"Python {platform.python_version_tuple()[0]}.{platform.python_version_tuple()[1]}"
    script = INSTALL.replace("@PYTHON@", this).replace("@MACHINE@", platform.machine())
    (folder / "install.sh").write_text(script)
    told(0.2, "wheels")
    if wheels is not None:
        shutil.copytree(wheels, folder / "wheels")
    else:
        _fetch(source, folder / "wheels")
    told(0.9, "hashes")
    value = {
        "microfactory": version("microfactory"),
        "python": this,
        "system": f"{platform.system()} {platform.machine()}",
        "uf2": {image.name: image.sha256 for _path, image in found},
        "releases": [path.name for path in releases],
        "wheels": sorted(path.name for path in (folder / "wheels").glob("*.whl")),
    }
    if not value["wheels"]:
        raise UsageError(f"{wheels}: there are no wheels in it; the kit cannot be installed from")
    (folder / "KIT.json").write_text(json.dumps(value, indent=1))
    (folder / SUMS).write_text(
        "".join(f"{digest}  {name}\n" for name, digest in sorted(_hashes(folder).items()))
    )
    told(1.0, "done")
    return value


def check(folder: Path) -> int:
    """How many files of a kit are what they were. UsageError: which are not, or are too many."""
    try:
        lines = (folder / SUMS).read_text().splitlines()
    except OSError:
        raise UsageError(f"{folder}: there is no {SUMS}; this is no kit") from None
    wanted = {line[66:]: line[:64] for line in lines if len(line) > 66}
    found = _hashes(folder)
    bad = sorted(name for name in wanted if found.get(name) != wanted[name])
    more = sorted(set(found) - set(wanted))
    if bad or more or not wanted:
        what = (
            f"changed or missing: {', '.join(bad[:5])}" if bad else f"added: {', '.join(more[:5])}"
        )
        raise UsageError(
            f"{folder}: this kit is damaged; {what}; nothing was installed; copy it again"
        )
    return len(wanted)


def _fetch(source: Path, folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "-q", "--disable-pip-version-check",
         "--wheel-dir", str(folder), str(source)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["pip failed"])[-1]
        raise UsageError(
            f"the wheels could not be gathered ({last}); the kit is not whole; a kit is made on a "
            "computer with internet, or from --wheels FOLDER"
        )


def _hashes(folder: Path) -> dict[str, str]:
    """SHA-256 of every file but the list itself, by its path within the folder."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and path.relative_to(folder).as_posix() != SUMS
    }


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: it cannot be read ({error.strerror}); no kit was made") from None


def _copy(path: Path, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, to)
