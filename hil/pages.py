"""The pages of all boards (firmware/boards), by the name that a machine file gives."""

from types import SimpleNamespace
from typing import Any

from boards import pico, pico2, pico_carrier, skr_pico

PAGES = {page.NAME: page for page in (pico, pico2, pico_carrier, skr_pico)}


def with_card(page: Any) -> Any:
    """The same board with a card's slot on pins of its own, which a bare Pico has not."""
    return SimpleNamespace(**{**vars(page), "CARD": (1, 30, 31, 32, 33)})
