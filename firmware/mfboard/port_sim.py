"""A board in memory: a clock that jumps, pins that remember their edges in ticks, a step engine.

The same names as the chip's port (docs/port.md), so that the whole board runs on it unchanged, on
CPython and on MicroPython's unix port. Lists of steps are expanded by `lists`, plain here; the
virtual rig hands in a faster twin. What the pins did goes to `sink` (hil.capture.CaptureBuilder
has its names), what the world answers comes from `plant`.
"""

from mfboard.sim_engine import Engine, PlainLists
from mfwire.messages import MASK30

TICK_HZ = 125_000_000
TICKS_PER_US = 125
LEAD_US = 5000


class Port:
    """Clock, pins and the step engine of a board that is not there."""

    tick_hz = TICK_HZ
    ticks_per_us = TICKS_PER_US
    lead_us = LEAD_US
    holds_height = True

    def __init__(self, page, plant=None, sink=None, lists=None, seed=1, card=None):
        self.page = page
        self.plant = plant
        self.sink = sink
        self.tick = 0
        self.board = None
        self.sent = []  # frames for the host
        self.events = []  # (tick, order, kind, number, value), kept sorted
        self.config = None
        self.outputs = []
        self.duties = []
        self.enabled = 0
        self.powered = False  # the charge pump runs
        self.on_maintain = None  # called when the board leaves for maintenance
        self.on_confirm = None  # called when the program has shown that it works
        self.card = card  # mfboard.sim_card
        if card:
            card.port = self
        self.flash = b""  # what is kept over power cuts
        self._order = 0
        self._draw = seed & 0x3FFFFFFF or 1
        self.engine = Engine(self, lists or PlainLists())

    # ---- what the board asks of its port

    def us(self):
        """Microseconds since boot, modulo 2^30."""
        return self.tick // TICKS_PER_US & MASK30

    def draw(self):
        """A connect id: 1 to 2^30 - 1, never twice in a row. No allocation."""
        self._draw = (self._draw * 1103 + 12345) % 0x3FFFFFF1 + 1
        return self._draw

    def uid(self, i):
        """Word i of four of the chip's own number."""
        return (0x5EED, 0x0001, 0x0002, 0x0003)[i]

    def configure(self, config):
        """Pins as a checked configuration names them; everything is off."""
        self.config = config
        self.outputs = [0] * len(config["outputs"])
        self.duties = [0] * len(config["heaters"])
        self.engine.configure(config)
        if self.plant:
            self.plant.configure(self, config)

    def copy(self, out, at, data, begin, end):
        """Bytes begin to end - 1 of data to out, from at on."""
        out[at : at + end - begin] = data[begin:end]

    def hush(self, mask):
        """The board is asked for each output at its tick here, and says no by itself."""

    def send(self, frame, length):
        """A frame to the host."""
        self.sent.append(bytes(frame[:length]))

    def set_output(self, i, value):
        """A pin has this value from now on."""
        if self.outputs[i] != value:
            self.outputs[i] = value
            if self.sink:
                self.sink.output(self.config["outputs"][i]["name"], self.tick, value)
        if self.plant:
            self.plant.output(i, value, self.tick)

    def set_heater(self, i, duty):
        """A heater's duty, 0 to 65535."""
        if self.duties[i] != duty:
            if self.plant:
                self.plant.heater(i, duty, self.tick)
            self.duties[i] = duty

    def adc(self, i):
        """What heater i's sensor reads, 0 to 65535."""
        return int(self.plant.sensor(i, self.tick) * 65535 + 0.5) if self.plant else 32768

    def convert(self, i, out):
        """A frame of heater i's converter."""
        data = self.plant.convert(i, len(out), self.tick) if self.plant else bytes(len(out))
        k = 0
        while k < len(out):
            out[k] = data[k]
            k += 1

    def arc(self):
        """Four readings of the arc's converter, added up: 0 to 16380."""
        return self.plant.arc(self.engine, self.tick) if self.plant else 0

    def steer(self, word, value):
        """A word of height control from a window or from the host."""
        self.engine.steer(word, value)

    def uart_send(self, data):
        """Bytes to the drivers' wire."""
        if self.plant:
            self.plant.wire.send(bytes(data), self.tick)

    def uart_take(self, out, at):
        """What has come from the drivers' wire, to out from at on; how much."""
        data = self.plant.wire.take(self.tick, len(out) - at) if self.plant else b""
        out[at : at + len(data)] = data
        return len(data)

    def enable(self, mask):
        """Drivers on or off."""
        self.enabled = mask

    def power(self, on):
        """The charge pump runs from now on, or stands still."""
        if self.powered != on:
            self.powered = on
            if self.plant:
                self.plant.pump(on, self.tick)

    def maintain(self):
        """Leave for the REPL; whoever owns this board does it."""
        if self.on_maintain:
            self.on_maintain()

    def confirm(self):
        """What runs works: a trial of it is over."""
        if self.on_confirm:
            self.on_confirm()

    def keep(self, data):
        """Remember this over power cuts."""
        self.flash = bytes(data)

    def unload(self, _names):
        """A computer has room for them."""

    def kept(self):
        """What was kept last; nothing: empty."""
        return self.flash

    def level(self, i):
        """Level of an input now."""
        if self.plant:
            return self.plant.level(i, self.engine)
        return 1 - self.config["inputs"][i]["active"]

    def note_target(self, i, target_dc):
        """A heater's target, for whoever watches."""
        if self.sink:
            self.sink.target(self.config["heaters"][i]["name"], self.tick, target_dc / 10)

    def note_temperature(self, i, now_mc):
        """A reading, for whoever watches."""
        if self.sink:
            self.sink.temperature(self.config["heaters"][i]["name"], self.tick, now_mc / 1000)

    # ---- the clock

    def at(self, tick, kind, number, value):
        """Something happens at a tick: kind "output", "level" or "height"."""
        self._order += 1
        event = (tick, self._order, kind, number, value)
        k = len(self.events)
        while k > 0 and self.events[k - 1] > event:
            k -= 1
        self.events.insert(k, event)

    def drop(self, after, kinds):
        """What was to happen after a tick does not."""
        self.events = [e for e in self.events if e[0] <= after or e[2] not in kinds]

    def run_until(self, tick):
        """Let the board live until a tick: from one thing that happens to the next."""
        board = self.board
        while True:
            due = board.due_us()
            at = self.tick + due * TICKS_PER_US if due >= 0 else tick
            if self.events and self.events[0][0] < at:
                at = self.events[0][0]
            if at > tick:
                break
            if due == 0 and at <= self.tick:
                at = self.tick + 1
            self.tick = at if at > self.tick else self.tick
            while self.events and self.events[0][0] <= self.tick:
                self._happen(self.events.pop(0))
            if self.tick >= tick and not (board.due_us() == 0 and self.tick == tick):
                board.turn()
                break
            board.turn()
        if tick > self.tick:
            self.tick = tick

    def _happen(self, event):
        _tick, _order, kind, number, value = event
        if kind == "output":
            self.board.timed_output(number, value)
        elif kind == "height":
            self.engine.height.turn()
        elif kind == "level":
            if self.sink:
                item = self.config["inputs"][number]
                self.sink.input(item["name"], self.tick, 1 if value == item["active"] else 0)
            self.board.input_changed(number, value)
