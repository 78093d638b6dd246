"""A board in memory behind a terminal device, living in real time: as a serial port is."""

from __future__ import annotations

import os
import pty
import select
import threading
import time
import tty

from hil.probe.twin import ProbeTwin

from microfactory import Machine
from microfactory.link import open_link


class Served:
    """A context: `port` is the device to open."""

    def __init__(self, machine: str) -> None:
        self.link = open_link("virtual", Machine.load(machine))
        self._far, self._near = pty.openpty()
        tty.setraw(self._near)
        self.port = os.ttyname(self._near)
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Served:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._end.set()
        self._thread.join(5)
        os.close(self._far)
        os.close(self._near)

    def _serve(self) -> None:
        begun = time.monotonic() - self.link.now_s()
        while not self._end.is_set():
            ready, _, _ = select.select([self._far], [], [], 0.002)
            if ready:
                self.link.write(os.read(self._far, 4096))
            said = self.link.read(time.monotonic() - begun - self.link.now_s())
            if said:
                os.write(self._far, said)


class ServedPair:
    """A board in memory and a simulated probe on two such devices: `board` and `probe`."""

    def __init__(self, rig) -> None:
        self.link = open_link("virtual", rig.machine, capture=True)
        self._twin = ProbeTwin(self.link, rig)
        self._ends = [pty.openpty() for _ in range(2)]
        for _far, near in self._ends:
            tty.setraw(near)
        self.board, self.probe = (os.ttyname(near) for _far, near in self._ends)
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> ServedPair:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._end.set()
        self._thread.join(5)
        for pair in self._ends:
            for end in pair:
                os.close(end)

    def _serve(self) -> None:
        begun = time.monotonic() - self.link.now_s()
        board, probe = (far for far, _near in self._ends)
        while not self._end.is_set():
            ready, _, _ = select.select([board, probe], [], [], 0.002)
            said = self.link.read(time.monotonic() - begun - self.link.now_s())
            if board in ready:  # at its time, not at that of the turn before
                self.link.write(os.read(board, 4096))
            if probe in ready:
                self._twin.write(os.read(probe, 4096))
                os.write(probe, self._twin.read(0.0))
            if said:
                os.write(board, said)
