"""Serial ports as a person meets them, on pseudo terminals; and sessions recorded and replayed."""

from __future__ import annotations

import os
import pty

import pytest

from microfactory.client import Client
from microfactory.errors import LinkError, UsageError
from microfactory.link import RecordingLink, ReplayLink, SerialLink, open_link
from microfactory.machine import Machine

MACHINE = Machine.load("d3d-printer")


@pytest.fixture
def port():
    """A pseudo terminal: (the far end's descriptor, the port's name)."""
    far, near = pty.openpty()
    yield far, os.ttyname(near)
    os.close(near)
    os.close(far)


def test_every_byte_passes_both_ways_unchanged(port):
    far, name = port
    link = SerialLink(name)
    every = bytes(range(256)) * 2
    link.write(every)
    seen = b""
    while len(seen) < len(every) + 1:
        seen += os.read(far, 4096)
    assert seen == every + b"\0"  # a full USB packet is never the last one
    os.write(far, every)
    heard = b""
    while len(heard) < len(every):
        piece = link.read(2.0)
        assert piece
        heard += piece
    assert heard == every
    link.close()
    link.close()


def test_a_silent_port_gives_nothing_after_the_time_asked_for(port):
    _far, name = port
    link = SerialLink(name)
    before = link.now_s()
    assert link.read(0.02) == b""
    assert link.now_s() - before >= 0.015
    assert link.read(0.0) == b""
    link.close()


def test_a_port_that_is_not_there_says_so():
    with pytest.raises(LinkError, match=r"^/dev/no-such-port: there is no such port; nothing was"):
        open_link("/dev/no-such-port", MACHINE)


def test_a_port_in_use_says_so(port):
    _far, name = port
    link = SerialLink(name)
    with pytest.raises(LinkError, match="another program uses this port; nothing was sent; close"):
        SerialLink(name)
    link.close()
    SerialLink(name).close()  # free again


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become a user without the right")
def test_a_port_that_may_not_be_used_says_what_to_do(port):
    _far, name = port
    os.chmod(name, 0o600)
    try:
        os.seteuid(65534)
    except OSError:
        pytest.skip("this root cannot become another user")
    try:
        with pytest.raises(
            LinkError, match=r"you may not use this port; nothing was sent; .*group"
        ):
            SerialLink(name)
    finally:
        os.seteuid(0)


def test_a_file_is_no_port(tmp_path):
    path = tmp_path / "job.gcode"
    path.write_text("G0 X1\n")
    with pytest.raises(LinkError, match=r"job\.gcode: the port cannot be used .*nothing was sent"):
        SerialLink(str(path))
    assert path.read_text() == "G0 X1\n"


def test_no_port_at_all_is_asked_for():
    with pytest.raises(UsageError, match="no port was given"):
        open_link("", MACHINE)


def test_a_plug_that_is_pulled_is_told_when_reading_and_when_writing():
    for act in (lambda link: link.read(0.5), lambda link: link.write(b"x" * 20_000)):
        far, near = pty.openpty()
        link = SerialLink(os.ttyname(near))
        os.close(near)
        os.close(far)
        with pytest.raises(LinkError, match=r"the board is gone .*stops on its path.*resume"):
            act(link)
        link.close()


def test_a_recorded_session_plays_again_as_it_was(tmp_path):
    def session(link):
        client = Client(link, MACHINE)
        info = client.connect()
        client.configure()
        client.send("RESET", number=7)
        client.settle()
        status = client.ask()
        link.close()
        return info, status.data(), list(client.events)

    path = tmp_path / "session.jsonl"
    first = session(RecordingLink(open_link("virtual", MACHINE), path))
    replay = ReplayLink(path)
    assert session(replay) == first
    assert replay.sent
    assert first[1]["state"] == "READY"
