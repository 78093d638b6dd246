"""The host's end of the probe: a second Pico that watches a board's lines (docs/probe.md).

`open_probe(link, rig)` gives a Probe: `identity()`, `start(trigger)`, `poll()`, `stop()` -> Edges,
`counters()`, `set(channel, level or volts)`, `reset_board()`, `clock_error_ppm()`. Edges' `lines()`
go through hil.rigs.lines into a Capture, which hil.verify and hil.report judge as any other.
"""

from hil.probe.client import Motor, Trigger
from hil.probe.edges import Edges
from hil.probe.probe import Probe, open_probe

__all__ = ["Edges", "Motor", "Probe", "Trigger", "open_probe"]
