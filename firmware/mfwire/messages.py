"""The one table of messages: number, name, direction, whether it is sequenced, and its fields.

Every payload begins with the head: u8 type, u8 zero, u16 sequence, u32 connect. Little endian.
On the board fields are read one by one at their offset, so that nothing is allocated.
"""

from mfwire.crc import Crc

PROTOCOL = 2
HEAD_BYTES = 8
BROADCAST = 0  # connect id before there is one
MASK30 = 0x3FFFFFFF
NONE30 = -0x20000000  # a latched position that is not there

# kinds: B u8, H u16, h s16, I u32 below 2^30, i s32 within 30 bits, * the rest of the payload
TABLE = (
    # host to board
    (1, "HELLO", "board", 0, (
        ("protocol", "H"), ("schema_low", "H"), ("schema_high", "H"), ("nonce", "I"))),
    (2, "CONFIG", "board", 1, (("offset", "H"), ("total", "H"), ("data", "*"))),
    (3, "WINDOW", "board", 1, (("number", "I"), ("offset", "H"), ("total", "H"), ("data", "*"))),
    (4, "COMMIT", "board", 1, (("number", "I"),)),
    (5, "START", "board", 1, (("number", "I"),)),
    (6, "HOLD", "board", 1, ()),
    (7, "ABORT", "board", 0, ()),
    (8, "RESET", "board", 1, (("number", "I"),)),
    (9, "PING", "board", 0, (("ms", "H"),)),
    (10, "OUTPUT", "board", 1, (("output", "H"), ("value", "H"))),
    (11, "STANDBY", "board", 1, (("heater", "H"), ("max_dc", "H"), ("seconds", "H"))),
    (12, "RETREAT", "board", 1, (("offset", "H"), ("total", "H"), ("data", "*"))),
    (13, "GUARD", "board", 1, (("input", "H"), ("motors", "H"), ("edge", "H"))),
    (14, "ENABLE", "board", 1, (("motors", "H"),)),
    (15, "POSITION", "board", 1, (("motor", "H"), ("steps", "i"))),
    (16, "ASK", "board", 0, ()),
    (17, "CLEAR", "board", 1, ()),
    (18, "BYE", "board", 1, ()),
    (19, "MAINTAIN", "board", 1, ()),
    (20, "CARD", "board", 1, (("act", "H"), ("data", "*"))),
    # board to host
    (64, "WELCOME", "host", 0, (
        ("nonce", "I"), ("protocol", "H"), ("schema_low", "H"), ("schema_high", "H"),
        ("tick_hz", "I"), ("slots", "H"), ("slot_bytes", "H"), ("motors_max", "H"),
        ("lead_ticks", "I"), ("horizon_ms", "H"), ("lease_ms", "H"),
        ("uid0", "H"), ("uid1", "H"), ("uid2", "H"), ("uid3", "H"), ("firmware", "*"))),
    (65, "ACK", "host", 0, (("next", "H"), ("free", "H"), ("whole", "I"), ("committed", "I"))),
    (66, "NAK", "host", 0, (("next", "H"),)),
    (67, "REFUSED", "host", 0, (("sequence", "H"), ("reason", "H"), ("detail", "I"))),
    (68, "CONFIGURED", "host", 0, (("ok", "H"), ("text", "*"))),
    (69, "STATUS", "host", 0, (
        ("state", "B"), ("why", "B"), ("fault", "H"), ("detail", "H"), ("trusted", "B"),
        ("flags", "B"), ("motors", "B"), ("inputs", "B"), ("outputs", "B"), ("heaters", "B"),
        ("window", "I"), ("tick_low", "I"), ("tick_high", "I"), ("bad_frames", "H"),
        ("hash_low", "H"), ("hash_high", "H"), ("committed", "I"), ("levels", "H"),
        ("latched", "H"), ("height", "B"), ("arc_cv", "H"), ("aim_cv", "H"), ("offset", "h"),
        ("lists", "*"))),
    (70, "LOG", "host", 0, (("text", "*"),)),
    (71, "CARDED", "host", 0, (
        ("state", "B"), ("why", "B"), ("bound", "B"), ("homed", "B"), ("window", "I"),
        ("played", "I"), ("windows", "I"), ("line", "I"), ("text", "*"))),
)  # fmt: skip

# lists of STATUS, behind its fields:
#   each motor:  i steps, i latched steps (NONE30: none)
#   each input:  H glitches
#   each output: H value
#   each heater: h temperature in 0.1 C, H target in 0.1 C, H duty of 65535

SIZE = {"B": 1, "H": 2, "h": 2, "I": 4, "i": 4, "*": 0}
NUMBER = {row[1]: row[0] for row in TABLE}
NAME = {row[0]: row[1] for row in TABLE}
FIELDS = {row[0]: row[4] for row in TABLE}
SEQUENCED = bytearray(128)
FIXED_BYTES = bytearray(128)  # of the fields behind the head; 255: no such message
for _i in range(128):
    FIXED_BYTES[_i] = 255
