"""The board plays what it was given, edge for edge, and comes to rest on its path."""

from __future__ import annotations

import random
import struct
import zlib

import pytest
from kit import MACHINE, Kit, bodies

from mfboard.board import HORIZON_US
from mfboard.outputs import KEEP
from mfboard.player import LONG_US, PLAYING
from mfboard.window import steps_made
from mfwire.messages import FIELDS, NUMBER, SEQUENCED, SIZE, TABLE, pack, put_head
from mfwire.session import ALLOWED, BAD_BOUNDS, STATES
from microfactory.motion.straight import retreat_body

TEXT = (
    "M109 S200\nG28\nM83\nG1 X12 Y160 F6000\nM106 S99\nG3 X22 Y150 J-10 E.2\nG1 X60 E1\nG1 Y120\n"
)
WINDOWS = bodies(TEXT)
START = (0, 14000, 14000, 0, 0)


def fresh() -> Kit:
    kit = Kit()
    kit.stand(START)
    kit.say("RESET", number=WINDOWS[0].number)
    return kit


def edges_of(windows: list[bytes], pulse: int) -> dict[int, list[tuple[int, int]]]:
    """Edges of main lists, read from the bytes alone; ticks since START."""
    out: dict[int, list[tuple[int, int]]] = {m: [] for m in range(len(MACHINE.motors))}
    for data in windows:
        begin, changes, tails = (
            *struct.unpack_from("<I", data, 4),
            *struct.unpack_from("<2H", data, 22),
        )
        at = 28 + 8 * len(out) + 8 * (changes + tails)
        for m in out:
            now = begin
            (count,) = struct.unpack_from("<H", data, 28 + 8 * m + 4)
            if count == 65535:  # as the motor before
                out[m] += out[m - 1][len(out[m]) :]
                continue
            for _ in range(count):
                w0, w1 = struct.unpack_from("<2I", data, at)
                at += 8
                iv, scale = ((w0 >> 11) << 10) + 512, w0 >> 9 & 3
                d = ((w1 >> 12 ^ 0x80000) - 0x80000) << 2 + 3 * scale
                second = ((w1 & 4095 ^ 2048) - 2048) << 5 * scale
                for _ in range(w0 >> 2 & 127):
                    now += iv >> 10
                    if w0 & 2:
                        out[m].append((now - pulse, 1 if w0 & 1 else -1))
                    iv, d = iv + d, d + second
    return out


def test_every_edge_falls_on_its_tick():
    kit = fresh()
    assert kit.feed(WINDOWS) == len(WINDOWS)
    kit.run(400_000)
    assert (kit.state, kit.why) == ("DONE", "end")
    begin = kit.sink.runs[0][0]
    want = edges_of([w.data for w in WINDOWS], MACHINE.pulse_ticks())
    for m, edges in want.items():
        assert [(t - begin, s) for t, s in kit.sink.edges.get(m, [])] == edges
    assert sum(len(edges) for edges in want.values()) > 8_000
    assert kit.positions() == WINDOWS[-1].end_steps
    fan = [(value, tick) for name, tick, value in kit.sink.changes if name == "part_fan"]
    assert [value for value, _ in fan] == [25443]


def test_the_hash_is_that_of_the_bodies_that_were_committed():
    kit = fresh()
    kit.feed(WINDOWS)
    kit.run(400_000)
    status = next(m for m in reversed(kit.heard) if m["name"] == b"STATUS")
    told = status["hash_high"] << 16 | status["hash_low"]
    assert told == zlib.crc32(b"".join(w.data for w in WINDOWS))
    assert status["committed"] == len(WINDOWS)


@pytest.mark.parametrize("after", [1, 2, 3, 5, 8])
def test_a_late_window_ends_in_the_tail_and_a_later_commit_is_refused(after):
    kit = fresh()
    kit.feed(WINDOWS, most=after)
    kit.run(900_000)
    assert (kit.state, kit.why) == ("RESTED", "late")
    assert kit.positions() == WINDOWS[after - 1].rest_steps
    kit.say("WINDOW", number=0, offset=0, total=4, data=b"1234")
    assert kit.say("COMMIT", number=WINDOWS[after].number) == 1


def test_a_hold_takes_the_tail_of_the_window_being_played():
    kit = fresh()
    kit.feed(WINDOWS, most=4)
    kit.run(20_000)
    playing = kit.board.player.number
    assert kit.say("HOLD") == 0
    kit.run(900_000)
    assert (kit.state, kit.why) == ("RESTED", "hold")
    body = next(w for w in WINDOWS if w.number == playing)
    assert kit.positions() == body.rest_steps
    assert kit.board.trusted


def test_an_abort_stops_at_once_and_the_position_is_not_trusted():
    kit = fresh()
    kit.feed(WINDOWS, most=4)
    kit.run(30_000)
    now = kit.port.tick
    kit.say("ABORT")
    kit.run(200_000)
    assert kit.state == "ABORTED"
    assert not kit.board.trusted
    edges = [(m, t, s) for m, pairs in kit.sink.edges.items() for t, s in pairs]
    assert len(edges) > 50
    assert max(tick for _, tick, _ in edges) <= now
    for motor, start in enumerate(START):  # every pulse that was made is counted, once
        net = sum(sign for m, _, sign in edges if m == motor)
        assert kit.positions()[motor] == start + net
    kit.say("RESET", number=WINDOWS[0].number)
    kit.stand(START)
    assert kit.positions() == START


