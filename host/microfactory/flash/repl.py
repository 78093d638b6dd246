"""MicroPython's raw REPL: run code on a board, move files. Bytes over a stream; no port is opened.

Raw paste mode with its flow control where the board has it (MicroPython 1.14), else plain raw mode
in small pieces. Entering never soft-resets: that would start whatever main.py is.
"""

from __future__ import annotations

import base64
import json
import time
from typing import Any, Protocol

from microfactory.errors import Error, FlashError, LinkError

PROMPT = b"raw REPL; CTRL-B to exit\r\n>"
PIECE = 3072  # bytes of a file in one step
PLAIN_PIECE = 128
ENTER_S = 2.0
ANSWER_S = 10.0


class Stream(Protocol):
    """A REPL's bytes."""

    name: str

    def write(self, data: bytes) -> None:
        """LinkError or FlashError: it is gone."""

    def read(self, timeout_s: float) -> bytes:
        """What has come; empty after timeout_s."""

    def close(self) -> None:
        """Let go of it."""


class GoneError(FlashError):
    """The port went before anything was changed: a board that is just starting does that."""


class ReplError(FlashError):
    """Code on the board raised; its traceback is in `trace`."""

    def __init__(self, message: str, trace: str) -> None:
        super().__init__(message)
        self.trace = trace


class Repl:
    """A board at its raw prompt. Use as a context manager; leaving returns to the friendly one."""

    def __init__(self, stream: Stream) -> None:
        """FlashError: nobody answers as a REPL does."""
        self.stream = stream
        self._got = b""
        self._paste = True
        try:
            if self._entered():
                return
        except LinkError as error:
            raise GoneError(str(error)) from None
        raise FlashError(
            f"{stream.name}: no MicroPython prompt answers; the board was not changed; close other "
            "programs on this port, or hold BOOTSEL while plugging the board in"
        )

    def _entered(self) -> bool:
        for _ in range(3):
            self.stream.write(b"\r\x03\x03")
            self._until(b">>> ", 0.3)
            self.stream.write(b"\r\x01")
            if self._until(PROMPT, ENTER_S / 2):
                self._got = b""
                return True
        return False

    def __enter__(self) -> Repl:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Back to the friendly prompt; never raises for a board that is gone."""
        try:
            self.stream.write(b"\r\x02")
        except (Error, OSError):
            self._got = b""
        self.stream.close()

    # ---- code

    def run(self, code: str, timeout_s: float = ANSWER_S) -> str:
        """Run it; what it printed. ReplError: it raised. FlashError: no answer."""
        self._send(code.encode())
        out = self._wait(b"\x04", timeout_s)
        error = self._wait(b"\x04", ANSWER_S)
        self._wait(b">", ANSWER_S)
        if error:
            trace = error.decode("utf-8", "replace").strip()
            last = trace.splitlines()[-1]
            raise ReplError(
                f"{self.stream.name}: the board's MicroPython refused: {last}; what it runs was "
                "not changed; flash it again, or flash the whole board with --uf2",
                trace,
            )
        return out.decode("utf-8", "replace")

    def start(self, code: str) -> None:
        """Run something that does not answer, such as a reset."""
        self._send(code.encode())

    def value(self, code: str) -> Any:
        """What the code printed, as JSON."""
        text = self.run(code)
        try:
            return json.loads(text)
        except ValueError:
            raise FlashError(
                f"{self.stream.name}: the board answered {text[:60]!r}; nothing was changed; "
                "unplug it, plug it in and flash it again"
            ) from None

    def _send(self, code: bytes) -> None:
        if self._paste:
            self.stream.write(b"\x05A\x01")
            answer = self._take(2)
            if answer == b"R\x01":
                self._paste_all(code)
                return
            self._paste = False
            if answer != b"R\x00":  # an old one took it for text
                self.stream.write(b"\x03\x01")
                self._wait(PROMPT, ANSWER_S)
        for at in range(0, len(code), PLAIN_PIECE):
            self.stream.write(code[at : at + PLAIN_PIECE])
            time.sleep(0.005)  # its buffer is small and knows no flow control
        self.stream.write(b"\x04")
        self._wait(b"OK", ANSWER_S)

    def _paste_all(self, code: bytes) -> None:
        window = int.from_bytes(self._take(2), "little")
        left, at = window, 0
        while at < len(code):
            while left == 0 or self._got:
                mark = self._take(1)
                if mark == b"\x04":
                    self.stream.write(b"\x04")
                    self._wait(b"\x04", ANSWER_S)
                    return
                left += window
            piece = code[at : at + left]
            self.stream.write(piece)
            left -= len(piece)
            at += len(piece)
        self.stream.write(b"\x04")
        self._wait(b"\x04", ANSWER_S)  # windows granted meanwhile stand before it

    # ---- files

    def put(self, path: str, data: bytes) -> None:
        """A whole file; its folder is there."""
        self.run(f"from binascii import a2b_base64 as _u\n_f=open({path!r},'wb')\n_w=_f.write")
        for at in range(0, len(data), PIECE):
            text = base64.b64encode(data[at : at + PIECE]).decode()
            self.run(f"_w(_u('{text}'))")
        self.run("_f.close()")

    def get(self, path: str) -> bytes | None:
        """A whole file; None: there is none."""
        text = self.run(
            "from binascii import b2a_base64 as _b\n"
            f"try:\n with open({path!r},'rb') as _f:\n"
            "  while True:\n   _p=_f.read(384)\n   if not _p: break\n"
            "   print(_b(_p).decode().strip())\n"
            "except OSError: print('none')"
        )
        if text.strip() == "none":
            return None
        return b"".join(base64.b64decode(line) for line in text.split())

    # ---- bytes

    def _more(self, timeout_s: float) -> bool:
        data = self.stream.read(timeout_s)
        self._got += data
        return bool(data)

    def _until(self, mark: bytes, timeout_s: float) -> bool:
        """Whether the mark came; what stands before it is dropped with it."""
        until = time.monotonic() + timeout_s
        while mark not in self._got:
            if not self._more(max(0.0, until - time.monotonic())) and time.monotonic() >= until:
                return False
        self._got = self._got.split(mark, 1)[1]
        return True

    def _wait(self, mark: bytes, timeout_s: float) -> bytes:
        until = time.monotonic() + timeout_s
        while mark not in self._got:
            if not self._more(max(0.0, until - time.monotonic())) and time.monotonic() >= until:
                raise self._silent()
        before, self._got = self._got.split(mark, 1)
        return before

    def _take(self, count: int) -> bytes:
        until = time.monotonic() + ANSWER_S
        while len(self._got) < count:
            if not self._more(max(0.0, until - time.monotonic())) and time.monotonic() >= until:
                raise self._silent()
        data, self._got = self._got[:count], self._got[count:]
        return data

    def _silent(self) -> FlashError:
        return FlashError(
            f"{self.stream.name}: the board stopped answering; what it ran before is still whole; "
            "unplug it, plug it in and flash it again"
        )
