"""What a test may need of a rig, and why one cannot have it. Imports nothing: pytest loads it."""

from __future__ import annotations

import difflib

NEEDS = {
    "edges": "every edge of the board's step, direction and output pins is seen",
    "runs": "it is known which start of motion each pulse belongs to, so a program can be judged",
    "switches": "the board's inputs can be pressed and let go",
    "carriages": "motors move carriages that reach their switches, so homing works",
    "adc_stim": "the board's temperature sensors can be broken or set",
    "heat": "heaters warm their sensors",
    "link_faults": "bytes between host and board can be spoilt, and the cable cut",
    "reset": "the board can be reset by its RUN line",
    "usb_power": "the board's USB power can be switched",
    "virtual_time": "time jumps, so waiting costs nothing",
    "person": "somebody sits at the terminal",
}
RIGS = ("virtual", "emulated", "real")


def unmet(words: tuple[str, ...], abilities: frozenset[str], rig: str) -> str:
    """Why this rig cannot do what these words ask; empty: it can."""
    for word in words:
        if word not in NEEDS:
            near = difflib.get_close_matches(word, NEEDS, n=1, cutoff=0.4)
            hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(NEEDS)}"
            return f"needs {word!r}, which no rig knows; {hint}"
        if word not in abilities:
            return f"needs {word!r} ({NEEDS[word]}), and the {rig} rig has it not"
    return ""
