"""Boards in memory behind terminal devices, living in real time: as serial ports are."""

from __future__ import annotations

import os
import pty
import select
import threading
import time
import tty
from typing import Self

from hil.probe.twin import ProbeTwin

from microfactory import Machine
from microfactory.link import open_link


class Served:
    """A context: a board in memory, `port` is the device to open."""

    def __init__(self, machine: str) -> None:
        self._begin(open_link("virtual", Machine.load(machine)), 1)
        (self.port,) = self._names

    def _begin(self, link, devices: int) -> None:
        self.link = link
        self._ends = [pty.openpty() for _ in range(devices)]
        for _far, near in self._ends:
            tty.setraw(near)
        self._names = [os.ttyname(near) for _far, near in self._ends]
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
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
        fars = [far for far, _near in self._ends]
        while not self._end.is_set():
            ready, _, _ = select.select(fars, [], [], 0.002)
            said = self.link.read(time.monotonic() - begun - self.link.now_s())
            if fars[0] in ready:  # at its time, not at that of the turn before
                self.link.write(os.read(fars[0], 4096))
            if said:
                os.write(fars[0], said)
            for far in fars[1:]:
                if far in ready:
                    os.write(far, self._asked(os.read(far, 4096)))

    def _asked(self, data: bytes) -> bytes:
        raise NotImplementedError  # there is one device


class ServedPair(Served):
    """A board in memory and a simulated probe on two such devices: `board` and `probe`."""

    def __init__(self, rig) -> None:
        link = open_link("virtual", rig.machine, capture=True)
        self._twin = ProbeTwin(link, rig)
        self._begin(link, 2)
        self.board, self.probe = self._names

    def _asked(self, data: bytes) -> bytes:
        self._twin.write(data)
        return self._twin.read(0.0)
