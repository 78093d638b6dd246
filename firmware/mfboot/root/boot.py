"""Before anything else: no heat, no torch, no motor. Then main.py."""

from machine import Pin

from mfboot.files import Files
from mfboot.start import safe

safe(Files(), Pin)
