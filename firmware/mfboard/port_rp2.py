"""The port of an RP2040 board: clock, pins, converters, USB and the step engine (docs/port.md).

`run` is the board's whole life. Interrupts play what is loaded; everything else is one loop.
"""

import gc
import os
import sys
import time

import machine
from machine import ADC, PWM, UART, Pin

from mfboard import fast_begin, fast_halt, fast_track
from mfboard import fast_state as f
from mfboard.fast_wire import copy
from mfboard.outputs import HEATER_HZ, SERVO_HZ
from mfboard.player import STOPPED, since
from mfboard.port_rp2_engine import HZ, Engine
from mfboard.port_rp2_usb import Usb
from mfboot import start
from mfwire.messages import MASK30

LEAD_US = 40_000  # a window of 50 ms and this, less 5 ms, are longer than a collection and a turn
WATCHDOG_MS = 500  # all power outputs are low 600 ms after a hang
COLLECT_US = 600_000  # between two collections at rest, which last about 50 ms
MEMORY_US = 10_000_000  # in motion, between two looks at how much is left
FRESH_US = 8_000  # a decision is so fresh that there is time for one
LOOK_US = 5000  # the board is asked what is due at least so often
WIRE_BAUD = 115_200  # of the drivers
WIRE_BYTES = 16
KEPT = "/me/card"  # which machine this board may play cards for
READINGS = 4  # of a sensor, averaged


