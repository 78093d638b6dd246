"""The wire's own cases: CPython, MicroPython, and 32-bit MicroPython with the heap locked.

Run as a program with the folder of mfwire as its argument; every `case_` function is one test,
plain asserts only. `locked` runs a function with the heap locked where the interpreter can do that.
"""

import sys

if len(sys.argv) > 1:
    sys.path.insert(0, sys.argv[1])

from mfwire import session as s
from mfwire.crc import Crc
from mfwire.frames import FRAME_BYTES, PAYLOAD_BYTES, Decoder, encode_into
from mfwire.messages import (
    FIELDS,
    HEAD_BYTES,
    MASK30,
    NAME,
    NONE30,
    NUMBER,
    SCHEMA_HIGH,
    SCHEMA_LOW,
    SEQUENCED,
    SIZE,
    TABLE,
    canonical,
    offset_of,
    pack,
    put16,
    put32,
    s16,
    s30,
    u16,
    u30,
    unpack,
    well_formed,
)

try:
    from micropython import heap_lock, heap_unlock
except ImportError:
    heap_lock = heap_unlock = None


def locked(run):
    """run()'s result; an allocation in it raises MemoryError where heaps can be locked."""
    if heap_lock is None:
        return run()
    heap_lock()
    try:
        return run()
    finally:
        heap_unlock()


class Dice:
    """Small random numbers, the same on every interpreter, below 2^30 all the way."""

    def __init__(self, seed):
        self.state = seed

    def below(self, most):
        self.state = (self.state * 1021 + 8191) % 1048573
        return self.state % most

    def data(self, count):
        return bytes([self.below(256) if self.below(3) else 0 for _ in range(count)])


def frame_of(payload):
    buffer = bytearray(payload) + bytearray(4)
    out = bytearray(FRAME_BYTES + 8)
    length = encode_into(out, buffer, len(payload), Crc())
    return bytes(out[:length])


def read_all(decoder, data, step):
    """Payloads of a stream that comes in pieces of step bytes."""
    out = []
    for begin in range(0, len(data), step):
        piece = data[begin : begin + step]
        at = 0
        while at < len(piece):
            at = decoder.feed(piece, at, len(piece))
            if decoder.length:
                out.append(bytes(decoder.payload[: decoder.length]))
    return out


def case_the_checksum_is_crc_32():
    crc = Crc()
    crc.feed(b"123456789", 0, 9)
    assert (crc.value_high(), crc.value_low()) == (0xCBF4, 0x3926)  # of every CRC-32 table
    crc.reset()
    assert (crc.value_high(), crc.value_low()) == (0, 0)
    crc.feed(b"xx1234", 2, 6)
    crc.feed(b"56789", 0, 5)
    assert (crc.value_high(), crc.value_low()) == (0xCBF4, 0x3926)


def case_payloads_of_every_length_come_back():
    dice = Dice(1)
    for length in range(1, PAYLOAD_BYTES + 1, 3):
        for payload in (dice.data(length), bytes(length), bytes([255] * length)):
            frame = frame_of(payload)
            assert len(frame) <= FRAME_BYTES
            assert frame[-1] == 0
            assert 0 not in frame[:-1]
            assert read_all(Decoder(), frame, 512) == [payload]


def case_a_stream_in_pieces_of_any_size_gives_the_same():
    dice = Dice(2)
    payloads = [dice.data(1 + dice.below(PAYLOAD_BYTES)) for _ in range(12)]
    stream = b"".join([frame_of(payload) for payload in payloads])
    for step in (1, 2, 3, 7, 64, 511, 512, 4096):
        assert read_all(Decoder(), stream, step) == payloads


def case_a_damaged_frame_is_dropped_and_the_next_one_read():
    dice = Dice(3)
    good = dice.data(60)
    for _ in range(150):
        spoilt = bytearray(frame_of(dice.data(1 + dice.below(120))))
        at = dice.below(len(spoilt))
        how = dice.below(3)
        if how == 0:
            spoilt[at] ^= 1 << dice.below(8)
        elif how == 1:
            spoilt = spoilt[:at] + spoilt[at + 1 :]
        else:
            spoilt = spoilt[:at] + bytes([dice.below(256)]) + spoilt[at:]
        decoder = Decoder()
        # a zero ends whatever was left open, then a good frame follows
        assert good in read_all(decoder, bytes(spoilt) + b"\0" + frame_of(good), 512)
        assert decoder.bad <= 2


def case_noise_never_gives_a_payload_nor_stops_the_decoder():
    dice = Dice(4)
    decoder = Decoder()
    noise = bytes([dice.below(256) for _ in range(6000)])
    assert read_all(decoder, noise, 100) == []
    assert decoder.bad > 5
    assert read_all(decoder, b"\0" + frame_of(b"hello"), 9) == [b"hello"]
    long = bytes([7] * 3000)
    assert read_all(decoder, long, 700) == []
    assert read_all(decoder, b"\0" + frame_of(b"again"), 9) == [b"again"]