for _row in TABLE:
    SEQUENCED[_row[0]] = _row[3]
    FIXED_BYTES[_row[0]] = sum(SIZE[_kind] for _name, _kind in _row[4])


def offset_of(name: str, field: str) -> int:
    """Where a field stands in a payload. For building constants at import."""
    at = HEAD_BYTES
    for other, kind in FIELDS[NUMBER[name]]:
        if other == field:
            return at
        at += SIZE[kind]
    raise ValueError(field)


def canonical() -> str:
    """The table as text; its CRC-32 is the schema that both ends compare."""
    rows = []
    for number, name, to, sequenced, fields in TABLE:
        text = ",".join(field + ":" + kind for field, kind in fields)
        rows.append(str(number) + " " + name + " " + to + " " + str(sequenced) + " " + text)
    return str(PROTOCOL) + "\n" + "\n".join(rows)


def _schema() -> "tuple[int, int]":
    crc = Crc()
    text = canonical().encode()
    crc.feed(text, 0, len(text))
    return crc.value_low(), crc.value_high()


SCHEMA_LOW, SCHEMA_HIGH = _schema()


def u16(p: "bytearray | memoryview | bytes", at: int) -> int:
    """Unsigned 16 bits."""
    return p[at] | p[at + 1] << 8


def s16(p: "bytearray | memoryview | bytes", at: int) -> int:
    """Signed 16 bits."""
    v = p[at] | p[at + 1] << 8
    return v - 0x10000 if v & 0x8000 else v


def u30(p: "bytearray | memoryview | bytes", at: int) -> int:
    """Unsigned below 2^30; -1: the field holds more, which no sender writes."""
    if p[at + 3] & 0xC0:
        return -1
    return p[at] | p[at + 1] << 8 | p[at + 2] << 16 | p[at + 3] << 24


def s30(p: "bytearray | memoryview | bytes", at: int) -> int:
    """Signed, -2^29 to 2^29 - 1; anything else reads as -2^29."""
    top = p[at + 3]
    low = p[at] | p[at + 1] << 8 | p[at + 2] << 16
    if top < 0x20:
        return low | top << 24
    if top >= 0xE0:
        return (low | (top - 0xE0) << 24) - 0x20000000
    return NONE30


def put16(p: "bytearray | memoryview", at: int, v: int) -> None:
    """16 bits, signed or not."""
    p[at] = v & 255
    p[at + 1] = v >> 8 & 255


def put32(p: "bytearray | memoryview", at: int, v: int) -> None:
    """30 bits, signed or not, as 32."""
    p[at] = v & 255
    p[at + 1] = v >> 8 & 255
    p[at + 2] = v >> 16 & 255
    p[at + 3] = v >> 24 & 255


def put_head(p: "bytearray | memoryview", kind: int, sequence: int, connect: int) -> None:
    """The eight bytes that every payload begins with."""
    p[0] = kind
    p[1] = 0
    put16(p, 2, sequence)
    put32(p, 4, connect)


def well_formed(p: "bytearray | memoryview | bytes", length: int) -> bool:
    """Long enough for its message, and no longer when its fields are fixed. Bounds only."""
    if length < HEAD_BYTES or p[0] >= 128 or p[1] != 0 or u30(p, 4) < 0:
        return False
    fixed = FIXED_BYTES[p[0]]
    if fixed == 255 or length < HEAD_BYTES + fixed:
        return False
    fields = FIELDS[p[0]]
    rest = len(fields) > 0 and fields[-1][1] == "*"
    return rest or length == HEAD_BYTES + fixed


def pack(name: str, sequence: int, connect: int, values: "dict[str, int | bytes]") -> bytes:
    """A payload from named values. Allocates: for the host, and before a board has started."""
    kind = NUMBER[name]
    out = bytearray(HEAD_BYTES + FIXED_BYTES[kind])
    put_head(out, kind, sequence, connect)
    at = HEAD_BYTES
    rest = b""
    for field, form in FIELDS[kind]:
        value = values[field]
        if form == "*":
            rest = bytes(value)
        else:
            number = int(value)
            for i in range(SIZE[form]):
                out[at + i] = number >> 8 * i & 255
        at += SIZE[form]
    return bytes(out) + rest


def unpack(p: "bytearray | memoryview | bytes", length: int) -> "dict[str, int | bytes]":
    """Named values of a well-formed payload. Allocates: for the host."""
    out: "dict[str, int | bytes]" = {"name": NAME[p[0]].encode()}
    at = HEAD_BYTES
    for field, form in FIELDS[p[0]]:
        if form == "*":
            out[field] = bytes(p[at:length])
        elif form == "B":
            out[field] = p[at]
        elif form == "H":
            out[field] = u16(p, at)
        elif form == "h":
            out[field] = s16(p, at)
        elif form == "i":
            out[field] = s30(p, at)
        else:
            out[field] = u30(p, at)
        at += SIZE[form]
    return out
