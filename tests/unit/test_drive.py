"""Driving a stretch of motion: what must have arrived before it starts."""

from __future__ import annotations

import microfactory as mf


def test_a_start_is_never_on_its_way_together_with_what_it_starts(monkeypatch):
    machine = mf.Machine.load("d3d-printer")
    with mf.connect("virtual", machine, start_mm={"x": 4, "y": 171, "z": 3}) as board:
        client = board.client
        send, waiting = client.send, []

        def sent(name, **values):
            if name == "START":
                waiting.append(len(client.sender.waiting))
            send(name, **values)

        monkeypatch.setattr(client, "send", sent)
        board.home()
        board.move(x=50, y=60)
    assert len(waiting) >= 7  # fast, off, slow and pull-off of each axis, and the move
    assert set(waiting) == {0}
