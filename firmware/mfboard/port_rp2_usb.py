"""The wire's own serial port: a second CDC ACM function beside the REPL's, on machine.USBDevice.

Three buffers take turns, so that one is always waiting for the host while another is read.
Callbacks only note what came; the board's loop reads. USB CDC 1.2, PSTN 1.2 section 6.3.
"""

import machine

from mfboard.fast_wire import copy

SIZE = 512
OUT_SIZE = 4096
PIECE = 16  # what is sent is filled up to so many bytes with delimiters: no new view of it
MOST = 496  # of bytes in one transfer, and no multiple of 64


def _descriptor(interface, endpoint, text):
    """One CDC ACM function: two interfaces, three endpoints."""
    i, e = interface, endpoint
    return bytes(
        (
            8, 11, i, 2, 2, 2, 0, text,  # interface association
            9, 4, i, 0, 1, 2, 2, 0, text,  # communication interface, ACM
            5, 0x24, 0, 0x20, 1,  # header
            5, 0x24, 1, 0, i + 1,  # call management: none
            4, 0x24, 2, 2,  # line coding and state
            5, 0x24, 6, i, i + 1,  # union
            7, 5, 0x80 | e, 3, 8, 0, 16,  # notifications
            9, 4, i + 1, 0, 2, 10, 0, 0, 0,  # data interface
            7, 5, e + 1, 2, 64, 0, 0,  # data out
            7, 5, 0x80 | e + 1, 2, 64, 0, 0,  # data in
        )
    )  # fmt: skip


class Usb:
    """Bytes from and to the host."""

    def __init__(self):
        self.buffers = (bytearray(SIZE), bytearray(SIZE), bytearray(SIZE))
        self.lengths = [0, 0, 0]
        self.filling = 0  # the buffer that the host fills
        self.reading = 0  # the buffer that is read next
        self.full = 0  # buffers that wait to be read
        self.stalled = False  # all are full: nothing waits for the host
        self.out = bytearray(OUT_SIZE)
        self.sending = bytearray(SIZE)
        self.pieces = [memoryview(self.sending)[:n] for n in range(0, MOST + 1, PIECE)]
        self.fill = bytearray(2 * PIECE)
        self.head = 0
        self.tail = 0
        self.busy = False
        self.dropped = 0
        self.coding = bytearray(7)
        device = machine.USBDevice()
        builtin = device.BUILTIN_DEFAULT
        self.interface = builtin.itf_max
        self.end_out = builtin.ep_max + 1
        self.end_in = 0x80 | builtin.ep_max + 1
        configuration = bytearray(builtin.desc_cfg)
        configuration.extend(_descriptor(self.interface, builtin.ep_max, builtin.str_max))
        configuration[2] = len(configuration) & 255
        configuration[3] = len(configuration) >> 8
        configuration[4] += 2
        device.active(False)
        device.builtin_driver = builtin
        device.config(
            builtin.desc_dev,
            configuration,
            {builtin.str_max: "microfactory"},
            self._opened,
            self._reset,
            self._control,
            self._moved,
        )
        self.device = device
        device.active(True)

    # ---- what the USB stack calls

    def _opened(self, descriptor):
        """The host has configured us."""
        if descriptor[2] != self.interface:
            return
        self.filling = 0
        self.reading = 0
        self.full = 0
        self.stalled = False
        self.busy = False
        self.head = 0
        self.tail = 0
        self.device.submit_xfer(self.end_out, self.buffers[0])

    def _reset(self):
        self.busy = True  # until the host opens us again nothing is sent

    def _control(self, stage, request):
        """Line coding and line state, which mean nothing here; the rest is refused."""
        if request[0] & 0x1F != 1 or request[4] != self.interface:
            return False
        if request[1] == 0x20 or request[1] == 0x21:
            return self.coding if stage == 1 else True
        return request[1] == 0x22 or request[1] == 0x23

    def _moved(self, endpoint, result, count):
        """A transfer has ended."""
        if endpoint == self.end_in:
            self.busy = False
        elif endpoint == self.end_out and result == 0:
            self.lengths[self.filling] = count
            self.full += 1
            self.filling = (self.filling + 1) % 3
            if self.full < 3:
                self.device.submit_xfer(self.end_out, self.buffers[self.filling])
            else:
                self.stalled = True

    # ---- what the board's loop calls

    def receive(self, board):
        """Give the board what has come, up to the first buffer with more than pieces of windows.

        True: there was one; then it may have to decide before it hears more.
        """
        many = self.full  # not what comes meanwhile: the loop goes on
        while many:
            many -= 1
            if self._give(board):
                return True
        return False

    def _give(self, board):
        i = self.reading
        acted = board.receive(self.buffers[i], self.lengths[i])
        self.reading = (i + 1) % 3
        self.full -= 1
        if self.stalled:
            self.stalled = False
            self.device.submit_xfer(self.end_out, self.buffers[self.filling])
        return acted

    def send(self, frame, length):
        """A frame for the host; dropped when it does not read."""
        if self.tail - self.head + length > OUT_SIZE:
            self.dropped += 1
            return
        at = self.tail % OUT_SIZE
        first = length if length < OUT_SIZE - at else OUT_SIZE - at
        copy(self.out, at, frame, 0, first)
        if first < length:
            copy(self.out, 0, frame, first, length)
        self.tail += length

    def flush(self):
        """Hand what waits to the USB stack."""
        if not self.busy and self.head != self.tail:
            self._submit()

    def _submit(self):
        n = self.tail - self.head
        if n > MOST:
            n = MOST
        self._lift(self.head % OUT_SIZE, n)
        self.head += n
        if self.head >= OUT_SIZE:
            self.head -= OUT_SIZE
            self.tail -= OUT_SIZE
        size = (n + PIECE - 1) // PIECE
        if size & 3 == 0:
            size += 1  # never a multiple of 64 behind which a host would wait for more
        copy(self.sending, n, self.fill, 0, size * PIECE - n)
        self.busy = True
        if not self.device.submit_xfer(self.end_in, self.pieces[size]):
            self.busy = False

    def _lift(self, at, n):
        """Bytes of the ring to where they are sent from."""
        first = n if n < OUT_SIZE - at else OUT_SIZE - at
        copy(self.sending, 0, self.out, at, at + first)
        if first < n:
            copy(self.sending, first, self.out, 0, n - first)
