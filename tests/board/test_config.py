"""Configurations at the board's door: taken as they are, or refused in words, never half."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kit import Kit

from boards import pico_carrier
from mfboard.config import ConfigError, parse
from microfactory.machine import Machine

MACHINES = ["d3d-printer", "cnc-torch-table", "cnc-machine-centre", "circuit-plotter"]
CONFIGS = {name: json.loads(Machine.load(name).board_config()) for name in MACHINES}
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**40), 2**40),
    st.floats(allow_nan=True),
    st.text(max_size=5),
    st.just([]),
    st.just({}),
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a nested value."""
    found = [path] if path else []
    if isinstance(value, (dict, list)):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            found += places(inner, (*path, key))
    return found


@st.composite
def mutants(draw: st.DrawFn) -> bytes:
    config = json.loads(json.dumps(CONFIGS[draw(st.sampled_from(MACHINES))]))
    for _ in range(draw(st.integers(1, 3))):
        spots = places(config)
        *path, last = spots[draw(st.integers(0, 10_000)) % len(spots)]
        table = config
        for key in path:
            table = table[key]
        how = draw(st.integers(0, 3))
        if how == 0:
            table[last] = draw(VALUES)
        elif how == 1:
            del table[last]
        elif isinstance(table, dict):
            table[draw(st.text(max_size=4))] = draw(VALUES)
        else:
            table.append(table[last])
    return json.dumps(config).encode()


@pytest.mark.parametrize("name", MACHINES)
def test_the_machines_that_come_along_are_taken(name):
    data = Machine.load(name).board_config()
    assert parse(data, pico_carrier) == CONFIGS[name]
    kit = Kit(Machine.load(name))
    assert kit.state == "READY"
    assert [m["ok"] for m in kit.heard if m["name"] == b"CONFIGURED"] == [1]


@settings(max_examples=600)
@given(mutants())
def test_a_spoilt_configuration_is_refused_in_words_or_whole(data):
    try:
        config = parse(data, pico_carrier)
    except ConfigError as error:
        text = str(error)
    else:
        assert config == json.loads(data)
        assert 1 <= len(config["motors"]) <= pico_carrier.MOTORS_MAX
        return
    assert text
    assert len(text) < 200


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"v": 2}'])
def test_what_is_no_configuration_is_refused_and_nothing_changes(data):
    kit = Kit(configure=False)
    kit.hello()
    if data:
        kit.say("CONFIG", offset=0, total=len(data), data=data)
        told = [m for m in kit.heard if m["name"] == b"CONFIGURED"]
        assert told[0]["ok"] == 0
        assert told[0]["text"]
    assert kit.state == "IDLE"
    kit.configure()
    assert kit.state == "READY"


def test_an_equal_configuration_changes_nothing_of_a_hot_machine():
    kit = Kit()
    kit.stand((1, 2, 2, 3, 4))
    kit.say("OUTPUT", output=1, value=2050)
    kit.configure()
    assert kit.board.trusted
    assert kit.positions() == (1, 2, 2, 3, 4)
    assert kit.board.heaters[0].target_dc == 2050


@pytest.mark.parametrize(
    ("hz", "kind", "taken"), [(50, "pwm", True), (51, "pwm", False), (50, "switch", True)]
)
def test_a_servo_and_its_neighbour_on_one_slice_pulse_at_one_rate(hz, kind, taken):
    config = json.loads(Machine.load("circuit-plotter").board_config())
    common = {"hold": -1, "lost": 0, "fault": 0}
    config["outputs"] = [
        {"name": "pen", "at": "OUT2", "kind": "servo", "hz": 1000, **common},  # GPIO 0
        {"name": "fan", "at": "OUT3", "kind": kind, "hz": hz, **common},  # GPIO 1
    ]
    config["heaters"] = []
    data = json.dumps(config).encode()
    if taken:
        assert parse(data, pico_carrier) == config
    else:
        with pytest.raises(ConfigError, match="pulse at one rate"):
            parse(data, pico_carrier)


@pytest.mark.parametrize(
    ("hz", "taken"), [(0, False), (1, True), (100_000, True), (100_001, False)]
)
def test_an_output_pulses_at_1_to_100000_hz(hz, taken):
    config = json.loads(Machine.load("d3d-printer").board_config())
    config["outputs"][0]["hz"] = hz
    data = json.dumps(config).encode()
    if taken:
        assert parse(data, pico_carrier)["outputs"][0]["hz"] == hz
    else:
        with pytest.raises(ConfigError, match="hz"):
            parse(data, pico_carrier)


@pytest.mark.parametrize(("pin", "taken"), [(5, False), (6, True), (7, True)])
def test_pins_of_two_pwm_slices_pulse_at_their_own_rates(pin, taken):
    config = json.loads(Machine.load("circuit-plotter").board_config())
    common = {"kind": "pwm", "hold": -1, "lost": 0, "fault": 0}
    config["outputs"] = [
        {"name": "one", "at": "OUT2", "hz": 1000, **common},
        {"name": "other", "at": "OUT3", "hz": 500, **common},
    ]
    config["heaters"] = []
    outputs = {**pico_carrier.OUTPUTS, "OUT2": 4, "OUT3": pin}
    page = SimpleNamespace(**{**vars(pico_carrier), "OUTPUTS": outputs})
    data = json.dumps(config).encode()
    if taken:
        assert parse(data, page) == config
    else:
        with pytest.raises(ConfigError, match="pulse at one rate"):
            parse(data, page)


def test_no_memory_for_a_configuration_is_told_and_the_board_goes_on(monkeypatch):
    kit = Kit(configure=False)
    kit.hello()
    with monkeypatch.context() as full:
        full.setattr("mfboard.config.parse", no_memory)
        kit.configure()
    told = [m for m in kit.heard if m["name"] == b"CONFIGURED"]
    assert told[0]["ok"] == 0
    assert b"no memory left" in told[0]["text"]
    assert kit.state == "IDLE"
    kit.configure()
    assert kit.state == "READY"


def no_memory(data, page):
    raise MemoryError
