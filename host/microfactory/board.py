"""A board with its machine, as scripts use it: home, move, jog, heat, switch, run, stop.

with mf.connect("virtual", mf.Machine.load("d3d-printer")) as board:
    board.home()
    board.move(x=50, y=50)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any

from mfwire.session import NO_POWER
from microfactory.client import Client
from microfactory.drive import ASKED, Driven, drive
from microfactory.errors import BoardFault, LimitError, LinkError, Stopped, UsageError
from microfactory.homing import Homing
from microfactory.idle import falling
from microfactory.kinematics import core_axes, moved_with, point_of, steps_at
from microfactory.link import Link, open_link
from microfactory.machine import Machine
from microfactory.motion.straight import retreat_body, straight
from microfactory.status import Status

MOVE_SHARE = 0.5  # of an axis' speed, when a move names none
MOVING = ("RUNNING", "TAIL", "RETREATING")
CLOSE_S = 1.7  # a contactor is looked at for half a second, and then has one to close
SET_S = 2.0  # that a board may take to set its drivers
STOP_S = 2.0  # an ABORT is said again for so long


class Board:
    """A connected board. Use as a context manager; leaving it says goodbye to the board."""

    def __init__(self, link: Link, machine: Machine) -> None:
        self.link = link
        self.machine = machine
        self.client = Client(link, machine)
        self.wants_hold: Callable[[], bool] | None = None
        self._open = False

    def open(self) -> Board:
        """Connect and configure. LinkError, BoardFault."""
        self.client.connect()
        self.client.configure()
        status = self.client.ask()
        if status.state in ("READY", "DONE", "RESTED", "ABORTED") and not self._enable():
            self.client.events.append("no power: drivers stay off")
        self._open = True
        return self

    def _enable(self) -> bool:
        """Drivers on. False: the contactor does not close, so there is no power for them."""
        contactor = self.machine.contactor()
        begin_s = self.client.link.now_s()
        while True:
            status = self.client.ask()
            if contactor is None or status.inputs.get(contactor.name):
                try:
                    self.client.send("ENABLE", motors=(1 << len(self.machine.motors)) - 1)
                    self.client.settle()
                    return True
                except BoardFault as error:
                    if error.code != NO_POWER and not self.client.ask().fault:
                        raise
            if status.fault or self.client.link.now_s() - begin_s > CLOSE_S:
                return False
            self.client.pump(0.05)

    def __enter__(self) -> Board:
        return self if self._open else self.open()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Heat and outputs off, goodbye. Never raises for a link that is gone."""
        if self._open:
            self._open = False
            try:
                self.client.send("BYE")
                self.client.settle()
            except (BoardFault, OSError, Exception) as error:
                self.client.events.append(f"no goodbye: {error}")
        self.link.close()

    # ---- looking

    def status(self) -> Status:
        """The board now."""
        return self.client.ask()

    def events(self) -> list[str]:
        """What the board has told since the last call."""
        out = list(self.client.events)
        self.client.events.clear()
        return out

    def wait(self, seconds: float) -> None:
        """Let time pass on the link's clock, keeping the connection."""
        until = self.link.now_s() + seconds
        while self.link.now_s() < until:
            self.client.pump(min(0.05, until - self.link.now_s()))
            self.client.check_fault()

    # ---- moving

    def home(self, axes: Sequence[str] | None = None) -> Status:
        """Home these axes (default: all that can). BoardFault: a switch does not trip."""
        machine = self.machine
        if axes is None:
            numbers = [a for a, axis in enumerate(machine.axes) if axis.home]
        else:
            numbers = [machine.axes.index(machine.axis(name)) for name in axes]
        self.ready()
        Homing(self.client, machine, wants_hold=self.wants_hold).axes(numbers)
        self._count_the_rest(numbers)
        return self.status()

    def _count_the_rest(self, homed: Sequence[int]) -> None:
        """Axes without a switch count from where they are: their position is what we say."""
        status = self.client.ask()
        self.client.send("RESET", number=0)
        for m, motor in enumerate(self.machine.motors):
            axis = self.machine.axis_of_motor(m)
            if axis not in homed and self.machine.axes[axis].home is None:
                self.client.send("POSITION", motor=m, steps=status.steps[motor.name])
        self.client.settle()

    def ready(self, *, job: bool = False) -> None:
        """Back to where a run may begin; BoardFault when a fault is latched, or for a job when a
        door is open or a float is lost.
        """
        status = self.client.ask()
        self.client.check_fault()
        for part in self.machine.inputs:
            if job and part.on_active and status.inputs.get(part.name):
                word = "is open" if part.role == "door" else "has lost its contact"
                raise BoardFault(
                    f"{part.name} ({part.role}) {word}; nothing moved and nothing was switched on; "
                    "close it, or move the head off what it met, and begin again"
                )
        if status.state in ("RUNNING", "TAIL", "RETREATING"):
            raise UsageError(f"the machine is moving ({status.state}); nothing else was started")
        self.client.send("RESET", number=0)
        self.client.settle()
        contactor = self.machine.contactor()
        if contactor is not None and not self._enable():
            self.client.check_fault()
            raise BoardFault(
                f"{contactor.name} (contactor) is open, so motors and heaters have no power; "
                "nothing moved and nothing was switched on; release the emergency stop, switch "
                "power on, and begin again",
                NO_POWER,
            )

    def set_position(self, **mm: float) -> None:
        """Say where axes stand, by name. The machine does not move."""
        self.ready()
        machine = self.machine
        point = point_of(machine, tuple(self.client.ask().steps.values()))
        numbers = [machine.axes.index(machine.axis(name)) for name in mm]
        core = core_axes(machine)
        if 0 < len(set(core) & set(numbers)) < len(core):
            raise UsageError(
                f"{machine.name} moves {' and '.join(machine.axes[a].name for a in core)} with the "
                "same two motors; no position was set; say both places at once"
            )
        for a, value in zip(numbers, mm.values(), strict=True):
            point[a] = value
        steps = steps_at(machine, point)
        for m in sorted({m for a in numbers for m in moved_with(machine, a)}):
            self.client.send("POSITION", motor=m, steps=steps[m])
        self.client.settle()

    def move(self, speed_mm_s: float | None = None, **mm: float) -> Status:
        """Straight to a place, axes by name. LimitError: outside the travel, or not homed."""
        if not mm:
            raise UsageError("no axis was named; nothing moved; write for example x=10")
        status = self.client.ask()
        if not status.position_trusted:
            raise LimitError("the position is not known; nothing moved; home first")
        self._drive(mm, speed_mm_s, check=True)
        return self.status()

    def jog(self, axis: str, mm: float, speed_mm_s: float | None = None) -> Status:
        """By so much from here. Where the position is trusted the travel is kept."""
        status = self.client.ask()
        name = self.machine.axis(axis).name
        target = status.position_mm[name] + mm
        self._drive({name: target}, speed_mm_s, check=status.position_trusted)
        return self.status()

    def _drive(self, mm: dict[str, float], speed_mm_s: float | None, *, check: bool) -> Driven:
        self.ready()
        axes = [self.machine.axis(name) for name in mm]
        speed = speed_mm_s or min(axis.max_speed_mm_s for axis in axes) * MOVE_SHARE
        steps = tuple(self.client.ask().steps.values())
        windows = straight(self.machine, steps, mm, speed, check=check)
        driven = drive(self.client, windows, wants_hold=self.wants_hold)
        if driven.why in ASKED:
            raise Stopped(
                f"the move was stopped on its path ({driven.why}); it can be asked for again"
            )
        return driven

    def release(self) -> Status:
        """Drivers off now, as M84 does elsewhere: axes that fall are lowered first, as the machine
        file says. UsageError: one is held instead. The position is not known afterwards.
        """
        axes = falling(self.machine)
        held = [axis.name for axis in axes if axis.when_idle == "hold"]
        if held:
            raise UsageError(
                f"{held[0]} would fall, and the machine file says to hold it; drivers stay on; "
                'lower it by hand, or write when_idle = "lower" with a height'
            )
        if axes and not self.status().position_trusted:
            raise LimitError(
                f"{axes[0].name} would fall and its height is not known; drivers stay on; home "
                "first"
            )
        for axis in axes:
            assert axis.lower_to_mm is not None
            self._drive({axis.name: axis.lower_to_mm}, axis.lower_mm_s, check=True)
        self.client.send("ENABLE", motors=0)
        self.client.settle()
        return self.status()

    # ---- switching

    def heat(self, heater: str, celsius: float, *, wait: bool = False) -> Status:
        """Set a heater's target; 0 is off. wait: until it is reached."""
        number = self.machine.output_id(heater) - len(self.machine.outputs)
        if number < 0:
            raise UsageError(f"{heater} is an output, no heater; nothing was heated")
        part = self.machine.heaters[number]
        if not 0 <= celsius <= part.max_c:
            raise LimitError(
                f"{celsius:g} C is outside 0 to {part.max_c:g} C, what {heater} may have; nothing "
                "was heated; choose another temperature"
            )
        self.client.send(
            "OUTPUT", output=len(self.machine.outputs) + number, value=round(celsius * 10)
        )
        self.client.settle()
        while wait and self.status().heaters[heater].temperature_c < celsius - 1.0:
            self.wait(0.5)
        return self.status()

    def output(self, name: str, share: float) -> Status:
        """Set an output to a share of full, 0 to 1."""
        number = self.machine.output_id(name)
        if number >= len(self.machine.outputs):
            raise UsageError(f"{name} is a heater; nothing was switched; use heat")
        if not 0 <= share <= 1:
            raise UsageError(f"{share:g} is no share; nothing was switched; use 0 to 1")
        self.client.send("OUTPUT", output=number, value=round(share * 65535))
        self.client.settle()
        return self.status()

    def stop(self) -> Status:
        """Stop at once, hard: the position is not trusted afterwards if it moved.

        ABORT is not acknowledged: it is said again until the board tells that it stands.
        LinkError: it never does.
        """
        begin_s = self.client.link.now_s()
        while True:
            self.client.send("ABORT")
            status = self.status()
            if status.state not in MOVING:
                return status
            if self.client.link.now_s() - begin_s > STOP_S:
                raise LinkError(
                    "the board does not stop; use the emergency stop now; do not trust the position"
                )

    def clear(self) -> Status:
        """Clear a latched fault whose cause is gone. BoardFault: it is not."""
        self.client.send("CLEAR")
        self.client.settle()
        begin_s = self.client.link.now_s()
        status = self.status()
        while status.state == "FAULT" and self.client.link.now_s() - begin_s < SET_S:
            self.client.pump(0.02)  # its drivers are being set anew
            status = self.status()
        self.client.check_fault()
        return status

    def load_retreat(self) -> None:
        """The moves that the board makes when the link is lost."""
        self.client.load_retreat(retreat_body(self.machine))

    def grant_standby(self, celsius: dict[str, float], minutes: float) -> None:
        """Let heaters stay at most so warm for so long when the link is lost."""
        for i, heater in enumerate(self.machine.heaters):
            allowed = min(celsius.get(heater.name, 0.0), heater.standby_c)
            seconds = round(min(minutes, heater.standby_min) * 60) if allowed > 0 else 0
            self.client.send("STANDBY", heater=i, max_dc=round(allowed * 10), seconds=seconds)
        self.client.settle()

    def run(self, program: Any, **options: Any) -> Any:
        """Run a program (or a compiled job) and return its Record; see microfactory.job."""
        from microfactory.job import run_job
        from microfactory.jobfile import JobFile, run_file

        if isinstance(program, JobFile):
            return run_file(self, program, **options)
        return run_job(self, program, **options)

    def resume(self, program: Any, **options: Any) -> Any:
        """Go on with a job that was cut or held; see microfactory.resume."""
        from microfactory.resume import resume_job

        return resume_job(self, program, **options)


def connect(port: str, machine: Machine, **options: Any) -> Board:
    """A board on a serial port, or a rig such as `virtual`. LinkError, BoardFault, UsageError."""
    link = open_link(port, machine, **options)
    try:
        return Board(link, machine).open()
    except BaseException:
        link.close()
        raise
