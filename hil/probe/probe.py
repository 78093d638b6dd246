"""A probe and the rig it is wired into: channels by name, in volts and levels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from hil.probe.client import Client, Identity, Motor, Reader, Status, Trigger
from hil.probe.clock import ClockError
from hil.probe.counters import Counters
from hil.probe.edges import TICK_HZ, Edges
from hil.rigs.rigfile import Channel, RigFile
from mfprobe import words
from microfactory import UsageError

SUPPLY_V = 3.3
RESET_S = 0.01
OFF_S = 0.5
PINS = 16
COMPARE_S = 0.25  # between two comparisons of the clocks, while it is read
BEHIND_TICKS = TICK_HZ // 500  # what is newer may not have been scanned


class Probe:
    """A second Pico. rig: what its pins are wired to; None: channels have no names."""

    def __init__(self, link: Any, rig: RigFile | None = None) -> None:
        self.link = link
        self.rig = rig
        self._client = Client(link)
        self._identity = self._client.identity()
        self._error = ClockError()
        self._reader = Reader(self._client)
        self._motors: tuple[Motor, ...] = ()
        self._begin_s = 0.0  # of tick 0, on the probe's clock
        self._compared_s = link.now_s()
        self._client.clock(self._error)

    def identity(self) -> Identity:
        """Who it is."""
        return self._identity

    def start(
        self,
        trigger: Trigger | None = None,
        *,
        pins: int | None = None,
        motors: Sequence[Motor] | None = None,
    ) -> None:
        """Watch GPIO 0 to pins - 1 from now on; with a trigger it stops by itself.

        Without pins and motors: all that the rig's channels listen to.
        """
        self._motors = tuple(self._wired() if motors is None else motors)
        listened = (
            [c.gpio for c in self.rig.channels if c.direction == "listen"] if self.rig else []
        )
        watched = pins or (max(listened) + 1 if listened else PINS)
        if watched > self._identity.pins_max:
            raise UsageError(
                f"the probe watches GPIO 0 to {self._identity.pins_max - 1}, and {watched - 1} was "
                "asked for; nothing was started; wire that line to a lower pin"
            )
        self._begin_s = self._client.start(watched, self._motors, trigger) / 1e6
        self._reader = Reader(self._client)

    def _wired(self) -> list[Motor]:
        if self.rig is None:
            return []
        out = []
        for motor in self.rig.machine.motors:
            step = self.rig.of_line(f"{motor.connector}.STEP", "listen")
            direction = self.rig.of_line(f"{motor.connector}.DIR", "listen")
            if step and direction:
                turned = motor.invert != direction.invert
                out.append(Motor(step.gpio, direction.gpio, turned))
        return out

    def status(self) -> Status:
        """How far the capture is."""
        return self._client.status()

    def poll(self, within_s: float = math.inf) -> Status:
        """Read what has been captured so far; often enough, nothing leaves the ring unread.

        within_s: what takes longer is left for the next time.
        """
        status = self._client.status()
        self._reader.read(status.scanned, within_s)
        if self.link.now_s() - self._compared_s > COMPARE_S:
            self.compare_clocks()
        return status

    def seen(self) -> Edges:
        """All that was captured so far, or what the ring still has of it; it goes on."""
        end_tick = self._now_tick() - BEHIND_TICKS
        return self._edges(self.poll(), end_tick)

    def stop(self) -> Edges:
        """Watch no more; all that was captured, or what the ring still has of it."""
        end_tick = self._now_tick()
        status = self._client.status(stop=True)
        self._reader.read(status.total)
        return self._edges(status, end_tick)

    def _edges(self, status: Status, end_tick: int) -> Edges:
        return self._reader.edges(status, self._client.gaps(), self.clock_error_ppm(), end_tick)

    def _now_tick(self) -> int:
        self._compared_s = self.link.now_s()
        return round((self._client.clock(self._error) / 1e6 - self._begin_s) * TICK_HZ)

    def tick_at(self, host_s: float) -> tuple[int, int]:
        """(tick, its uncertainty) at a time of the link's clock."""
        probe_s, unsure_s = self._error.at(host_s)
        return round((probe_s - self._begin_s) * TICK_HZ), round(unsure_s * TICK_HZ)

    def levels(self) -> dict[str, int]:
        """Each channel's line as the probe reads it now. UsageError: the probe has no rig file."""
        pins = self._client.levels()
        channels = self.rig.channels if self.rig else ()
        return {c.name: pins >> c.gpio & 1 ^ int(c.invert) for c in channels}

    def counters(self) -> list[Counters]:
        """Of each motor, in the order of start."""
        hz = self._identity.count_hz
        return [self._client.counters(m, hz) for m in range(len(self._motors))]

    def clock_error_ppm(self) -> float | None:
        """How much faster than the host's the probe's clock runs; None: too little time."""
        found = self._error.ppm()
        return None if found is None else found[0]

    def compare_clocks(self) -> tuple[float, float] | None:
        """One more comparison; (error, its uncertainty) in ppm, None: too little time."""
        self._compared_s = self.link.now_s()
        self._client.clock(self._error)
        return self._error.ppm()

    def play_loop(self, bursts: int) -> None:
        """Bursts on the loop's driven end. UsageError: there is no loop."""
        self._client.loop(self.loop_ends()[0].gpio, bursts)

    def loop_ends(self) -> tuple[Channel, Channel]:
        """(driven end, heard end) of the probe's wire to itself. UsageError: there is none."""
        ends = self.rig.loop if self.rig else None
        if ends is None:
            raise UsageError(
                "the rig has no loop, so the probe cannot hear itself and certifies nothing; wire "
                "two of its pins together and name them in the rig file (`microfactory hil scan`)"
            )
        return ends

    # ---- what it does to the board

    def channel(self, name: str) -> Channel:
        """A channel of the rig by name. UsageError, MachineError: there is none."""
        if self.rig is None:
            raise UsageError(
                f"{name}: this probe has no rig file, so its pins have no names; nothing was set; "
                "give it one (`microfactory hil scan`)"
            )
        return self.rig.channel(name)

    def set(self, name: str, value: float | None) -> None:
        """A channel: level 0 or 1 of the line, volts of an analog one, None lets go of it."""
        channel = self.channel(name)
        if channel.direction == "listen":
            raise UsageError(
                f"{name}: the probe listens to this line, and sets it never; nothing was set; "
                "make it drive, pull or analog in the rig file, and look at the wire"
            )
        if value is None:
            self._client.set(channel.gpio, words.RELEASE)
        elif channel.direction == "analog":
            self._client.set(channel.gpio, words.DUTY, duty_of(channel, value))
        elif channel.direction == "pull":
            low = bool(value) == channel.invert
            self._client.set(channel.gpio, words.LOW if low else words.RELEASE)
        else:
            high = bool(value) != channel.invert
            self._client.set(channel.gpio, words.HIGH if high else words.LOW)

    def reset_board(self, boot_loader: bool = False) -> None:
        """RUN low for a moment; boot_loader: with BOOTSEL held, so that it waits for a UF2."""
        run = self._of_line("RUN")
        bootsel = self._of_line("BOOTSEL") if boot_loader else None
        if bootsel:
            self.set(bootsel, 0)
        self.set(run, 0)
        self.wait(RESET_S)
        self.set(run, 1)
        if bootsel:
            self.wait(RESET_S)
            self.set(bootsel, 1)

    def let_go(self) -> None:
        """Watch no more, and play nothing: all lines are the board's own."""
        self._client.status(stop=True)
        for channel in self.rig.channels if self.rig else ():
            if channel.direction != "listen":
                self.set(channel.name, None)

    def hold_board(self, held: bool) -> None:
        """RUN low, or let go."""
        self.set(self._of_line("RUN"), int(not held))

    def pull(self, name: str, up: bool) -> None:
        """A weak pull on a channel's line, whatever the channel is for."""
        channel = self.channel(name)
        mode = words.PULL_UP if up != channel.invert else words.PULL_DOWN
        self._client.set(channel.gpio, mode)

    def force(self, name: str, high: bool) -> None:
        """A level on a channel's line, through its resistor, even where the board may drive it:
        only while the board is in reset.
        """
        channel = self.channel(name)
        self._client.set(channel.gpio, words.HIGH if high != channel.invert else words.LOW)

    def set_free(self, name: str) -> None:
        """Neither pulled nor driven."""
        self._client.set(self.channel(name).gpio, words.RELEASE)

    def power_board(self, on: bool) -> None:
        """USB power of the board."""
        self.set(self._of_line("VBUS"), int(on))

    def _of_line(self, line: str) -> str:
        channel = self.rig.of_line(line, "pull", "drive") if self.rig else None
        if channel is None:
            raise UsageError(
                f"no channel of the rig goes to the board's {line}; nothing was done; wire one and "
                "name it in the rig file"
            )
        return channel.name

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        until_s = self.link.now_s() + seconds
        while self.link.now_s() < until_s:
            self.link.read(until_s - self.link.now_s())


def duty_of(channel: Channel, volts: float) -> int:
    """Duty 0 to 65535 that makes a voltage on a line with a pull-up, through the filter's resistor.

    UsageError: it cannot be made.
    """
    low, high = channel.reach_v
    if not low <= volts <= min(high, SUPPLY_V):
        raise UsageError(
            f"{channel.name}: {volts:g} V cannot be made; nothing was set; through "
            f"{channel.series_ohm:g} ohm it reaches {low:.2f} to {min(high, SUPPLY_V):.2f} V"
        )
    own_v = volts
    if channel.pullup_ohm and channel.series_ohm:
        own_v = volts - (channel.board_v - volts) * channel.series_ohm / channel.pullup_ohm
    return round(65535 * min(1.0, max(0.0, own_v / SUPPLY_V)))


def open_probe(link: Any, rig: RigFile | None = None) -> Probe:
    """The probe at the other end of a link (write, read, now_s). LinkError: none answers."""
    return Probe(link, rig)
