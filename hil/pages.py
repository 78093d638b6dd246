"""The pages of all boards (firmware/boards), by the name that a machine file gives."""

from boards import pico, pico2, pico_carrier, skr_pico

PAGES = {page.NAME: page for page in (pico, pico2, pico_carrier, skr_pico)}
