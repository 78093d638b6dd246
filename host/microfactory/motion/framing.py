"""Frames made by the core: what `mfwire.frames` says, a hundred times faster."""

from __future__ import annotations

from collections.abc import Iterator

from microfactory.motion.core import check, ffi, lib
from microfactory.motion.plan import Plan
from microfactory.motion.stretch import INFO, SLOT_BYTES, Stretch, Window

WINDOW_BYTES = 65535
STREAM_BYTES = 1 << 17  # of frames made at a time


class Framer:
    """Payloads and whole windows to frames. sequence: of the next sequenced message."""

    def __init__(self, connect: int = 0, sequence: int = 0) -> None:
        size = lib.mf_frames_size()
        self._memory = ffi.new("uint64_t[]", size // 8 + 1)
        size = ffi.sizeof(self._memory)  # the core looks whether it is enough
        handle = ffi.new("mf_frames **")
        check(lib.mf_frames_init(self._memory, size, handle), "making frames")
        self._frames = handle[0]
        self._session = ffi.new("mf_frames_session *", {"connect": connect, "sequence": sequence})
        pieces = WINDOW_BYTES // lib.MF_PIECE_BYTES + 2
        self._capacity = pieces * lib.MF_FRAME_BYTES
        self._out = ffi.new("uint8_t[]", self._capacity)
        self._out_bytes = ffi.buffer(self._out)
        self._written = ffi.new("size_t *")

    @property
    def sequence(self) -> int:
        """Of the next sequenced message."""
        return int(self._session.sequence)

    def frame(self, payload: bytes) -> bytes:
        """One payload of at most 502 bytes as one frame."""
        status = lib.mf_frames_put(
            self._frames, payload, len(payload), self._out, self._capacity, self._written
        )
        if status:
            check(status, "framing a message")
        return bytes(self._out_bytes[: self._written[0]])

    def window(self, number: int, data: bytes) -> bytes:
        """The frames of a window, as they go over the wire: its WINDOW messages and its COMMIT."""
        status = lib.mf_frames_window(
            self._frames,
            self._session,
            number,
            data,
            len(data),
            self._out,
            self._capacity,
            self._written,
        )
        if status:
            check(status, "framing a window")
        return bytes(self._out_bytes[: self._written[0]])

    def stream(self, stretch: Stretch) -> Iterator[tuple[bytes, Window]]:
        """All that a stretch can give so far: the frames of many windows, and the last of those
        (without its bytes).
        """
        out = ffi.new("uint8_t[]", STREAM_BYTES)
        body = ffi.new("uint32_t[]", SLOT_BYTES // 4)
        info, windows = ffi.new("mf_window_info *"), ffi.new("uint32_t *")
        whole, head = ffi.buffer(out), ffi.buffer(info)
        while True:
            status = lib.mf_stream(
                stretch.plan,
                self._frames,
                self._session,
                ffi.cast("uint8_t *", body),
                SLOT_BYTES,
                out,
                STREAM_BYTES,
                self._written,
                windows,
                info,
            )
            if status:
                check(status, "making windows")
            if not windows[0]:
                return
            yield whole[: self._written[0]], stretch.window(INFO.unpack(head), b"")


def wire_bytes(plan: Plan, connect: int = 1) -> Iterator[bytes]:
    """What goes over the wire for a plan's windows: their frames, many windows at a time, lazily.

    connect: the connection's id. Homing, waits and the words of a session (START, PING) are not in
    it: a job's driver says them. GcodeError, LimitError: the program must not be run.
    """
    framer = Framer(connect)
    for section in plan.sections():
        yield from section.framed(framer)
