"""The journal: where in the program each window ends, written before the window is committed.

One JSON line a window, appended. Each line is with the system before the commit, so that a host
that dies loses none; it is on the disk at least each second. A last line that is cut short (power
was lost while it was written) is left out when it is read, and ended before the next is written.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from microfactory.errors import JobError
from microfactory.motion.stretch import Place, Window
from microfactory.pace import PLAIN, Change, Pace

SYNC_S = 1.0


class Journal:
    """Append-only. `window` must be called before the window is committed."""

    def __init__(self, path: Path, head: dict[str, Any], now_s: Callable[[], float]) -> None:
        self.path = path
        self._now_s = now_s
        self._broken = False
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            torn = path.exists() and not _ends_whole(path)
            self._file = open(path, "ab", buffering=0)  # noqa: SIM115 - closed by close()
        except OSError as error:
            raise JobError(
                f"{path}: the journal cannot be written ({error.strerror}); nothing moved; give "
                "another file or set MICROFACTORY_STATE to a folder that can be written"
            ) from None
        self._synced_s = now_s()
        try:
            if torn:
                self._write("\n")
            self.note({"begin": head})
            self.sync()
        except JobError:
            self.close()
            raise

    def note(self, row: dict[str, Any]) -> None:
        """One line."""
        self._write(json.dumps(row, separators=(",", ":")) + "\n")

    def _write(self, text: str) -> None:
        data = text.encode()
        try:
            while data:
                data = data[self._file.write(data) or 0 :]
        except OSError as error:
            raise self._lost(error) from None

    def _lost(self, error: OSError) -> JobError:
        self._broken = True
        return JobError(
            f"{self.path}: the journal cannot be written ({error.strerror}); no further window is "
            "committed, a machine that moves stops on its path; make room on the disk"
        )

    def window(self, window: Window) -> None:
        """Where a window and its tail end."""
        end, rest = window.end, window.rest
        low = {"low": window.low} if any(window.low) else {}  # open slack: docs/compensation.md
        self.note(
            {
                **low,
                "w": window.number,
                "end": [end.move, end.line, end.distance_mm],
                "rest": [rest.move, rest.line, rest.distance_mm],
                "end_steps": window.end_steps,
                "rest_steps": window.rest_steps,
            }
        )
        if self._now_s() - self._synced_s >= SYNC_S:
            self.sync()

    def override(self, change: Change) -> None:
        """Speeds are these from that window on; written before it."""
        self.note({"override": list(change.pace), "from": change.window})

    def rested(self, line: int) -> None:
        """A section has ended by itself: all windows so far were played to their end."""
        self.note({"rested": line})

    def paused(self, line: int) -> None:
        """The pause of this line was reached: whoever goes on from here has seen to it."""
        self.note({"paused": line})

    def sync(self) -> None:
        """On the disk now."""
        try:
            os.fsync(self._file.fileno())
        except OSError as error:
            raise self._lost(error) from None
        self._synced_s = self._now_s()

    def close(self) -> None:
        """On the disk, and closed."""
        if self._file.closed:
            return
        if not self._broken:
            self.sync()
        self._file.close()


def _ends_whole(path: Path) -> bool:
    if path.stat().st_size == 0:
        return True
    with open(path, "rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"


class Past:
    """What a journal tells: how the last job began, and its windows by number."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.head: dict[str, Any] = {}
        self.windows: dict[int, dict[str, Any]] = {}
        self.stretch: list[int] = []  # windows since the path was at rest by itself
        self.still: tuple[Place, tuple[int, ...] | None] = (Place(0, 0, 0.0), None)
        self.paused = 0  # line of the last pause that was reached
        self.last: dict[str, Any] = {}
        self.pace = PLAIN  # in force at the end
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            raise JobError(
                f"{path}: there is no journal, so there is no job to go on with; nothing moved"
            ) from None
        for line in text.split("\n"):
            row = self._row(line)
            if row is None:
                continue
            self._take(row)
        if not self.head:
            raise JobError(f"{path}: this is no journal of a job; nothing moved")

    def _take(self, row: dict[str, Any]) -> None:
        if "begin" in row:
            head = row["begin"]
            self.stretch = []
            if head.get("resumed"):
                move, line, distance = head["place"]
                steps = head["steps"]
                self.still = Place(move, line, distance), tuple(steps) if steps else None
            else:
                self.head, self.windows, self.paused = head, {}, 0
                self.pace = PLAIN
                self.still = Place(0, 0, 0.0), None
            return
        self.last = row
        self.paused = int(row.get("paused", self.paused))
        if "override" in row:
            self.pace = Pace(*row["override"])
        if "w" in row:
            self.windows[row["w"]] = row
            self.stretch.append(row["w"])
        elif "rested" in row and self.stretch:
            self.still = self.end_of(self.stretch[-1])
            self.stretch = []

    @staticmethod
    def _row(line: str) -> dict[str, Any] | None:
        try:
            row = json.loads(line)
        except ValueError:
            return None
        return row if isinstance(row, dict) else None

    @property
    def finished(self) -> bool:
        """The job has ended by itself."""
        return "done" in self.last

    @property
    def next_number(self) -> int:
        """A window number that the job has not used yet."""
        return max(self.windows, default=0) + 1

    def rest_of(self, number: int) -> tuple[Place, tuple[int, ...]]:
        """Where the tail of a window rests. JobError: the journal has no such window."""
        return self._mark(number, "rest")

    def end_of(self, number: int) -> tuple[Place, tuple[int, ...]]:
        """Where a window ends. JobError: the journal has no such window."""
        return self._mark(number, "end")

    def _mark(self, number: int, which: str) -> tuple[Place, tuple[int, ...]]:
        row = self.windows.get(number)
        if row is None:
            raise JobError(
                f"{self.path}: window {number} is not in the journal, so the place in the program "
                "is unknown; nothing moved; home and run the job anew"
            )
        move, line, distance = row[which]
        return Place(move, line, distance), tuple(row[which + "_steps"])
