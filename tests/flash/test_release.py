"""Signed releases: k of n keys, every byte under a signature, nothing older by accident."""

import base64
import json
import shutil

import pytest
from desk import MACHINE, UF2, flashed, micropython, payload, plan

from microfactory.cli.main import main
from microfactory.errors import FlashError, UsageError
from microfactory.flash import release as r
from microfactory.flash.flow import planned


@pytest.fixture
def keys(tmp_path):
    """Three keys; two of them are needed."""
    paths = [tmp_path / f"{name}.key" for name in ("ada", "ben", "cy")]
    lines = [r.make_key(path) for path in paths]
    r.write_trust(2, lines)
    return paths


@pytest.fixture
def made(tmp_path, keys):
    folder = tmp_path / "release"
    r.make(folder, payload(7))
    for key in keys[:2]:
        r.sign(folder, key)
    return folder


def test_a_release_that_enough_keys_signed_is_the_payload_that_was_made(made):
    found, names = r.check(made, r.read_trust())
    assert names == ["ada", "ben"]
    assert found == payload(7)


def test_a_key_counts_once_and_a_stranger_not_at_all(made, keys, tmp_path):
    lone = tmp_path / "lone"
    shutil.copytree(made, lone)
    value = json.loads((lone / "release.json").read_text())
    value["signatures"] = value["signatures"][:1] * 3
    (lone / "release.json").write_text(json.dumps(value))
    with pytest.raises(FlashError, match="1 of the 2 signatures"):
        r.check(lone, r.read_trust())
    r.make_key(tmp_path / "stranger.key")
    r.sign(lone, tmp_path / "stranger.key")
    with pytest.raises(FlashError, match="1 of the 2 signatures"):
        r.check(lone, r.read_trust())
    r.sign(lone, keys[2])
    assert r.check(lone, r.read_trust())[1] == ["ada", "cy"]


def test_no_byte_of_what_is_signed_can_be_changed(made):
    path = made / "release.json"
    whole = path.read_text()
    signed = json.loads(whole)["signed"]
    changes = {
        "number": {**signed, "number": 8},
        "hardware": {**signed, "hardware": {"chip": "RP2350", "board": "x"}},
        "version": {**signed, "version": "9"},
        "file": {
            **signed,
            "files": {**signed["files"], "app.mpy": signed["files"]["mfwire/crc.mpy"]},
        },
    }
    for name, other in changes.items():
        value = {**json.loads(whole), "signed": other}
        path.write_text(json.dumps(value))
        with pytest.raises(FlashError, match="0 of the 2 signatures"):
            r.check(made, r.read_trust())
        assert name
    path.write_text(whole)
    for number, file in enumerate(sorted((made / "files").iterdir())):
        data = bytearray(file.read_bytes())
        data[number % len(data)] ^= 1
        file.write_bytes(bytes(data))
        with pytest.raises(FlashError, match="not what was signed"):
            r.check(made, r.read_trust())
        data[number % len(data)] ^= 1
        file.write_bytes(bytes(data))
    assert r.check(made, r.read_trust())


def test_every_bit_of_a_signature_matters_and_there_is_one_way_to_write_it(made):
    path = made / "release.json"
    value = json.loads(path.read_text())
    text = value["signatures"][0]["signature"]
    raw = base64.b64decode(text)
    bad = [
        base64.b64encode(bytes(b ^ (i == at) for i, b in enumerate(raw))).decode()
        for at in range(64)
    ]
    bad += [text.rstrip("="), text + "=", text[:-3] + "/==", " " + text, ""]
    for other in bad:
        value["signatures"][0]["signature"] = other
        path.write_text(json.dumps(value))
        with pytest.raises(FlashError, match="1 of the 2 signatures"):
            r.check(made, r.read_trust())


