"""Board and probe, both emulated, their pins joined: the probe sees what the board's pins did."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hil.emulated.pair import open_pair
from hil.probe import open_probe
from hil.probe.edges import CHANGE_TICKS, LOOK_TICKS
from hil.rigs.lines import NOTHING, lines_of_channels, names_of_pins, to_capture
from hil.rigs.probed import at_rest
from hil.rigs.scan import scan

from microfactory import Board, Machine, UsageError, parse

PPM = 37.0
SHORT = "G21 G90\nG1 X1 Y1 F1200\nM3\nG1 X2\nM5\nM2\n"


@pytest.fixture(scope="module")
def bench():
    machine = Machine.load("circuit-plotter")
    rig = scan(machine).rig
    board_link, probe_link = open_pair(machine, rig, ppm=PPM)
    probe = open_probe(probe_link, rig)
    at_rest(probe, machine)
    board = Board(board_link, machine).open()
    yield machine, rig, board, board_link, probe
    board_link.close()


def sensor_share(sensor, celsius):
    """What a thermistor at this temperature leaves of the supply, by its beta formula."""
    ohm = sensor.r25_ohm * math.exp(sensor.beta_k * (1 / (celsius + 273.15) - 1 / 298.15))
    return ohm / (ohm + sensor.pullup_ohm)


def levels_of(pins, levels, pin):
    """A pin's level before the first row and after each one."""
    known = np.where(pins == pin, np.arange(1, len(pins) + 1), 0)
    last = np.maximum.accumulate(np.concatenate([[0], known]))
    return np.concatenate([[0], levels])[last]


def test_a_job_is_seen_by_the_probe_as_by_the_emulator(bench):
    machine, rig, board, link, probe = bench
    probe.start()
    begin = link.chip.now
    board.set_position(**{a.name: a.home.position_mm for a in machine.axes if a.home})
    board.run(parse(SHORT), home=False)
    seen = probe.stop()
    link.look()
    clocks, pins, levels = (np.concatenate(part) for part in zip(*link.edges, strict=True))
    names = {name: gpio for gpio, name in names_of_pins(machine).items()}
    heard = {
        c.gpio: names[c.line] for c in rig.channels if c.direction == "listen" and c.line in names
    }
    lines = seen.lines()
    assert len(seen.ticks) > 300
    starts = []
    for gpio, pin in heard.items():
        mine = (pins == pin) & (np.diff(levels_of(pins, levels, pin)) != 0)
        high = int(levels[mine & (clocks <= begin)][-1:].sum())  # when it began
        mine &= clocks > begin
        ticks, states = lines.get(gpio, NOTHING)
        assert states.tolist() == [1] * high + levels[mine].tolist()
        starts.append(ticks[high:] - clocks[mine] * (1 + PPM / 1e6))
    late = np.concatenate(starts)
    assert late.max() - late.min() < CHANGE_TICKS + 1  # a clock that runs otherwise is rounded
    assert np.percentile(late - late.min(), 90) <= LOOK_TICKS
    captured = to_capture(machine, lines_of_channels(rig, lines), seen.tick_hz, seen.end_tick, None)
    assert captured.pulses == sum(abs(c.up) + abs(c.down) for c in probe.counters())


def test_the_probes_clock_error_is_measured(bench):
    *_rest, probe = bench
    probe.compare_clocks()
    probe.link.read(2.0)
    error, unsure = probe.compare_clocks()
    assert abs(error - PPM) <= unsure


def test_it_plays_a_switch_and_resets_the_board(bench):
    machine, _rig, board, link, probe = bench
    board.open()  # nobody has spoken to it while the probe's pulses were compared
    part = next(part for part in machine.inputs if part.role == "limit")
    active = int(part.active == "high")
    for level in (1 - active, active, 1 - active):
        probe.set(part.name, level)
        link.alone(0.02)
        assert board.status().inputs[part.name] == (level == active)
    opened = link.chip.ports
    probe.reset_board()
    link.alone(0.01)
    assert (opened, link.chip.ports) == (2, 0)
    link.chip.boot(2)


def test_it_holds_a_sensor_at_a_voltage_against_its_pull_up():
    machine = Machine.load("d3d-printer")
    rig = scan(machine).rig
    link, probe_link = open_pair(machine, rig)
    probe = open_probe(probe_link, rig)
    at_rest(probe, machine)
    heater = machine.heaters[0]
    channel = rig.of_line(heater.sensor.connector, "analog")
    with Board(link, machine) as board:
        for celsius in (30.0, 60.0, 90.0):
            probe.set(channel.name, 3.3 * sensor_share(heater.sensor, celsius))
            link.alone(1.0)
            assert board.status().heaters[heater.name].temperature_c == pytest.approx(
                celsius, abs=1.0
            )
    with pytest.raises(UsageError, match=r"0.05 V cannot be made; nothing was set"):
        probe.set(channel.name, 0.05)
