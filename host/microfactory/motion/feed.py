"""The moves of a program on their way into stretches of motion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from microfactory.motion.compensate import Sides
from microfactory.motion.core import lib

if TYPE_CHECKING:
    from microfactory.motion.stretch import Stretch


class Feed:
    """Moves one batch at a time, with a place to go on from."""

    def __init__(self, moves: Any, sides: Sides) -> None:
        self._batches = iter(moves)
        self.sides = sides
        self.array: Any = None
        self.count = 0
        self.at = 0
        self.index = 0  # of array[at] since the program's begin

    def fill(self) -> bool:
        """There is a move at array[at]; False: the program has ended."""
        while self.at >= self.count:
            batch = next(self._batches, None)
            if batch is None:
                return False
            self.array, self.count = batch
            self.at = 0
            self.sides.note(self.index, self.array, self.count)
        return True

    def advance(self, moves: int = 1) -> None:
        self.at += moves
        self.index += moves

    def push_to(self, stretch: Stretch) -> tuple[int, bool]:
        """A batch of moves: how many were taken, and whether the stretch ends with them."""
        taken, ended = 0, not self.fill()
        if not ended:
            taken = stretch.push(self.array + self.at, self.count - self.at)
            self.advance(taken)
            ended = self.at < self.count and self.array[self.at].kind >= lib.MF_MOVE_HOME
        if ended:
            stretch.finish()
        return taken, ended
