"""Which firmware a board must have: the very one that this package brings, told by its hash."""

from __future__ import annotations

from microfactory.flash import payload


def wrong_firmware(told: str) -> str:
    """What is wrong with the firmware that a board tells; empty: it is this package's."""
    wanted = payload.identity()
    if told.split()[-1:] == [wanted]:
        return ""
    return (
        f"the board has the firmware '{told}', and this package brings {wanted}; nothing was "
        "tried and nothing is certified; flash the board, then test it again"
    )
