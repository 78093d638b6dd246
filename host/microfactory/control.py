"""A running job's ear: `stop`, `status` and `override` from a second terminal reach it over a local
socket.

The job polls it; nothing blocks and no thread is needed. One request a connection: a word, with
values behind it where it takes some, a line of JSON back.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from microfactory.errors import LinkError, UsageError

ANSWER_S = 5.0


class Ear:
    """Listens beside a job. answers: word -> what to say, given the values behind it."""

    def __init__(self, path: Path, answers: dict[str, Callable[..., dict[str, Any]]]) -> None:
        self.path = path
        self.answers = answers
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and _runs(path):
            raise UsageError(
                f"{path}: a job is running on this machine already; nothing was started; stop it "
                "with `microfactory stop`, or wait"
            )
        path.unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.bind(str(path))
        os.chmod(path, 0o600)
        self._socket.listen(4)
        self._socket.setblocking(False)

    def poll(self) -> None:
        """Answer whoever is waiting."""
        while True:
            try:
                peer, _ = self._socket.accept()
            except (BlockingIOError, InterruptedError):
                return
            with peer, contextlib.suppress(OSError):
                peer.settimeout(0.2)
                said = self._answer(peer.recv(64).decode("ascii", "replace"))
                peer.sendall(json.dumps(said).encode() + b"\n")

    def _answer(self, text: str) -> dict[str, Any]:
        word, *values = text.split() or [""]
        answer = self.answers.get(word)
        if answer is None:
            return {"error": f"{word!r} is not known here"}
        try:
            return answer(*(float(value) for value in values))
        except (TypeError, ValueError):
            return {"error": f"{text.strip()!r}: these values do not belong to {word!r}"}
        except UsageError as error:
            return {"error": str(error)}

    def close(self) -> None:
        """Stop listening."""
        self._socket.close()
        self.path.unlink(missing_ok=True)


def _runs(path: Path) -> bool:
    """Somebody has this socket open, though they may be too busy to answer."""
    try:
        return ask(path, "status") is not None
    except LinkError:
        return True


def ask(path: Path, word: str, wait_s: float = ANSWER_S) -> dict[str, Any] | None:
    """Ask a running job; None: none is running. LinkError: one is, and does not answer."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as peer:
        peer.settimeout(wait_s)
        try:
            peer.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError):
            return None
        except OSError as error:
            raise _silent(path, word, str(error)) from None
        try:
            peer.sendall(word.encode() + b"\n")
            data = b""
            while not data.endswith(b"\n"):
                piece = peer.recv(65536)
                if not piece:
                    break
                data += piece
            answer = json.loads(data)
        except (OSError, ValueError) as error:
            raise _silent(path, word, str(error)) from None
    return answer if isinstance(answer, dict) else None


def _silent(path: Path, word: str, why: str) -> LinkError:
    return LinkError(
        f"{path}: a job is running there but did not answer `{word}` ({why}); it takes the request "
        "when it looks again; if the machine must stand now, use the emergency stop"
    )
