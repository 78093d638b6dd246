"""The limits that can bind: their bits in the core's masks, their names, and how one is raised."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from microfactory.machine import Machine
from microfactory.motion.core import lib
from microfactory.motion.motions import Asked

TOGETHER = "together, these"
TOLERANCE_MOST_MM = 10.0  # what a machine file may have


@dataclass(frozen=True)
class Limit:
    """One limit, or several of a kind. keys: of the machine file; asked: what the program says."""

    name: str
    bits: int
    keys: tuple[str, ...] = ()
    asked: str = ""

    def raised(self, machine: Machine, factor: float) -> tuple[Machine, Asked]:
        """The machine and what is asked of it with this limit raised and nothing else.

        MachineError: the machine cannot have that much.
        """
        data = machine.data()
        settings = {key: value_of(data, key) * factor for key in self.keys}
        for key, value in settings.items():
            if key.endswith("_tolerance_mm"):
                settings[key] = min(value, TOLERANCE_MOST_MM)
        other = machine.with_settings(settings) if settings else machine
        return other, Asked(**{self.asked: factor}) if self.asked else Asked()

    def value(self, machine: Machine) -> str:
        """What it is now, with its unit; empty for several."""
        if len(self.keys) != 1 or self.name.startswith(TOGETHER):
            return ""
        unit = {"speed": "mm/s", "accel": "mm/s²", "jerk": "mm/s³"}
        word = next((u for w, u in unit.items() if f"_{w}_" in self.keys[0]), "mm")
        return f"{value_of(machine.data(), self.keys[0]):g} {word}"


def value_of(data: dict[str, Any], key: str) -> float:
    """Of a key such as axes.x.max_speed_mm_s."""
    place: Any = data
    for part in key.split("."):
        place = place[part]
    return float(place)


KINDS: tuple[tuple[str, str, int, str], ...] = (
    ("speed", "max_speed_mm_s", lib.MF_BY_AXIS_SPEED, "speeds"),
    ("accel", "max_accel_mm_s2", lib.MF_BY_AXIS_ACCEL, "accelerations"),
    ("jerk", "max_jerk_mm_s3", lib.MF_BY_AXIS_JERK, "jerks"),
)
PATH = {"speed": lib.MF_BY_SPEED, "accel": lib.MF_BY_ACCEL, "jerk": lib.MF_BY_JERK}


def singles(machine: Machine) -> list[Limit]:
    """Every limit by itself."""
    found = [
        Limit("feed (F in the program)", lib.MF_BY_FEED, asked="speed"),
        Limit("acceleration (M204 in the program)", lib.MF_BY_PROGRAM_ACCEL, asked="accel"),
        Limit(
            "corner tolerance (machine, G64 P)",
            lib.MF_BY_TOLERANCE,
            ("motion.corner_tolerance_mm",),
            "tolerance",
        ),
    ]
    for kind, key, first, _ in KINDS:
        found.append(Limit(f"motion.{key}", PATH[kind], (f"motion.{key}",)))
        for i, axis in enumerate(machine.axes):
            place = f"axes.{axis.name}.{key}"
            found.append(Limit(place, 1 << (first + i), (place,)))
    return found


def together(binding: list[Limit]) -> list[Limit]:
    """All limits of a kind at once, the program's among them, where at least two of that kind bind:
    equal ones hide each other.
    """
    groups = []
    for kind, key, _, name in KINDS:
        several = [b for b in binding if b.asked == kind or any(k.endswith(key) for k in b.keys)]
        if len(several) > 1:
            bits = 0
            for limit in several:
                bits |= limit.bits
            keys = tuple(k for limit in several for k in limit.keys)
            asked = next((limit.asked for limit in several if limit.asked), "")
            who = ["program"] * bool(asked) + [k.split(".")[-2] for k in keys]
            groups.append(Limit(f"{TOGETHER} {name}: {', '.join(who)}", bits, keys, asked))
    return groups