@pytest.mark.parametrize("name", ["../evil.mpy", "/etc/x.mpy", "a//b.mpy", "app.py", "a/../b.mpy"])
def test_a_name_that_leads_elsewhere_is_refused(tmp_path, name):
    r.make(tmp_path / "r", payload(7))
    path = tmp_path / "r/release.json"
    value = json.loads(path.read_text())
    value["signed"]["files"][name] = value["signed"]["files"]["app.mpy"]
    path.write_text(json.dumps(value))
    with pytest.raises(FlashError, match="no name of a firmware file"):
        r.check(tmp_path / "r", r.Trust(1, {"x": "y"}))


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"signed": 1}', '{"signed": {}}', "\x00", "{}" * 9]
)
def test_what_is_no_release_is_told(tmp_path, text):
    (tmp_path / "release.json").write_text(text)
    with pytest.raises(FlashError, match="no release"):
        r.check(tmp_path, r.Trust(1, {"x": "y"}))


def test_an_older_number_than_was_flashed_here_is_refused_unless_it_is_meant(made):
    r.note("pico-carrier", 9)
    r.note("pico-carrier", 3)
    assert r.highest("pico-carrier") == 9
    with pytest.raises(FlashError, match="number 7 is older than 9"):
        r.check(made, r.read_trust(), r.highest("pico-carrier"))


def test_without_a_word_whom_to_trust_no_release_is_taken(tmp_path):
    with pytest.raises(FlashError, match="whose releases it takes"):
        r.read_trust()
    for threshold in (0, 2):
        with pytest.raises(UsageError, match="cannot be asked for"):
            r.write_trust(threshold, ["a " + base64.b64encode(bytes(32)).decode()])
    with pytest.raises(UsageError, match="no public key"):
        r.write_trust(1, ["a b"])


def test_a_private_key_is_for_its_owner_and_may_be_locked(tmp_path):
    path = tmp_path / "mine.key"
    r.make_key(path, "open sesame")
    assert path.stat().st_mode & 0o077 == 0
    r.make(tmp_path / "r", payload(1))
    with pytest.raises(UsageError, match="nothing was signed"):
        r.sign(tmp_path / "r", path)
    r.sign(tmp_path / "r", path, "open sesame")
    with pytest.raises(UsageError, match="a key already"):
        r.make_key(path)


def test_a_release_is_flashed_and_the_board_takes_no_older_one(made):
    pico = micropython()
    found, _names = r.check(made, r.read_trust())
    flashed(pico, planned(MACHINE, None, found))
    with pytest.raises(FlashError, match="older than 7"):
        flashed(pico, plan(with_uf2=False, number=6))


def test_the_board_refuses_a_release_for_another_board(made):
    pico = micropython()
    flashed(pico, plan(with_uf2=False))
    from dataclasses import replace

    other = replace(payload(8), board="other-carrier")
    pico.link.board.port.on_maintain()
    from hil.flash_twin.pico import Desk

    from microfactory.flash import over_repl

    desk = Desk(pico)
    with over_repl.opened(desk, over_repl.port_at(desk, pico.where)) as repl:
        repl.run(over_repl.SLOTS)
        slot = repl.value("print(json.dumps(slots.begin(_F)))")
        repl.put(f"/{slot}/MANIFEST.new", other.manifest)
        with pytest.raises(FlashError, match="for other-carrier and this is a pico-carrier"):
            repl.run(f"slots.finish(_F, {slot!r}, _F.read('/{slot}/MANIFEST.new'))")


def test_a_workshop_without_internet_makes_its_own_keys_and_releases(tmp_path, capsys):
    def run(*words: object) -> str:
        assert main(["release", *map(str, words)]) == 0
        return capsys.readouterr().out

    for name in ("one", "two"):
        assert "private key" in run("key", tmp_path / f"{name}.key")
    run("trust", "--threshold", 2, tmp_path / "one.pub", tmp_path / "two.pub")
    r.make(tmp_path / "r", payload(3))
    for name in ("one", "two"):
        run("sign", tmp_path / "r", "--key", tmp_path / f"{name}.key")
    assert "it may be flashed" in run("check", tmp_path / "r")
    assert json.loads(run("check", tmp_path / "r", "--json"))["signed_by"] == ["one", "two"]
    assert UF2
