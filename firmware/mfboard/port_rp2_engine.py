"""The step engine on an RP2040: what the player asks, done with mfboard.fast_*.

One state machine and two DMA channels a motor; the gatekeeper and the track of output changes have
the last two state machines of PIO 1. docs/port.md, "Engine".
"""

import rp2
import uctypes
from machine import Pin, Timer, mem32

from mfboard import fast_begin, fast_halt, fast_service, fast_track, faults
from mfboard import fast_state as f
from mfboard import height_state as w
from mfboard.port_rp2_pio import STEP_WORD, WAIT_WORD, keeper, motor, track
from mfwire.messages import u16

HZ = 125_000_000
KEEPER = 7  # state machine
TRACK = 5
IN_BASE = 15  # bit of SMx_PINCTRL
DEADLINE_US = 5000
BUDGET = 16
GUARDS = 8


class Engine:
    """Lists of words on all motors at once."""

    def __init__(self, page):
        self.page = page
        self.motors = 0
        self.on_tail = False
        self.alone = False
        self.fault = faults.NONE
        self.guards = []
        self.latched = []
        self.plan = []
        self.config = None
        self.height = None
        self.steps = [rp2.StateMachine(m) for m in range(f.MOTORS)]
        self.dma = [(rp2.DMA(), rp2.DMA()) for _ in range(f.MOTORS)]
        self.chains = 0
        f.rings()
        f.S[f.DEADLINE] = DEADLINE_US
        f.S[f.BUDGET] = BUDGET
        self._gate()
        # the service waits for the pins' interrupts and the track's, never they for it
        mem32[0xE000E400] = (mem32[0xE000E400] & 0x00FFFFFF) | 0xC0000000
        self.timer = Timer(period=1, mode=Timer.PERIODIC, callback=fast_service.service, hard=True)

    def _gate(self):
        self.keeper = rp2.StateMachine(
            KEEPER, keeper(), freq=HZ, sideset_base=Pin(self.page.GATE, Pin.OUT, value=0)
        )
        self.keeper.active(1)
        f.S[f.KEEPER_TOP] = _top(1, 3)
        self.track = rp2.StateMachine(TRACK, track(self.page.GATE), freq=HZ)
        self.track.irq(fast_service.fire, hard=True)
        f.S[f.TRACK_TOP] = _top(1, 1)
        self.track.active(1)
        self.program = None

    def configure(self, config):
        """Motors of a configuration; all stand at 0."""
        f.S[f.MODE] = f.IDLE
        self.config = config
        self.motors = len(config["motors"])
        self.guards = []
        self.latched = [None] * self.motors
        self.plan = [0] * self.motors
        pulse = config["pulse_ticks"]
        if self.program is not None:
            for machine in self.steps:
                machine.active(0)
            rp2.PIO(0).remove_program(self.program)
            rp2.PIO(1).remove_program(self.program)
        self.program = motor(self.page.GATE, (pulse - 1) // 16)
        f.S[f.COUNT] = self.motors
        f.S[f.HALTED] = 0
        self.chains = 0
        self._height(config)
        for m in range(self.motors):
            self._motor(m, config["motors"][m], pulse)
        fast_begin.empty(self.chains)

    def _height(self, config):
        f.S[f.LATE] = 0
        f.S[f.MERGES] = 0
        f.S[f.STEERS] = 1 if config["height"] else 0
        self.height = None
        if config["height"]:
            from mfboard.port_rp2_height import Height  # no memory is taken for it elsewhere

            self.height = Height(self.page, config)

    def _motor(self, m, item, pulse):
        step, direction = self.page.STEP[item["at"]]
        machine = self.steps[m]
        machine.init(
            self.program,
            freq=HZ,
            sideset_base=Pin(step),
            out_base=Pin(direction),
            in_base=Pin(self.page.GATE),
        )
        if item["invert"]:
            mem32[0x40014004 + 8 * direction] |= 1 << 8  # GPIOx_CTRL OUTOVER: inverted
        block = m >> 2
        number = m & 3
        data, control = self.dma[m]
        self.chains |= 1 << data.channel | 1 << control.channel
        at = 32 * m
        state = f.M
        registers = 0x50000000 + data.channel * 64
        state[at + f.DATA_DMA] = registers
        state[at + f.CTL_DMA] = 0x50000000 + control.channel * 64
        state[at + 15] = STEP_WORD + pulse << 10
        state[at + 16] = STEP_WORD + pulse
        state[at + 27] = WAIT_WORD << 10
        state[at + 28] = WAIT_WORD
        base = 0x50200000 + block * 0x100000
        state[at + f.PIO] = base
        state[at + f.SM] = number
        state[at + f.ADDR] = base + 0xD4 + number * 24
        state[at + f.TOP] = _top(block, number)
        state[at + f.POS] = 0
        state[at + f.SEGS] = 0
        state[at + f.CNT] = 0
        size = 2
        ring = 0
        while 1 << ring < f.CHUNKS * 4:
            ring += 1
        data.config(
            read=state[at + f.RING],
            write=base + 0x10 + 4 * number,
            count=16,
            ctrl=data.pack_ctrl(
                size=size, inc_read=True, inc_write=False, treq_sel=block << 3 | number,
                chain_to=control.channel, irq_quiet=True,
            ),
            trigger=False,
        )  # fmt: skip
        control.config(
            read=state[at + f.CTL],
            write=registers + 0x3C,  # AL3_READ_ADDR_TRIG
            count=1,
            ctrl=control.pack_ctrl(
                size=size, inc_read=True, inc_write=False, ring_size=ring, ring_sel=False,
                irq_quiet=True,
            ),
            trigger=False,
        )  # fmt: skip

    # ---- what the player asks of its engine

    def planned(self, motor):
        """Where a motor stands when everything that is loaded has been played."""
        return self.plan[motor]

    def position(self, motor):
        """Where a motor stands now; exact at rest."""
        return fast_halt.where(motor)

    def set_position(self, motor, steps):
        """The count is this from now on (motors rest)."""
        f.M[32 * motor + f.POS] = steps
        self.plan[motor] = steps
        self.latched[motor] = None
        if self.height and motor == self.height.motor:
            self.height.forget()

    def offset(self):
        """Steps of height control's offset (at rest exact), 0 without it."""
        return f.H[w.MADE] if self.height else 0

    def steer(self, word, value):
        """A word of mfboard.height_state from the board: its target, its limit, the arc."""
        f.H[word] = value

    def told(self, word):
        """What a word of mfboard.height_state is."""
        return f.H[word] if self.height else 0

    def start(self, slot, now_us):
        """The first list of a run begins; the microsecond in which it did."""
        s = f.S
        self.on_tail = False
        s[f.MODE] = f.IDLE
        fast_begin.empty(self.chains)
        s[f.HALTED] = 0
        s[f.PREPARED] = 0
        s[f.MADE] = 0
        s[f.DONE] = 0
        s[f.TOLD] = 0
        s[f.PASS] = 0
        s[f.EDGES] = 0
        s[f.ALLOW] = 0 if self.alone else -1
        self._arm(True)
        if self.height and not self.alone and not self.guards:
            self.height.begin()
        tracked = 0
        if not self.alone:
            fast_track.prepare(uctypes.addressof(slot), len(self.config["outputs"]))
            tracked = 1
        self._plan(slot, False)
        us = fast_begin.go(uctypes.addressof(slot), tracked)
        self.poll()
        return us & 0x3FFFFFFF

    def _plan(self, slot, tail):
        slot = uctypes.addressof(slot)
        m = 0
        while m < self.motors:
            self.plan[m] = fast_begin.end(slot, m, tail)
            m += 1

    def follow(self, slot, tail):
        """Play a list when the present one ends."""
        address = uctypes.addressof(slot)
        if tail:
            address |= 1
        elif not u16(slot, 22) > f.CHANGES:
            fast_track.prepare(address, len(self.config["outputs"]))
        self._plan(slot, tail)
        f.S[f.WANT] = address

    def gave_up(self, slot):
        """The engine has taken this window's tail because nobody said in time what follows."""
        return f.S[f.TOOK] == uctypes.addressof(slot)

    def busy(self):
        """Something of what is loaded has not been played yet."""
        mode = f.S[f.MODE]
        return mode == f.RUN or mode == f.FLUSH

    def finish(self):
        """All has been played, or everything was stopped."""
        self.poll()
        m = 0
        while m < self.motors:
            at = fast_halt.where(m)
            f.M[32 * m + f.POS] = at
            self.plan[m] = at
            m += 1
        if self.height:
            self.height.stop()
            self.plan[self.height.motor] -= f.H[w.MADE]
        f.S[f.MODE] = f.IDLE
        f.S[f.HALTED] = 0
        m = 0
        while m < self.motors:
            f.M[32 * m + f.SEGS] = 0
            f.M[32 * m + f.CNT] = 0
            m += 1
        self._arm(False)
        self.guards.clear()

    def abort(self):
        """Stop at once; a pulse that has begun ends."""
        fast_halt.stop()
        if self.height:
            self.height.forget()
        self.finish()

    def guard(self, i, mask):
        """In the next run this input halts those motors. False: no room."""
        if len(self.guards) >= GUARDS:
            return False
        self.guards.append((i, mask))
        return True

    def unguard(self):
        """No input halts a motor."""
        self.guards.clear()
        m = 0
        while m < self.motors:
            self.latched[m] = None
            m += 1

    def poll(self):
        """What interrupts have seen: motors halted, faults."""
        if f.S[f.FAULT]:
            self.fault = f.S[f.FAULT]
            f.S[f.FAULT] = 0
        halted = f.S[f.HALTED]
        if halted > 0:
            m = 0
            while m < self.motors:
                if halted >> m & 1 and self.latched[m] is None:
                    self.latched[m] = fast_halt.where(m)
                m += 1

    def _arm(self, on):
        """Wait for the guards' inputs in the motors' programs, or for the gate alone."""
        gate = self.page.GATE << IN_BASE
        m = 0
        while m < self.motors:
            self._base(m, gate)
            m += 1
        i = 0
        while i < len(self.config["inputs"]):
            f.IN[4 * i + 2] = 0
            i += 1
        for i, mask in self.guards:
            item = self.config["inputs"][i]
            pin = self.page.INPUTS[item["at"]]
            control = 0x40014004 + 8 * pin
            mem32[control] = mem32[control] & ~0x30000 | (0x10000 if on and item["active"] else 0)
            if not on:
                continue
            f.IN[4 * i + 2] |= mask
            active = mem32[0x40014000 + 8 * pin] >> 17 & 1 == item["active"]
            m = 0
            while m < self.motors:
                if mask >> m & 1:
                    self._base(m, pin << IN_BASE)
                    if active:
                        f.S[f.HALTED] |= 1 << m
                m += 1

    def _base(self, m, value):
        register = f.M[32 * m + f.ADDR] + 8
        mem32[register] = mem32[register] & ~(31 << IN_BASE) | value


def _top(block, number):
    """Where a state machine's program begins: wrap_bottom of SMx_EXECCTRL."""
    return mem32[0x502000CC + block * 0x100000 + number * 24] >> 7 & 31
