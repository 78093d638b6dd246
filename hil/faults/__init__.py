"""Faults as parameters on the virtual machine: what breaks, when, how much; judged, shrunk, kept.

`fault` draws and writes them down, `wire` and `world` make them happen, `trial` plays a job under
them, `judge` looks at what the machine did, `shrink` finds the fewest that still go wrong.
"""
