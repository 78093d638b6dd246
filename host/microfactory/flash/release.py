"""Signed releases: a folder with release.json and the files it names, by their hashes.

release.json is {"signed": {...}, "signatures": [{"key", "signature"}]}. Each signature is Ed25519
over the canonical JSON of "signed" behind a fixed line, so that it means nothing anywhere else.
Whose signatures count, and how many are needed, is the workshop's own decision: trust.json.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from microfactory.errors import FlashError, UsageError
from microfactory.flash.payload import LEAST_MICROPYTHON, Payload
from microfactory.places import state_dir, write_whole
from microfactory.record import canonical

FORMAT = 1
CONTEXT = b"microfactory release v1\n"
LARGEST_BYTES = 1_000_000
PLAIN_NAME = re.compile(r"[A-Za-z0-9_]+(/[A-Za-z0-9_]+)*\.mpy")


# ---- keys


def make_key(path: Path, passphrase: str = "") -> str:
    """A new private key, readable by its owner only, and its public half beside it (.pub).

    The public line. UsageError: a key is there already, or it cannot be written.
    """
    if path.exists():
        raise UsageError(f"{path}: there is a key already; it was not changed; name another file")
    key = Ed25519PrivateKey.generate()
    lock = form.BestAvailableEncryption(passphrase.encode()) if passphrase else form.NoEncryption()
    data: bytes = key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, lock)
    old = os.umask(0o077)
    try:
        write_whole(path, data)
    finally:
        os.umask(old)
    line = f"{path.stem} {_public_text(key.public_key())}"
    write_whole(path.with_suffix(".pub"), f"{line}\n".encode())
    return line


def _public_text(key: Ed25519PublicKey) -> str:
    raw = key.public_bytes(form.Encoding.Raw, form.PublicFormat.Raw)
    return base64.b64encode(raw).decode()


def _private(path: Path, passphrase: str) -> Ed25519PrivateKey:
    try:
        key = form.load_pem_private_key(
            path.read_bytes(), passphrase.encode() if passphrase else None
        )
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise UsageError(
            f"{path}: no private key can be read ({error}); nothing was signed"
        ) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise UsageError(f"{path}: this is no Ed25519 key; nothing was signed")
    return key


# ---- whose signatures count


@dataclass(frozen=True)
class Trust:
    """keys: base64 of the public key to the name of who holds it."""

    threshold: int
    keys: dict[str, str]


def trust_path() -> Path:
    """Where this workshop says whom it trusts."""
    return state_dir() / "trust.json"


def write_trust(threshold: int, lines: list[str]) -> Trust:
    """From public lines "name base64". UsageError: they are none, or too few."""
    keys: dict[str, str] = {}
    for line in lines:
        name, _space, text = line.strip().partition(" ")
        raw = _canonical_base64(text.strip())
        if raw is None or len(raw) != 32:
            raise UsageError(
                f"{line.strip()[:60]}: this is no public key; nothing was changed; take a .pub "
                "file of `microfactory release key`"
            )
        keys[text.strip()] = name
    if not 1 <= threshold <= len(keys):
        raise UsageError(
            f"{threshold} of {len(keys)} different keys cannot be asked for; nothing was changed"
        )
    value = {"threshold": threshold, "keys": keys}
    write_whole(trust_path(), json.dumps(value, indent=1).encode())
    return Trust(threshold, keys)


def read_trust() -> Trust:
    """FlashError: nobody has said whom to trust, or the file is damaged."""
    try:
        value = json.loads(trust_path().read_text())
        trust = Trust(int(value["threshold"]), {str(k): str(v) for k, v in value["keys"].items()})
    except FileNotFoundError:
        raise FlashError(
            "this workshop has not said whose releases it takes; no board was touched; say so "
            "with `microfactory release trust --threshold K A.pub B.pub ...`"
        ) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise FlashError(
            f"{trust_path()}: it cannot be read; no board was touched; write it anew with "
            "`microfactory release trust`"
        ) from None
    if not 1 <= trust.threshold <= len(trust.keys):
        raise FlashError(f"{trust_path()}: its threshold is not from 1 to the number of its keys")
    return trust


# ---- releases


def make(folder: Path, payload: Payload) -> dict[str, Any]:
    """Write a release that nobody has signed yet. UsageError: it cannot be written."""
    signed = {
        "format": FORMAT,
        "number": payload.number,
        "version": payload.version,
        "hardware": {"chip": payload.chip, "board": payload.board},
        "micropython": list(LEAST_MICROPYTHON),
        "files": {
            name: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            for name, data in sorted(payload.files.items())
        },
    }
    for data in payload.files.values():
        write_whole(folder / "files" / hashlib.sha256(data).hexdigest(), data)
    _write(folder, signed, [])
    return signed


def sign(folder: Path, key_file: Path, passphrase: str = "") -> str:
    """Add a signature; signing twice with a key changes nothing. The key's public text."""
    signed, signatures = _parse(folder)
    key = _private(key_file, passphrase)
    public = _public_text(key.public_key())
    signature = base64.b64encode(key.sign(CONTEXT + canonical(signed))).decode()
    kept = [one for one in signatures if one.get("key") != public]
    _write(folder, signed, [*kept, {"key": public, "signature": signature}])
    return public


