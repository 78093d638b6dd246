"""What is particular to Linux: everything in flashing that another system does otherwise.

For macOS or Windows write a file with the same names; nothing else here asks which system it is.
root: "/" but in tests.
"""

from __future__ import annotations

import os
import re
import subprocess
import time
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


def kernel_lines() -> list[str]:
    """What the kernel said lately; empty where one may not read it."""
    try:
        done = subprocess.run(["dmesg"], capture_output=True, text=True, check=False, timeout=5)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return done.stdout.splitlines()[-2000:]


def disconnects(lines: list[str], where: str = "") -> list[float]:
    """Seconds since the start at which the kernel lost a USB device (at that place)."""
    out = []
    for line in lines:
        found = re.match(r"\[\s*([0-9.]+)\] usb ([0-9.-]+): USB disconnect", line)
        if found and where in ("", found[2]):
            out.append(float(found[1]))
    return out


def over_current(lines: list[str]) -> bool:
    """Whether a port switched off because too much was drawn from it."""
    return any("over-current" in line and "usb" in line for line in lines)


def suspended_s() -> float:
    """How long this computer has slept since it was started."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) - time.clock_gettime(time.CLOCK_MONOTONIC)
