"""A rig proves itself before it certifies anything; the proof holds for some hours.

A known motion is played, and what the rig sees of it must be what was sent, edge for edge. Then a
pulse is taken out of what was seen: a comparison that does not miss it proves nothing.
"""

from __future__ import annotations

import datetime
import hashlib
import re
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from hil.capture import Capture
from hil.probe import Probe
from hil.probe.clock import CRYSTALS_PPM
from hil.probe.edges import CHANGE_TICKS
from hil.probe.loopback import BURSTS, compare, loop_back
from hil.rigs.compare import difference
from hil.rigs.identity import wrong_firmware
from hil.rigs.rig import Rig
from hil.rigs.tapped import TappedLink
from hil.rigs.watch import since
from hil.verify.windows import to_capture
from microfactory import Board, Error, Machine, Record, UsageError
from microfactory.drive import drive
from microfactory.flash import payload
from microfactory.motion.straight import straight
from microfactory.places import state_dir
from microfactory.record import append, canonical, read

KIND = "rig self-test"
HOURS = 24.0  # where no rig file says how long a self-test holds
BY_MM = 2.0  # each axis goes so far and back
FORMAT = "%Y-%m-%dT%H:%M:%SZ"


def path_of(rig: Rig) -> Path:
    """Where a rig's self-tests are kept."""
    name = f"{rig.name}-{rig.file.head.name}" if rig.file else rig.name
    return state_dir() / "rigs" / (re.sub(r"[^A-Za-z0-9._-]", "_", name) + ".jsonl")


def sha256_of(rig: Rig) -> str:
    """Of all that a self-test vouches for: the rig, its wiring, this package and its firmware."""
    what = {
        "rig": rig.name,
        "file": rig.file.dump() if rig.file else "",
        "microfactory": version("microfactory"),
        "firmware": payload.identity(),
    }
    return hashlib.sha256(canonical(what)).hexdigest()


def run(rig: Rig, machine: Machine) -> Record:
    """Test the rig and keep the record. UsageError: it sees no edges, so it cannot be tested."""
    if "edges" not in rig.abilities:
        raise UsageError(
            f"the {rig.name} rig sees no edges, so it cannot test itself and certifies nothing; "
            "wire a probe (docs/build-a-rig.md)"
        )
    name = rig.file.head.name if rig.file else rig.name
    record = Record(KIND, name, sha256_of(rig), machine.name, machine.sha256)
    record.board["rig"] = rig.name
    try:
        record.close("PASS", _try(rig, machine, record))
    except Error as error:
        record.close("FAIL", str(error))  # one that breaks off is no less a failed one
        raise
    finally:
        append(path_of(rig), record)
    return record


def _try(rig: Rig, machine: Machine, record: Record) -> str:
    """Play and judge; the wrong firmware's sentence, which alone is not played on; else empty."""
    link = rig.open(machine)
    try:
        board = Board(link, machine)
        info = board.client.connect()
        record.board |= {"uid": info.uid, "firmware": info.firmware}
        wrong = wrong_firmware(info.firmware)
        record.measure("wrong_firmware", int(bool(wrong)), "1", 0, 0)
        if not wrong:
            _hear(record, rig, link)
            _judge(record, _play(rig, link, board))
        return wrong
    finally:
        link.close()


