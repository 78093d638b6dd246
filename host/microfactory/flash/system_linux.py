"""What is particular to Linux: everything in flashing that another system does otherwise.

For macOS or Windows write a file with the same names and choose it in system.py; nothing else asks
which system this is.
root: "/" but in tests.
"""

from __future__ import annotations

import os
import re
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

UDEV_PATH = "/etc/udev/rules.d/60-microfactory.rules"
UDEV_RULE = """\
# Boards of microfactory: usable by whoever sits at this computer, and left alone by ModemManager,
# which would otherwise talk to a machine as if it were a modem.
SUBSYSTEM=="usb", ATTRS{idVendor}=="2e8a", MODE="0660", TAG+="uaccess"
SUBSYSTEM=="tty", ATTRS{idVendor}=="2e8a", MODE="0660", TAG+="uaccess", ENV{ID_MM_DEVICE_IGNORE}="1"
"""
INSTALL_RULE = f"sudo cp 60-microfactory.rules {UDEV_PATH} && sudo udevadm control --reload && \
sudo udevadm trigger"
GROUP_HINT = "sudo usermod -aG dialout $USER, then log in again"


def usb_where(location: str) -> str:
    """Pyserial's location "1-2.3:1.0" as the place of the board, "1-2.3"."""
    return location.split(":")[0]


def rule_installed(root: Path = Path("/")) -> bool:
    """Whether some udev rule names these boards."""
    folders = [root / "etc/udev/rules.d", root / "lib/udev/rules.d", root / "usr/lib/udev/rules.d"]
    for folder in folders:
        for path in sorted(folder.glob("*.rules")) if folder.is_dir() else []:
            try:
                if "2e8a" in path.read_text(errors="replace").lower():
                    return True
            except OSError:
                continue
    return False


def may_use(device: str) -> bool:
    """Whether this user may read and write a device file."""
    return os.access(device, os.R_OK | os.W_OK)


def holders(device: str, root: Path = Path("/")) -> list[str]:
    """Programs that have a device file open: "name (pid)". Only those one may look at."""
    out = []
    for process in sorted((root / "proc").glob("[0-9]*")):
        try:
            links = [os.readlink(link) for link in (process / "fd").iterdir()]
            if device in links and process.name != str(os.getpid()):
                out.append(f"{(process / 'comm').read_text().strip()} ({process.name})")
        except OSError:
            continue
    return out


def running(program: str, root: Path = Path("/")) -> bool:
    """Whether a program of that name runs."""
    for path in (root / "proc").glob("[0-9]*/comm"):
        try:
            if path.read_text().strip() == program[:15]:
                return True
        except OSError:
            continue
    return False


def on_usb(root: Path = Path("/")) -> list[tuple[str, int, int]]:
    """All devices of the USB as the kernel sees them: place, vendor, product."""
    out = []
    for path in sorted((root / "sys/bus/usb/devices").glob("*")):
        try:
            vendor = int((path / "idVendor").read_text(), 16)
            product = int((path / "idProduct").read_text(), 16)
        except (OSError, ValueError):
            continue
        out.append((path.name, vendor, product))
    return out


@dataclass(frozen=True)
class Port:
    """The device file of a serial port: whether it may be used, and who has it open."""

    name: str
    usable: bool
    holders: tuple[str, ...]


@dataclass(frozen=True)
class System:
    """What this computer knows about boards, at one instant. Seconds count from its start."""

    now_s: float = 0.0
    rule_installed: bool = True
    modem_manager: bool = False
    usb: tuple[tuple[str, int, int], ...] = ()
    ports: tuple[Port, ...] = ()
    lost_s: dict[str, tuple[float, ...]] = field(default_factory=dict)
    over_current: bool = False
    woken_s: tuple[float, ...] = ()


def look(ports: list[str], root: Path = Path("/"), lines: list[str] | None = None) -> System:
    """Everything at once. lines: of the kernel; None: ask it. root: "/" but in tests."""
    kernel = kernel_lines() if lines is None else lines
    return System(
        now_s=time.clock_gettime(time.CLOCK_MONOTONIC),
        rule_installed=rule_installed(root),
        modem_manager=running("ModemManager", root),
        usb=tuple(on_usb(root)),
        ports=tuple(Port(name, may_use(name), tuple(holders(name, root))) for name in ports),
        lost_s=disconnects(kernel),
        over_current=any("over-current" in line and "usb" in line for line in kernel),
        woken_s=times_of(r"PM: suspend exit|PM: hibernation exit", kernel),
    )


def kernel_lines() -> list[str]:
    """What the kernel said lately; empty where one may not read it."""
    try:
        done = subprocess.run(["dmesg"], capture_output=True, text=True, check=False, timeout=5)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return done.stdout.splitlines()[-2000:]


def disconnects(lines: list[str]) -> dict[str, tuple[float, ...]]:
    """By place: when the kernel lost a USB device there."""
    out: dict[str, list[float]] = {}
    for line in lines:
        found = re.match(r"\[\s*([0-9.]+)\] usb ([0-9.-]+): USB disconnect", line)
        if found:
            out.setdefault(found[2], []).append(float(found[1]))
    return {place: tuple(times) for place, times in out.items()}


def times_of(pattern: str, lines: list[str]) -> tuple[float, ...]:
    """When the kernel said something."""
    found = (re.match(rf"\[\s*([0-9.]+)\] (?:{pattern})", line) for line in lines)
    return tuple(float(match[1]) for match in found if match)
