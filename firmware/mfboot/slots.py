"""Two slots, /a and /b, and which of them runs. The one that is good is never written.

/SLOT/MANIFEST lists the files of a slot with length and SHA-256; it is removed first and renamed
into place last. /sel names the good slot and, while another is on trial, how often it may still
start. Every change of /sel is a rename, so there is always an old one or a new one, both whole.
Nothing here touches /me: identity and calibration outlive every update.
"""

import json
import sys

SLOTS = ("a", "b")
TRIES = 3
SELECTION = "/sel"


class SlotError(Exception):
    """What is wrong, in words; the good slot is as it was."""


def _json(data):
    try:
        value = json.loads(data.decode()) if data else None
    except (ValueError, UnicodeError):
        return None
    return value if isinstance(value, dict) else None


def selection(files):
    """{"good": slot} and perhaps "try", "n" and "failed"; None: nobody has chosen yet."""
    value = _json(files.read(SELECTION))
    if value is None or value.get("good") not in SLOTS:
        return None
    return value


def _select(files, value):
    files.write(SELECTION + ".new", json.dumps(value).encode())
    files.rename(SELECTION + ".new", SELECTION)


def manifest(files, slot):
    """What a slot says it holds; None: it says nothing."""
    value = _json(files.read("/" + slot + "/MANIFEST"))
    if value is None or not isinstance(value.get("files"), dict):
        return None
    return value


def whole(files, slot):
    """The manifest of a slot all of whose files are what it says, to the byte; else None."""
    value = manifest(files, slot)
    if value is None:
        return None
    for name, expected in value["files"].items():
        if files.digest("/" + slot + "/" + name) != expected:
            return None
    return value


def other(slot):
    """The other one."""
    return "b" if slot == "a" else "a"


def choose(files):
    """At a start: (slot, on trial). (None, False): no slot is whole."""
    value = selection(files)
    if value is None:
        return _newest(files), False
    trial = value.get("try")
    if trial in SLOTS and trial != value["good"]:
        left = value.get("n", 0)
        if left > 0:
            _select(files, {"good": value["good"], "try": trial, "n": left - 1})
            if whole(files, trial) is not None:
                return trial, True
        _select(files, {"good": value["good"], "failed": trial})
    if whole(files, value["good"]) is not None:
        return value["good"], False
    spare = other(value["good"])
    return (spare, False) if whole(files, spare) is not None else (None, False)


def _newest(files):
    best, number = None, -1
    for slot in SLOTS:
        value = whole(files, slot)
        if value is not None and value.get("number", 0) > number:
            best, number = slot, value.get("number", 0)
    return best


def good(files):
    """The slot that an update must not touch; None: neither is of use."""
    value = selection(files)
    chosen = _newest(files) if value is None else value["good"]
    if chosen is not None and whole(files, chosen) is None:
        chosen = other(chosen) if whole(files, other(chosen)) is not None else None
    return chosen


def begin(files):
    """Empty the slot that is not good; its name. A trial of it is over."""
    keep = good(files)
    slot = other(keep) if keep else "a"
    if keep and (selection(files) or {}) != {"good": keep}:
        _select(files, {"good": keep})
    files.remove("/" + slot + "/MANIFEST")
    files.remove("/" + slot)
    files.folder("/" + slot)
    return slot


def put(files, slot, name, data):
    """One file of an update."""
    path = "/" + slot + "/" + name
    at = path.rfind("/")
    files.folder(path[:at])
    files.write(path, data)


def finish(files, slot, text, older=False):
    """All files are there: check each, put the manifest in place, start the trial.

    text: of the manifest. older: a lower number than the good slot's is meant. SlotError.
    """
    value = _json(text)
    if value is None or not isinstance(value.get("files"), dict) or not value["files"]:
        raise SlotError("the manifest cannot be read")
    _fits(files, value)
    for name, expected in value["files"].items():
        if files.digest("/" + slot + "/" + name) != expected:
            raise SlotError(name + " is not what the manifest says")
    keep = good(files)
    if keep == slot:
        raise SlotError("slot " + slot + " is the good one")
    before = manifest(files, keep) if keep else None
    if before and value.get("number", 0) < before.get("number", 0) and not older:
        raise SlotError(
            "number " + str(value.get("number", 0)) + " is older than " + str(before["number"])
        )
    files.write("/" + slot + "/MANIFEST.new", text)
    files.rename("/" + slot + "/MANIFEST.new", "/" + slot + "/MANIFEST")
    if keep:
        _select(files, {"good": keep, "try": slot, "n": TRIES})
    else:
        _select(files, {"good": slot})


def _fits(files, value):
    """SlotError: it is for another board, or for a newer MicroPython."""
    here = (_json(files.read("/pins.json")) or {}).get("board")
    if here and value.get("board") and value["board"] != here:
        raise SlotError("this program is for " + value["board"] + " and this is a " + here)
    least = tuple(value.get("micropython", (0, 0)))
    if sys.implementation.version[: len(least)] < least:
        raise SlotError("this MicroPython is too old for it")


def confirm(files, slot):
    """What runs has shown that it works: it is the good one. False: it was already."""
    value = selection(files)
    if value is None or value.get("try") != slot:
        return False
    _select(files, {"good": slot})
    return True
