"""A link that can be listened to, spoilt and cut, whatever is behind it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from microfactory import LinkError

Tap = Callable[[bytes], bytes]


class TappedLink:
    """Passes bytes on through its taps. inner: the rig's own link.

    to_board, from_board: each gets the bytes on their way and returns what goes on.
    """

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        self.to_board: list[Tap] = []
        self.from_board: list[Tap] = []
        self.is_cut = False

    def write(self, data: bytes) -> None:
        """Bytes to the board. LinkError: it is cut."""
        self._check()
        for tap in self.to_board:
            data = tap(data)
        if data:
            self.inner.write(data)

    def read(self, timeout_s: float) -> bytes:
        """Bytes of the board, after at most timeout_s. LinkError: it is cut."""
        self._check()
        data: bytes = self.inner.read(timeout_s)
        for tap in self.from_board:
            data = tap(data)
        return data

    def _check(self) -> None:
        if self.is_cut:
            raise LinkError(
                "the link is cut; the board stops on its path by itself; mend it and resume"
            )

    def alone(self, seconds: float) -> None:
        """Let the board live without a host for so long, on the link's clock."""
        until_s = self.inner.now_s() + seconds
        while self.inner.now_s() < until_s:
            self.inner.read(min(0.01, until_s - self.inner.now_s()))

    def now_s(self) -> float:
        return float(self.inner.now_s())

    def close(self) -> None:
        self.inner.close()
