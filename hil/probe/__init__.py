"""The host's end of the probe: a second Pico that watches a board's lines (docs/probe.md)."""