def _hear(record: Record, rig: Rig, link: TappedLink) -> None:
    """A probe hears itself, and an edge that is left out of it is missed."""
    probe = rig.probe(link)
    if probe is None:
        return
    found = loop_back(probe)
    record.measure("loop_edges", found.edges, "1", 1, None)
    record.measure("loop_lost", found.lost, "1", 0, 0)
    record.measure("loop_extra", found.extra, "1", 0, 0)
    record.measure("loop_error_ticks", found.error_ticks, "1", 0, CHANGE_TICKS)
    record.measure("loop_counted_off", found.counted_off, "1", 0, 0)
    record.measure("loop_missed", len(found.missed), "1", 0, 0)
    ticks = np.delete(found.ticks, slice(len(found.ticks) // 2, len(found.ticks) // 2 + 1))
    spoilt = compare(ticks, BURSTS, found.edges // 2, ())
    record.measure("spoilt_loops_passed", int(spoilt.right), "1", 0, 0)
    record.board["probe"] = probe.identity().uid
    error = clock_error(probe)
    record.measure("probe_clock_ppm", error, "ppm", -CRYSTALS_PPM, CRYSTALS_PPM)
    probe.start()


def clock_error(probe: Probe) -> float:
    """How much faster than the host's the probe's clock runs, ppm, compared until it is sure."""
    while True:
        compared = probe.compare_clocks()
        if compared and compared[1] < CRYSTALS_PPM / 2:
            return compared[0]
        probe.wait(1.0)


Way = tuple[Capture, Capture]  # what was sent, what was seen


def _judge(record: Record, ways: list[Way]) -> None:
    """What was seen beside what was sent, and beside what was sent with a pulse taken out."""
    found = [difference(made, seen) for made, seen in ways]
    record.measure("pulses", sum(d.pulses for d in found), "1", 1, None)
    record.measure("pulses_lost", sum(d.lost for d in found), "1", 0, 0)
    record.measure("pulses_extra", sum(d.extra for d in found), "1", 0, 0)
    record.measure("pulses_turned", sum(d.turned for d in found), "1", 0, 0)
    slack = max(d.slack_ticks for d in found)
    record.measure("edge_error_ticks", max(d.error_ticks for d in found), "1", 0, slack)
    record.measure("width_error_ticks", max(d.width_ticks for d in found), "1", 0, slack)
    if slack:
        fast = max((d.fast_ppm for d in found), key=abs)
        record.measure("probe_against_board_ppm", fast, "ppm", -CRYSTALS_PPM, CRYSTALS_PPM)
    blind = [difference(made, _without_a_pulse(seen)).same for made, seen in ways]
    record.measure("spoilt_captures_passed", sum(blind), "1", 0, 0)


def _play(rig: Rig, link: TappedLink, board: Board) -> list[Way]:
    """All axes together, there and back."""
    ways: list[Way] = []
    with board:
        for sign in (1, -1):
            begin = rig.seen(link).end_tick
            made = _there(board, board.machine, sign * BY_MM)
            ways.append((to_capture(made, board.machine), since(rig.seen(link), begin)))
    return ways


def _there(board: Board, machine: Machine, mm: float) -> list[bytes]:
    """All axes by so much from here; the windows that were sent."""
    board.ready()
    status = board.status()
    target = {axis.name: status.position_mm[axis.name] + mm for axis in machine.axes}
    speed = min(axis.max_speed_mm_s for axis in machine.axes) / 2
    windows = list(straight(machine, tuple(status.steps.values()), target, speed, check=False))
    drive(board.client, iter(windows))
    return [window.data for window in windows]


def _without_a_pulse(seen: Capture) -> Capture:
    """The middle pulse of the first motor that moved is lost."""
    name = next((name for name, m in seen.motors.items() if len(m.rise)), "")
    if not name:
        return seen
    m = seen.motors[name]
    kept = np.arange(len(m.rise)) != len(m.rise) // 2
    spoilt = replace(m, rise=m.rise[kept], width=m.width[kept], direction=m.direction[kept])
    return replace(seen, motors={**seen.motors, name: spoilt})


def last_sha256(rig: Rig) -> str:
    """Of the record of the last self-test; empty: there is none."""
    found = _kept(rig)
    return hashlib.sha256(canonical(found[-1])).hexdigest() if found else ""


def _kept(rig: Rig) -> list[dict[str, Any]]:
    path = path_of(rig)
    return [r for r in read(path) if r["predicate"]["kind"] == KIND] if path.exists() else []


def refusal(rig: Rig, now: datetime.datetime | None = None) -> str:
    """Why this rig must not certify: no self-test, a failed, stale or other one; empty: it may."""
    todo = f"; test it: `microfactory hil selftest --rig {rig.name}`"
    found = _kept(rig)
    if not found:
        return f"the {rig.name} rig has never been tested{todo}"
    last: dict[str, Any] = found[-1]
    if last["predicate"]["verdict"] != "PASS":
        return f"the {rig.name} rig failed its self-test ({last['predicate']['why']}){todo}"
    if last["subject"][0]["digest"]["sha256"] != sha256_of(rig):
        return f"the {rig.name} rig, its wiring or its software changed since its self-test{todo}"
    ended = datetime.datetime.strptime(last["predicate"]["ended"], FORMAT)
    age_h = ((now or _now()) - ended).total_seconds() / 3600
    hours = rig.file.head.self_test_h if rig.file else HOURS
    if age_h > hours:
        return f"the {rig.name} rig's self-test is {age_h:.1f} h old and holds {hours:g} h{todo}"
    if age_h < -1 / 60:
        return f"the {rig.name} rig's self-test lies in the future: correct this computer's clock"
    return ""


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
