"""Host and firmware one version apart: every pair works, or refuses in words before anything moves.

A version apart means another protocol number or another table of messages; both ends are the real
ones, told that they are older or newer.
"""

import pytest
from desk import blank, flashed, micropython, plan
from hil.rig_virtual import open_link

import microfactory as mf
from mfboard import answers
from mfwire.messages import PROTOCOL, SCHEMA_LOW
from microfactory import client
from microfactory.errors import FlashError, LinkError

VERSIONS = {
    "older protocol": (PROTOCOL - 1, SCHEMA_LOW ^ 0x1111),
    "older table": (PROTOCOL, SCHEMA_LOW ^ 0x2222),
    "same": (PROTOCOL, SCHEMA_LOW),
    "newer table": (PROTOCOL, SCHEMA_LOW ^ 0x4444),
    "newer protocol": (PROTOCOL + 1, SCHEMA_LOW ^ 0x8888),
}


@pytest.mark.parametrize("host", VERSIONS)
@pytest.mark.parametrize("firmware", VERSIONS)
def test_every_pair_works_or_refuses_in_words(monkeypatch, host, firmware):
    for module, version in ((client, VERSIONS[host]), (answers, VERSIONS[firmware])):
        monkeypatch.setattr(module, "PROTOCOL", version[0])
        monkeypatch.setattr(module, "SCHEMA_LOW", version[1])
    machine = mf.Machine.load("circuit-plotter")
    link = open_link(machine)
    board = mf.Board(link, machine)
    if host == firmware:
        with board:
            assert board.status().state == "READY"
        return
    with pytest.raises(LinkError, match=r"another firmware .* nothing moved; flash"):
        board.open()
    assert link.board.config is None  # it was not even configured
    assert link.port.enabled == 0


def test_a_board_with_another_table_is_flashed_by_its_button_and_not_over_its_repl(monkeypatch):
    pico = micropython()
    flashed(pico, plan(with_uf2=False))
    skew = pytest.MonkeyPatch()
    skew.setattr(answers, "SCHEMA_LOW", SCHEMA_LOW ^ 1)
    with pytest.raises(FlashError, match=r"another firmware.*press its button"):
        flashed(pico, plan(with_uf2=False, number=2))
    assert pico.state == "app"

    def person(where: str, picture: str) -> None:
        pico.plug_in(held=True)
        skew.undo()

    monkeypatch.setattr("microfactory.flash.loader.APPEARS_S", 0.05)
    unit = pico.files().read("/me/identity.json")
    flashed(pico, plan(number=2), person)
    assert pico.presses == 1
    assert pico.files().read("/me/identity.json") == unit


def test_a_blank_board_has_no_version_to_disagree_with():
    assert flashed(blank(), plan()).record.verdict == "PASS"
