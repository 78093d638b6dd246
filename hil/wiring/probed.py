"""The same check by a probe, on a board that is there: what it and the board saw of every line.

Weak pulls while RUN holds the board in reset, then switches, thermistors and the burst. Observed
has the same names as in memory (hil.wiring.bench), and the same diagnosis reads it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hil.probe import Probe
from hil.rigs.lines import NOTHING, Levels, changes, lines_of_channels
from hil.rigs.probed import PRESSES, ProbedRig, at_rest, sensor_v
from hil.rigs.tapped import TappedLink
from hil.wiring.bench import ROUND_S, Observed, heat, play_burst, played_c, released
from hil.wiring.bursts import TICK_HZ, Plan, Wave, burst, expected
from hil.wiring.lines import Line, lines_of
from hil.wiring.waves import Signature, signature
from microfactory import Board, Machine, UsageError

REST_S = 0.002  # until a weak pull has moved a line
WARM_S = 0.05  # until the filters hold the thermistors' voltages
LATE_S = 0.1  # from a START to its first edge, at most
BIN_TICKS = TICK_HZ // 50_000
QUIET_TICKS = TICK_HZ // 1000  # slots begin and end with two milliseconds of quiet


def observe(rig: ProbedRig) -> Observed:
    """The whole check of one board. UsageError: a line is not wired, or RUN is not."""
    machine = rig.file.machine
    lines = lines_of(machine)
    channels = {line.label: _channel(rig, machine, line) for line in lines}
    if "reset" not in rig.abilities:
        raise UsageError("the probe is not wired to the board's RUN; nothing was tried; wire it")
    link = rig.open(machine)
    try:
        probe = rig.probe(link)
        begin_s = link.now_s()
        pulls, follow = _pulls(probe, machine, lines, channels)
        pulled_s = link.now_s() - begin_s
        link.inner.again()
        for i, heater in enumerate(machine.heaters):
            probe.set(channels[_sensor(lines, i)], sensor_v(heater.sensor, played_c(i)))
        board = Board(link, machine).open()
        begin_s = link.now_s() - pulled_s  # the board's own start does not count
        heard = _rounds(rig, link, board, lines)
        seen: dict[str, Signature] = {}
        read: dict[str, float | str] = {}
        if released(board):
            seen, read = _signatures(rig, link, board, lines, channels)
        return Observed(pulls, follow, seen, heard, read, link.now_s() - begin_s)
    finally:
        link.close()


def _channel(rig: ProbedRig, machine: Machine, line: Line) -> str:
    """The channel on a line of the board. UsageError: there is none."""
    wire, ways = _wire(machine, line)
    found = rig.file.of_line(wire, *ways)
    if found is None:
        raise UsageError(f"the probe is not wired to {wire} ({line.label}); nothing was tried")
    return found.name


def _wire(machine: Machine, line: Line) -> tuple[str, tuple[str, ...]]:
    """A line's name on the board's page, and what the probe may do with it."""
    if line.kind in ("step", "dir"):
        return f"{machine.motors[line.number].connector}.{line.kind.upper()}", ("listen",)
    if line.kind == "sensor":
        return machine.heaters[line.number].sensor.connector, ("analog",)
    parts: Any = {"output": machine.outputs, "heater": machine.heaters, "input": machine.inputs}
    return parts[line.kind][line.number].connector, PRESSES if line.kind == "input" else ("listen",)


def _sensor(lines: list[Line], number: int) -> str:
    return next(line.label for line in lines if (line.kind, line.number) == ("sensor", number))


def _pulls(
    probe: Probe, machine: Machine, lines: list[Line], channels: dict[str, str]
) -> tuple[dict[str, tuple[int, int]], dict[str, frozenset[str]]]:
    """Levels under weak pulls, and who goes along with whom; thermistors have filters, and wait."""
    tried = [line.label for line in lines if line.kind != "sensor"]
    probe.hold_board(True)
    under = {}
    follow: dict[str, set[str]] = {name: set() for name in channels}
    for up in (True, False):
        for name in tried:
            probe.pull(channels[name], up)
        probe.wait(REST_S)
        under[up] = probe.levels()
        for name in tried:
            probe.force(channels[name], not up)
            probe.wait(REST_S)
            levels = probe.levels()
            follow[name] |= {
                other
                for other in tried
                if other != name and levels[channels[other]] != under[up][channels[other]]
            }
            probe.pull(channels[name], up)
    for name in tried:
        probe.set_free(channels[name])
    at_rest(probe, machine)
    probe.hold_board(False)
    pulls = dict.fromkeys(channels, (1, 0))
    pulls |= {name: (under[True][channels[name]], under[False][channels[name]]) for name in tried}
    return pulls, {name: frozenset(others) for name, others in follow.items()}


def _rounds(
    rig: ProbedRig, link: TappedLink, board: Board, lines: list[Line]
) -> dict[str, tuple[int, ...]]:
    """The switches one by one, then none."""
    inputs = board.machine.inputs
    heard: dict[str, list[int]] = {line.label: [] for line in lines if line.kind == "input"}
    for number in [*range(len(inputs)), -1]:
        for i, part in enumerate(inputs):
            rig.press(link, part.name, i == number)
        end_s = link.now_s() + ROUND_S
        while link.now_s() < end_s:
            board.client.pump(end_s - link.now_s())
        status = board.client.ask()
        for label, part in zip(heard, inputs, strict=True):
            heard[label].append(int(status.inputs[part.name] == (part.active == "high")))
    return {name: tuple(levels) for name, levels in heard.items()}


def _signatures(
    rig: ProbedRig, link: TappedLink, board: Board, lines: list[Line], channels: dict[str, str]
) -> tuple[dict[str, Signature], dict[str, float | str]]:
    """The burst, and what arrives of it."""
    machine, probe = board.machine, rig.probe(link)
    plan = burst(machine)
    _close_contactor(rig, link, board)
    begin_s = link.now_s()
    play_burst(board, plan)
    slots: list[float] = []
    names = [_sensor(lines, i) for i in range(len(machine.heaters))]
    read = heat(board, names, plan, slots.append)
    edges = probe.stop()
    levels = lines_of_channels(rig.file, edges.lines())
    own = {line.label: levels.get(_wire(machine, line)[0], NOTHING) for line in lines}
    driven = [line for line in lines if line.driven]
    start = _start(machine, plan, driven, own, probe.tick_at(begin_s)[0])
    bounds = [start + QUIET_TICKS + tick for tick in plan.edges[: len(plan.edges) - len(slots)]]
    bounds += [probe.tick_at(seconds)[0] for seconds in slots]
    seen = {
        line.label: signature(_wave(own[line.label], bounds[0], bounds[-1]), _from(bounds))
        for line in lines
        if line.kind != "sensor"
    }
    return seen, read


def _close_contactor(rig: ProbedRig, link: TappedLink, board: Board) -> None:
    """The probe plays a contactor that is in: without power nothing moves. That it fell out among
    the rounds was a loss of power.
    """
    contactor = board.machine.contactor()
    if contactor is None:
        return
    rig.press(link, contactor.name, True)
    end_s = link.now_s() + ROUND_S
    while link.now_s() < end_s:
        board.client.pump(end_s - link.now_s())
    if board.client.ask().state == "FAULT":
        board.client.send("CLEAR")
        board.client.settle()


def _from(bounds: list[int]) -> list[int]:
    return [tick - bounds[0] for tick in bounds]


def _start(
    machine: Machine, plan: Plan, driven: list[Line], own: dict[str, Levels], after: int
) -> int:
    """When the burst began: where most edges of all lines lie as they should of some line."""
    asked = np.concatenate(
        [
            np.array(expected(machine, plan, line)).ravel()
            for line in driven
            if line.kind != "heater"
        ]
    )
    found = np.concatenate([changes(own[line.label])[0] for line in driven])
    shifts = (found[:, None] - asked[None, :]).ravel()
    shifts = shifts[(shifts >= after) & (shifts < after + round(LATE_S * TICK_HZ))]
    if not len(shifts):
        return after
    bins = np.bincount((shifts - after) // BIN_TICKS)
    best = int(np.argmax(bins))
    return int(np.median(shifts[(shifts - after) // BIN_TICKS == best]))


def _wave(line: Levels, start: int, end: int) -> Wave:
    """Stretches that are high, from the burst's start."""
    ticks, levels = changes(line)
    rises, falls = ticks[levels == 1].tolist(), ticks[levels == 0].tolist()
    falls += [end] * (len(rises) - len(falls))
    return tuple(
        (max(rise, start) - start, fall - start)
        for rise, fall in zip(rises, falls, strict=True)
        if fall > start and rise < end
    )
