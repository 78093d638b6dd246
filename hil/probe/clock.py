"""How much faster the probe's clock runs than the host's: a line through the best comparisons."""

from __future__ import annotations

import numpy as np

LEAST_S = 0.5  # between the first and the last comparison
PPM = 1e6
CRYSTALS_PPM = 200  # two cheap ones do not differ by more
MOST = 512  # comparisons that are kept


class ClockError:
    """Comparisons of two clocks. The host's reading lies between asking and hearing."""

    def __init__(self) -> None:
        self.rows: list[tuple[float, float, float]] = []  # host s, probe s, uncertainty s

    def add(self, before_s: float, after_s: float, probe_us: int) -> None:
        """The probe said probe_us, between these two times of the host."""
        half_s = (after_s - before_s) / 2
        self.rows.append((before_s + half_s, probe_us / 1e6, half_s))
        if len(self.rows) > MOST:
            del self.rows[1::2]

    def ppm(self) -> tuple[float, float] | None:
        """(error, its uncertainty) in parts per million; positive: the probe's clock is fast.

        None: the comparisons do not lie LEAST_S apart.
        """
        if not self.rows:
            return None
        host, probe, half = np.array(self.rows).T
        sure = half <= 2 * half.min()
        host, probe, half = host[sure], probe[sure], half[sure]
        span_s = float(host[-1] - host[0])
        if span_s < LEAST_S:
            return None
        begin = host[0]
        slope = np.polyfit(host - begin, (probe - probe[0]) - (host - begin), 1)[0]
        return float(slope) * PPM, 2 * float(half.max()) / span_s * PPM

    def at(self, host_s: float) -> tuple[float, float]:
        """(the probe's seconds, their uncertainty) at a time of the host: by the comparison that
        says it best. ValueError: there is none.
        """
        if not self.rows:
            raise ValueError("the clocks were never compared")
        unsure, shift = min(
            (half + abs(host_s - host) * CRYSTALS_PPM / PPM, probe - host)
            for host, probe, half in self.rows
        )
        return host_s + shift, unsure