class Port:
    """Names and meanings as in docs/port.md."""

    tick_hz = HZ
    ticks_per_us = HZ // 1_000_000
    lead_us = LEAD_US
    copy = staticmethod(copy)  # bytes begin to end - 1 of data to out, from at on

    def __init__(self, page, usb=None):
        if page.CHIP != "RP2040":
            raise ValueError(page.NAME + ": this port drives an RP2040 and no " + page.CHIP)
        machine.freq(HZ)
        self.page = page
        self.board = None
        self.enabled = 0
        self.config = None
        self.drivers = [Pin(number, Pin.OUT, value=1) for number in page.ENABLE]
        self.pump = Pin(page.CHARGE_PUMP, Pin.OUT, value=0)
        self.powered = False  # the charge pump runs
        self.pins = []
        self.heaters = []
        self.sensors = []
        self.playing = False  # the board is told of a change that has been made
        self.levels = 0
        self.collected_us = self.us()
        self.turned_us = self.us()
        self.due_us = self.us()
        self.engine = Engine(page)
        self.usb = usb or Usb()
        self.wire = None
        self.wired = bytearray(WIRE_BYTES)
        self.watchdog = None  # fed by `run`
        self.card = None
        if hasattr(page, "CARD"):
            from mfboard.port_rp2_card import Card  # no memory is taken for it elsewhere

            self.card = Card(self)
        number = machine.unique_id()
        self.number = tuple(number[2 * i] | number[2 * i + 1] << 8 for i in range(4))

    # ---- what the board asks of its port

    @property
    def holds_height(self):
        """True. It takes its memory here, where the board says in words that there is none."""
        from mfboard import port_rp2_height  # noqa: F401

        return True

    def us(self):
        """Microseconds since the reset, modulo 2^30."""
        return time.ticks_us() & MASK30

    def draw(self):
        """A connect id."""
        return fast_begin.draw()

    def uid(self, i):
        """Word i of four of the chip's own number."""
        return self.number[i]

    def hush(self, mask):
        """Only these outputs are still switched by windows."""
        f.S[f.ALLOW] &= mask

    def configure(self, config):
        """Pins as the configuration names them; everything off."""
        self.enable(0)
        for _old, pwm in self.pins:
            if pwm is not None:
                pwm.deinit()
        for pwm in self.heaters:
            pwm.deinit()
        self.config = config
        if "drivers" in config:
            number, tx, rx = self.page.UART
            self.wire = UART(number, WIRE_BAUD, tx=Pin(tx), rx=Pin(rx), timeout=0)
        self.heaters = [self._pwm(item["at"], HEATER_HZ) for item in config["heaters"]]
        self.sensors = [self._sensor(item) for item in config["heaters"]]
        self.pins = [self._output(i, item) for i, item in enumerate(config["outputs"])]
        f.S[f.STOPPER] = 0
        f.S[f.EDGES] = 0
        f.S[f.SEEN] = 0
        self.levels = 0
        for i, item in enumerate(config["inputs"]):
            self._input(i, item)
        self.engine.configure(config)

    def _sensor(self, item):
        if "converter" not in item:
            return ADC(Pin(self.page.ANALOG[item["sensor"]]))
        sck, so, cs = self.page.CONVERTERS[item["sensor"]]
        from mfboard.port_rp2_spi import Spi  # no memory is taken for it elsewhere

        return Spi(Pin(sck, Pin.OUT, value=0), Pin(so, Pin.IN), Pin(cs, Pin.OUT, value=1))

    def _pwm(self, connector, hz):
        pin = Pin(self.page.OUTPUTS[connector], Pin.OUT, value=0)
        return PWM(pin, freq=hz, duty_u16=0)

    def _output(self, i, item):
        number = self.page.OUTPUTS[item["at"]]
        part = 0x40050000 + (number >> 1 & 7) * 20
        kind = ("switch", "pwm", "servo").index(item["kind"])
        f.OUT[4 * i] = kind
        f.OUT[4 * i + 1] = number
        f.OUT[4 * i + 2] = part + 12  # CC
        f.OUT[4 * i + 3] = part + 16  # TOP
        if kind == 0:
            return Pin(number, Pin.OUT, value=0), None
        pwm = self._pwm(item["at"], SERVO_HZ if kind == 2 else item["hz"])
        return None, pwm

    def _input(self, i, item):
        number = self.page.INPUTS[item["at"]]
        pull = (None, Pin.PULL_UP, Pin.PULL_DOWN)[item["pull"]]
        pin = Pin(number, Pin.IN, pull)
        f.IN[4 * i] = 0x40014000 + 8 * number
        f.IN[4 * i + 1] = item["active"]
        f.IN[4 * i + 2] = 0
        if item["role"] == "estop":
            f.S[f.STOPPER] |= 1 << i
        pin.irq(fast_halt.EDGE[i], Pin.IRQ_RISING | Pin.IRQ_FALLING, hard=True)
        self.levels |= self.level(i) << i

    def uart_send(self, data):
        """Bytes to the drivers' wire; they fit its FIFO."""
        self.wire.write(data)

    def uart_take(self, out, at):
        """What has come from the drivers' wire, to out from at on; how much."""
        count = self.wire.readinto(self.wired) or 0
        if count > len(out) - at:
            count = len(out) - at
        copy(out, at, self.wired, 0, count)
        return count

    def send(self, frame, length):
        """A frame to the host."""
        self.usb.send(frame, length)

    def set_output(self, i, value):
        """Output i has this value from now on."""
        if not self.playing:
            fast_track.put(i, value)

    def steer(self, word, value):
        """A word of height control; a window's has been written at its tick."""
        if not self.playing:
            self.engine.steer(word, value)

    def set_heater(self, i, duty):
        """Heater i has this duty from now on."""
        self.heaters[i].duty_u16(duty)

    def adc(self, i):
        """What heater i's sensor reads, 0 to 65535."""
        total = 0
        k = 0
        while k < READINGS:
            total += self.sensors[i].read_u16()
            k += 1
        return total // READINGS

    def convert(self, i, out):
        """A frame of heater i's converter."""
        self.sensors[i].read(out)

    def enable(self, mask):
        """Drivers on, or off."""
        self.enabled = mask
        for pin in self.drivers:
            pin.value(0 if mask else 1)

    def level(self, i):
        """Level of input i at its pad."""
        return fast_halt.level(i)

    def note_target(self, i, target_dc):
        """Nobody watches here."""

    def note_temperature(self, i, now_mc):
        """Nobody watches here."""

    def confirm(self):
        """The program that runs has shown that it works."""
        start.confirm()

    def keep(self, data):
        """Remember this over power cuts; the machine rests."""
        with open(KEPT + ".new", "wb") as file:
            file.write(data)
        os.rename(KEPT + ".new", KEPT)

    def kept(self):
        """What was kept last; nothing: empty."""
        try:
            with open(KEPT, "rb") as file:
                return file.read()
        except OSError:
            return b""

    def unload(self, names):
        """These modules of mfboard are not used any more; a collection gives their memory back."""
        package = sys.modules["mfboard"]
        for name in names:
            if sys.modules.pop("mfboard." + name, None) and hasattr(package, name):
                delattr(package, name)

    def breathe(self):
        """The card is busy: one turn of everything else."""
        self.turn()
        if self.watchdog:
            self.watchdog.feed()

    def power(self, on):
        """The charge pump runs from now on, or stands still."""
        self.powered = on
        self.pump.value(0)

    def maintain(self):
        """Start again into the REPL, for an update."""
        open(start.MAINTAIN, "w").close()
        machine.reset()

    # ---- the loop

    def poll(self):
        """What interrupts have left: changes that were made, pins that have changed. True: some."""
        self.engine.poll()
        words = f.S
        told = words[f.TOLD] != words[f.DONE]
        if told:
            self._tell()
        if words[f.EDGES]:
            self._edges()
            return True
        return told or self.engine.fault != 0

    def _tell(self):
        """Changes of outputs that windows have made."""
        while f.S[f.TOLD] != f.S[f.DONE]:
            at = 8 * (f.S[f.TOLD] & f.TRACK - 1)
            f.S[f.TOLD] += 1
            self.playing = f.EV[at] != 0
            self.board.timed_output(f.EV[at + 3], f.EV[at + 5])
            self.playing = False

    def _edges(self):
        edges = fast_halt.take(f.EDGES)
        seen = fast_halt.take(f.SEEN)
        i = 0
        while i < len(self.config["inputs"]):
            if edges >> i & 1:
                self._changed(i, seen >> i & 1)
            i += 1

    def _changed(self, i, seen):
        """A pin has changed, perhaps there and back."""
        level = fast_halt.level(i)
        before = self.levels >> i & 1
        if level == before:
            self.board.input_changed(i, 1 - level)
        elif seen and level != self.config["inputs"][i]["active"]:
            self.board.input_changed(i, 1 - level)
        self.board.input_changed(i, level)
        self.levels = self.levels & ~(1 << i) | level << i

    def turn(self):
        """One turn of the loop; where nothing was to do the processor waits for an interrupt."""
        board = self.board
        worked = self.usb.full
        acted = self.usb.receive(board)
        if self.poll():
            acted = True
            worked = 1
        now = self.us()
        if acted or since(now, self.due_us) >= 0:
            if board.due_us() == 0:
                board.turn()
                worked = 1
            left = board.due_us()
            self.due_us = now + (left if 0 <= left < LOOK_US else LOOK_US) & MASK30
        self.usb.flush()
        if self.powered:
            self.pump.toggle()
        self._collect(board.player)
        now = self.us()
        pass_us = since(now, self.turned_us)
        if pass_us > f.S[f.PASS]:
            f.S[f.PASS] = pass_us
        if not worked:
            machine.idle()  # takes the event of the interrupt before
            machine.idle()
            now = self.us()
        self.turned_us = now

    def _collect(self, player):
        """Collect garbage at rest; in motion, where hardly any is made, only when memory is short.

        Then just after a branch was decided: the next one is further away than it lasts.
        """
        now = self.us()
        past = since(now, self.collected_us)
        if past < COLLECT_US:
            return
        if player.mode != STOPPED:
            look_us = COLLECT_US if self.board.by_card else MEMORY_US  # a card's feed makes some
            if past < look_us or player.fresh_us(now) < LEAD_US - FRESH_US:
                return
            self.collected_us = now
            f.S[f.TAKEN] = f.S[f.FREE] - gc.mem_free()
            if 2 * f.S[f.TAKEN] < f.S[f.FREE]:
                return
        gc.collect()
        f.S[f.FREE] = gc.mem_free()
        f.S[f.COLLECTION] = since(self.us(), now)
        self.collected_us = now


def run(port, watchdog):
    """For ever. An exception stops everything; then nobody feeds the watchdog, and it resets."""
    port.watchdog = watchdog
    try:
        while True:
            port.turn()
            watchdog.feed()
    finally:
        fast_halt.stop()
        safe(port.page)


def safe(page):
    """All outputs low, drivers off: the first thing at boot, and the last after an exception."""
    for number in page.OUTPUTS.values():
        Pin(number, Pin.OUT, value=0)
    for number in page.ENABLE:
        Pin(number, Pin.OUT, value=1)
    Pin(page.GATE, Pin.OUT, value=0)
