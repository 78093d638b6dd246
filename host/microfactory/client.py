"""A session over a link: connect, configure, send, resend, keep the lease, know the status.

One thread, no callbacks. `pump` is where time passes; everything the board says is seen there.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from mfwire import session as s
from mfwire.frames import Decoder
from mfwire.messages import (
    NUMBER,
    PROTOCOL,
    SCHEMA_HIGH,
    SCHEMA_LOW,
    offset_of,
    u16,
    u30,
    unpack,
    well_formed,
)
from microfactory.checksum import ZlibCrc
from microfactory.errors import BoardFault, LinkError
from microfactory.link import Link
from microfactory.machine import Machine
from microfactory.motion.framing import Framer
from microfactory.status import BoardInfo, Status, fault_words, status_from, word

PING_S = 0.08
RESEND_S = 0.15
SILENCE_S = 1.5
CONNECT_S = 6.0  # the chip begins its program within four
STUCK_S = 3.0  # the board is heard, but takes nothing
IN_FLIGHT = 48  # frames not yet acknowledged


class Client:
    """The host's end of a session. Use `connect` before anything else."""

    def __init__(self, link: Link, machine: Machine) -> None:
        self.link = link
        self.machine = machine
        self.sender = s.Sender()
        self.info: BoardInfo | None = None
        self.status: Status | None = None
        self.events: deque[str] = deque(maxlen=1000)
        self.free = 0
        self.whole = 0
        self.committed = 0
        self.refused: tuple[str, int, int] | None = None
        self.resent = 0
        self.foreign = 0  # frames of another connection, or that are no message
        self.hash = 0  # of the bodies of all windows committed, as the board's own
        self.statuses = 0
        self.carded: dict[str, Any] = {}  # the last CARDED
        self._decoder = Decoder(ZlibCrc())
        self._framer = Framer()
        self._heard_s = link.now_s()
        self._sent_s = link.now_s()
        self._moved_s = link.now_s()  # last progress or resending
        self._taken_s = link.now_s()  # last progress
        self._nonce = 0
        self._configured: str | None = None

    # ---- sending

    def _write(self, payload: bytes) -> None:
        self.link.write(self._framer.frame(payload))
        self._sent_s = self.link.now_s()

    def send(self, name: str, **values: int | bytes) -> None:
        """One message; a sequenced one is resent until it is acknowledged. LinkError: silence."""
        while len(self.sender.waiting) >= IN_FLIGHT:
            self.pump(0.01)
        if not self.sender.waiting:
            self._moved_s = self._taken_s = self.link.now_s()
        self._write(self.sender.payload(name, values))

    def settle(self) -> None:
        """Wait until everything sent has been acknowledged; BoardFault: something was refused."""
        while self.sender.waiting:
            self.pump(0.01)
        self.check_refused()

    def check_refused(self) -> None:
        """BoardFault when the board has refused a message since the last look."""
        if self.refused:
            name, reason, _detail = self.refused
            self.refused = None
            raise BoardFault(
                f"the board refused {name}: {word(s.REASONS, reason)}; nothing else was changed; "
                "look at `microfactory status`",
                reason,
            )

    # ---- receiving

    def pump(self, timeout_s: float) -> None:
        """Let time pass, hear the board, keep the lease, resend. LinkError: it is silent."""
        data = self.link.read(timeout_s)
        at = 0
        while at < len(data):
            at = self._decoder.feed(data, at, len(data))
            if self._decoder.length:
                self._take(self._decoder.payload, self._decoder.length)
        now = self.link.now_s()
        if self.sender.connect:
            if now - self._heard_s > SILENCE_S:
                raise LinkError(
                    "the board does not answer any more; it stops on its path by itself; look at "
                    "cable and power, then resume"
                )
            if self.sender.waiting and now - self._taken_s > STUCK_S:
                raise LinkError(
                    "the board is heard but takes nothing that is sent; it stops on its path by "
                    "itself; look at the cable, then resume"
                )
            if self.sender.waiting and now - self._moved_s > RESEND_S:
                self._resend()
            elif now - self._sent_s > PING_S:
                self._write(self.sender.payload("PING", {"ms": int(now * 1000) & 0xFFFF}))

    def _resend(self) -> None:
        self._moved_s = self.link.now_s()
        for payload in self.sender.resend():
            self.resent += 1
            self._write(payload)

    def _take(self, payload: bytearray, length: int) -> None:
        """One payload: frames of another connection, and what no message is, are dropped."""
        welcome = payload[0] == NUMBER["WELCOME"]
        if welcome:
            self._check_firmware(payload, length)
        ours = well_formed(payload, length) and u30(payload, 4) == self.sender.connect
        if not ours and not (welcome and well_formed(payload, length)):
            self.foreign += 1
            return
        self._heard_s = self.link.now_s()
        message: dict[str, Any] = unpack(payload, length)
        name = message["name"].decode()
        take = getattr(self, f"_take_{name.lower()}", None)
        if take is not None:
            take(message)

    def _check_firmware(self, payload: bytearray, length: int) -> None:
        """LinkError: it answers our HELLO in another protocol; only its first fields are known."""
        if length < offset_of("WELCOME", "tick_hz") or u30(payload, 8) != self._nonce:
            return
        protocol, low, high = (u16(payload, 12 + 2 * i) for i in range(3))
        if (protocol, low, high) != (PROTOCOL, SCHEMA_LOW, SCHEMA_HIGH):
            self.sender.begin(0)
            raise LinkError(
                f"the board has another firmware (protocol {protocol}, schema "
                f"{high << 16 | low:08x}; this host has {PROTOCOL} and "
                f"{SCHEMA_HIGH << 16 | SCHEMA_LOW:08x}); nothing moved; flash the firmware that "
                "came with this version"
            )

    def _take_welcome(self, m: dict[str, Any]) -> None:
        if m["nonce"] != self._nonce:
            return
        uid = "".join(f"{m[f'uid{i}']:04x}" for i in range(4))
        self.info = BoardInfo(
            uid=uid,
            firmware=m["firmware"].decode("utf-8", "replace"),
            protocol=m["protocol"],
            schema=m["schema_high"] << 16 | m["schema_low"],
            tick_hz=m["tick_hz"],
            slots=m["slots"],
            slot_bytes=m["slot_bytes"],
            motors_max=m["motors_max"],
            lead_s=m["lead_ticks"] / m["tick_hz"],
            horizon_s=m["horizon_ms"] / 1000,
            lease_s=m["lease_ms"] / 1000,
        )
        payload = self._decoder.payload
        self.sender.begin(payload[4] | payload[5] << 8 | payload[6] << 16 | payload[7] << 24)

    def _take_ack(self, m: dict[str, Any]) -> None:
        if self.sender.acknowledged(m["next"]):
            self._moved_s = self._taken_s = self.link.now_s()
        self.free, self.whole, self.committed = m["free"], m["whole"], m["committed"]

    def _take_nak(self, m: dict[str, Any]) -> None:
        if self.sender.acknowledged(m["next"]):
            self._taken_s = self.link.now_s()
        self._resend()

    def _take_refused(self, m: dict[str, Any]) -> None:
        from mfwire.messages import NAME

        name = NAME.get(m["detail"], "a message")
        if self.refused is None:
            self.refused = (name, m["reason"], m["sequence"])
        self.events.append(f"refused {name}: {word(s.REASONS, m['reason'])}")

    def _take_configured(self, m: dict[str, Any]) -> None:
        self._configured = m["text"].decode("utf-8", "replace")

    def _take_status(self, m: dict[str, Any]) -> None:
        before = self.status
        self.status = status_from(m, self.machine)
        self.statuses += 1
        if self.info and self.status.state == "RUNNING":  # ACK tells it only where something comes
            self.free = self.info.slots - ((self.whole - self.status.window) & 0x3FFFFFFF)
        self._note_changes(before, self.status)

    def _take_carded(self, m: dict[str, Any]) -> None:
        self.carded = m

    def _take_log(self, m: dict[str, Any]) -> None:
        self.events.append("log: " + m["text"].decode("utf-8", "replace"))

    def _note_changes(self, before: Status | None, now: Status) -> None:
        if before is None or before.state != now.state or before.why != now.why:
            self.events.append(f"state {now.state}" + (f" ({now.why})" if now.why else ""))
        if now.fault and (before is None or before.fault != now.fault):
            self.events.append("fault " + fault_words(now.fault, now.detail, self.machine))
        for name, count in now.glitches.items():
            if before is not None and count != before.glitches.get(name):
                self.events.append(f"glitch on {name}: {count} so far")

    # ---- connecting

    def connect(self) -> BoardInfo:
        """Say hello until the board answers. LinkError: none does, or it speaks another wire."""
        self._nonce = (int(self.link.now_s() * 1e6) * 2654435761 + 12345) & 0x3FFFFFFF
        begin = self.link.now_s()
        self.info = None
        self.sender.begin(0)
        asked = -1.0
        while self.info is None:
            now = self.link.now_s()
            if now - begin > CONNECT_S:
                raise LinkError(
                    "no board answers on this port; nothing moved; is microfactory's firmware on "
                    "it, and is this its data port?"
                )
            if now - asked > 0.25 or asked < 0:
                asked = now
                self._nonce = (self._nonce + 1) & 0x3FFFFFFF  # only the last one's answer counts
                hello = {
                    "protocol": PROTOCOL,
                    "schema_low": SCHEMA_LOW,
                    "schema_high": SCHEMA_HIGH,
                    "nonce": self._nonce,
                }
                self.sender.connect = 0
                self._write(self.sender.payload("HELLO", dict(hello)))
            self.pump(0.02)
        return self.info

    def configure(self) -> None:
        """Send the machine's configuration. BoardFault: the board refuses it, in words."""
        self._configured = None
        self._chunks("CONFIG", self.machine.board_config())
        begin = self.link.now_s()
        while self._configured is None:
            self.check_refused()
            if self.link.now_s() - begin > CONNECT_S:
                raise LinkError("the board does not answer to its configuration; nothing moved")
            self.pump(0.02)
        if self._configured:
            raise BoardFault(
                f"the board refuses this machine: {self._configured}; nothing moved; correct the "
                "machine file"
            )
        self.settle()
        self.hash = self.ask().hash

    def _chunks(self, name: str, data: bytes) -> None:
        for offset in range(0, len(data), 480):
            piece = data[offset : offset + 480]
            self.send(name, offset=offset, total=len(data), data=piece)

    def load_retreat(self, body: bytes) -> None:
        """The moves of a lost link; empty: none."""
        if body:
            self._chunks("RETREAT", body)
        else:
            self.send("RETREAT", offset=0, total=0, data=b"")
        self.settle()

    def send_window(self, number: int, body: bytes) -> None:
        """All fragments of a window; the caller has looked at `free`."""
        for offset in range(0, len(body), 480):
            piece = body[offset : offset + 480]
            self.send("WINDOW", number=number, offset=offset, total=len(body), data=piece)

    def ask(self) -> Status:
        """A status that is newer than this call."""
        seen = self.statuses
        self._write(self.sender.payload("ASK", {}))
        begin = asked = self.link.now_s()
        while self.statuses == seen:
            now = self.link.now_s()
            if now - begin > SILENCE_S:
                raise LinkError("the board does not tell its status; look at cable and power")
            if now - asked > RESEND_S:
                asked = now
                self._write(self.sender.payload("ASK", {}))
            self.pump(0.01)
        assert self.status is not None
        return self.status

    def check_fault(self) -> None:
        """BoardFault when the board has latched a fault."""
        status = self.status
        if status is not None and status.fault:
            raise BoardFault(fault_words(status.fault, status.detail, self.machine), status.fault)