def test_a_lost_link_brings_it_to_rest_and_heat_goes_off():
    kit = fresh()
    kit.say("OUTPUT", output=1, value=2000)
    kit.feed(WINDOWS, most=5)
    playing = kit.board.player
    kit.run(1_500_000, ping=False)
    assert kit.state == "RESTED"
    assert kit.why in ("link", "late")
    assert kit.positions() == next(w for w in WINDOWS if w.number == playing.number).rest_steps
    assert all(heater.target_dc == 0 for heater in kit.board.heaters)
    off = [tick for name, tick, value in kit.sink.changes if name == "hotend" and value == 0]
    assert off[-1] <= kit.port.tick
    kit.hello()
    assert kit.board.trusted  # it rests on its path and knows where


def test_a_window_that_does_not_begin_where_the_last_ended_is_never_played():
    kit = fresh()
    kit.feed(WINDOWS, most=2)
    spoilt = bytearray(WINDOWS[2].data)
    steps = struct.unpack_from("<i", spoilt, 28)[0]
    struct.pack_into("<i", spoilt, 28, steps + 1)
    assert kit.window(bytes(spoilt), WINDOWS[2].number) == 0
    kit.say("COMMIT", number=WINDOWS[2].number)
    kit.run(900_000)
    assert (kit.state, kit.why) == ("RESTED", "late")
    assert kit.positions() == WINDOWS[1].rest_steps


def test_a_run_does_not_begin_elsewhere_or_with_drivers_off():
    kit = fresh()
    kit.say("POSITION", motor=0, steps=7)
    kit.window(WINDOWS[0].data, WINDOWS[0].number)
    kit.say("COMMIT", number=WINDOWS[0].number)
    assert kit.say("START", number=WINDOWS[0].number) == 10
    kit.say("ENABLE", motors=0)
    assert kit.say("START", number=WINDOWS[0].number) == 12
    assert kit.state == "READY"
    kit.run(200_000)
    assert not any(kit.sink.edges.values())


def test_no_more_is_committed_than_the_horizon():
    kit = fresh()
    reasons = []
    for window in WINDOWS[:8]:
        kit.window(window.data, window.number)
        reasons.append(kit.say("COMMIT", number=window.number))
    assert reasons.count(0) == 6  # 310 ms of 50 ms each
    assert set(reasons[6:]) == {5}


def forge(name: str, rng: random.Random) -> dict[str, int | bytes]:
    """Values of a message, wild but well formed."""
    values: dict[str, int | bytes] = {}
    for field, form in FIELDS[NUMBER[name]]:
        if form == "*":
            values[field] = rng.randbytes(rng.randrange(60))
        else:
            wide = min(8 * SIZE[form], 29)
            values[field] = rng.choice([0, 1, rng.getrandbits(3), rng.getrandbits(wide)])
    return values


@pytest.mark.parametrize("seed", range(4))
def test_wild_messages_never_break_the_board_nor_move_a_motor(seed):
    rng = random.Random(seed)
    kit = Kit()
    names = [row[1] for row in TABLE if row[2] == "board" and row[1] not in ("HELLO", "BYE")]
    for _ in range(700):
        name = rng.choice(names)
        kit.payload(kit.sender.payload(name, forge(name, rng)))
        kit.sender.acknowledged(kit.sender.next)
        if rng.random() < 0.05:
            kit.run(rng.randrange(30_000))
        if rng.random() < 0.05:
            kit.raw(rng.randbytes(rng.randrange(80)))
            kit.raw(b"\0")
    assert not any(kit.sink.edges.values())
    assert all(h.target_dc <= h.max_dc for h in kit.board.heaters)
    kit.hello()
    kit.run(100_000)
    assert [m for m in kit.heard[-5:] if m["name"] == b"STATUS"]


@pytest.mark.parametrize("state", range(len(STATES)))
def test_what_a_state_does_not_allow_is_refused(state):
    allowed = dict(ALLOWED)
    for _, name, to, sequenced, _ in TABLE:
        if to != "board" or not sequenced or state in allowed[name]:
            continue
        kit = Kit()
        kit.board.state = state
        assert kit.say(name, **forge(name, random.Random(1))) == 1
        assert kit.board.state == state