def case_numbers_keep_their_bounds():
    p = bytearray(8)
    for value in (0, 1, 255, 256, 65535):
        put16(p, 2, value)
        assert u16(p, 2) == value
    for value in (-32768, -1, 0, 32767):
        put16(p, 2, value)
        assert s16(p, 2) == value
    for value in (0, 1, 65536, MASK30):
        put32(p, 1, value)
        assert u30(p, 1) == value
    for value in (NONE30, -1, 0, 1, 0x1FFFFFFF):
        put32(p, 1, value)
        assert s30(p, 1) == value
    p[4] = 0x40
    assert u30(p, 1) == -1
    assert s30(p, 1) == NONE30


def sample(kind, dice):
    values = {}
    for field, form in FIELDS[kind]:
        if form == "*":
            values[field] = dice.data(dice.below(100))
        elif form == "B":
            values[field] = dice.below(256)
        elif form == "H":
            values[field] = dice.below(65536)
        elif form == "h":
            values[field] = dice.below(65536) - 32768
        elif form == "I":
            values[field] = dice.below(1000) * 1000000
        else:
            values[field] = dice.below(1000) * 1000000 - 400000000
    return values


def case_every_message_packs_and_unpacks():
    dice = Dice(5)
    for kind, name, _to, _sequenced, fields in TABLE:
        for _ in range(5):
            values = sample(kind, dice)
            payload = pack(name, 7, 12345, values)
            assert well_formed(payload, len(payload))
            assert u16(payload, 2) == 7
            assert u30(payload, 4) == 12345
            back = unpack(payload, len(payload))
            values["name"] = name.encode()
            assert back == values
            at = HEAD_BYTES
            for field, form in fields:
                assert offset_of(name, field) == at
                at += SIZE[form]


def case_messages_of_a_wrong_length_are_no_messages():
    dice = Dice(6)
    for kind, name, _to, _sequenced, fields in TABLE:
        payload = pack(name, 0, 1, sample(kind, dice))
        fixed = sum([SIZE[form] for _field, form in fields])
        for length in range(HEAD_BYTES + fixed):
            assert not well_formed(payload, length)
        if not fields or fields[-1][1] != "*":
            assert not well_formed(payload + b"\0", len(payload) + 1)
    assert not well_formed(bytes(20), 20)
    assert not well_formed(bytes([200]) + bytes(19), 20)


def case_names_numbers_and_the_schema_belong_together():
    for kind, name, to, sequenced, _fields in TABLE:
        assert NUMBER[name] == kind
        assert NAME[kind] == name
        assert SEQUENCED[kind] == sequenced
        assert (kind < 64) == (to == "board")
    crc = Crc()
    text = canonical().encode()
    crc.feed(text, 0, len(text))
    assert (crc.value_low(), crc.value_high()) == (SCHEMA_LOW, SCHEMA_HIGH)


def take(receiver, payload):
    return receiver.receive(bytearray(payload), len(payload))


def case_sequenced_messages_are_taken_once_and_in_order():
    receiver, sender = s.Receiver(), s.Sender()
    receiver.begin(99)
    sender.begin(99)
    sent = [sender.payload("COMMIT", {"number": i}) for i in range(5)]
    assert take(receiver, sent[0]) == NUMBER["COMMIT"]
    assert take(receiver, sent[0]) == 0  # doubled
    assert receiver.ack
    assert take(receiver, sent[2]) == 0  # one is missing
    assert receiver.nak
    receiver.nak = False
    assert take(receiver, sent[3]) == 0
    assert not receiver.nak  # told once
    assert receiver.expected == 1
    assert sender.acknowledged(1) == 1
    for payload in sender.resend():
        assert take(receiver, payload) == NUMBER["COMMIT"]
    assert receiver.expected == 5
    assert sender.acknowledged(5) == 4
    assert sender.resend() == []
    assert take(receiver, sent[1]) == 0  # stale


def case_sequence_numbers_wrap():
    receiver, sender = s.Receiver(), s.Sender()
    receiver.begin(5)
    sender.begin(5)
    receiver.expected = sender.next = 65534
    for _ in range(4):
        assert take(receiver, sender.payload("HOLD", {})) == NUMBER["HOLD"]
    assert receiver.expected == 2
    assert sender.acknowledged(0) == 2
    assert sender.acknowledged(2) == 2


