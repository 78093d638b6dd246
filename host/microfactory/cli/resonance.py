"""`microfactory resonance`: shake an axis, and say which shaper its frame needs."""

from __future__ import annotations

import argparse
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from microfactory import resonance as ring
from microfactory.cli import say
from microfactory.cli.common import load_machine
from microfactory.errors import UsageError
from microfactory.machine import Machine
from microfactory.motion.shapers import impulses
from microfactory.parts import Axis
from microfactory.places import write_whole


def arguments(command: argparse.ArgumentParser) -> None:
    """Of the three ways: shake, read, ripples."""
    command.add_argument("way", choices=("shake", "read", "ripples"))
    command.add_argument("file", nargs="?", metavar="FILE.csv", help="read: the samples")
    command.add_argument("--axis", default="x", help="axis that is shaken (default x)")
    command.add_argument("-o", "--output", metavar="FILE", help="shake: G-code; read: a picture")
    command.add_argument("--from-hz", type=float, default=5.0)
    command.add_argument("--to-hz", type=float, default=100.0)
    command.add_argument("--hz-per-s", type=float, default=1.0)
    command.add_argument("--accel", type=float, help="mm/s2 (default: what the axis can)")
    command.add_argument("--unit", choices=("g", "m/s2", "mm/s2"), default="mm/s2")
    command.add_argument("--speed", type=float, help="ripples: mm/s of the wall")
    command.add_argument("--spacing", type=float, help="ripples: mm from crest to crest")
    command.add_argument(
        "--ratio", type=float, help="ripples: a crest's height over the one before"
    )


def resonance(args: argparse.Namespace) -> int:
    """0: done; a measured frame that no shaper quiets is 0 too, and is told."""
    machine = load_machine(args)
    axis = machine.axis(args.axis) if args.axis in _names(machine) else None
    if axis is None:
        raise UsageError(
            f"{machine.name} has no axis {args.axis!r}; nothing was done; use one of "
            + ", ".join(_names(machine))
        )
    accel = args.accel or min(axis.max_accel_mm_s2, machine.motion.max_accel_mm_s2)
    return {"shake": _shake, "read": _read, "ripples": _ripples}[args.way](
        args, machine, axis, accel
    )


def _names(machine: Machine) -> list[str]:
    return [name for axis in machine.axes for name in (axis.name, axis.letter)]


def _shake(args: argparse.Namespace, machine: Machine, axis: Axis, accel: float) -> int:
    if not args.output:
        raise UsageError("no file was named; nothing was written; add -o shake.gcode")
    lines = list(ring.shake(machine, axis, args.from_hz, args.to_hz, args.hz_per_s, accel))
    write_whole(Path(args.output), "\n".join([*lines, ""]).encode())
    seconds = (args.to_hz - args.from_hz + 1) / args.hz_per_s
    if args.json:
        say.value({"file": args.output, "lines": len(lines), "about_s": seconds})
    else:
        say.line(
            f"{args.output}: shakes {axis.name} for about {seconds:.0f} s; run it with the sensor "
            "on the part that axis moves, and record until it ends"
        )
    return 0


def _read(args: argparse.Namespace, machine: Machine, axis: Axis, accel: float) -> int:
    if not args.file:
        raise UsageError("no file was named; nothing was judged; add the sensor's FILE.csv")
    found = ring.spectrum(*ring.read_samples(Path(args.file), args.unit))
    damping = found.damping()
    chosen = ring.choices(found, damping, accel)
    if args.output:
        write_whole(Path(args.output), picture(found, chosen, damping, axis.name))
    return _tell(args, axis, found.peak_hz, damping, chosen, accel)


def _ripples(args: argparse.Namespace, machine: Machine, axis: Axis, accel: float) -> int:
    if args.speed is None or args.spacing is None:
        raise UsageError("nothing was measured; nothing was judged; add --speed and --spacing")
    hz, damping = ring.from_ripples(args.speed, args.spacing, args.ratio)
    single = ring.Spectrum(np.array([hz]), np.array([1.0]))
    return _tell(args, axis, hz, damping, ring.choices(single, damping, accel), accel)


def _tell(
    args: argparse.Namespace, axis: Axis, hz: float, damping: float, found: Any, accel: float
) -> int:
    best = ring.best(found)
    if args.json:
        say.value(
            {
                "axis": axis.name,
                "peak_hz": hz,
                "damping": damping,
                "shaper": best.shaper,
                "shaper_hz": best.hz,
                "choices": [vars(choice) for choice in found],
            }
        )
        return 0
    rows = [[c.shaper, f"{c.hz:.1f}", f"{c.left:.1%}", f"{c.off_mm * 1000:.0f} um"] for c in found]
    title = f"axis {axis.name} rings at {hz:.1f} Hz, damping {damping:.2f}"
    say.table(title, ["shaper", "Hz", "leaves", f"off the path at {accel:g} mm/s2"], rows)
    say.line(
        f'[axes.{axis.name}]\nshaper = "{best.shaper}"\nshaper_hz = {best.hz:.1f}\n'
        f"shaper_damping = {damping:.2f}"
    )
    if best.left > ring.LEFT:
        say.line("no shaper quiets this frame: look for what is loose, then shake it again")
    return 0


def picture(found: Any, chosen: Any, damping: float, name: str) -> bytes:
    """A PNG: what rings, and what each shaper leaves of it."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4.5), layout="constrained")
    plot = figure.add_subplot()
    top = found.power.max()
    plot.fill_between(found.hz, found.power / top, color="#c8d3e0", label="measured")
    best = ring.best(chosen)
    for choice in chosen:
        parts = impulses(choice.shaper, choice.hz, damping)
        turn = np.exp(-2j * np.pi * np.outer(found.hz, [p.delay_s for p in parts]))
        answer = abs(turn @ np.array([p.weight for p in parts])) ** 2
        chosen_one = choice is best
        plot.plot(
            found.hz,
            found.power * answer / top,
            label=f"{choice.shaper} at {choice.hz:.1f} Hz leaves {choice.left:.1%}",
            linewidth=2.4 if chosen_one else 1.0,
            zorder=3 if chosen_one else 2,
        )
    plot.set(
        xlabel="Hz", ylabel="power, highest 1", xlim=(found.hz[0], found.hz[-1]), ylim=(0, 1.05)
    )
    plot.set_title(
        f"axis {name} rings at {found.peak_hz:.1f} Hz; use {best.shaper} at {best.hz:.1f} Hz"
    )
    plot.legend()
    out = BytesIO()
    figure.savefig(out, format="png", dpi=110)
    return out.getvalue()
