"""Where microfactory keeps what must not be forgotten: journals, records, the control socket."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

from microfactory.errors import UsageError


def state_dir() -> Path:
    """$MICROFACTORY_STATE, else the user's state directory."""
    given = os.environ.get("MICROFACTORY_STATE")
    if given:
        return Path(given)
    base = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local/state")
    return Path(base) / "microfactory"


def machine_dir(machine: str) -> Path:
    """The folder of one machine."""
    return state_dir() / re.sub(r"[^A-Za-z0-9._-]", "_", machine)


def journal_path(machine: str) -> Path:
    """The journal of a machine's jobs."""
    return machine_dir(machine) / "journal.jsonl"


def records_path(machine: str) -> Path:
    """The records of a machine."""
    return machine_dir(machine) / "records.jsonl"


def control_path(machine: str) -> Path:
    """The socket of a running job; short, for sockets have short names."""
    path = machine_dir(machine) / "control.sock"
    if len(str(path)) < 100:
        return path
    name = re.sub(r"[^A-Za-z0-9]", "_", str(path))[-60:]
    return Path(tempfile.gettempdir()) / f"microfactory-{os.getuid()}-{name}.sock"


def write_whole(path: Path, data: bytes) -> None:
    """A file that is there whole or not at all. UsageError: it cannot be written."""
    try:
        _write_whole(path, data)
    except OSError as error:
        raise UsageError(
            f"{path}: it cannot be written ({error.strerror}); nothing was left there; name "
            "another file or make room"
        ) from None


def _write_whole(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
