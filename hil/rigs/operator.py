"""What a person at the bench does and sees; simulated rigs, and a probe, do it by themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hil.rigs.rig import Rig
from hil.rigs.tapped import TappedLink

NO = ("n", "no")
YES = ("y", "yes", "")


class Operator:
    """The `operator` fixture. need: called with a need's name; it skips where the rig has it not.

    capturing: pytest's, so that a question is seen.
    """

    def __init__(
        self, rig: Rig, link: TappedLink, capturing: Any, need: Callable[[str], None]
    ) -> None:
        self._rig, self._link, self._capturing, self._need = rig, link, capturing, need

    def press(self, name: str) -> None:
        """Press an input's switch and keep it pressed."""
        self._move(name, True, f"press {name} and keep it pressed, then Enter")

    def release(self, name: str) -> None:
        """Let the switch go."""
        self._move(name, False, f"let {name} go, then Enter")

    def _move(self, name: str, active: bool, words: str) -> None:
        if "switches" in self._rig.abilities:
            self._rig.press(self._link, name, active)
        else:
            self.do(words)

    def do(self, words: str) -> None:
        """Ask a person to do something; goes on at Enter. Without a person the test is skipped."""
        self._need("person")
        self._ask(f"{words} ")

    def confirm(self, question: str) -> bool:
        """Ask a person yes or no (Enter: yes). Without a person the test is skipped."""
        self._need("person")
        while True:
            answer = self._ask(f"{question} [Y/n] ").strip().lower()
            if answer in (*YES, *NO):
                return answer in YES

    def _ask(self, words: str) -> str:
        if self._capturing is None:
            return input(f"\n  {words}")
        self._capturing.suspend_global_capture(in_=True)
        try:
            return input(f"\n  {words}")
        finally:
            self._capturing.resume_global_capture()
