"""Edge capture: two state machines, four DMA channels, two rings of 8,192 words (docs/probe.md).

Each ring is filled by two channels that take turns, for they stop after 2^29 words: a chain starts
the other one, which goes on at the ring's beginning. Nothing in here runs for each edge.
"""

import machine
import rp2
import uctypes
from machine import Pin, Timer, mem32

from mfprobe import fast_scan, pio
from mfprobe import state as p

MARK = 25  # the Pico's lamp: it glimmers when something changes
PINS_MAX = 25
HZ = 125_000_000
PIO0 = 0x50200000
FDEBUG = PIO0 + 8
RX = PIO0 + 0x20
SM_BYTES = 0x18
INSTR = PIO0 + 0xD8
SHIFTCTRL = PIO0 + 0xD0
JOIN_RX = 1 << 31
RING_BYTES_LOG2 = 15
RX_REQUEST = 4
RESTART = 0x333  # both machines: enabled, restarted, dividers in step


class Capture:
    """memory: 98,304 bytes or more; two rings that begin at multiples of their length lie in it."""

    def __init__(self, memory):
        begin = (uctypes.addressof(memory) + 0x7FFF) & ~0x7FFF
        p.S[p.WORDS] = begin
        p.S[p.TIMES] = begin + 0x8000
        p.S[p.COUNTED] = uctypes.addressof(p.M)
        self.pins = 0
        self.driven = 0  # mask of pins that are not ours to configure
        self.dma = [rp2.DMA() for _ in range(4)]
        for i in range(4):
            p.S[p.WORD_DMA + i] = 0x50000000 + 64 * self.dma[i].channel
        self.clock = rp2.StateMachine(1, pio.clock(), freq=HZ, jmp_pin=Pin(MARK))
        self.clock_top = mem32[PIO0 + 0xCC + SM_BYTES] >> 7 & 31
        self.watcher = rp2.StateMachine(0)
        self.program = None
        self.timer = Timer(period=1, mode=Timer.PERIODIC, callback=fast_scan.scan, hard=True)

    def start(self, pins, motors):
        """Watch pins 0 to pins - 1. motors: of (step pin, direction pin, inverted)."""
        self.stop()
        if self.pins != pins:
            if self.program is not None:
                rp2.PIO(0).remove_program(self.program)
            self.program = pio.watcher(pins)
            self.pins = pins
        for number in range(pins):
            if not self.driven >> number & 1:
                Pin(number, Pin.IN, Pin.PULL_DOWN)
        self.watcher.init(
            self.program, freq=HZ, in_base=Pin(0), sideset_base=Pin(MARK, Pin.OUT, value=0)
        )
        p.clear()
        self._motors(motors)
        self._arm()
        p.S[p.NOW] = mem32[0x40054028] - (1 << 32 if mem32[0x40054028] >> 31 else 0)
        p.S[p.RUNNING] = 1
        fast_scan.look_at_clock()  # tick 0 is now, to some microseconds
        mem32[PIO0] = RESTART

    def _motors(self, motors):
        p.S[p.STEPS] = 0
        for m, (step, direction, invert) in enumerate(motors):
            at = p.MOTOR_WORDS * m
            p.M[at + p.STEP] = 1 << step
            p.M[at + p.DIR] = 1 << direction
            p.M[at + p.INVERT] = invert
            p.M[at + p.PINS] = 1 << step | 1 << direction
            p.S[p.STEPS] |= 1 << step | 1 << direction

    def _arm(self):
        """FIFOs empty, registers as the programs want them, DMA waiting."""
        for number in range(2):
            shift = SHIFTCTRL + SM_BYTES * number
            mem32[shift] = mem32[shift] & ~JOIN_RX
            mem32[shift] |= JOIN_RX
        top = mem32[PIO0 + 0xCC] >> 7 & 31
        self.watcher.exec("set(x, 0)")
        self.watcher.exec("mov(isr, null)")
        mem32[INSTR] = top - 2  # jmp: wrap_target is the third instruction
        self.clock.exec("mov(x, invert(null))")
        mem32[INSTR + SM_BYTES] = self.clock_top
        mem32[FDEBUG] = 3
        for i in range(4):
            ring = i >> 1
            control = self.dma[i].pack_ctrl(
                size=2,
                inc_read=False,
                inc_write=True,
                ring_size=RING_BYTES_LOG2,
                ring_sel=True,
                treq_sel=RX_REQUEST + ring,
                chain_to=self.dma[i ^ 1].channel,
                irq_quiet=True,
            )
            self.dma[i].config(
                read=RX + 4 * ring,
                write=p.S[p.WORDS + ring],
                count=p.SPAN,
                ctrl=control,
                trigger=not i & 1,
            )

    def stop(self):
        """Look no more; what waits in the FIFOs is moved, and all of it scanned."""
        mem32[PIO0 + 0x3000] = 3
        running = p.S[p.RUNNING]
        fast_scan.fresh()
        while p.S[p.RUNNING] and p.S[p.N]:  # the scanner comes every millisecond
            machine.idle()
            fast_scan.fresh()
        frozen = running == 0 and p.S[p.FLAGS] & p.FROZEN
        p.S[p.RUNNING] = 0
        if running or frozen:
            p.S[p.TOTAL] = p.S[p.READ] + p.S[p.N] & 0x3FFFFFFF
            if p.S[p.MORE]:
                p.S[p.FLAGS] |= p.UNPAIRED
        for each in self.dma:  # none of a pair may start the other
            mem32[0x50000010 + 64 * each.channel] = 0
        for each in self.dma:
            each.active(0)
        for _ in range(8):  # what is left would count as too much, later
            mem32[RX], mem32[RX + 4]