def test_never_is_more_committed_than_the_horizon():
    kit = fresh()
    length_us = [struct.unpack_from("<I", w.data, 12)[0] // 125 for w in WINDOWS]
    sent = committed = refused = 0
    began = None
    for _ in range(400):
        while sent < len(WINDOWS) and kit.board.player.free() > 0:
            assert kit.window(WINDOWS[sent].data, WINDOWS[sent].number) == 0
            sent += 1
        while committed < sent:
            if kit.say("COMMIT", number=WINDOWS[committed].number):
                refused += 1
                break
            committed += 1
        if began is None:
            assert kit.say("START", number=WINDOWS[0].number) == 0
            began = kit.port.tick
        ahead_us = sum(length_us[:committed]) - (kit.port.tick - began) // 125
        assert ahead_us <= HORIZON_US
        if committed == len(WINDOWS):
            break
        kit.run(7_000)
    assert committed == len(WINDOWS)
    assert refused > 10


def test_there_is_time_to_clean_up_only_where_a_long_window_has_been_decided():
    kit = fresh()
    kit.feed(WINDOWS, most=5)
    seen = set()
    for _ in range(300):
        player, now = kit.board.player, kit.port.us()
        told = player.fresh_us(now)
        if player.mode == PLAYING and player.decided:
            after = kit.board.player.slot((player.number + 1) & 0x3FFFFFFF)
            long = struct.unpack_from("<I", after, 12)[0] // 125 >= LONG_US
            assert told == ((player.branch_us - now) if long else -1)
            seen.add(long)
        else:
            assert told == -1
        kit.run(1000)
    assert True in seen


def test_the_head_of_a_payload_leaves_nothing_of_what_was_there():
    payload = bytearray(b"\xff" * 12)
    put_head(payload, 9, 0x1234, 0x05060708)
    assert payload[:8] == bytes((9, 0, 0x34, 0x12, 8, 7, 6, 5))


def test_the_engine_is_told_which_outputs_go_on_with_the_windows():
    kit = fresh()
    told: list[int] = []
    kit.port.hush = told.append
    for event in ("hold", "lost", "fault"):
        kit.board.hush(event)
        keeps = [item[event] == KEEP for item in kit.board.outputs.items]
        assert told[-1] == sum(1 << i for i, keep in enumerate(keeps) if keep)
    assert len(set(told)) > 1


def test_frames_that_say_nothing_are_counted_one_by_one():
    kit = fresh()
    for count in range(1, 4):
        kit.payload(b"\x7f\0\0\0\0\0\0\0")
        assert kit.board.receiver.foreign == count


def test_a_board_that_nobody_has_greeted_says_and_does_nothing():
    kit = Kit(configure=False)
    kit.run(300_000, ping=False)
    for name in ("ASK", "ABORT", "PING"):
        kit.payload(pack(name, 0, 5, dict.fromkeys((f for f, _ in FIELDS[NUMBER[name]]), 0)))
    assert kit.heard == []
    assert kit.board.receiver.foreign == 3
    assert SEQUENCED[NUMBER["ABORT"]] == 0


@pytest.mark.parametrize("fan", [0, 1000])
def test_a_machine_that_rests_late_retreats_once_when_the_link_is_lost_then(fan):
    kit = fresh()
    body = retreat_body(MACHINE)
    for at in range(0, len(body), 480):
        kit.say("RETREAT", offset=at, total=len(body), data=body[at : at + 480])
    kit.say("OUTPUT", output=0, value=fan)
    kit.feed(WINDOWS, most=5)
    kit.run(800_000)
    assert (kit.state, kit.why) == ("RESTED", "late")
    rest = kit.positions()
    kit.run(3_000_000, ping=False)
    assert (kit.state, kit.why) == ("RESTED", "link")
    made = tuple(steps_made(body, m) for m in range(len(rest)))
    assert kit.positions() == tuple(a + b for a, b in zip(rest, made, strict=True))
    assert any(made)
    kit.hello()
    kit.say("OUTPUT", output=0, value=1000)
    kit.run(3_000_000, ping=False)
    assert kit.positions() == tuple(a + b for a, b in zip(rest, made, strict=True))


@pytest.mark.parametrize(("silent_us", "moves"), [(200_000, True), (300_000, False)])
def test_a_start_that_comes_after_the_lease_moves_nothing(silent_us, moves):
    kit = fresh()
    kit.feed(WINDOWS, most=4, start=False)
    before = kit.positions()
    kit.run(silent_us, ping=False)
    kit.say("START", number=WINDOWS[0].number)
    kit.run(150_000, ping=False)
    assert (kit.positions() != before) == moves
    assert kit.state == ("RUNNING" if moves else "READY")


@pytest.mark.parametrize("which", ["not the last", "a window"])
def test_a_retreat_that_is_not_its_own_end_is_refused(which):
    kit = fresh()
    body = bytearray(retreat_body(MACHINE) if which == "not the last" else WINDOWS[0].data)
    body[26] &= 0xFE  # a window has a tail, and does not say that it is the last
    reasons = {
        kit.say("RETREAT", offset=at, total=len(body), data=bytes(body[at : at + 480]))
        for at in range(0, len(body), 480)
    }
    assert BAD_BOUNDS in reasons
    assert kit.board.retreat_length == 0


def test_an_output_of_a_window_is_left_alone_once_the_tail_is_played():
    kit = fresh()
    kit.feed(WINDOWS, most=3)
    kit.run(10_000)
    assert kit.state == "RUNNING"
    kit.board.timed_output(0, 1234)
    assert kit.board.outputs.value[0] == 1234
    kit.run(500_000)
    assert kit.state == "RESTED"
    kit.board.timed_output(0, 4321)
    assert kit.board.outputs.value[0] == 1234
