"""Faults that a test sets in a word: the link, switches, sensors. All are mended when it ends.

What needs an ability that the rig has not skips the test with the reason, as a marker does.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from hil.rigs.rig import Rig
from hil.rigs.tapped import Tap, TappedLink


class Faults:
    """The `fault` fixture. need: called with a need's name; it skips where the rig has it not."""

    def __init__(self, rig: Rig, link: TappedLink, need: Callable[[str], None]) -> None:
        self._rig, self._link, self._need = rig, link, need
        self._taps: list[Tap] = []
        self._held: set[str] = set()
        self._broken: set[str] = set()
        self._off = False

    def cut(self) -> None:
        """The cable is pulled: from now on no byte passes."""
        self._need("link_faults")
        self._link.is_cut = True

    def plug_in(self) -> None:
        """The cable is there again."""
        self._link.is_cut = False

    def flip(self, share: float, seed: int = 1) -> None:
        """So many of the bytes to the board have one bit flipped."""
        rng = random.Random(seed)

        def tap(data: bytes) -> bytes:
            return bytes(b ^ (1 << rng.randrange(8)) if rng.random() < share else b for b in data)

        self._tap(tap)

    def drop(self, share: float, seed: int = 1) -> None:
        """So many of the bytes to the board are lost."""
        rng = random.Random(seed)
        self._tap(lambda data: bytes(b for b in data if rng.random() >= share))

    def _tap(self, tap: Tap) -> None:
        self._need("link_faults")
        self._taps.append(tap)
        self._link.to_board.insert(0, tap)

    def stick(self, name: str, active: bool) -> None:
        """An input reads active, or not, whatever happens to its switch."""
        self._need("switches")
        self._held.add(name)
        self._rig.press(self._link, name, active)

    def sensor(self, heater: str, fault: str) -> None:
        """A heater's sensor is open, short or detached."""
        self._need("adc_stim")
        self._broken.add(heater)
        self._rig.sensor(self._link, heater, fault)

    def reset(self) -> None:
        """The board is reset, as by its button: it knows nothing any more. Connect anew."""
        self._need("reset")
        self._rig.reset(self._link)

    def power(self, on: bool) -> None:
        """The board's USB power is off, or on again. Connect anew."""
        self._need("usb_power")
        self._off = not on
        self._rig.power(self._link, on)

    def mend(self) -> None:
        """Everything is whole again."""
        self.plug_in()
        if self._off:
            self.power(True)
        self._link.to_board[:] = [tap for tap in self._link.to_board if tap not in self._taps]
        for name in sorted(self._held):
            self._rig.let_go(self._link, name)
        for heater in sorted(self._broken):
            self._rig.sensor(self._link, heater, "")
        self._held.clear()
        self._broken.clear()
