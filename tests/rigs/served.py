"""A board in memory behind a terminal device, living in real time: as a serial port is."""

from __future__ import annotations

import os
import pty
import select
import threading
import time
import tty

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