def check(folder: Path, trust: Trust, least: int = 0) -> tuple[Payload, list[str]]:
    """A release that may be flashed, and who signed it. FlashError: in words why not.

    least: the lowest number that is taken.
    """
    signed, signatures = _parse(folder)
    names = _signers(signed, signatures, trust)
    if len(names) < trust.threshold:
        raise FlashError(
            f"{folder}: {len(names)} of the {trust.threshold} signatures that are needed are there "
            f"({', '.join(names) or 'none'}); no board was touched; ask for a release that "
            "enough of your keys have signed"
        )
    number = signed["number"]
    if number < least:
        raise FlashError(
            f"{folder}: number {number} is older than {least}, which was flashed here before; no "
            "board was touched; add --older if an older one is meant"
        )
    files = {name: _file(folder, name, entry) for name, entry in signed["files"].items()}
    hardware = signed["hardware"]
    payload = Payload(hardware["chip"], hardware["board"], number, signed["version"], files)
    return payload, names


def check_files(folder: Path) -> None:
    """FlashError: it is no release, or a file of it is not what was signed. Not who signed it."""
    signed, _signatures = _parse(folder)
    for name, entry in signed["files"].items():
        _file(folder, name, entry)


def _signers(signed: dict[str, Any], signatures: list[Any], trust: Trust) -> list[str]:
    """Names of trusted keys with a right signature, each counted once."""
    message = CONTEXT + canonical(signed)
    good: dict[str, str] = {}
    for one in signatures:
        text, key = str(one.get("signature", "")), str(one.get("key", ""))
        signature = _canonical_base64(text)
        if key not in trust.keys or signature is None:
            continue
        try:
            Ed25519PublicKey.from_public_bytes(base64.b64decode(key)).verify(signature, message)
        except (InvalidSignature, ValueError):
            continue
        good[key] = trust.keys[key]
    return sorted(good.values())


def _parse(folder: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    path = folder / "release.json"
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise ValueError("it is too large")
        value = json.loads(path.read_text(encoding="utf-8"))
        signed, signatures = value["signed"], value["signatures"]
        if signed["format"] != FORMAT:
            raise FlashError(
                f"{path}: release format {signed['format']!r} is unknown here; no board was "
                "touched; install a newer microfactory"
            )
        _check_shape(signed)
        if not isinstance(signatures, list) or not all(isinstance(x, dict) for x in signatures):
            raise ValueError("signatures are no list")
        canonical(signed)  # a number that JSON does not have
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise FlashError(
            f"{path}: this is no release ({type(error).__name__}: {error}); no board was touched; "
            "name the folder that has release.json in it"
        ) from None
    return signed, signatures


def _check_shape(signed: dict[str, Any]) -> None:
    """ValueError, KeyError, TypeError: something is not what it must be."""
    if type(signed["number"]) is not int or signed["number"] < 0:
        raise ValueError("its number is no whole number")
    if not all(isinstance(signed["hardware"][key], str) for key in ("chip", "board")):
        raise ValueError("its hardware is not named")
    if not isinstance(signed["version"], str) or "app.mpy" not in signed["files"]:
        raise ValueError("it has no program")
    for name, entry in signed["files"].items():
        if not PLAIN_NAME.fullmatch(name):
            raise ValueError(f"{name} is no name of a firmware file")
        if type(entry["bytes"]) is not int or not re.fullmatch(r"[0-9a-f]{64}", entry["sha256"]):
            raise ValueError(f"{name} has no length or hash")


def _file(folder: Path, name: str, entry: dict[str, Any]) -> bytes:
    path = folder / "files" / str(entry["sha256"])
    try:
        data = path.read_bytes()
    except OSError:
        data = b""
    if len(data) != entry["bytes"] or hashlib.sha256(data).hexdigest() != entry["sha256"]:
        raise FlashError(
            f"{path}: {name} is missing or not what was signed; no board was touched; copy the "
            "release again"
        )
    return data


def _write(folder: Path, signed: dict[str, Any], signatures: list[dict[str, Any]]) -> None:
    value = {"signed": signed, "signatures": signatures}
    write_whole(folder / "release.json", json.dumps(value, indent=1, sort_keys=True).encode())


def _canonical_base64(text: str) -> bytes | None:
    """Its bytes, when it is the one right way to write them."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw if base64.b64encode(raw).decode() == text else None


# ---- what was flashed here


def highest(board: str) -> int:
    """The highest number of a release that was flashed here onto such a board; 0: none."""
    try:
        value = json.loads((state_dir() / "releases.json").read_text())
        return int(value.get(board, 0))
    except (OSError, ValueError, TypeError, AttributeError):
        return 0


def note(board: str, number: int) -> None:
    """Remember that it was flashed."""
    path = state_dir() / "releases.json"
    try:
        value = json.loads(path.read_text())
    except (OSError, ValueError):
        value = {}
    value[board] = max(int(value.get(board, 0)), number)
    write_whole(path, json.dumps(value).encode())