def case_frames_of_another_connection_are_counted_and_dropped():
    receiver, sender = s.Receiver(), s.Sender()
    sender.begin(7)
    assert take(receiver, sender.payload("PING", {"ms": 1})) == 0  # nobody is connected
    receiver.begin(8)
    receiver.heard = False
    assert take(receiver, sender.payload("COMMIT", {"number": 1})) == 0
    assert take(receiver, sender.payload("ABORT", {})) == 0
    assert receiver.foreign == 3
    assert not receiver.heard
    assert receiver.expected == 0
    hello = pack("HELLO", 0, 0, {"protocol": 1, "schema_low": 1, "schema_high": 1, "nonce": 1})
    assert take(receiver, hello) == NUMBER["HELLO"]  # whoever sends it


def case_messages_for_the_host_and_rubbish_are_not_taken_by_a_board():
    receiver = s.Receiver()
    receiver.begin(8)
    assert (
        take(receiver, pack("ACK", 0, 8, {"next": 0, "free": 0, "whole": 0, "committed": 0})) == 0
    )
    assert take(receiver, b"") == 0
    assert take(receiver, bytes(3)) == 0
    assert take(receiver, bytes([4, 0, 0, 0, 8, 0, 0, 0])) == 0  # COMMIT without its number


def case_abort_and_ping_pass_ahead_of_a_gap():
    receiver, sender = s.Receiver(), s.Sender()
    receiver.begin(3)
    sender.begin(3)
    sender.payload("HOLD", {})  # lost
    assert take(receiver, sender.payload("START", {"number": 0})) == 0
    assert take(receiver, sender.payload("ABORT", {})) == NUMBER["ABORT"]
    assert take(receiver, sender.payload("PING", {"ms": 3})) == NUMBER["PING"]


def case_every_sequenced_message_has_its_states():
    named = [name for name, _states in s.ALLOWED]
    for kind, name, to, sequenced, _fields in TABLE:
        assert (name in named) == (to == "board" and sequenced == 1)
        for state in range(len(s.STATES)):
            wanted = [state in states for other, states in s.ALLOWED if other == name]
            assert s.allowed(kind, state) == (wanted == [True])
    for state in (s.RUNNING, s.TAIL, s.RETREATING, s.FAULT):
        assert not s.allowed(NUMBER["CONFIG"], state)  # never while something moves
        assert not s.allowed(NUMBER["START"], state)
        assert not s.allowed(NUMBER["POSITION"], state)


class Board:
    """What a board does with bytes, and to say something: everything it needs is there before."""

    def __init__(self, stream, payload):
        self.decoder, self.receiver, self.crc = Decoder(), s.Receiver(), Crc()
        self.stream, self.count = stream, len(stream)
        self.payload, self.out = payload, bytearray(FRAME_BYTES + 8)
        self.taken = [0] * 128
        self.number = 0

    def hear(self):
        """Reads the whole stream: frames, then what they mean."""
        at = 0
        while at < self.count:
            at = self.decoder.feed(self.stream, at, self.count)
            if self.decoder.length:
                kind = self.receiver.receive(self.decoder.payload, self.decoder.length)
                if kind:
                    self.taken[kind] += 1
        return self.receiver.expected

    def answer(self):
        """Writes one ACK; its length."""
        put16(self.payload, 8, self.number)
        put32(self.payload, 12, self.number)
        return encode_into(self.out, self.payload, 20, self.crc)


def case_a_board_reads_and_answers_without_the_heap():
    sender = s.Sender()
    sender.begin(1000)
    dice = Dice(8)
    frames = []
    for i in range(40):
        body = dice.data(dice.below(480))
        window = {"number": i, "offset": 0, "total": 480, "data": body}
        frames.append(frame_of(sender.payload("WINDOW", window)))
        frames.append(frame_of(sender.payload("COMMIT", {"number": i})))
        frames.append(frame_of(sender.payload("PING", {"ms": i})))
    frames.insert(30, frames[18])  # an old window again
    frames.insert(50, b"\x05rubb\0")
    ack = pack("ACK", 0, 1000, {"next": 0, "free": 1, "whole": 2, "committed": 3})
    board = Board(bytearray(b"".join(frames)), bytearray(ack) + bytearray(8))
    board.receiver.begin(1000)
    hear, answer = board.hear, board.answer
    assert locked(hear) == 80
    assert board.taken[NUMBER["WINDOW"]] == 40
    assert board.taken[NUMBER["PING"]] == 40
    assert board.decoder.bad == 1
    for number in (0, 255, 65535):
        board.number = number
        length = locked(answer)
        said = read_all(Decoder(), bytes(board.out[:length]), 64)[0]
        assert unpack(said, len(said))["next"] == number


def main():
    count = 0
    for name in sorted(globals()):
        if name.startswith("case_"):
            globals()[name]()
            count += 1
    print("ok", count, "heap locked" if heap_lock else "no heap lock")


if __name__ == "__main__":
    main()
